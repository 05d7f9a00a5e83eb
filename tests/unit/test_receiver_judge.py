"""What the receiver says of events is what staging will say; and it is received without that, too.

Staging is asked as it works: the spooled lines are landed, and their rows judged. That dbt says the
same of landed rows as the file check is tested in tests/integration/test_tracking_plan.py.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from orchestration.connectors.definitions import (
    FileMapping,
    FolderDefinition,
    load_definitions,
)
from orchestration.connectors.receiver import judge as judging
from orchestration.connectors.receiver.app import ReceiverSettings, create_app
from orchestration.connectors.receiver.events import (
    PLAIN,
    SEGMENT,
    Event,
    Shape,
    plain_events,
    segment_batch,
    spool_lines,
)
from orchestration.connectors.receiver.judge import Judge, Judgement
from orchestration.connectors.receiver.keys import Keys
from orchestration.connectors.receiver.spool import Rotation
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.connectors.sources.queries import open_connection
from orchestration.tracking_plan.check import events_sql
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import read_plan
from tests.receivers import event
from tests.unit.test_tracking_plan import PLAN, random_rows

Told = list[tuple[str | None, list[str]]]  # of each event: its name and all that is wrong with it


@pytest.fixture
def reasons(tmp_path: Path) -> str:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN)
    return reasons_sql(read_plan(path)[1])


def _segment_rows(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Segment's messages, each with the oddities of a plain event."""
    names = ["Product Viewed", "productViewed", "PAGE", "it's signup", "Page_Vew", "", None, 7]
    rows = []
    for plain in random_rows(chance, count):
        inside = plain["properties"] if isinstance(plain["properties"], dict) else {}
        own = {"price": plain.get("value"), "sku": plain.get("product_id"), "url": "/a", **inside}
        row = {
            "type": chance.choice(["track", "track", "page", "screen", "identify", "group", None]),
            "event": chance.choice(names),
            "messageId": plain["event_id"],
            "timestamp": plain["occurred_at"],
            "properties": chance.choice([own, plain["properties"], [own], "text"]),
            "context": chance.choice([None, {}, "x", {"page": {"url": "no address"}}]),
        }
        rows.append({key: value for key, value in row.items() if chance.random() < 0.9})
    return rows


def _plain_body(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows).encode()


def _segment_body(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"batch": rows}).encode()


def _requests(chance: random.Random, lines: bytes) -> list[bytes]:
    """The lines in parts of random sizes."""
    rest, found = lines.splitlines(keepends=True), []
    while rest:
        size = chance.choice((1, 2, 7, 30))
        found.append(b"".join(rest[:size]))
        rest = rest[size:]
    return found


def _told_by_receiver(shape: Shape, reasons: str, requests: list[bytes]) -> Told:
    """All requests at once, so that many are judged together."""
    judge = Judge(load_definitions()[shape.folder], reasons)

    async def ask() -> list[Judgement | None]:
        return list(await asyncio.gather(*(judge.judge(lines) for lines in requests)))

    told: Told = []
    for lines, judgement in zip(requests, asyncio.run(ask()), strict=True):
        assert judgement is not None
        assert judgement.count == len(judgement.violations) or judgement.count > 100
        for index in range(lines.count(b"\n")):
            of_one = [one for one in judgement.violations if one["index"] == index]
            name = str(of_one[0]["name"]) if of_one and of_one[0]["name"] is not None else None
            told.append((name, [str(one["reason"]) for one in of_one]))
    return told


def _told_by_staging(home: Path, shape: Shape, reasons: str, lines: bytes) -> tuple[Told, Told]:
    """By the file check, and of what has landed."""
    path = home / "inbox" / shape.folder / "received-x.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(lines)
    land_inbox(home / "inbox", home / "landing", home / "dlt", shape.folder.split("/")[0])
    with open_connection() as connection:
        checked, _ = events_sql(connection, path, shape.folder)
        landed = f"from read_parquet('{home}/landing/*/web_events/*.parquet')"
        found = [
            connection.execute(
                f"select name, {reasons} from ({rows}) order by _row_number"
            ).fetchall()
            for rows in (checked, landed)
        ]
    both = [
        [(name, (told or "").split("; ") if told else []) for name, told in one] for one in found
    ]
    return both[0], both[1]


