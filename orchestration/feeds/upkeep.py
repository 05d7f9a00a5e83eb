"""What people ask of a feed by hand: send again, try again, begin anew, erase a person."""

from collections.abc import Callable
from pathlib import Path

from orchestration.connectors.locks import exclusive
from orchestration.feeds.definitions import Feed, FeedError
from orchestration.feeds.delivery import Arrived, Delivery, opened
from orchestration.feeds.emitted import check_ledger, ledger_of
from orchestration.feeds.erasures import erase, erased
from orchestration.feeds.ledger import Ledger, with_keys
from orchestration.feeds.refused import refusals, settle
from orchestration.feeds.segment_feed import columns
from orchestration.feeds.state import sent
from orchestration.feeds.words import WordError, paused, say, who
from orchestration.publication.snapshot import newest

Tell = Callable[[str], None]


def replay(ledger_root: Path, feed: Feed, first: int, tell: Tell) -> Arrived:
    """Deliver again what was sent from a sequence on, under the same keys.

    Raises:
        FeedError: it is a feed of messages, which people would get twice, or was never sent.
        DeliveryError: the destination did not take it; where to go on is in the feed's status.
        LedgerError: the ledger is damaged.
        WordError: the feed is paused.
    """
    if feed.settings.of == "campaigns":
        raise FeedError(
            f"feed {feed.name} carries messages; people would get them again. What the destination "
            "refused is tried again by `muster feed retry`"
        )
    ledger = ledger_of(feed, ledger_root)
    with exclusive(ledger.folder / "lock", f"replay of feed {feed.name}", tell):
        if first > ledger.last_sequence():
            raise FeedError(
                f"feed {feed.name} has sent up to {ledger.last_sequence()}, so not yet {first}"
            )
        if word := paused(ledger.folder):
            raise WordError(
                f"feed {feed.name} is paused by {word.said_by}: muster feed resume {feed.name}"
            )
        check_ledger(feed, ledger_root)
        headers = [one for one in ledger.all_emissions() if one.last_sequence >= first]
        with opened(feed, ledger, columns(feed), tell) as delivery:
            arrived = delivery.replay(headers, first, columns(feed), erased(ledger_root))
        ledger.replays(None)
        if first == 1:
            ledger.placed(feed.place)
        return arrived


def revive(ledger_root: Path, feed: Feed, tell: Tell) -> int:
    """Give dead letters all their attempts anew, beginning with the next emission; how many."""
    ledger = ledger_of(feed, ledger_root)
    with exclusive(ledger.folder / "lock", f"retry of feed {feed.name}", tell):
        dead = refusals(ledger.folder, ("dead",))
        settle(ledger.folder, dead, "waiting")
        return len(dead)


def reset(ledger_root: Path, feed: Feed, reason: str, tell: Tell) -> None:
    """Have the destination forget the feed, and the feed what it sent; numbers go on.

    One that cannot forget is told that everybody leaves.

    Raises:
        FeedError: it is a feed of messages.
        DeliveryError: the destination cannot be reached; nothing has changed then.
    """
    if feed.settings.of == "campaigns":
        raise FeedError(f"feed {feed.name} carries messages, which cannot be sent anew")
    ledger = ledger_of(feed, ledger_root)
    with (
        exclusive(ledger.folder / "lock", f"reset of feed {feed.name}", tell),
        opened(feed, ledger, columns(feed), tell) as delivery,
    ):
        # What is open was meant for a consumer who is no more.
        for header in ledger.unacknowledged():
            ledger.acknowledge(header, header.rows)
        settle(ledger.folder, refusals(ledger.folder), "superseded")
        if not delivery.can_clear:
            _send_exits(feed, ledger, delivery)
        # The word first: a process that dies in between sends everybody, rather than nobody.
        say(ledger.folder, "reset", reason, ledger.last_sequence())
        delivery.clear()
        ledger.placed(feed.place)


def _send_exits(feed: Feed, ledger: Ledger, delivery: Delivery) -> None:
    """Tell the destination that everybody leaves whom it was told to hold."""
    import duckdb

    before = list(ledger.all_emissions())
    with duckdb.connect() as connection:
        held = sent(connection, ledger)
        if held is None:
            return
        nothing = "".join(f", null as {name}" for name in feed.settings.columns)
        rows = connection.execute(
            f"""select ({ledger.last_sequence()} + row_number() over (
                order by segment, profile_id))::bigint as sequence, 'exit' as action, segment,
                profile_id, 'reset' as reason, null::varchar as merged_into {nothing},
                '{before[-1].as_of}' as as_of, '{before[-1].snapshot_id}' as snapshot_id
            from {held} order by sequence"""
        ).to_arrow_table()
    if rows.num_rows:
        rows = with_keys(feed.name, rows)
        delivery.emission(ledger.intend(rows, before[-1].as_of, before[-1].snapshot_id), rows)


def erase_everywhere(ledger_root: Path, published: Path, profile: str, reason: str) -> list[str]:
    """Write down that a person is to be erased, under all names; which these are.

    Raises:
        FeedError: nobody is known by that id.
    """
    import duckdb

    manifest = newest(published)
    known: set[str] = set()
    if manifest:
        folder = published / "snapshots" / manifest.snapshot_id
        rows = duckdb.sql(
            f"""with aliases as (
                select alias_profile_id as alias, profile_id as main
                from '{folder}/identity_aliases.parquet' where profile_id is not null
                union all select profile_id, profile_id from '{folder}/profiles.parquet'
            )
            select alias from aliases where main in (
                select main from aliases where alias = '{profile.replace("'", "''")}'
            )
            order by 1"""
        ).fetchall()
        known = {str(row[0]) for row in rows}
    if not known:
        raise FeedError(
            "no profile is or was called so in the newest snapshot; give a profile id, as `muster "
            "explain identity` finds it"
        )
    ids = sorted({profile, *known})
    if set(ids) <= set(erased(ledger_root)):
        raise FeedError(f"{profile} is erased already")
    erase(ledger_root, ids, reason, who())
    return ids
