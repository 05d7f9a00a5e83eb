"""What a backtest says of a moment is what a build at that moment published."""

import gzip
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.automation.run import run_full_build
from orchestration.connectors.sources.file_drop import land_inbox, sources_in
from orchestration.publication.snapshot import newest, snapshot_ids
from orchestration.rendering.project import Project
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.resources.settings import PROJECT_ROOT, Settings, load_settings
from orchestration.segments.backtest import backtest
from orchestration.segments.world import open_world
from tests.homes import SAMPLE_END, muster_home

SAMPLE = PROJECT_ROOT / "seeds" / "sample"
END = datetime.fromisoformat(SAMPLE_END).replace(tzinfo=None)
MOMENTS = [datetime(2026, 10, 5), datetime(2026, 10, 19), END]  # noqa: DTZ001  # UTC, as in models
SOME = ("cart_abandoners", "interested_in", "lapsed", "high_value")  # one with tags
# A record comes when it happened. One that landed before its own time would be known to a build of
# today as of then, and was not to the build of then.
_DATED = {
    "crm/contacts": "coalesce(created_at, updated_at)",
    "crm/consents": "occurred_at",
    "crm/interactions": "occurred_at",
    "crm/tickets": "opened_at",
    "shop/orders": "ordered_at",
    "shop/order_items": "ordered_at",
    "shop/refunds": "refunded_at",
}
Member = tuple[int, str, str]  # place of the moment, segment, profile


def _published(settings: Settings) -> set[Member]:
    """What each snapshot published, the oldest first."""
    found: set[Member] = set()
    for place, snapshot_id in enumerate(snapshot_ids(settings.published)):
        folder = settings.published / "snapshots" / snapshot_id
        rows = duckdb.sql(
            f"select segment, profile_id from '{folder}/segment_memberships.parquet'"
        ).fetchall()
        found |= {(place, *row) for row in rows}
    return found


def _tested_back(
    settings: Settings, segments: Sequence[str], at: Sequence[datetime], is_as_known: bool
) -> set[Member]:
    found: set[Member] = set()
    for segment in segments:
        world = open_world(settings)
        backtest(world, segment, at, is_as_known=is_as_known)
        rows = world.connection.execute("select step, segment, profile_id from history")
        found |= set(rows.fetchall())
    return found


def test_at_the_moment_of_the_newest_build_it_is_what_was_published(sample_home: Settings) -> None:
    with muster_home(sample_home.home):
        published = {one for one in _published(sample_home) if one[1].startswith(SOME)}
        assert len(published) > 100
        assert _tested_back(sample_home, SOME, [END], is_as_known=False) == published


def test_as_known_before_anything_landed_nobody_was_known(sample_home: Settings) -> None:
    with muster_home(sample_home.home):
        world = open_world(sample_home)
        now = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        found = backtest(world, "high_value", [END - timedelta(days=30), now], is_as_known=True)
    assert [point.here.size for point in found.points] == [0, 20]
    (note,) = found.notes
    assert note.startswith(
        "nothing had landed by the first 1 of these moments, so nobody was known: the first record "
        f"landed at {datetime.now(UTC):%Y-%m-%d}"
    )


def _events(until: datetime, begin: datetime | None) -> Iterator[tuple[str, list[str]]]:
    """Lines of events that come between two moments, by file; some come a week late."""
    for file in sorted((SAMPLE / "web" / "events").glob("*.jsonl.gz")):
        lines = []
        for line in gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True):
            try:
                happened = datetime.fromisoformat(json.loads(line)["occurred_at"])
                came = happened.replace(tzinfo=None) + timedelta(days=7) * (hash_of(line) % 9 == 0)
            except (ValueError, KeyError, TypeError, AttributeError):
                came = MOMENTS[0] - timedelta(days=1)  # no time: with the first
            if came < until and (begin is None or came >= begin):
                lines.append(line)
        if lines:
            yield f"{file.name.removesuffix('.jsonl.gz')}-until-{until:%m%d}.jsonl.gz", lines


def hash_of(line: str) -> int:
    """The same in every process."""
    return sum(line.encode())


def _drop(inbox: Path, until: datetime, begin: datetime | None) -> None:
    """Put into the inbox what comes between two moments."""
    folder = inbox / "web" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in _events(until, begin):
        with gzip.open(folder / name, "wt") as stream:
            stream.writelines(lines)
    for entity, column in _DATED.items():
        folder = inbox / entity
        folder.mkdir(parents=True, exist_ok=True)
        # What has no time comes with the first.
        came = f"coalesce(try_cast({column} as timestamptz), timestamptz '2026-01-01+00')"
        file = folder / f"until-{until:%m%d}.csv"
        duckdb.sql(
            f"""copy (
                select * from read_csv('{SAMPLE}/{entity}/*.csv*', all_varchar = true)
                where {came} < timestamptz '{until}+00'
                    and {came} >= timestamptz '{begin or "2000-01-01 00:00:00"}+00'
            ) to '{file}' (header)"""
        )
    if begin is None:
        shutil.copytree(SAMPLE / "shop" / "products", inbox / "shop" / "products")


def _land_as_if(settings: Settings, at: datetime) -> None:
    """Land the inbox, and set the time of landing back to the moment."""
    before = set(settings.landing.rglob("*.parquet"))
    for source in sources_in(settings.inbox):
        land_inbox(settings.inbox, settings.landing, settings.dlt, source)
    for path in set(settings.landing.rglob("*.parquet")) - before:
        columns = duckdb.sql(f"select * from '{path}' limit 0").columns
        if "_landed_at" in columns:
            new = path.with_suffix(".new")
            duckdb.sql(
                f"""copy (select * replace (timestamptz '{at}+00' as _landed_at) from '{path}')
                to '{new}' (format parquet)"""
            )
            new.replace(path)


@pytest.mark.soak
def test_as_known_it_is_what_a_build_of_that_moment_published(tmp_path: Path) -> None:
    """Three arrivals, each built and published at its moment; some events land a week late."""
    with muster_home(tmp_path / "home"):
        settings = load_settings()
        begin = None
        for moment in MOMENTS:
            _drop(settings.inbox, moment, begin)
            _land_as_if(settings, moment - timedelta(hours=1))
            outcome = run_full_build(settings, f"{moment:%Y-%m-%dT%H:%M:%SZ}", full_refresh=False)
            assert outcome.success, outcome.failed
            begin = moment
        assert newest(settings.published) is not None
        published = _published(settings)
        sizes = [sum(member[0] == place for member in published) for place in range(3)]
        assert min(sizes) > 50, sizes
        every = list(Project().named(FOLDER, PREFIX))
        assert _tested_back(settings, every, MOMENTS, is_as_known=True) == published
        known_today = _tested_back(settings, every, MOMENTS, is_as_known=False)
        assert known_today != published, "what landed late must make a difference"
        last = {member for member in published if member[0] == 2}
        assert {member for member in known_today if member[0] == 2} == last
