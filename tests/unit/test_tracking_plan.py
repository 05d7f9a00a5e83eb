"""The tracking plan: its file, one judgement for files and builds, releases from quarantine."""

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.connectors.sources.queries import open_connection
from orchestration.resources.settings import DBT_PROJECT
from orchestration.tracking_plan.check import CheckError, check_file, events_sql
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import (
    PLAN_FILE,
    Plan,
    PlanError,
    Property,
    RawPlan,
    json_schema,
    load_plan,
    read_plan,
)

PLAN = """
properties:
  email: {pii: true}
  value: {type: number}
  properties.note: {}
events:
  page_view:
    description: A page.
    owner: web
    properties: {properties.count: {type: integer}, page_url: {type: url}}
  product_view:
    description: A product.
    owner: web
    properties: {product_id: {required: true}, value: {required: true}}
  it's signup:
    description: A sign-up.
    owner: web
    properties:
      properties.plan: {required: true, one_of: [free, it's paid]}
      properties.agreed: {type: boolean}
      properties.phone: {pii: true}
      received_at: {type: time}
      value: {type: integer}
"""
GOOD = {"event_id": "e", "name": "page_view", "occurred_at": "2026-01-31T10:00:00Z"}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, RawPlan]:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN)
    monkeypatch.setenv("MUSTER_TRACKING_PLAN", str(path))
    return load_plan()


def _written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _judged(path: Path, raw: RawPlan) -> dict[int, str | None]:
    with open_connection() as connection:
        events, _ = events_sql(connection, path, "web/events")
        query = f"select _row_number, {reasons_sql(raw)} from ({events})"
        return dict(connection.execute(query).fetchall())


