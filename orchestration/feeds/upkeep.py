"""What people ask of a feed by hand: send again, try again, begin anew, erase a person."""

from collections.abc import Callable
from pathlib import Path

from orchestration.connectors.locks import exclusive
from orchestration.feeds.definitions import Feed, FeedError
from orchestration.feeds.delivery import Arrived, opened
from orchestration.feeds.emitted import ledger_of
from orchestration.feeds.erasures import erase, erased
from orchestration.feeds.refused import refusals, settle
from orchestration.feeds.segment_feed import columns
from orchestration.feeds.words import say, who
from orchestration.publication.snapshot import newest

Tell = Callable[[str], None]


def replay(ledger_root: Path, feed: Feed, first: int, tell: Tell) -> Arrived:
    """Deliver again what was sent from a sequence on, under the same keys.

    Raises:
        FeedError: it is a feed of messages, which people would get twice, or was never sent.
        DeliveryError: the destination did not take it.
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
        headers = [one for one in ledger.all_emissions() if one.last_sequence >= first]
        with opened(feed, ledger, columns(feed), tell) as delivery:
            arrived = delivery.replay(headers, first)
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
        # The word first: a process that dies in between sends everybody, rather than nobody.
        say(ledger.folder, "reset", reason, ledger.last_sequence())
        delivery.clear()
        ledger.placed(feed.place)


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
