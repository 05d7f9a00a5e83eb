"""Overrides through landing and dbt: what people say is built, told, kept, and taken back."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.resources.dbt import run_dbt
from orchestration.resources.settings import Settings, load_settings
from tests.homes import SAMPLE_END, know_project, muster_home

ANN, PHONE, SPARE = "email:ann@firm.org", "phone:+491511234567", "phone:+491511234599"
BOB, EVE = "email:bob@firm.org", "email:eve@firm.org"
CONTACTS = [
    {"contact_id": "k1", "customer_id": "c1", "email": "ann@firm.org", "phone": "+491511234567"},
    {"contact_id": "k2", "customer_id": "c2", "email": "bob@firm.org"},
    {"contact_id": "k3", "email": "eve@firm.org"},
    {"contact_id": "k4", "phone": "+491511234599"},
]
ORDER = {"order_id": "o1", "email": "ann@firm.org", "phone": "+491511234567"}
MODELS = "+int_identity_map +int_identity_changes +int_identifiers_blocked"


class Home:
    """A home in which only identity is built."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def land(self, folder: str, rows: list[dict[str, Any]]) -> None:
        path = self.settings.inbox / folder / "rows.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = folder.split("/", maxsplit=1)[0]
        land_inbox(self.settings.inbox, self.settings.landing, self.settings.dlt, source)

    def build(self) -> None:
        """Bring it up to date, and see that a rebuild gives the same log to the row."""
        kinds = ["--resource-type", "model", "--resource-type", "seed"]
        self._dbt("build", "--select", MODELS, *kinds)
        log = "from intermediate.int_identity_log order by all"
        before = self.rows(log)
        self._dbt("run", "--select", "int_identity_log", "--full-refresh")
        assert self.rows(log) == before

    @staticmethod
    def _dbt(*command: str) -> None:
        for _ in run_dbt(command, {"as_of": SAMPLE_END}):
            pass

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def together(self) -> set[frozenset[str]]:
        query = "select list(identifier) from intermediate.int_identity_map group by profile_id"
        return {frozenset(names) for (names,) in self.rows(query)}

    def history(self, identifier: str) -> list[str]:
        """The profiles that it was of, without a gap between them, up to now."""
        query = f"""select profile_id, valid_from, valid_to
            from intermediate.int_identity_assignments
            join intermediate.int_identifiers using (identifier_key)
            where identifier = '{identifier}' order by valid_from"""
        rows = self.rows(query)
        assert [end for _, _, end in rows] == [*(start for _, start, _ in rows[1:]), None]
        return [profile for profile, _, _ in rows]


@pytest.fixture
def home(tmp_path: Path, read_home: Path) -> Iterator[Home]:
    with muster_home(tmp_path / "home") as folder:
        know_project(folder, read_home)
        yield Home(load_settings())


def _said(*arguments: str, code: int = 0) -> str:
    signed = [] if arguments[0] in ("list", "diff") else ["--by", "ann", "--why", "they told me"]
    done = CliRunner().invoke(app, ["identity", *arguments, *signed])
    assert done.exit_code == code, done.output
    return done.output


def _listed() -> list[tuple[str, str]]:
    return [(one["action"], one["told"]) for one in json.loads(_said("list", "--json"))]


def test_what_people_say_is_built_and_taken_back(home: Home) -> None:
    home.land("crm/contacts", CONTACTS)
    assert "is not there yet" in _said("block", SPARE, code=2)
    assert "No override" in _said("list")
    home.build()
    whole = frozenset({"customer_id:c1", "contact_id:k1", ANN, PHONE})
    assert whole in home.together()

    # A split: told beforehand, and nothing happens until it is built.
    assert "would split profile" in _said("split", ANN, PHONE, "--dry-run")
    assert "No override" in _said("list")
    _said("split", ANN, PHONE)
    assert _listed() == [("split", "waits for the next build")]
    home.build()
    assert _listed() == [("split", "applied")]
    assert {whole - {PHONE}, frozenset({PHONE})} <= home.together()
    assert len(set(home.history(PHONE))) == 2
    splits = "select rule, count(*) from intermediate.int_identity_changes where kind = 'split' "
    assert home.rows(splits + "group by rule") == [("never_link", 1)]

    # New evidence does not rejoin them; a link and a block beside it.
    home.land("shop/orders", [ORDER | {"ordered_at": "2026-10-01", "total": "1"}])
    assert "allows 1 customer_id in a profile" in _said("link", ANN, BOB, code=2)
    assert "would join" in _said("link", EVE, ANN)
    assert "would be nobody's" in _said("block", SPARE)
    home.build()
    assert {frozenset({PHONE}), whole - {PHONE} | {EVE, "contact_id:k3"}} <= home.together()
    assert not any(SPARE in names for names in home.together())
    assert {told for _, told in _listed()} == {"applied"}

    # Everything is taken back; both states stay in the history.
    for one in json.loads(_said("list", "--json")):
        _said("undo", one["override_id"])
    assert all("from the next build on" in told for _, told in _listed())
    home.build()
    assert {whole, frozenset({EVE, "contact_id:k3"})} <= home.together()
    first, apart, again = home.history(PHONE)
    assert first == again != apart
    assert home.history(SPARE)[1] is None
    assert "Nothing would change" in _said("diff")
    changed = "select count(*) from intermediate.int_identity_changes where kind = 'merged'"
    assert home.rows(changed) != [(0,)]


def test_a_warehouse_that_is_being_written_is_told(home: Home) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    command = [sys.executable, "-c", code, str(home.settings.warehouse)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline() == "open\n"
        for arguments in (["split", ANN, PHONE], ["list"], ["diff"]):
            assert "is being written; try again after the build" in _said(*arguments, code=2)
        assert "Recorded o-" in _said("split", ANN, PHONE, "--no-check")
        other.communicate("\n")