def _text(value: object) -> str | None:
    """A landed value as the judgement sees it; a blank is nothing."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.strip(" ") or None


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e\d)?", text)) and len(text) < 14


_TYPES = {
    "number": (_is_number, "not a number"),
    "integer": (lambda text: bool(re.fullmatch(r"[+-]?\d+(\.0*)?", text)), "not an integer"),
    "boolean": (lambda text: text.lower() in ("true", "false", "yes", "0"), "not true or false"),
    "time": (lambda text: text.startswith("20"), "not a time"),
    "url": (lambda text: bool(re.fullmatch(r"[A-Za-z]+://\S+", text)), "not a URL"),
}


def _obvious(row: dict[str, Any], plan: Plan) -> set[str]:
    """The reasons, one rule after the other, as a person would read them off the plan."""
    name = (_text(row.get("name")) or "").lower()
    found = set()
    if _text(row.get("event_id")) is None:
        found.add("event_id is missing")
    if not (_text(row.get("occurred_at")) or "").startswith("20"):
        found.add("occurred_at is missing or no time")
    if not name:
        found.add("name is missing")
    elif name not in plan.events:
        found.add("name is not in the tracking plan")
    common = {key: given for key, given in plan.properties.items() if given}
    for key, rule in (plan.properties_of(name) if name in plan.events else common).items():
        column, _, inside = key.partition(".")
        value = row.get(column)
        if inside:
            value = value.get(inside) if isinstance(value, dict) else None
        text = _text(value)
        if text is None:
            if rule.required:
                found.add(f"required property {key} is missing")
        elif rule.one_of:
            if text not in rule.one_of:
                found.add(f"property {key} is none of {', '.join(rule.one_of)}")
        elif rule.type != "text" and not _TYPES[rule.type][0](text):
            found.add(f"property {key} is {_TYPES[rule.type][1]}")
    return found


def random_rows(chance: random.Random, count: int) -> list[dict[str, Any]]:
    scalars = [None, "", " ", 3, "3.0", "2.5", "-1", "deep", "true", "Yes", "it's paid", "free"]
    scalars += ["https://firm.org/a", "/a", "2026-01-31 10:00:00", "ann@firm.org", "; "]
    names = [None, " ", "page_view", "Product_View ", "it's signup", "IT'S SIGNUP", "page_vew"]
    rows = []
    for _ in range(count):
        row: dict[str, Any] = {
            "event_id": chance.choice(["e1", "e2", " ", None]),
            "name": chance.choice(names),
            "occurred_at": chance.choice(["2026-01-31T10:00:00Z", "2026-01-31", "soon", "", None]),
        }
        for column in ("value", "product_id", "page_url", "received_at", "email"):
            if chance.random() < 0.6:
                row[column] = chance.choice(scalars)
        keys = ("count", "plan", "agreed", "note")
        row["properties"] = chance.choice(
            [None, "{no JSON", [1], {key: chance.choice(scalars) for key in keys}]
        )
        rows.append(row)
    return rows


def test_random_events_are_judged_as_by_a_slow_reader_of_the_plan(
    plan: tuple[Plan, RawPlan], tmp_path: Path
) -> None:
    seed = int(os.environ.get("MUSTER_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    rows = random_rows(random.Random(seed), 3000)
    found = _judged(_written(tmp_path / "events.jsonl", rows), plan[1])
    for number, row in enumerate(rows, start=1):
        # Names of one_of hold no "; ", so the reasons can be taken apart.
        reasons = set((found[number] or "").split("; ")) - {""}
        assert reasons == _obvious(row, plan[0]), row


def test_the_shipped_plan_is_valid_and_its_schema_is_the_committed_one() -> None:
    plan, raw = read_plan(PLAN_FILE)
    assert plan.events["purchase"].is_conversion
    assert raw == yaml.safe_load(PLAN_FILE.read_text())
    committed = json.loads((DBT_PROJECT / "tracking_plan.schema.json").read_text())
    assert committed == json_schema(), (
        "write it again: orchestration.tracking_plan.plan.json_schema"
    )


def test_the_words_that_dbt_alone_accepts_are_those_of_the_file() -> None:
    macros = (DBT_PROJECT / "macros" / "tracking_plan.sql").read_text()
    found = re.search(r"macro rule_words\(\) -%}([a-z_, ]+)\{%", macros)
    assert found and set(found[1].split(", ")) == set(Property.model_fields)


EVENT = "events: {seen: {description: A thing., owner: web, properties: {%s}}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            EVENT % "dwel_seconds: {}",
            "seen > dwel_seconds: web.events has no such column; write pr",
        ),
        (EVENT % "value: {type: money}", "events > seen > properties > value > type: Input should"),
        (EVENT % "value: {requird: true}", "value > requird: Extra inputs are not permitted"),
        (EVENT % "value: {type: text}", "seen > value: staging keeps a number; write type: number"),
        (EVENT % "value: {one_of: [a]}", "seen > value: staging keeps a number"),
        (EVENT % "received_at: {type: url}", "seen > received_at: staging keeps a time"),
        (EVENT % "properties.: {}", "seen > properties.: write properties.key"),
        (EVENT % "properties: {}", "seen > properties: write properties.key"),
        (EVENT % "category: {one_of: [yes]}", "one_of > 0: Input should be a valid string"),
        (EVENT % "category: {one_of: [a; b]}", "one_of > 0: String should match"),
        (EVENT % "category: {one_of: [a], type: url}", "one_of is for texts"),
        ("events: {Seen: {description: a, owner: b}}", "Seen: names are compared in lower case"),
        ("events: {seen: {description: a}}", "events > seen > owner: Field required"),
        ("events: {yes: {description: a, owner: b}}", "Input should be a valid string"),
        ("events: {}", "events: Dictionary should have at least 1 item"),
        ("event: [", "is no YAML: while parsing"),
        ("- seen", "write `events:` and the event names below it"),
    ],
)
def test_a_plan_that_is_not_valid_is_told_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_plan_is_named_by_its_full_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_TRACKING_PLAN", "plan.yml")
    with pytest.raises(PlanError, match="write the full path"):
        load_plan()
    monkeypatch.setenv("MUSTER_TRACKING_PLAN", "/nowhere/plan.yml")
    with pytest.raises(PlanError, match="No such file"):
        load_plan()


def _rows_of_each_kind() -> list[dict[str, Any]]:
    return [
        GOOD,
        {**GOOD, "name": "Page_Vew"},
        {**GOOD, "name": "page_vew", "value": "much"},
        {**GOOD, "name": "product_view", "event_id": "e4", "value": 1},
        {**GOOD, "properties": {"count": "many"}},
        {"name": "page_view", "occurred_at": "soon"},
        {**GOOD, "search_query": "Ann@Firm.org", "email": "ann@firm.org"},
        {**GOOD, "page_url": "https://firm.org/?mail=ann%40firm.org"},
        {**GOOD, "properties": {"phone": "x@firm.org", "note": "of bob@firm.org", 'odd"k': 1}},
    ]


def test_a_check_reports_names_reasons_rows_samples_and_personal_data(
    plan: tuple[Plan, RawPlan], tmp_path: Path
) -> None:
    path = _written(tmp_path / "events.jsonl", _rows_of_each_kind())
    path.write_text(path.read_text() + '{"event_id": \n[1]\n')
    found = check_file(path, "web/events", *plan)
    assert found.rows == 9
    assert {(v.name, v.reason, v.rows, v.first_row, v.sample) for v in found.violations} == {
        ("page_vew", "name is not in the tracking plan", 2, 2, "Page_Vew"),
        ("page_vew", "property value is not a number", 1, 3, "much"),
        ("product_view", "required property product_id is missing", 1, 4, "event_id e4"),
        ("page_view", "property properties.count is not an integer", 1, 5, "many"),
        ("page_view", "event_id is missing", 1, 6, ""),
        ("page_view", "occurred_at is missing or no time", 1, 6, "soon"),
    }
    assert {(k.name, k.property, k.rows, k.first_row) for k in found.leaks} == {
        ("page_view", "search_query", 1, 7),
        ("page_view", "page_url", 1, 8),
        ("page_view", "properties.note", 1, 9),
    }
    assert [(line.line_number, line.reason) for line in found.bad_lines] == [
        (10, "not valid JSON"),
        (11, "a JSON array where an object is expected"),
    ]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_format_of_the_inbox_is_checked(
    plan: tuple[Plan, RawPlan], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"events.{suffix}"
    kind = {"csv": "csv, header", "jsonl": "json", "parquet": "parquet"}[suffix.partition(".")[0]]
    gzip = ", compression gzip" if suffix.endswith("gz") else ""
    duckdb.sql(
        f"""copy (select 'e' || n as event_id, 'page_view' as name, '2026-01-31' as occurred_at,
        case when n = 3 then 'much' end as value from range(1, 6) as t (n)) to '{path}'
        (format {kind}{gzip})"""
    )
    (violation,) = check_file(path, "web/events", *plan).violations
    assert (violation.first_row, violation.sample) == (3, "much")
    assert check_file(path, "web/events", *plan).rows == 5


def test_what_cannot_be_checked_is_told_in_one_line(
    plan: tuple[Plan, RawPlan], tmp_path: Path
) -> None:
    def message(name: str, content: bytes, folder: str = "web/events") -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CheckError) as caught:
            check_file(path, folder, *plan)
        return str(caught.value)

    assert "not a format that is read" in message("a.txt", b"x")
    assert "the file is empty" in message("a.csv", b"")
    assert "no column event_id" in message("b.csv", b"name\nx\n")
    assert "the gzip data is cut off" in message("a.csv.gz", b"\x1f\x8b\x08\x00x")
    assert "yields no web.events" in message("c.csv", b"x", "shop/orders")
    with pytest.raises(CheckError, match="no such file"):
        check_file(tmp_path / "none.csv", "web/events", *plan)


def test_a_file_of_another_shape_is_checked_through_its_mapping(
    plan: tuple[Plan, RawPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources.yml"
    mapped = {"event_id": '"Id"', "name": "lower(\"What\") || '_view'", "occurred_at": '"When"'}
    entry = {"folder": "app/log", "entities": {"web_events": {"columns": mapped}}}
    sources.write_text(yaml.safe_dump({"folders": [entry]}))
    monkeypatch.setenv("MUSTER_SOURCES", str(sources))
    path = tmp_path / "log.csv"
    path.write_text("Id,What,When\n1,Page,2026-01-31\n2,Cart,2026-01-31\n")
    (violation,) = check_file(path, "app/log", *plan).violations
    assert (violation.name, violation.first_row) == ("cart_view", 2)


@pytest.mark.usefixtures("plan")
def test_the_command_exits_with_1_only_if_something_is_violated(tmp_path: Path) -> None:
    runner = CliRunner(env={"COLUMNS": "200"})
    good = _written(tmp_path / "good.jsonl", [GOOD])
    done = runner.invoke(app, ["plan", "check", str(good)])
    assert (done.exit_code, done.stdout.strip()[-24:]) == (0, "1 rows, all by the plan")
    bad = _written(tmp_path / "bad.jsonl", [GOOD, {**GOOD, "name": "x"}])
    done = runner.invoke(app, ["plan", "check", str(bad)])
    assert done.exit_code == 1
    assert "name is not in the tracking plan" in done.stdout
    missing = runner.invoke(app, ["plan", "check", str(tmp_path / "none.csv")])
    assert missing.exit_code == 2
    leak = _written(tmp_path / "leak.jsonl", [{**GOOD, "category": "ann@firm.org"}])
    done = runner.invoke(app, ["plan", "check", str(leak)])
    assert done.exit_code == 0
    assert "page_view: category holds an e-mail address in 1 rows" in done.output
    assert "ann@firm.org" not in done.output
    shown = runner.invoke(app, ["plan", "show"])
    assert shown.exit_code == 0
    assert "value! number, product_id! text" in shown.stdout


def test_personal_data_of_events_has_no_way_beyond_staging() -> None:
    """`properties` and `_extra` may hold anything, so no later model names them."""
    for folder in ("intermediate", "marts", "published"):
        for path in (DBT_PROJECT / "models" / folder).rglob("*.sql"):
            bare = re.sub(r"--.*|\{#.*?#\}", "", path.read_text())
            # One named field of clicks is told on; it is no way for the rest.
            bare = bare.replace("json_text('events.properties', 'element')", "")
            assert not re.search(r"\b(properties|_extra|_record)\b", bare), path.name
            if folder == "published":
                bare = bare.replace("'email'", "")  # the name of a channel
                assert not re.search(r"\b(email|search_query|page_url|user_id)\b", bare), path.name
                assert "select *" not in bare, path.name
