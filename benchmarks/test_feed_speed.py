"""The delta of twenty segments over a million profiles of which one in a hundred changed."""

from pathlib import Path

import duckdb
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from orchestration.connectors.destinations.files import FilesDestination
from orchestration.feeds.definitions import Feed, FeedSettings
from orchestration.feeds.emitted import ledger_of
from orchestration.feeds.segment_feed import emit
from orchestration.feeds.segment_rows import changes_since_sent
from orchestration.publication.builds import BuildRecord
from orchestration.publication.snapshot import newest, publish

PROFILES, SEGMENTS = 1_000_000, 20
LIMIT_SECONDS = 3.0


def _publish(folder: Path, changed: int) -> None:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema if not exists published")
        # Each profile is in two of twenty segments; a changed one has moved on to the next two.
        connection.execute(
            f"""create or replace table published.segment_memberships as
            select 'segment_' || ((number + step * 7
                    + if(number % 100 = {changed}, 1, 0)) % {SEGMENTS}) as segment,
                'p_' || md5(number::varchar)[:24] as profile_id
            from range({PROFILES}) as profiles (number), range(2) as steps (step)"""
        )
        connection.execute("checkpoint")
    build = BuildRecord("2026-11-01T00:00:00Z", ())
    publish(folder / "warehouse.duckdb", folder / "published", ["segment_memberships"], build, {})


@pytest.mark.benchmark(group="feed")
def test_delta_of_a_million_profiles(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    files = FilesDestination(type="files", folder=str(tmp_path / "feeds"))
    settings = FeedSettings.model_validate({"of": "segments", "to": "files"})
    feed = Feed("segments", settings, "files", files)
    published, ledger = tmp_path / "published", tmp_path / "ledger"
    _publish(tmp_path, changed=-1)
    emit(feed, published, ledger)
    _publish(tmp_path, changed=0)
    manifest = newest(published)
    assert manifest is not None

    def delta() -> int:
        with duckdb.connect(config={"threads": 2}) as connection:
            changes = changes_since_sent(
                connection, feed, manifest, published, ledger_of(feed, ledger)
            )
        return int(changes.rows.num_rows)

    rows = benchmark.pedantic(delta, rounds=3, iterations=1)
    assert rows == 4 * PROFILES // 100  # two exits and two enters of each
    print(f"\ndelta {benchmark.stats['min']:.2f} s, {rows:,} rows")
    assert benchmark.stats["min"] < LIMIT_SECONDS
