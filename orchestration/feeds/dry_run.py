"""What the next emission of a segment feed would say, field by field. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.feeds.definitions import Feed, FeedError
from orchestration.feeds.emitted import ledger_of
from orchestration.feeds.guard import Held
from orchestration.feeds.segment_rows import changes_since_sent
from orchestration.publication.snapshot import newest

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Ahead:
    """What would go out.

    Attributes:
        counts: rows by audience and action.
        rows: some rows of each action.
        updates: some updates, each with its fields that differ: before and after.
        held: audiences that a guard would hold back.
        still_open: rows of emissions that are not acknowledged, which go first.
    """

    feed: str
    snapshot_id: str
    as_of: str
    counts: Mapping[tuple[str, str], int]
    rows: Sequence[Mapping[str, Any]]
    updates: Sequence[tuple[str, str, Mapping[str, tuple[Any, Any]]]]
    held: tuple[Held, ...]
    still_open: int


def look_ahead(feed: Feed, published: Path, ledger_root: Path, most: int) -> Ahead:
    """What the next emission would say.

    Args:
        feed: a feed of segments.
        published: the folder of snapshots.
        ledger_root: the ledger's folder.
        most: rows to show of each action.

    Raises:
        FeedError: there is no snapshot, it is no feed of segments, or it names what is not there.
        SnapshotError: a file of the snapshot is damaged.
    """
    import duckdb

    manifest = newest(published)
    if manifest is None:
        raise FeedError(f"nothing has been published under {published} yet; run `muster run`")
    if feed.settings.of == "campaigns":
        raise FeedError(
            f"feed {feed.name} carries messages; `muster campaign preview` shows their words, "
            "`muster explain decision` what was decided"
        )
    ledger = ledger_of(feed, ledger_root)
    with duckdb.connect() as connection:
        changes = changes_since_sent(connection, feed, manifest, published, ledger)
        connection.register("going", changes.rows)
        counts = connection.execute(
            "select segment, action, count(*) from going group by all order by all"
        ).fetchall()
        shown = connection.execute(
            f"""select * exclude (idempotency_key, as_of, snapshot_id) from going
            where action <> 'update' qualify
                row_number() over (partition by action order by sequence) <= {int(most)}
            order by sequence"""
        ).to_arrow_table()
        updates = _updates(connection, list(feed.settings.columns), most)
    return Ahead(
        feed.name,
        manifest.snapshot_id,
        manifest.as_of,
        {(segment, action): count for segment, action, count in counts},
        shown.to_pylist(),
        updates,
        changes.held,
        sum(one.rows for one in ledger.unacknowledged()),
    )


def _updates(
    connection: "duckdb.DuckDBPyConnection", fields: Sequence[str], most: int
) -> list[tuple[str, str, Mapping[str, tuple[Any, Any]]]]:
    before = "".join(f", sent.{name}" for name in fields)
    after = "".join(f", going.{name}" for name in fields)
    rows = connection.execute(
        f"""select segment, profile_id{before}{after}
        from going inner join sent using (segment, profile_id)
        where action = 'update' order by sequence limit {int(most)}"""
    ).fetchall()
    told: list[tuple[str, str, Mapping[str, tuple[Any, Any]]]] = []
    for segment, profile, *values in rows:
        pairs = zip(fields, values[: len(fields)], values[len(fields) :], strict=True)
        told.append((segment, profile, {name: (old, new) for name, old, new in pairs
                                        if old != new}))  # fmt: skip
    return told
