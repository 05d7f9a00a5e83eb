"""The rows that bring a consumer of segments from what was sent to what is published.

It never compares snapshots with each other, so nothing is lost when one of them was not emitted.
Only SQL and its words; what is held and how rows go out is said beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.feeds.definitions import Feed
from orchestration.feeds.erasures import erased
from orchestration.feeds.guard import Held, held_back
from orchestration.feeds.ledger import Ledger, with_keys
from orchestration.feeds.names import check_names
from orchestration.feeds.state import sent as sent_so_far
from orchestration.publication.snapshot import Manifest
from orchestration.publication.verify import check_tables

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_READ = ("segment_memberships", "segment_catalog", "profiles", "identity_aliases")

# The last column says why a member left; an alias and an erased person are no members any more,
# whatever else is true of them.
_CHANGES = """
    create or replace temp table changes as
    with left_ones as (from sent anti join wanted using (segment, profile_id)),
    explained as (
        select left_ones.*, aliases.profile_id as merged_into,
            case when gone.profile_id is not null then 'erased'
                when aliases.alias_profile_id is not null then 'merged'
                when members.profile_id is not null then 'not_permitted'
                when people.profile_id is null then 'gone'
                else 'left' end as reason
        from left_ones
        left join aliases on left_ones.profile_id = aliases.alias_profile_id
        left join people on left_ones.profile_id = people.profile_id
        left join erasures as gone on left_ones.profile_id = gone.profile_id
        left join members
            on left_ones.segment = members.segment and left_ones.profile_id = members.profile_id
    )
    select if(reason = 'erased', 'erase', 'exit') as action, segment, profile_id, reason,
        merged_into from explained
    union all by name
    select 'enter' as action, segment, profile_id {fields}
    from wanted anti join sent using (segment, profile_id)
    union all by name
    select 'update' as action, segment, profile_id {fields}
    from wanted inner join sent using (segment, profile_id) {where_differs}
    union all by name
    select 'erase' as action, segment, profile_id, 'erased' as reason
    from carried
    anti join sent using (segment, profile_id)
"""
_ROWS = """
    select ({last} + row_number() over (
            order by segment, profile_id, action
        ))::bigint as sequence,
        action, segment, profile_id, reason, merged_into {fields},
        '{as_of}' as as_of, '{snapshot}' as snapshot_id
    from changes
    where segment not in (select segment from held)
        or action = 'erase' or reason is not distinct from 'not_permitted'
    order by sequence
"""


@dataclass(frozen=True)
class Changes:
    """Rows to send, and audiences whose rows a guard holds back."""

    rows: "pa.Table"
    held: tuple[Held, ...] = ()
    released: Mapping[str, str] = field(default_factory=dict)


def changes_since_sent(
    connection: "duckdb.DuckDBPyConnection",
    feed: Feed,
    manifest: Manifest,
    published: Path,
    ledger: Ledger,
) -> Changes:
    """The rows that bring a consumer from what was sent to what is published.

    Leaves the tables `wanted`, `sent` and `changes` in the connection, for who looks closer.

    Args:
        connection: of its own.
        feed: a feed of segments.
        manifest: of the snapshot.
        published: the folder of snapshots.
        ledger: the feed's.

    Returns:
        Rows with `sequence`, `action`, `segment`, `profile_id`, `reason` and `merged_into` (of an
        exit), the feed's columns, `as_of`, `snapshot_id`, `idempotency_key`.

    Raises:
        FeedError: the feed names a segment or column that is not published.
        SnapshotError: a file of the snapshot is damaged.
    """
    check_tables(published, manifest, _READ)
    check_names(feed, published, manifest)
    _tables(connection, feed, manifest, published, ledger)
    fields = list(feed.settings.columns)
    told = "".join(f", wanted.{name}" for name in fields)
    differs = " or ".join(f"wanted.{name} is distinct from sent.{name}" for name in fields)
    is_full = feed.settings.mode == "full"
    connection.execute(
        _CHANGES.format(
            fields=told,
            where_differs="" if is_full else f"where {differs or 'false'}",
        )
    )
    held, released = held_back(connection, feed, ledger)
    connection.execute("create or replace temp table held (segment varchar)")
    if held:
        connection.executemany("insert into held values (?)", [[one.audience] for one in held])
    rows = connection.execute(
        _ROWS.format(
            last=ledger.last_sequence(),
            fields="".join(f", {name}" for name in fields),
            as_of=manifest.as_of,
            snapshot=manifest.snapshot_id,
        )
    ).to_arrow_table()
    return Changes(with_keys(feed.name, rows), held, released)


def _tables(
    connection: "duckdb.DuckDBPyConnection",
    feed: Feed,
    manifest: Manifest,
    published: Path,
    ledger: Ledger,
) -> None:
    """`members`, `wanted`, `sent`, `people`, `aliases`, `erasures`, `carried`."""
    folder = published / "snapshots" / manifest.snapshot_id
    for name, table in (("memberships", "segment_memberships"), ("people", "profiles"),
                        ("known_aliases", "identity_aliases")):  # fmt: skip
        path = folder / f"{table}.parquet"
        nothing = "select '' as profile_id, '' as alias_profile_id where false"
        of = f"from '{path}'" if path.exists() else nothing
        connection.execute(f"create or replace temp view {name} as {of}")
    connection.execute(
        """create or replace temp view aliases as
        select alias_profile_id, any_value(profile_id) as profile_id
        from known_aliases where profile_id is distinct from alias_profile_id group by all"""
    )
    connection.execute("create or replace temp table erasures (profile_id varchar)")
    gone = erased(ledger.folder.parents[1])
    if gone:
        connection.executemany("insert into erasures values (?)", [[one] for one in gone])
    only = f"where segment in {_list(feed.settings.segments)}" if feed.settings.segments else ""
    connection.execute(
        f"""create or replace temp view members as
        select segment, profile_id from memberships {only}"""
    )
    wanted = "select members.segment, members.profile_id"
    for name, column in feed.settings.columns.items():
        wanted += f", people.{column} as {name}"
    wanted += " from members anti join erasures using (profile_id)"
    if feed.settings.columns or feed.settings.consent:
        wanted += " inner join people using (profile_id)"
    if feed.settings.consent:
        wanted += f" where people.{feed.settings.consent}_consent = 'granted'"
    connection.execute(f"create or replace temp table wanted as {wanted}")
    nobody = "(select segment, profile_id from wanted where false)"
    sent = sent_so_far(connection, ledger) or nobody
    connection.execute(f"create or replace temp table sent as from {sent}")
    _same_columns(connection, feed)
    carried = "select null::varchar as segment, null::varchar as profile_id where false"
    if gone and (history := ledger.history()):
        carried = f"""select segment, profile_id from {history}
            semi join erasures using (profile_id)
            group by all having arg_max(action, sequence) <> 'erase'"""
    connection.execute(f"create or replace temp table carried as {carried}")


def _same_columns(connection: "duckdb.DuckDBPyConnection", feed: Feed) -> None:
    """What was sent, with the columns that the feed has today: nothing was said of a new one."""
    known = {row[0] for row in connection.execute("describe sent").fetchall()}
    types = {row[0]: row[1] for row in connection.execute("describe wanted").fetchall()}
    for name in feed.settings.columns:
        if name not in known:
            connection.execute(f"alter table sent add column {name} {types[name]}")
    for name in known - set(feed.settings.columns) - set(feed.key):
        connection.execute(f'alter table sent drop column "{name}"')


def _list(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{name}'" for name in names) + ")"
