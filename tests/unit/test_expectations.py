"""Suites, named expectations and the runner, on small DuckDB files with known faults."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
import yaml

from expectations.run import build_docs, main, stages, validate
from expectations.spec import Result, Suite
from expectations.status import record_status
from expectations.suites import STAGES
from expectations.suites.landing import SUITES as LANDING
from expectations.suites.segments import segment_suite, trigger_suite
from orchestration.publication.contract import read_contracts
from orchestration.resources.settings import PUBLISHED_MODELS

ROOT = Path(__file__).parents[2]
ID = "'p_' || lpad(to_hex({n}), 20, '0')"
FIRST, SECOND = ID.format(n=1), ID.format(n=2)
MARK = "someone.private@example.org"
SHORT_MARK = "q@zx.yw"
NOON = "timestamp '2026-01-05 12:00:00'"
PROVENANCE = (
    "'{source}/a.csv' as _source_file, {row} as _row_number, "
    "timestamptz '2026-01-05 13:00:00+00' as _landed_at, '{load}' as _load_id"
)

PUBLISHED = {
    "published.profiles": f"""
        select {FIRST} as profile_id, {NOON} as first_seen_at, {NOON} as last_seen_at,
            null::timestamp as last_session_at, null::timestamp as first_order_at,
            null::timestamp as last_order_at, 0 as session_count, 0 as order_count,
            'DE' as country, {NOON} as as_of""",
    "published.segment_memberships": f"""
        select 'high_value' as segment, {FIRST} as profile_id, {NOON} as as_of""",
    "published.segment_catalog": f"""
        select 'high_value' as segment, 'Spends more than most people.' as description,
            'growth' as owner, '0123456789ab' as definition_hash, 1 as size, {NOON} as as_of""",
    "published.segment_membership_history": f"""
        select 'high_value' as segment, {FIRST} as profile_id, 1 as stay, {NOON} as entered_at,
            'qualified' as entered_reason, {NOON} as exited_at, 'merged' as exited_reason""",
    "published.segment_overlaps": """
        select 'high_value' as segment, 'vip' as other_segment, 3 as shared_count,
            0.5::double as share_of_segment, 0.25::double as jaccard""",
    "published.profile_scores": f"""
        select 'churn_probability_7d' as prediction, {FIRST} as profile_id, 1 as model_version""",
    "published.trigger_candidates": f"""
        select 'cart' as trigger_name, {FIRST} as profile_id, 'c1' as occurrence_key,
            {NOON} as occurred_at, {NOON} as available_at, {NOON} + interval 1 day as expires_at,
            '{{"cart_id": "c1"}}' as payload, ['e1'] as event_ids, {NOON} as as_of""",
    "published.campaign_decisions": f"""
        select 'cart' as campaign, {FIRST} as profile_id, 'send' as decision, '' as reason,
            {NOON} as occurred_at, {NOON} as due_at, {NOON} as decided_at, '[]' as gates,
            '[]' as caps, '{{"cart_id": "c1"}}' as payload, {NOON} as as_of""",
    "published.campaign_catalog": """
        select 'cart' as campaign, null::varchar as fault""",
    "published.campaign_versions": """
        select 'cart' as campaign, '0123456789ab' as version, '{}' as definition""",
    "published.experiment_assignments": f"""
        select 'cart' as campaign, {FIRST} as profile_id, 'plain' as variant,
            false as changed_by_merge""",
    "published.identity_map": f"""
        select {FIRST} as profile_id, 'email' as identifier_type,
            sha256('a') as identifier_hash, {NOON} as valid_from, null::timestamp as valid_to,
            {NOON} as first_seen_at, {NOON} as last_seen_at""",
    "published.identity_aliases": f"""
        select {SECOND} as alias_profile_id, {FIRST} as profile_id, {NOON} as valid_from""",
    "published.identity_merges": f"""
        select 'merged' as kind, {NOON} as changed_at, {FIRST} as profile_id,
            {SECOND} as other_profile_id, 'email' as edge_type_a, sha256('a') as edge_hash_a,
            'phone' as edge_type_b, sha256('b') as edge_hash_b, 'record' as rule, '' as reason""",
    "published.identity_rejections": f"""
        select 'email' as edge_type_a, sha256('a') as edge_hash_a, 'phone' as edge_type_b,
            sha256('b') as edge_hash_b, 'limit' as rule, 'one profile would have 2' as reason,
            {NOON} as valid_from, {NOON} as valid_to""",
    "published.tracking_plan_violations": f"""
        select 'hover' as event_name, 'name is not in the tracking plan' as reason,
            1 as row_count, {NOON} as first_landed_at, {NOON} as last_landed_at, {NOON} as as_of""",
    "published.tracking_plan_violations_v1": f"""
        select 'hover' as event_name, 'name is not in the tracking plan' as reason, 1 as rows,
            {NOON} as first_landed_at, {NOON} as last_landed_at, {NOON} as as_of""",
    "published.profile_contact_points": f"""
        select {FIRST} as profile_id, 'email' as channel, 'ann@firm.org' as contact_point,
            true as is_primary""",
    "published.quality_status": f"""
        select 'staging.quarantine' as table_name, 0 as failed_count, 1 as warned_count,
            {NOON} as checked_as_of, {NOON} as as_of""",
    "published.freshness": f"""
        select 'web_events' as entity, 1 as row_count, {NOON} as newest_occurred_at,
            0 as lag_seconds, {NOON} as as_of""",
}
SEGMENTS = {
    "marts.profile_traits": f"select {FIRST} as profile_id union all select {SECOND}",
    "segments.seg_new": f"select {FIRST} as profile_id",
}


def make(folder: Path, tables: Mapping[str, str]) -> Path:
    warehouse = folder / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        for table, query in tables.items():
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
            connection.execute(f"create or replace table {table} as {query}")
    return warehouse


def failures(results: list[Result]) -> set[tuple[str, str, str]]:
    return {(r.severity, r.table, r.expectation) for r in results if not r.passed}


def all_suites() -> list[Suite]:
    families = [segment_suite("segments.seg_high_value"), trigger_suite("triggers.trg_any")]
    return [suite for stage in STAGES for suite in stage.suites] + families


def test_good_tables_pass(tmp_path: Path) -> None:
    results = validate("published", make(tmp_path, PUBLISHED), tmp_path / "quality")
    assert {r.table for r in results} == set(PUBLISHED)
    assert failures(results) == set()


def test_empty_tables_pass(tmp_path: Path) -> None:
    empty = {table: f"select * from ({query}) limit 0" for table, query in PUBLISHED.items()}
    assert failures(validate("published", make(tmp_path, empty), tmp_path / "quality")) == set()


def test_bad_rows_fail_in_their_table_with_their_severity(tmp_path: Path) -> None:
    bad = {
        table: f"from ({query}) union all by name select * replace ({fault}) from ({query})"
        for (table, query), fault in zip(
            PUBLISHED.items(),
            (
                f"'{MARK}' as country, {NOON} + interval 1 hour as last_seen_at",
                "'High Value' as segment, 'customer_id:7' as profile_id",
                f"'{SHORT_MARK}' as description, null as owner",
                "timestamp '2026-01-01' as exited_at",
                "1.5::double as jaccard",
                "'Churn' as prediction, null as model_version",
                "'Cart' as trigger_name, null as occurrence_key, '[]' as payload, "
                "timestamp '2026-01-01' as expires_at",
                "'wait' as decision, timestamp '2026-01-01' as due_at",
                "'line 3: no such trigger' as fault",
                "'new' as version",
                "null as variant, null as changed_by_merge",
                "'not hashed' as identifier_hash",
                "'nobody' as alias_profile_id",
                "'ann@firm.org' as edge_hash_a",
                "timestamp '2026-01-01' as valid_to",
                f"'{SHORT_MARK}' as event_name, timestamp '2026-01-01' as last_landed_at",
                "'+4930123456' as event_name",
                "'letter' as channel",
                f"'{MARK}' as table_name, -1 as failed_count",
                f"{NOON} + interval 1 hour as newest_occurred_at, -3600 as lag_seconds",
            ),
            strict=True,
        )
    }
    results = validate("published", make(tmp_path, bad), tmp_path / "quality")
    assert failures(results) == {
        ("error", "published.profiles", "HoldsNoContactData"),
        ("error", "published.profiles", "NotAfterAsOf(last_seen_at)"),
        ("error", "published.segment_memberships", "MatchesPattern(segment)"),
        ("error", "published.segment_memberships", "IsProfileId(profile_id)"),
        ("warn", "published.segment_catalog", "HoldsNoContactData"),
        ("warn", "published.segment_catalog", "IsDocumented(description)"),
        ("warn", "published.segment_catalog", "ExpectColumnValuesToNotBeNull(owner)"),
        ("error", "published.segment_membership_history", "NotBefore(exited_at)"),
        ("error", "published.segment_overlaps", "ExpectColumnValuesToBeBetween(jaccard)"),
        ("error", "published.profile_scores", "MatchesPattern(prediction)"),
        ("error", "published.profile_scores", "ExpectColumnValuesToNotBeNull(model_version)"),
        ("error", "published.trigger_candidates", "MatchesPattern(trigger_name)"),
        (
            "error",
            "published.trigger_candidates",
            "ExpectColumnValuesToNotBeNull(occurrence_key)",
        ),
        ("error", "published.trigger_candidates", "IsJsonObject(payload)"),
        ("error", "published.trigger_candidates", "NotBefore(expires_at)"),
        ("error", "published.campaign_decisions", "MatchesPattern(decision)"),
        ("error", "published.campaign_decisions", "NotBefore(due_at)"),
        ("warn", "published.campaign_catalog", "ExpectColumnValuesToBeNull(fault)"),
        ("error", "published.campaign_versions", "MatchesPattern(version)"),
        ("error", "published.experiment_assignments", "ExpectColumnValuesToNotBeNull(variant)"),
        (
            "error",
            "published.experiment_assignments",
            "ExpectColumnValuesToNotBeNull(changed_by_merge)",
        ),
        ("error", "published.identity_aliases", "IsProfileId(alias_profile_id)"),
        ("error", "published.identity_map", "MatchesPattern(identifier_hash)"),
        ("error", "published.identity_merges", "HoldsNoContactData"),
        ("error", "published.identity_merges", "MatchesPattern(edge_hash_a)"),
        ("error", "published.identity_rejections", "NotBefore(valid_to)"),
        ("error", "published.tracking_plan_violations", "HoldsNoContactData"),
        ("error", "published.tracking_plan_violations", "NotBefore(last_landed_at)"),
        ("error", "published.tracking_plan_violations_v1", "HoldsNoContactData"),
        ("error", "published.profile_contact_points", "MatchesPattern(channel)"),
        ("error", "published.quality_status", "HoldsNoContactData"),
        ("error", "published.quality_status", "MatchesPattern(table_name)"),
        ("error", "published.quality_status", "ExpectColumnValuesToBeBetween(failed_count)"),
        ("error", "published.freshness", "NotAfterAsOf(newest_occurred_at)"),
        ("error", "published.freshness", "ExpectColumnValuesToBeBetween(lag_seconds)"),
    }
    assert {r.observed for r in results if not r.passed} == {
        "1 of 2 rows break it",
        "no text for high_value",
    }
    # Nothing that is kept may quote the data.
    build_docs(tmp_path / "quality")
    kept = [path for path in (tmp_path / "quality").rglob("*") if path.is_file()]
    for mark in (MARK.encode(), SHORT_MARK.encode()):
        assert not [path for path in kept if mark in path.read_bytes()]


def test_a_table_without_suite_and_a_suite_without_table_fail(tmp_path: Path) -> None:
    tables = {**PUBLISHED, "published.surprise": "select 1 as one"}
    del tables["published.identity_map"]
    results = validate("published", make(tmp_path, tables), tmp_path / "quality")
    assert failures(results) == {
        ("error", "published.surprise", "TableHasSuite"),
        ("error", "published.identity_map", "SuiteHasTable"),
    }


@pytest.mark.parametrize(
    ("text", "is_contact_data"),
    [
        ("ann@firm.org", True),
        ("+4930123456", True),
        ('{"to": "+4930123456"}', True),
        ("raw:030123456", True),
        ("4930123456", False),
        ("1.5e+10", False),
        ("sku-a+1234567", False),
        ("2026-01-01 00:00:00+00", False),
    ],
)
def test_contact_data_is_known_by_its_form(
    text: str, is_contact_data: bool, tmp_path: Path
) -> None:
    tables = {**PUBLISHED, "published.freshness": f"select '{text}' as entity, 1 as row_count"}
    results = validate("published", make(tmp_path, tables), tmp_path / "quality")
    failed = {r.expectation for r in results if not r.passed and r.table == "published.freshness"}
    assert ("HoldsNoContactData" in failed) == is_contact_data


def test_what_was_found_is_kept_in_counts(tmp_path: Path) -> None:
    tables = {
        **PUBLISHED,
        "published.profiles": PUBLISHED["published.profiles"]
        + f" union all by name select {SECOND} as profile_id, '{MARK}' as country",
    }
    del tables["published.identity_map"]
    warehouse, quality = make(tmp_path, tables), tmp_path / "quality"
    with duckdb.connect(str(warehouse)) as connection:  # landing's tables are views
        connection.execute("alter table published.freshness rename to kept")
        connection.execute("create schema other")
        connection.execute("create table other.kept as from published.kept")
        connection.execute("drop table published.kept")
        connection.execute("create view published.freshness as from other.kept")
    results = validate("published", warehouse, quality)
    file = record_status(results, "published", warehouse, quality, "2026-01-31T12:00:00Z")
    rows = {
        row[0]: row[1:]
        for row in duckdb.sql(
            f"""select table_name, row_count, failed_count, warned_count, as_of::varchar
            from '{file}'"""
        ).fetchall()
    }
    assert set(rows) == set(PUBLISHED)
    assert rows["published.profiles"] == (2, 1, 0, "2026-01-31 12:00:00")
    assert rows["published.identity_map"] == (None, 1, 0, "2026-01-31 12:00:00")
    assert rows["published.freshness"] == (1, 0, 0, "2026-01-31 12:00:00")
    before = file.read_bytes()
    assert record_status(results, "published", warehouse, quality, "2026-01-31") == file
    record_status(results, "published", warehouse, quality, "2026-01-31T12:00:00Z")
    assert file.read_bytes() == before and MARK.encode() not in before


def test_internal_views_need_no_suite_and_other_schemas_are_not_asked_for(tmp_path: Path) -> None:
    tables = {"staging.base_x": "select 1 as one", "intermediate.int_x": "select 1 as one"}
    warehouse = make(tmp_path, tables)
    for stage in ("staging", "profiles"):
        named = {r.table for r in validate(stage, warehouse, tmp_path / "quality")}
        assert named.isdisjoint(tables)


def test_a_new_segment_is_covered_and_one_that_holds_everybody_warns(tmp_path: Path) -> None:
    tables = {**SEGMENTS, "segments.seg_all": "select profile_id from marts.profile_traits"}
    tables["segments.other"] = "select 1 as one"
    results = validate("segments", make(tmp_path, tables), tmp_path / "quality")
    assert failures(results) == {
        ("warn", "segments.seg_all", "HoldsNotEverybody"),
        ("error", "segments.other", "TableHasSuite"),
    }
    seen = {r.table: r.observed for r in results if r.expectation == "HoldsNotEverybody"}
    assert seen == {"segments.seg_new": "1 of 2 profiles", "segments.seg_all": "2 of 2 profiles"}


def test_a_missing_column_fails_and_says_so(tmp_path: Path) -> None:
    tables = {**PUBLISHED, "published.segment_memberships": "select 'a' as segment"}
    results = validate("published", make(tmp_path, tables), tmp_path / "quality")
    (failed,) = [r for r in results if not r.passed]
    assert failed.expectation == "IsProfileId(profile_id)"
    assert failed.observed.startswith("could not be evaluated: Binder Error")


def landed(source: str, load: int, rows: int, hours: int = 12) -> str:
    """Rows of web events of one load, half a day later for each load."""
    return (
        f"select null as _extra, '{source}/{load}.csv' as _source_file, n as _row_number, "
        f"timestamptz '2026-01-01 00:00:00+00' + interval ({load * hours}) hour as _landed_at, "
        f"'{load}' as _load_id, '2026-01-01T10:00:00Z' as occurred_at, '7' as quantity "
        f"from range({rows}) as numbers (n)"
    )


def one_landing_table(folder: Path, rows: str) -> dict[str, Result]:
    """Results on shop_order_items; the other suites only lack their tables."""
    columns = "*, '1' as unit_price, '0' as discount"
    warehouse = make(folder, {"landing.shop_order_items": f"select {columns} from ({rows})"})
    results = validate("landing", warehouse, folder / "quality")
    return {r.expectation: r for r in results if r.table == "landing.shop_order_items"}


def test_volume_is_judged_by_source_and_history(tmp_path: Path) -> None:
    steady = [landed("shop", load, 100) for load in range(4)]
    other = [landed("till", load, 10) for load in range(4)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    calm = one_landing_table(tmp_path / "a", " union all ".join(steady + other))
    assert all(result.passed for result in calm.values())
    fallen = one_landing_table(tmp_path / "b", " union all ".join([*steady, landed("shop", 9, 3)]))
    volume = fallen["LastLoadLikeEarlierOnes"]
    assert (volume.passed, volume.severity) == (False, "warn")
    assert volume.observed == "shop: last load 3 rows, usually 100"


def test_a_source_that_loads_every_hour_is_judged_by_whole_days(tmp_path: Path) -> None:
    """Loads of 1 to 24 rows; the day that is not over holds one row, which says nothing."""
    loads = [landed("till", load, 1 + load % 24, hours=1) for load in range(5 * 24 + 1)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    calm = one_landing_table(tmp_path / "a", " union all ".join(loads))
    assert calm["LastLoadLikeEarlierOnes"].passed
    quiet_day = [*loads[: 4 * 24 + 3], loads[5 * 24]]
    fallen = one_landing_table(tmp_path / "b", " union all ".join(quiet_day))
    observed = fallen["LastLoadLikeEarlierOnes"].observed
    assert observed == "till: last load 6 rows, usually 300"


def test_formats_of_a_source_may_differ_in_a_few_rows_only(tmp_path: Path) -> None:
    passed = []
    for bad in (1, 9):
        comma = f"select * replace ('1,5' as quantity) from ({landed('shop', 2, bad)})"
        (folder := tmp_path / str(bad)).mkdir()
        found = one_landing_table(folder, f"{landed('shop', 1, 99)} union all {comma}")
        passed.append(found["ReadsAs(quantity)"].passed)
    assert passed == [True, False]


def test_quarantine_is_judged_by_entity(tmp_path: Path) -> None:
    rows = {suite.table: "select 1 as one from range(100)" for suite in LANDING}
    query = " union all ".join(
        f"select '{entity}' as entity, 'why' as reason, "
        f"{PROVENANCE.format(source='x', row='n', load='1')} from range({bad}) as numbers (n)"
        for entity, bad in (("web_events", 6), ("shop_orders", 5))
    )
    warehouse = make(tmp_path, {**rows, "staging.quarantine": query})
    results = validate("staging", warehouse, tmp_path / "quality")
    (found,) = [r for r in results if r.table == "staging.quarantine" and not r.passed]
    assert (found.severity, found.expectation) == ("warn", "QuarantineIsSmall")
    assert found.observed == "web_events: 6 of 100 quarantined"


def test_docs_show_every_stage_and_only_its_last_results(tmp_path: Path) -> None:
    warehouse, quality = make(tmp_path, {**PUBLISHED, **SEGMENTS}), tmp_path / "quality"
    for stage in ("published", "segments", "published"):
        validate(stage, warehouse, quality)
    page = build_docs(quality)
    index = page.read_text()
    for table in (*PUBLISHED, "segments.seg_new"):
        assert table in index
    pages = list((page.parent / "validations").rglob("*.html"))
    assert len(pages) == len(PUBLISHED) + 1
    assert "web-assets.s3" not in pages[0].read_text()


def test_the_dialect_returns_rows_and_cannot_write(tmp_path: Path) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError

    from expectations.dialect import connection_string

    warehouse = make(tmp_path, SEGMENTS)
    engine = create_engine(connection_string(warehouse))
    with engine.connect() as connection:
        rows = connection.execute(text("select profile_id from marts.profile_traits"))
        zone = connection.execute(text("select current_setting('TimeZone')")).scalar()
    # Fetched after the connection went back: plain duckdb-sqlalchemy returns nothing here.
    assert len(rows.fetchall()) == 2
    assert zone == "UTC"
    with engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("create table marts.other as select 1 as one"))
    engine.dispose()


def test_the_command_line_tells_errors_from_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = {**SEGMENTS, "segments.seg_new": "select profile_id from marts.profile_traits"}
    options = ["--warehouse", str(make(tmp_path, everybody)), "--quality", str(tmp_path / "q")]
    assert main(["segments", *options]) == 0
    printed = capsys.readouterr()
    assert "FAIL warn  segments.seg_new" in printed.out
    assert printed.err == ""
    assert main(["published", *options]) == 1


def test_unknown_stage_and_missing_warehouse_are_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="landing, staging, profiles, segments, published"):
        validate("stagin", tmp_path / "none", tmp_path)
    with pytest.raises(FileNotFoundError):
        validate(stages()[0], tmp_path / "none", tmp_path)


def test_every_rule_can_be_made_and_is_described_and_owned() -> None:
    from expectations.engine import _expectation

    for suite in all_suites():
        assert suite.owner
        assert suite.rules
        assert len({rule.name + rule.description for rule in suite.rules}) == len(suite.rules)
        for position, rule in enumerate(suite.rules):
            assert rule.description.endswith(".")
            made = _expectation(suite, position, rule)
            assert made.severity == {"error": "critical", "warn": "warning"}[rule.severity]
            assert made.description == rule.description


def test_suites_name_only_columns_that_the_models_describe() -> None:
    described: dict[str, set[str]] = {}
    for path in (ROOT / "dbt_project" / "models").rglob("*.yml"):
        content = yaml.safe_load(path.read_text())
        tables = content.get("models", []) + [
            table for source in content.get("sources", []) for table in source["tables"]
        ]
        for table in tables:
            columns = {column["name"] for column in table.get("columns", [])}
            described[table["name"]] = columns
    contract = yaml.safe_load((ROOT / "orchestration/connectors/contract.yml").read_text())
    for entity, props in contract.items():
        described[entity] = {*props["columns"], "_extra"}
    for name, published in read_contracts(PUBLISHED_MODELS).items():
        described[name] = set(published.types)
    described["trg_any"] = described["trg_cart_abandonment"]
    for suite in all_suites():
        if suite.table == "landing._rejected_lines":
            continue
        for rule in suite.rules:
            used = {rule.arguments.get(key) for key in ("column", "earlier")} - {None}
            assert used <= described[suite.table.split(".")[1]], (suite.table, rule.name)


def test_great_expectations_is_imported_only_to_validate() -> None:
    code = "import sys, expectations.run, expectations.engine; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "great_expectations" not in done.stdout.split()


@pytest.mark.parametrize(("aside", "kept", "found"), [(1, 99, 0), (2, 99, 1), (0, 0, 0)])
def test_what_is_set_aside_is_small_against_what_is_kept(aside: int, kept: int, found: int) -> None:
    from expectations.custom.volumes import FewAgainst

    query = FewAgainst.query({"others": f"range({kept})", "share": 0.01})
    assert duckdb.sql(query.format(batch=f"range({aside})")).fetchall()[0][0] == found


@pytest.mark.parametrize(("members", "found"), [(["p1", "p1"], 0), (["p1", "p2", "p2"], 1)])
def test_a_segment_of_tags_holds_everybody_only_by_its_profiles(
    members: list[str], found: int
) -> None:
    from expectations.custom.volumes import HoldsNotEverybody

    query = HoldsNotEverybody.query({"everybody": "range(2)"})
    batch = f"(select unnest({members}) as profile_id)"
    assert duckdb.sql(query.format(batch=batch)).fetchall()[0][0] == found
