"""What is promised to readers of published tables, and that nobody breaks it unnoticed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from expectations.suites import published as suites
from orchestration.publication.changelog import (
    Entry,
    broken_promises,
    read_changelog,
)
from orchestration.publication.contract import Contract, read_contracts
from orchestration.published_page import CHANGELOG, PAGE, page
from orchestration.resources.settings import DBT_PROJECT, PUBLISHED_MODELS

CONTRACTS = read_contracts(PUBLISHED_MODELS)
TODAY = date(2026, 12, 1)


def test_the_models_keep_what_the_changelog_promises() -> None:
    assert broken_promises(CONTRACTS, read_changelog(CHANGELOG), TODAY) == []


def test_the_page_of_published_tables_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m orchestration.published_page"


def test_every_file_is_a_contract_and_has_a_key() -> None:
    assert {path.stem for path in PUBLISHED_MODELS.glob("*.sql")} == set(CONTRACTS)
    assert [one.name for one in CONTRACTS.values() if not one.key] == ["identity_rejections"]
    assert all(set(one.key) <= set(one.types) for one in CONTRACTS.values())
    assert [one.name for one in CONTRACTS.values() if one.is_private] == ["profile_contact_points"]


def test_dbt_enforces_what_the_yaml_says() -> None:
    """Each version with its own columns, table and date, as this project's reader takes them."""
    from orchestration.resources.dbt import manifest

    nodes = {
        node["alias"]: node
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "published"
    }
    assert set(nodes) == set(CONTRACTS)
    for name, contract in CONTRACTS.items():
        node = nodes[name]
        assert node["contract"]["enforced"], name
        types = {one: column["data_type"] for one, column in node["columns"].items()}
        assert types == contract.types, name
        ends = node["deprecation_date"] and node["deprecation_date"][:10]
        assert ends == (contract.deprecation_date and str(contract.deprecation_date)), name


def test_all_suites_but_one_refuse_contact_data() -> None:
    private = {f"published.{one.name}" for one in CONTRACTS.values() if one.is_private}
    for suite in suites.SUITES:
        refuses = any(rule.expectation == "HoldsNoContactData" for rule in suite.rules)
        assert refuses == (suite.table not in private), suite.table


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda columns: columns.pop("size"), "segment_catalog: size is gone or renamed"),
        (lambda columns: columns.update(size="integer"), "size was bigint and is integer"),
        (lambda columns: columns.update(count="bigint"), "count is new; note it in published"),
    ],
)
def test_a_change_of_columns_is_noticed(
    change: Callable[[dict[str, str]], object], words: str
) -> None:
    catalog = CONTRACTS["segment_catalog"]
    types = catalog.types
    change(types)
    changed = replace(
        catalog, columns=tuple({"name": one, "data_type": kind} for one, kind in types.items())
    )
    contracts = {**CONTRACTS, "segment_catalog": changed}
    (found,) = broken_promises(contracts, read_changelog(CHANGELOG), TODAY)
    assert words in found


def test_a_noted_column_and_a_new_version_are_accepted() -> None:
    def table(name: str, version: int, ends: date | None = None, **types: str) -> Contract:
        columns = tuple({"name": one, "data_type": kind} for one, kind in types.items())
        return Contract(name, "t", version, columns=columns, deprecation_date=ends)

    day, end = date(2026, 1, 1), date(2026, 6, 1)
    entries = [Entry("t", 1, day, "first", {"a": "bigint"}), Entry("t", 1, day, "b", {"b": "date"})]
    assert broken_promises({"t": table("t", 1, a="bigint", b="date")}, entries, TODAY) == []
    entries.append(Entry("t", 2, day, "a is called c", {"c": "bigint"}))
    newest = table("t", 2, c="bigint")
    both = {"t": newest, "t_v1": table("t_v1", 1, end, a="bigint", b="date")}
    assert broken_promises(both, entries, TODAY) == []
    without_end = {**both, "t_v1": table("t_v1", 1, a="bigint", b="date")}
    assert broken_promises(without_end, entries, TODAY) == ["t_v1: says no deprecation_date"]
    (gone,) = broken_promises({"t": newest}, entries, TODAY)
    assert gone.startswith("t: version 1 is gone")
    entries.append(Entry("t", 1, end, "ended", {}))
    assert broken_promises({"t": newest}, entries, TODAY) == []
    assert broken_promises({"t": newest}, entries, date(2026, 5, 31)) == [gone]
    (unknown,) = broken_promises(
        {"t": newest, "u": replace(newest, name="u", model="u")}, entries, TODAY
    )
    assert unknown == "u: version 2 is not in published_changelog.yml"


def test_a_version_has_its_own_columns(tmp_path: Path) -> None:
    old, new = CONTRACTS["tracking_plan_violations_v1"], CONTRACTS["tracking_plan_violations"]
    assert old.types.keys() ^ new.types.keys() == {"rows", "row_count"}
    assert (old.version, new.version) == (1, 2)
    assert old.deprecation_date is not None and new.deprecation_date is None
    folder = tmp_path / "published"
    shutil.copytree(DBT_PROJECT / "models" / "published", folder)
    file = folder / "freshness.yml"
    raw = yaml.safe_load(file.read_text())
    raw["models"][0]["columns"].pop()
    file.write_text(yaml.safe_dump(raw))
    assert broken_promises(read_contracts(folder), read_changelog(CHANGELOG), TODAY) == [
        "freshness: as_of is gone or renamed; readers rely on version 1, so make version 2 of "
        "freshness and keep this one (docs/published.md)"
    ]
