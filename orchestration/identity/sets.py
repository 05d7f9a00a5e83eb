"""Disjoint sets of one group that remember when each join happened.

So what they were at an earlier time can be asked, and joins can be taken back from some time on. A
time is an edge's place in the order of the edges. Nothing here decides anything.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from operator import add
from typing import NamedTuple

from orchestration.identity.graph import NEVER


class Held(NamedTuple):
    """What a set holds: its first member, how many, and how many of each kind."""

    first: int
    total: int
    counts: tuple[int, ...]

    def and_(self, other: "Held") -> "Held":
        """What both hold together."""
        counts = tuple(map(add, self.counts, other.counts))
        return Held(min(self.first, other.first), self.total + other.total, counts)


@dataclass(slots=True)
class _Joins:
    """What joined one member directly: by whom, when, and what the set held from then on."""

    members: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


class Sets:
    """Sets of members that are numbered from 0; the smaller set hangs under the larger.

    Args:
        kinds: the kind of each member.
        kind_count: how many kinds there are.
    """

    def __init__(self, kinds: list[int], kind_count: int) -> None:
        self.above = list(range(len(kinds)))
        self.when = [NEVER] * len(kinds)
        self._joins: dict[int, _Joins] = {}
        self._kinds = kinds
        self._one = [
            tuple([int(kind == place) for place in range(kind_count)]) for kind in range(kind_count)
        ]

    def top(self, member: int, time: int) -> int:
        """The member that stands for the set as it was just before that time."""
        above, when = self.above, self.when
        while when[member] < time:
            member = above[member]
        return member

    def held(self, top: int, time: int) -> Held:
        """What a set held just before that time."""
        joins = self._joins.get(top)
        if joins:
            place = len(joins.times)
            if place and joins.times[-1] >= time:
                place = bisect_left(joins.times, time)
            if place:
                return joins.held[place - 1]
        return Held(top, 1, self._one[self._kinds[top]])

    def join(self, one: int, other: int, time: int) -> tuple[int, int]:
        """Join two sets, by those who stand for them, that joined nothing at or after that time.

        Returns:
            of the two, who does not stand for a set any more, and whose first member came later.
        """
        left, right = self.held(one, time), self.held(other, time)
        large, small = (one, other) if left.total >= right.total else (other, one)
        self.above[small], self.when[small] = large, time
        joins = self._joins.setdefault(large, _Joins())
        joins.members.append(small)
        joins.times.append(time)
        joins.held.append(left.and_(right))
        return small, one if left.first > right.first else other

    def members(self, top: int, time: int = NEVER) -> list[int]:
        """All that hung under a member just before that time, itself included."""
        found = [top]
        for member in found:
            joins = self._joins.get(member)
            if joins:
                found.extend(joins.members[: bisect_left(joins.times, time)])
        return found

    def cut(self, top: int, time: int) -> list[int]:
        """Take back what a set joined at that time and after; the members it had."""
        members = self.members(top)
        for member in members:
            if self.when[member] >= time:
                self.above[member], self.when[member] = member, NEVER
            joins = self._joins.get(member)
            if joins:
                keep = bisect_left(joins.times, time)
                del joins.members[keep:], joins.times[keep:], joins.held[keep:]
        return members
