"""Do the segments and columns that a feed names exist in a snapshot?"""

from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb

from orchestration.feeds.definitions import Feed, FeedError, feeds_file
from orchestration.near import did_you_mean
from orchestration.publication.manifest import Manifest, table_file
from orchestration.yaml_files import line_of


def check_names(feed: Feed, published: Path, manifest: Manifest) -> None:
    """See that what a feed names is published.

    Args:
        feed: any feed.
        published: the folder of snapshots.
        manifest: of the snapshot.

    Raises:
        FeedError: a segment or a column of profiles is not; the message has file and line.
        SnapshotError: a file of the snapshot is missing.
    """
    settings = feed.settings
    if settings.segments:
        file = table_file(published, manifest, "segment_catalog")
        known = {row[0] for row in duckdb.sql(f"select segment from '{file}'").fetchall()}
        _check(feed, "segments", settings.segments, known, f"there are {', '.join(sorted(known))}")
    if settings.columns:
        file = table_file(published, manifest, "profiles")
        known = {row[0] for row in duckdb.sql(f"describe select * from '{file}'").fetchall()}
        _check(feed, "columns", settings.columns.values(), known, "see docs/published.md")


def _check(
    feed: Feed, setting: str, names: Iterable[str], known: Collection[str], otherwise: str
) -> None:
    for name in names:
        if name not in known:
            line = line_of(feeds_file(), "feeds", feed.name, setting)
            what = "segment" if setting == "segments" else "column of profiles"
            near = did_you_mean(name, known, f"; {otherwise}")
            raise FeedError(
                f"{feeds_file()}, line {line}: feeds.{feed.name}.{setting}: no {what} {name!r} is "
                f"published{near}"
            )
