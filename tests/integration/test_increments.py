"""A build that goes on from an older one has the rows of a rebuild, in every table, by dbt itself.

tests/unit/test_behaviour.py does the same for many worlds without dbt.
"""

import gzip
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.resources.dbt import run_dbt
from orchestration.resources.settings import PROJECT_ROOT, load_settings
from tests.homes import SAMPLE_END, know_project, muster_home

pytestmark = pytest.mark.builds(5)  # needs no built sample, which another worker makes meanwhile

SAMPLE = PROJECT_ROOT / "seeds" / "sample"
SCHEMAS = (
    "staging",
    "intermediate",
    "marts",
    "segments",
    "triggers",
    "membership",
    "published",
)


def _land(files: Sequence[Path]) -> None:
    settings = load_settings()
    for file in files:
        place = settings.inbox / file.relative_to(SAMPLE)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    for source in ("crm", "shop", "web"):
        land_inbox(settings.inbox, settings.landing, settings.dlt, source)


def _built(as_of: str) -> Path:
    kinds = ["--resource-type", "seed", "--resource-type", "model"]
    for _ in run_dbt(["build", *kinds], {"as_of": as_of}):
        pass
    return load_settings().warehouse


def _differences(one: Path, other: Path) -> dict[str, int]:
    """Rows that only one of them has, for each table in which there are any."""
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{one}' as one (read_only); attach '{other}' as other (read_only)"
        )
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            f"where database_name = 'one' and schema_name in {SCHEMAS}"
        ).fetchall()
        assert ("intermediate.int_sessions",) in tables
        counts = {}
        for (name,) in tables:
            query = (
                f"select count(*) from ((from one.{name} except all from other.{name}) union all "
                f"(from other.{name} except all from one.{name}))"
            )
            (counts[name],) = connection.execute(query).fetchone() or (0,)
    return {name: count for name, count in counts.items() if count}


def test_more_landing_and_another_moment_give_the_tables_of_a_rebuild(
    read_home: Path, tmp_path: Path
) -> None:
    """What is landed second is older and newer than the first, and merges profiles."""
    files = sorted(path for path in SAMPLE.rglob("*") if path.is_file() and path.suffix == ".gz")
    with muster_home(tmp_path / "home") as home:
        know_project(home, read_home)
        _land(files[1::2])
        older = _built(SAMPLE_END)
        with duckdb.connect(str(older), read_only=True) as connection:
            (before,) = connection.execute(
                "select count(*) from intermediate.int_sessions"
            ).fetchone() or (0,)
        assert before > 100
        _land(files[::2])
        increment = _built("2026-10-26T00:00:00Z").rename(tmp_path / "increment.duckdb")
        rebuild = _built("2026-10-26T00:00:00Z")
        assert _differences(increment, rebuild) == {}


def _drop(name: str, lines: Sequence[bytes]) -> None:
    place = load_settings().inbox / "web" / "events" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"".join(lines))


@pytest.mark.soak
def test_twenty_days_of_arrivals_give_the_tables_of_a_rebuild(tmp_path: Path) -> None:
    """Each day its events, in any order, and what was late up to a week; compared every fifth day.

    Contacts, orders and the rest come in four parts, so profiles merge, and values change.
    """
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    days = sorted((SAMPLE / "web" / "events").glob("*.gz"))
    others = sorted(path for path in SAMPLE.rglob("*.*") if path.parent != days[0].parent)
    late: dict[int, list[bytes]] = {}
    with muster_home(tmp_path / "home"):
        _land(days[:-20])
        _built(f"{days[-21].name[7:17]}T23:00:00Z")
        for number, day in enumerate(days[-20:]):
            lines = gzip.decompress(day.read_bytes()).splitlines(keepends=True)
            chance.shuffle(lines)
            for line in lines[: len(lines) // 10]:
                late.setdefault(number + chance.randint(1, 7), []).append(line)
            _drop(f"day-{number}.jsonl", lines[len(lines) // 10 :])
            if late.get(number):
                _drop(f"late-{number}.jsonl", late.pop(number))
            _land(others[number // 5 :: 4] if number % 5 == 0 else [])
            as_of = f"{day.name[7:17]}T23:00:00Z"
            warehouse = _built(as_of)
            if number % 5 == 4:
                increment = shutil.copy(warehouse, tmp_path / "increment.duckdb")
                warehouse.unlink()
                assert _differences(Path(increment), _built(as_of)) == {}, as_of
