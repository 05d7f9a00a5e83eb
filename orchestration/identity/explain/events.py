"""What happened to a person, as the log tells it: founded, joined, merged, split, rejected.

Also of the profiles that the person's identifiers were of before, up to when they left them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.identity.explain.overrides import reasons
from orchestration.identity.explain.reader import Person, Reader

if TYPE_CHECKING:
    import duckdb

_END = datetime.max.replace(tzinfo=UTC)
_KINDS = ("founded", "joined", "merged", "split", "moved", "nobody's", "rejected", "accepted")


@dataclass(frozen=True)
class Event:
    """`identifiers` are those that came, moved or left; `a`, `b` the ends of the edge that did it.

    - `founded`, `joined`: identifiers were first seen, in `profile_id`;
    - `merged`: `other_profile_id` was taken into `profile_id`;
    - `split`: `profile_id` came of `other_profile_id`;
    - `moved`: from `other_profile_id` to `profile_id`, in the course of the others;
    - `nobody's`: blocked, taken out of `other_profile_id` if it was in one;
    - `rejected`, `accepted`: an edge does not link from then on, or does after all.
    """

    at: datetime
    kind: str
    profile_id: str | None = None
    other_profile_id: str | None = None
    identifiers: tuple[str, ...] = ()
    a: str | None = None
    b: str | None = None
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Stay:
    """An identifier in one profile (None: nobody's) for a time."""

    key: int
    profile_id: str | None
    start: datetime
    end: datetime
    is_first: bool
    before: str | None  # the profile it was of until then
    is_new: bool


class _Lineage:
    """The profiles that the person's identifiers were of, and when."""

    def __init__(self, person: Person, stays: Iterable[_Stay]) -> None:
        self.times: dict[str, tuple[datetime, datetime]] = {}
        for stay in stays:
            if stay.profile_id:
                start, end = self.times.get(stay.profile_id, (stay.start, stay.end))
                self.times[stay.profile_id] = (min(start, stay.start), max(end, stay.end))
        if person.profile_id in self.times:
            self.times[person.profile_id] = (self.times[person.profile_id][0], _END)

    def holds(self, profile_id: str | None, moment: datetime) -> bool:
        start, end = self.times.get(profile_id or "", (_END, _END))
        return start <= moment <= end


def events(reader: Reader, person: Person) -> list[Event]:
    """All that happened, in the order of time."""
    own = [member.key for member in person.identifiers]
    lineage = _Lineage(person, _stays(reader.connection, own))
    ever = _ever_of(reader.connection, lineage.times) | set(own)
    stays = [
        stay
        for stay in _stays(reader.connection, sorted(ever))
        if stay.key in own
        or lineage.holds(stay.profile_id, stay.start)
        or (lineage.holds(stay.before, stay.start) and not stay.is_new)
    ]
    changes = _changes(reader.connection, lineage)
    judged = reader.judgements(own)
    keys = {stay.key for stay in stays} | {key for row in changes for key in row[4:6] if key}
    keys |= {key for one in judged for key in (one.key_a, one.key_b)}
    names = {one.key: one.identifier for one in reader.by_key(keys)}
    found = [
        *_moves(stays, changes, names),
        *(
            Event(one.changed_at, one.kind, None, None, (), *ends, one.rule, one.reason)
            for one in judged
            for ends in [(names.get(one.key_a), names.get(one.key_b))]
        ),
    ]
    told = reasons(reader.connection)
    found = [replace(one, reason=told.get(one.reason, one.reason)) for one in found]
    return sorted(found, key=lambda one: (one.at, _KINDS.index(one.kind), one.profile_id or ""))


def _stays(connection: "duckdb.DuckDBPyConnection", keys: list[int]) -> list[_Stay]:
    rows = connection.execute(
        """select identifier_key, profile_id, changed_at, is_first
        from intermediate.int_identity_log
        where kind = 'assigned' and identifier_key in (select unnest(?::ubigint[]))
        order by identifier_key, changed_at""",
        [keys],
    ).fetchall()
    found = []
    for place, (key, profile_id, start, is_first) in enumerate(rows):
        after = rows[place + 1] if place + 1 < len(rows) else None
        before = rows[place - 1] if place else None
        is_new = before is None or before[0] != key
        end = after[2] if after and after[0] == key else _END
        was = None if is_new or before is None else before[1]
        found.append(_Stay(key, profile_id, start, end, bool(is_first), was, is_new))
    return found


def _ever_of(connection: "duckdb.DuckDBPyConnection", profiles: Iterable[str]) -> set[int]:
    rows = connection.execute(
        """select distinct identifier_key from intermediate.int_identity_log
        where kind = 'assigned' and profile_id in (select unnest(?::varchar[]))""",
        [[*profiles]],
    ).fetchall()
    return {key for (key,) in rows}


_Change = tuple[str, datetime, str, str, int, int, str, str]


def _changes(connection: "duckdb.DuckDBPyConnection", lineage: _Lineage) -> list[_Change]:
    rows = connection.execute(
        """with asked as (select unnest(?::varchar[]) as profile_id)
        select kind, changed_at, profile_id, other_profile_id, edge_key_a, edge_key_b,
            coalesce(rule, ''), coalesce(reason, '')
        from intermediate.int_identity_log
        where kind in ('merged', 'split')
            and (profile_id in (from asked) or other_profile_id in (from asked))
        order by changed_at, other_profile_id, profile_id""",
        [[*lineage.times]],
    ).fetchall()
    return [row for row in rows if lineage.holds(row[2], row[1]) or lineage.holds(row[3], row[1])]


def _moves(stays: list[_Stay], changes: list[_Change], names: dict[int, str]) -> list[Event]:
    """Stays that began together as one event, told by the merge or split that began them."""
    together: dict[tuple[datetime, str, str | None, str | None], list[str]] = defaultdict(list)
    first_start = {}
    for stay in sorted(stays, key=lambda one: (not one.is_first, names.get(one.key, ""))):
        name = names.get(stay.key)
        if name is None:
            continue
        kind = "moved" if not stay.is_new else "joined"
        if stay.profile_id is None:
            kind = "nobody's"
        elif stay.is_first and stay.is_new:
            kind = "founded"
            first_start[stay.start, stay.profile_id] = True
        elif stay.before is None:
            kind = "joined"
        together[stay.start, kind, stay.profile_id, stay.before].append(name)
    for at, profile_id in first_start:
        more = together.pop((at, "joined", profile_id, None), [])
        together[at, "founded", profile_id, None] += more
    found = []
    for what, at, survivor, gone, a, b, rule, reason in changes:
        moved = together.pop((at, "moved", survivor, gone), [])
        ends = (names.get(a), names.get(b))
        found.append(Event(at, what, survivor, gone, tuple(moved), *ends, rule, reason))
    rest = [Event(*start, tuple(moved)) for start, moved in together.items()]
    return [*found, *rest]