@pytest.mark.parametrize(
    ("shape", "rows", "body", "parse"),
    [
        (PLAIN, random_rows, _plain_body, plain_events),
        (SEGMENT, _segment_rows, _segment_body, segment_batch),
    ],
    ids=["plain", "segment"],
)
def test_the_receiver_says_of_random_events_what_staging_says(
    tmp_path: Path,
    reasons: str,
    monkeypatch: pytest.MonkeyPatch,
    shape: Shape,
    rows: Callable[[random.Random, int], list[dict[str, Any]]],
    body: Callable[[list[dict[str, Any]]], bytes],
    parse: Callable[[bytes], list[Event]],
) -> None:
    seed = int(os.environ.get("MUSTER_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    monkeypatch.setattr(judging, "SLICE_BYTES", 10_000)
    monkeypatch.setattr(judging, "WAIT_SECONDS", 60.0)
    lines = spool_lines(parse(body(rows(chance, 1000))), shape, "shop")
    by_receiver = _told_by_receiver(shape, reasons, _requests(chance, lines))
    checked, landed = _told_by_staging(tmp_path, shape, reasons, lines)
    assert checked == landed
    for line, ours, theirs in zip(lines.splitlines(), by_receiver, landed, strict=True):
        assert ours[1] == theirs[1], line
        assert not ours[1] or ours[0] == theirs[0], line
    assert len({reason for _, of_one in landed for reason in of_one}) >= 8


def _lines(*events: dict[str, Any]) -> bytes:
    return spool_lines(list(events), PLAIN, "")


def test_only_the_first_violations_are_told_and_all_counted(reasons: str) -> None:
    judge = Judge(load_definitions()["web/events"], reasons)
    many = _lines(*[event(number, name="x" * 500, value="much") for number in range(70)])
    found = asyncio.run(judge.judge(many))
    assert found is not None
    assert (found.count, len(found.violations)) == (140, 100)
    assert found.violations[-1]["index"] == 49
    assert found.violations[0]["name"] == "x" * 100


def test_a_request_that_cannot_be_judged_does_not_touch_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails = "case when event_id = 'e3' then error('of a test') when event_id = 'e4' then 'bad' end"
    judge = Judge(load_definitions()["web/events"], fails)

    async def ask(*numbers: int) -> list[int | None]:
        found = await asyncio.gather(*(judge.judge(_lines(event(one))) for one in numbers))
        return [judgement.count if judgement else None for judgement in found]

    assert asyncio.run(ask(1, 2, 3, 4, 3)) == [0, 0, None, 1, None]
    assert asyncio.run(ask(4)) == [1]
    assert judge._connection is not None
    judge._connection.close()  # as some errors leave it
    assert [asyncio.run(ask(4)), asyncio.run(ask(4))] == [[None], [1]]
    (message,) = caplog.messages  # and not one for each request
    assert "without being judged" in message and "of a test" in message


def test_nobody_waits_long_for_a_judgement(reasons: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(load_definitions()["web/events"], reasons)

    async def ask() -> list[Judgement | None]:
        with monkeypatch.context() as patched:
            patched.setattr(judging, "WAIT_SECONDS", 0.0)
            first = await asyncio.gather(*(judge.judge(_lines(event(n))) for n in range(3)))
        return [*first, await judge.judge(_lines(event(1, value="much")))]

    *late, last = asyncio.run(ask())
    assert late == [None] * 3
    assert last is not None and last.count == 1


def test_an_expression_that_fails_is_null_as_when_it_lands(reasons: str) -> None:
    columns = {"event_id": '"id"', "name": "'page_view'", "occurred_at": '"when"'}
    columns |= {"value": """coalesce('v' || "n"::int, 'much')""", "page_url": "'x' || \"n\"::int"}
    mapping = FileMapping(columns=columns)
    definition = FolderDefinition(
        folder="segment/events", fields=("id", "when", "n"), entities={"web_events": mapping}
    )
    rows = [{"id": n, "when": "2026-01-31", "n": ("x", "1")[n % 2]} for n in range(50)]
    found = asyncio.run(Judge(definition, reasons).judge(_lines(*rows)))
    assert found is not None
    assert [one["index"] for one in found.violations] == sorted([*range(1, 50, 2)] * 2)


def test_a_folder_that_yields_no_events_has_nothing_to_judge() -> None:
    definition = FolderDefinition(folder="segment/events", entities={})
    assert asyncio.run(Judge(definition, "'bad'").judge(b"{}\n")) == Judgement()


async def _post(app: Starlette, body: bytes) -> tuple[int, dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/events", "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("broken", ["error('of a test')", "no_such_column", "no sql"])
@pytest.mark.parametrize("is_strict", [False, True])
def test_only_a_strict_receiver_refuses_what_cannot_be_judged(
    tmp_path: Path, broken: str, is_strict: bool
) -> None:
    settings = ReceiverSettings(
        tmp_path / "inbox", tmp_path / "landing", Keys(), broken, is_strict, 10**9, 0, 1, Rotation()
    )
    app = create_app(settings)

    async def send() -> tuple[int, dict[str, Any]]:
        async with app.router.lifespan_context(app):
            return await _post(app, json.dumps([event(1), event(2)]).encode())

    status, answer = asyncio.run(send())
    files = list((tmp_path / "inbox" / "web" / "events").iterdir())
    if is_strict:
        assert (status, files) == (503, [])
        assert "nothing was stored; send again later" in answer["error"]
    else:
        assert (status, answer) == (
            200,
            {"accepted": 2, "violations": [], "violation_count": None},
        )
        assert len(files[0].read_bytes().splitlines()) == 2
