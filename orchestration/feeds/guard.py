"""The guard of a segment feed: an audience that collapses, explodes or is empty is held back.

It compares what would be published to the consumer with what the consumer holds. Until somebody
releases the audience, or it changes, the consumer keeps what it has; an erasure goes out all the
same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.feeds.definitions import Feed
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.words import released

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Held:
    """An audience that is held, its size as sent and as published, and why in words."""

    audience: str
    before: int
    now: int
    why: str

    @property
    def words(self) -> str:
        """All of it in one line."""
        return f"{self.audience} {self.reason}"

    @property
    def reason(self) -> str:
        """The same without the name."""
        return f"{self.why}: {self.before:,} members before, {self.now:,} now"


def held_back(
    connection: "duckdb.DuckDBPyConnection", feed: Feed, ledger: Ledger
) -> tuple[tuple[Held, ...], Mapping[str, str]]:
    """Audiences of `changes` that do not go out, and those that somebody released, with who.

    A release counts for the next emission only: it names the feed's last sequence.
    """
    guard = feed.settings.guard
    sizes = connection.execute(
        """select segment, coalesce(before.n, 0), coalesce(after.n, 0), coalesce(parting.n, 0)
        from (select distinct segment from changes where action <> 'erase')
        left join (select segment, count(*) as n from sent group by all) as before using (segment)
        left join (select segment, count(*) as n from wanted group by all) as after using (segment)
        left join (
            select segment, count(*) as n from changes
            where reason in ('left', 'gone') group by all
        ) as parting using (segment)
        order by segment"""
    ).fetchall()
    said = released(ledger.folder, ledger.last_sequence())
    held, let_go = [], {}
    for audience, before, now, parting in sizes:
        why = ""
        if parting and not now and not guard.may_be_empty:
            why = "holds nobody any more"
        elif before >= guard.from_members and parting > guard.may_lose * before:
            why = f"loses {parting / before:.0%} at once (guard: may_lose {guard.may_lose:g})"
        elif before and now >= guard.from_members and now > guard.may_grow * before:
            why = f"grows {now / before:.1f} times (guard: may_grow {guard.may_grow:g})"
        if not why:
            continue
        word = said.get(audience) or said.get("")
        if word:
            let_go[audience] = f"{word.said_by}: {word.reason}" if word.reason else word.said_by
        else:
            held.append(Held(audience, before, now, why))
    return tuple(held), let_go
