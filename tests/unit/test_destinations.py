"""What is special to one kind of destination; what all keep is in test_destination_contract.py."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration.connectors.definitions import DefinitionError
from orchestration.connectors.destinations.base import DeliveryError, RowError, Session
from orchestration.connectors.destinations.file_places import plainly
from orchestration.connectors.destinations.registry import destination
from orchestration.connectors.destinations.webhook_answers import masked, retry_after
from orchestration.resources.settings import PROJECT_ROOT
from tests.destination_worlds import FEED, KEY, SECRET, WORLDS, World
from tests.http_receiver import Answer, Receiver, receiver
from tests.postgres import execute
from tests.unit.test_destination_contract import SCHEMA, applied, batches, check, history, opened

ROWS = history(random.Random(1), 50)


def refused(entry: dict[str, Any], session: Session | None = None) -> DeliveryError:
    (batch,) = batches(ROWS, 50)
    with pytest.raises(DeliveryError) as caught:
        (session or opened(entry)).deliver(batch)
    return caught.value


@pytest.fixture(scope="module")
def postgres() -> Iterator[World]:
    with WORLDS["postgres"]() as running:
        yield running


@pytest.fixture
def world(postgres: World) -> World:
    execute(postgres.entry["url"], f"drop table if exists {FEED}, muster_feeds")
    return postgres


def _query(world: World, sql: str) -> list[Any]:
    with psycopg.connect(world.entry["url"]) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]


def test_postgres_goes_on_within_a_batch_that_was_cut_anew(world: World) -> None:
    session = opened(world.entry)
    session.deliver(batches(ROWS[:20], 20)[0])
    execute(world.entry["url"], f"update {FEED} set name = 'touched'")
    session.deliver(batches(ROWS, 50)[0])
    session.close()
    untouched = applied(ROWS[20:])
    for (segment, profile_id), row in world.held().items():  # type: ignore[misc]
        assert row["name"] == untouched.get((segment, profile_id), {"name": "touched"})["name"]


def test_postgres_does_not_let_an_old_row_replace_a_newer_one(world: World) -> None:
    session = opened(world.entry)
    session.deliver(batches(ROWS, 50)[0])
    for batch in batches(ROWS[:30], 30, is_replayed=True):
        session.deliver(batch)
    held = applied(ROWS)
    found = world.held()  # type: ignore[misc]
    assert {key: found[key]["sequence"] for key in held} == {
        k: r["sequence"] for k, r in held.items()
    }
    session.close()


def test_postgres_tells_of_a_missing_column_when_it_opens(world: World) -> None:
    execute(
        world.entry["url"],
        f"create table {FEED} (segment text, profile_id text, action text, name text, spend float, "
        "orders bigint, seen_at timestamp, tags jsonb, primary key (segment, profile_id))",
    )
    with pytest.raises(DeliveryError, match=r"table segments lacks the column is_vip .*alter"):
        opened(world.entry)
    execute(world.entry["url"], f"alter table {FEED} add column is_vip boolean")
    session = opened(world.entry)  # columns of Muster's own may be missing
    session.deliver(batches(ROWS, 50)[0])
    session.close()
    assert len(_query(world, f"select * from {FEED}")) == len(applied(ROWS))


def test_postgres_needs_a_table_or_the_leave_to_make_one_and_a_unique_key(world: World) -> None:
    with pytest.raises(DeliveryError, match="no table nowhere; create it"):
        opened({**world.entry, "table": "nowhere", "create_table": False})
    with pytest.raises(DeliveryError, match="no schema of that name"):
        opened({**world.entry, "table": "nowhere.segments"})
    columns = ", ".join(f"{name} text" for name in SCHEMA.names)
    execute(world.entry["url"], f"create table {FEED} ({columns})")
    with pytest.raises(DeliveryError, match=r"no unique index on \(segment, profile_id\)"):
        opened(world.entry)


def test_postgres_names_constraint_and_column_and_no_value(world: World) -> None:
    session = opened(world.entry)
    session.deliver(batches(ROWS, 50)[0])
    execute(
        world.entry["url"],
        f"alter table {FEED} add constraint no_debts check (spend > -5) not valid",
        f"alter table {FEED} alter orders type int using null",
    )
    rows = history(random.Random(2), 6, first=51)
    for row in rows:
        row |= {"profile_id": f"q{row['sequence']}", "action": "enter", "spend": 1.0, "orders": 1}
    rows[1]["spend"] = -12345.0
    rows[4]["orders"] = 9876543210
    errors = session.deliver(batches(rows, 6, "e2")[0])
    assert errors == [
        RowError(52, "CheckViolation (23514): constraint no_debts"),
        RowError(55, "NumericValueOutOfRange (22003): column orders"),
    ]
    session.close()
    arrived = {one for (one,) in _query(world, f"select sequence from {FEED}")}
    assert {51, 53, 54, 56} <= arrived
    assert _query(world, "select last_sequence, as_of, snapshot_id from muster_feeds") == [
        (56, "2026-11-01T00:00:00Z", "s1")
    ]


def test_postgres_connects_anew_when_its_connection_was_ended(world: World) -> None:
    session = opened(world.entry)
    for batch in batches(ROWS, 25):
        execute(
            world.entry["url"],
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'muster'",
        )
        error = refused({}, session)
        assert error.is_temporary
        assert "stopping" in str(error)
        session.deliver(batch)
    session.close()
    check(world, ROWS)


def test_postgres_takes_a_table_in_a_schema(world: World) -> None:
    execute(world.entry["url"], 'drop schema if exists "Out" cascade', 'create schema "Out"')
    session = opened({**world.entry, "table": "Out.Rows"})
    session.deliver(batches(ROWS, 50)[0])
    session.close()
    assert _query(world, 'select count(*) from "Out"."Rows"') == [(len(applied(ROWS)),)]
    assert _query(world, 'select last_sequence from "Out".muster_feeds') == [(50,)]


def test_redis_hashes_end_after_their_time_and_go_with_their_last_segment() -> None:
    import redis

    with WORLDS["redis"]() as world:
        session = opened({**world.entry, "ttl_seconds": 500, "prefix": "site"})
        session.deliver(batches(ROWS, 50)[0])
        session.close()
        client: Any = redis.Redis.from_url(world.entry["url"])
        profiles = {profile_id for _, profile_id in applied(ROWS)}
        assert set(client.keys("site:*")) == {f"site:{one}".encode() for one in profiles}
        assert all(0 < client.ttl(key) <= 500 for key in client.keys("site:*"))
        client.close()


def test_redis_needs_profiles() -> None:
    entry = {"type": "redis", "url": "redis://127.0.0.1:1"}
    with pytest.raises(DeliveryError, match="needs rows with profile_id"):
        destination(entry, "here").open(FEED, ["sequence"], ["decision_id"])


def test_kafka_tells_which_topic_is_missing_and_what_is_another_process() -> None:
    from tests.mock_kafka import mock_cluster

    with mock_cluster() as cluster:
        entry = {"type": "kafka", "brokers": cluster.brokers, "timeout_seconds": 5}
        cluster.create(FEED, 1)
        cluster.create(f"muster-{FEED}", 1)
        cluster.fail_topic(FEED, 29)
        with pytest.raises(DeliveryError, match=f"may not write topic {FEED}; grant it WRITE"):
            opened(entry)
        cluster.fail_topic(FEED, 0)
        session = opened(entry)
        cluster.fail_next(0, 90, 1)  # Produce answered with PRODUCER_FENCED
        error = refused(entry, session)
        assert "another process delivers this feed" in str(error)
        assert not error.is_temporary
        session.deliver(batches(ROWS, 50)[0])  # makes another producer
        session.close()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def _webhook(server: Receiver, **settings: object) -> dict[str, Any]:
    return {"type": "webhook", "url": server.url, **settings}


def test_a_webhook_is_signed_as_the_documentation_says(server: Receiver) -> None:
    session = opened(_webhook(server, secret=SECRET, headers={"X-Team": "shop"}))
    assert session.deliver(batches(ROWS, 50)[0]) == ()
    (request,) = server.requests
    assert request.headers["X-Team"] == "shop"
    assert request.headers["Idempotency-Key"] == "segments-1-50"
    (code,) = re.findall(
        r"```python\n(.*?)```", (PROJECT_ROOT / "docs/destinations.md").read_text(), re.DOTALL
    )
    documented: dict[str, Any] = {}
    exec(code, documented)
    is_from_muster = documented["is_from_muster"]
    header = request.headers["Muster-Signature"]
    assert is_from_muster(SECRET, header, request.body)
    assert not is_from_muster(SECRET, header, request.body + b" ")
    assert not is_from_muster("another", header, request.body)
    assert not is_from_muster(SECRET, header.replace("t=1", "t=2"), request.body)
    body = request.json
    assert list(body) == ["feed", "emission_id", "as_of", "snapshot_id", "rows"]
    assert [row["sequence"] for row in body["rows"]] == list(range(1, 51))
    session.close()


@pytest.mark.parametrize(
    ("status", "is_temporary", "words"),
    [
        (401, False, "credential"), (403, False, "credential"), (404, False, "check url"),
        (413, False, "lower batch_rows"), (418, False, "ask its owner"), (301, False, "has moved"),
        (429, True, "429"), (500, True, "500"), (503, True, "503"), (408, True, "408"),
    ],
)  # fmt: skip
def test_a_webhooks_answers(server: Receiver, status: int, is_temporary: bool, words: str) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server.answer = lambda _: Answer(status, b"p1@example.com", {"Retry-After": moment})
    error = refused(_webhook(server))
    assert error.is_temporary == is_temporary
    assert words in str(error)
    assert "127.0.0.1" in str(error)
    assert "example.com" not in str(error)
    if is_temporary:
        assert 80 < (error.retry_after or 0) <= 91
    else:
        assert error.retry_after is None


def test_retry_after_in_all_its_forms() -> None:
    assert retry_after("120") == 120
    assert retry_after("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_a_webhook_that_answers_no_json_is_asked_again(server: Receiver) -> None:
    server.answer = lambda _: Answer(200, b"<html>p1@example.com", {"Content-Type": "text/html"})
    error = refused(_webhook(server, errors="errors"))
    assert error.is_temporary
    assert "text/html of 20 bytes" in str(error)
    assert opened(_webhook(server)).deliver(batches(ROWS, 50)[0]) == ()


def test_a_webhook_refuses_rows_by_index_or_key(server: Receiver) -> None:
    entries = [
        {"index": 0, "message": "call +31 6 1234 5678 or write to ann@example.com"},
        {"key": "segments-3", "message": "bad spend"},
    ]
    server.answer = lambda _: Answer(200, json.dumps({"result": {"bad": entries}}).encode())
    session = opened(_webhook(server, errors="result.bad"))
    errors = session.deliver(batches(ROWS, 50)[0])
    assert errors == [RowError(1, "call *** or write to ***"), RowError(3, "bad spend")]
    entries[0]["index"] = 50
    assert "names no row" in str(refused({}, session))
    session.close()


def test_words_of_others_lose_what_may_be_a_persons() -> None:
    row = {"name": "Ann Smith", "action": "update", "profile_id": "p12", "spend": 1.5}
    assert masked("cannot update ANN SMITH (p12)", row) == "cannot update *** (***)"
    assert masked("code 4002: no", row) == "code 4002: no"
    assert masked("06-12 34.56-78", row) == "***"
    assert len(masked("long " * 99, row)) == 80


def test_a_webhook_that_is_too_slow_is_asked_again(server: Receiver) -> None:
    server.latency = 1.0
    error = refused(_webhook(server, timeout_seconds=0.2))
    assert error.is_temporary
    assert "0.2 seconds" in str(error)


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, form: str) -> None:
    folder = tmp_path / FEED / "e1"
    folder.mkdir(parents=True)
    (folder / f".part-00001.{form}.new").symlink_to("/dev/full")
    entry = {"type": "files", "folder": str(tmp_path), "formats": [form]}
    error = refused(entry)
    assert "the disk is full" in str(error)
    assert error.is_temporary
    assert list(folder.iterdir()) == []
    opened(entry).deliver(batches(ROWS, 50)[0])


def test_a_folder_that_cannot_be_written_is_for_somebody_to_cure(tmp_path: Path) -> None:
    error = refused({"type": "files", "folder": "/sys/muster"})
    assert "set another folder" in str(error)
    assert not error.is_temporary
    denied = plainly(PermissionError("Access Denied"), "s3://feeds")
    assert "refuses the credential" in str(denied)
    assert not denied.is_temporary
    assert "no file system" not in str(denied)


def test_a_bucket_that_is_not_there_is_not_made() -> None:
    with WORLDS["files-s3"]() as world:
        error = refused({**world.entry, "folder": "s3://misspelt"})
        assert "create the bucket" in str(error)
        assert not error.is_temporary
        assert "check options" in str(refused({**world.entry, "options": {"keyy": "x"}}))
    assert "not known" in str(_opening({"type": "files", "folder": "what://feeds"}))


def _opening(entry: dict[str, Any]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        opened(entry)
    return caught.value


def _vendor(server: Receiver, **more: object) -> dict[str, Any]:
    config = {"type": "rest_api", "url": f"{server.url}/add", "method": "POST", **more}
    return {"type": "vendor", "config": config | {"rate_limit": {"requests_per_second": 10_000}}}


def test_a_vendor_gets_its_own_fields_and_removals_their_own_way(server: Receiver) -> None:
    away = {"type": "rest_api", "url": f"{server.url}/remove", "method": "DELETE"}
    entry = {
        **_vendor(server),
        "removing": away,
        "skip": ["erase"],
        "fields": {"id": "profile_id", "list": "segment"},
    }
    session = opened(entry)
    assert session.deliver(batches(ROWS[:12], 12)[0]) == []
    ways = {"exit": "/remove"}
    assert [(one.path, one.json) for one in server.requests] == [
        (ways.get(row["action"], "/add"), {"id": row["profile_id"], "list": row["segment"]})
        for row in ROWS[:12]
        if row["action"] != "erase"
    ]


def test_a_vendors_words_lose_what_may_be_a_persons(server: Receiver) -> None:
    server.answer = lambda one: Answer(422, b"bad " + one.json["profile_id"].encode())
    rows = [{**row, "profile_id": f"person-{row['sequence']}"} for row in ROWS[:2]]
    server.answer = lambda one: Answer(422, b"bad " + one.json["profile_id"].encode())
    errors = opened(_vendor(server)).deliver(batches(rows, 2)[0])
    assert [one.reason for one in errors] == ["rest_api 422: bad ***"] * 2


@pytest.mark.parametrize(
    ("status", "is_temporary"), [(401, False), (404, False), (429, True), (503, True)]
)
def test_a_vendor_that_is_closed_to_all_is_an_error_of_the_batch(
    server: Receiver, status: int, is_temporary: bool
) -> None:
    server.answer = lambda _: Answer(status)
    assert refused(_vendor(server)).is_temporary == is_temporary
    # Once: retries belong to feeds, also where drt's own settings ask for them.
    assert len(server.requests) == 50


def test_slack_and_hubspot_by_drt(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_PATH", "services/T1")
    slack = {"type": "slack", "webhook_url": f"{server.url}/${{SLACK_PATH}}",
             "message_template": "{{ row.profile_id }} is {{ row.segment }}",
             "rate_limit": {"requests_per_second": 10_000}}  # fmt: skip
    server.answer = lambda _: Answer(200, b"ok")
    session = opened({"type": "vendor", "config": slack})
    assert session.deliver(batches(ROWS[:1], 1)[0]) == []
    assert server.requests[0].path == "/services/T1"
    assert server.requests[0].json["text"] == f"{ROWS[0]['profile_id']} is {ROWS[0]['segment']}"
    monkeypatch.setattr("drt.destinations.hubspot._HUBSPOT_API", f"{server.url}/crm")
    monkeypatch.setenv("HUBSPOT_TOKEN", SECRET)
    hubspot = {
        "type": "hubspot",
        "object_type": "contacts",
        "id_property": "muster_id",
        "properties_template": '{"muster_id": "{{ row.profile_id }}"}',
        "auth": {"type": "bearer", "token_env": "HUBSPOT_TOKEN"},
        "rate_limit": {"requests_per_second": 10_000},
    }
    server.answer = lambda _: Answer(200, b'{"id": "1"}')
    session = opened({"type": "vendor", "config": hubspot})
    assert session.deliver(batches(ROWS[:2], 2)[0]) == []
    assert server.requests[-1].headers["Authorization"] == f"Bearer {SECRET}"
    assert server.requests[-1].path.startswith("/crm/contacts")
    assert server.requests[-1].json["properties"] == {"muster_id": ROWS[1]["profile_id"]}


def test_a_vendors_config_is_checked_by_drts_own_models() -> None:
    def error(config: dict[str, Any]) -> str:
        with pytest.raises(DefinitionError) as caught:
            destination({"type": "vendor", "config": config}, "destinations.crm")
        return str(caught.value)

    assert "type is needed" in error({})
    assert "there is no such setting: webhok_url" in error({"type": "slack", "webhok_url": "x"})
    assert "'rest_api'" in error({"type": "misspelt"})


def test_a_missing_variable_is_named() -> None:
    from orchestration.connectors.secrets import MissingSecretError

    for entry in (
        {"type": "postgres", "url": "postgresql://me:${NOT_SET}@host/db"},
        {"type": "redis", "url": "redis://:${NOT_SET}@host"},
        {"type": "webhook", "url": "https://host", "secret": "${NOT_SET}"},
        {"type": "kafka", "brokers": "host:1", "settings": {"sasl.password": "${NOT_SET}"}},
        {"type": "files", "folder": "s3://b", "options": {"client_kwargs": {"k": "${NOT_SET}"}}},
    ):
        with pytest.raises(MissingSecretError, match="NOT_SET"):
            destination(entry, "here").open(FEED, SCHEMA.names, KEY)


def test_two_processes_of_one_feed_write_postgres_one_after_the_other(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    rows = history(random.Random(3), 400)

    def deliver(_: int) -> None:
        session = opened(world.entry)
        for batch in batches(rows, 20):
            session.deliver(batch)
        session.close()

    opened(world.entry).deliver(batches(rows[:1], 1)[0])
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(deliver, range(3)))
    check(world, rows)
