"""Partitions of one group of identifiers where something may forbid a merge: one edge at a time.

Limits, shared devices and overrides are weighed here, in plain Python, for the few groups that need
it. What a group is after a load depends on nothing but what landed until then.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestration.identity.graph import ALWAYS, DEVICES
from orchestration.identity.overrides import Constraints, Override, constraints_at
from orchestration.identity.rules import IdentityRules


@dataclass(frozen=True, eq=False)
class LocalEdge:
    """An edge of the group; `a`, `b` are positions in the group, `order` what it is sorted by.

    `number` is its place among all edges; of an override's edge -1 minus the override's position.
    """

    number: int
    a: int
    b: int
    landed: int
    stage: int
    order: tuple[int, ...]


@dataclass(frozen=True)
class Sighting:
    """A device seen with a person's identifier on a day (days since 1970), known since `landed`."""

    device: int
    person: int
    day: int
    landed: int


@dataclass(frozen=True)
class Group:
    """Identifiers in landing order, with all that was ever said of them."""

    landed: list[int]
    kinds: list[int]
    edges: list[LocalEdge]
    sightings: list[Sighting]
    overrides: list[Override]

    @property
    def moments(self) -> list[int]:
        """The landing times at which anything of the group became known."""
        known = {*self.landed, *(edge.landed for edge in self.edges)}
        known |= {sighting.landed for sighting in self.sightings}
        known |= {override.landed for override in self.overrides}
        return sorted(moment for moment in known if moment >= self.landed[0])


@dataclass(frozen=True)
class Rejection:
    """Why an edge does not link: the rule that forbids it, and the reason in words."""

    rule: str
    reason: str


@dataclass
class State:
    """The group after a load: the first identifier of each one's profile (-1: identifies nobody),
    the edges that were accepted, in order, and those that were not.
    """

    roots: list[int]
    accepted: list[LocalEdge]
    rejected: dict[LocalEdge, Rejection]


@dataclass
class _Sets:
    """Disjoint sets that know what they hold."""

    top: list[int]
    counts: list[list[int]]
    accepted: list[LocalEdge] = field(default_factory=list)
    rejected: dict[LocalEdge, Rejection] = field(default_factory=dict)

    @classmethod
    def of(cls, kinds: list[int], type_count: int) -> "_Sets":
        counts = [[int(kind == position) for position in range(type_count)] for kind in kinds]
        return cls(list(range(len(kinds))), counts)

    def copy(self) -> "_Sets":
        counts = [list(row) for row in self.counts]
        return _Sets(list(self.top), counts, list(self.accepted), dict(self.rejected))

    def find(self, node: int) -> int:
        top = self.top
        while top[node] != node:
            top[node] = node = top[top[node]]
        return node

    def join(self, one: int, other: int) -> None:
        first, later = min(one, other), max(one, other)
        self.top[later] = first
        self.counts[first] = [a + b for a, b in zip(*self.counts_of(first, later), strict=True)]

    def counts_of(self, one: int, other: int) -> tuple[list[int], list[int]]:
        return self.counts[one], self.counts[other]


class Replay:
    """The states of one group, load by load."""

    def __init__(self, group: Group, rules: IdentityRules) -> None:
        self.group, self.rules = group, rules
        self.edges = sorted(group.edges, key=lambda edge: edge.order)
        self.records: _Sets | None = None  # after the edges of records, and what it was made under
        self.made_under: Constraints | None = None
        self.done: set[int] = set()
        self.said: dict[int, LocalEdge] = {}  # the edges of overrides
        self.by_device: dict[int, list[Sighting]] = defaultdict(list)
        for sighting in sorted(group.sightings, key=lambda seen: (seen.day, seen.person)):
            self.by_device[sighting.device].append(sighting)

    def states(self) -> Iterator[tuple[int, State]]:
        """Each moment at which something landed, and the group as it is known then."""
        for moment in self.group.moments:
            yield moment, self._state(moment)

    def _state(self, moment: int) -> State:
        limits = constraints_at(self.group.overrides, moment)
        known = [edge for edge in self.edges if edge.landed <= moment]
        if self.records is None or limits != self.made_under:
            self.records, self.made_under, self.done = self._start(limits), limits, set()
        for edge in known:
            if edge.stage < DEVICES and edge.number not in self.done:
                self.done.add(edge.number)
                self._try(self.records, edge, limits)
        sets = self.records.copy()
        shared = self._shared_devices(sets, moment)
        for edge in known:
            if edge.stage < DEVICES:
                continue
            reason = shared.get(edge.a) or shared.get(edge.b)
            if reason:
                sets.rejected[edge] = Rejection("shared_device", reason)
            else:
                self._try(sets, edge, limits)
        roots = [
            -1 if node in limits.blocked else sets.find(node)
            for node in range(len(self.group.landed))
            if self.group.landed[node] <= moment
        ]
        return State(roots, sets.accepted, sets.rejected)

    def _start(self, limits: Constraints) -> _Sets:
        """Nothing joined but what people said belongs together."""
        sets = _Sets.of(self.group.kinds, len(self.rules.types))
        for said in limits.always:
            place = said.position
            edge = LocalEdge(-1 - place, said.a, said.b, said.landed, ALWAYS, (ALWAYS, place))
            self._try(sets, self.said.setdefault(place, edge), limits)
        return sets

    def _try(self, sets: _Sets, edge: LocalEdge, limits: Constraints) -> None:
        blocked = [node for node in (edge.a, edge.b) if node in limits.blocked]
        if blocked:
            sets.rejected[edge] = Rejection("block", limits.blocked[blocked[0]].told)
            return
        one, other = sets.find(edge.a), sets.find(edge.b)
        if one != other:
            rejection = self._forbidden(sets, one, other, limits)
            if rejection:
                sets.rejected[edge] = rejection
                return
            sets.join(one, other)
        sets.accepted.append(edge)

    def _forbidden(
        self, sets: _Sets, one: int, other: int, limits: Constraints
    ) -> Rejection | None:
        """Why two profiles must not become one, if anything says so."""
        for said in limits.never:
            if {sets.find(said.a), sets.find(said.b)} == {one, other}:
                return Rejection("never_link", said.told)
        together = [a + b for a, b in zip(*sets.counts_of(one, other), strict=True)]
        names = zip(together, self.rules.identifiers.items(), strict=True)
        for count, (name, rule) in names:
            if rule.limit is not None and count > rule.limit:
                reason = f"one profile would have {count} {name}, {rule.limit} may be"
                return Rejection("limit", reason)
        total, most = sum(together), self.rules.identifiers_per_profile
        if total > most:
            return Rejection("size", f"one profile would have {total} identifiers, {most} may be")
        return None

    def _shared_devices(self, sets: _Sets, moment: int) -> dict[int, str]:
        """Devices that were seen with too many people in some window, and the reason."""
        rule, found = self.rules.shared_devices, {}
        for device, sightings in self.by_device.items():
            known = [(s.day, sets.find(s.person)) for s in sightings if s.landed <= moment]
            if len({person for _, person in known}) <= rule.more_than:
                continue
            most = most_within(known, rule.within_days)
            if most > rule.more_than:
                people = f"{most} people within {rule.within_days} days"
                found[device] = f"seen with {people}, {rule.more_than} may be"
        return found


def most_within(seen: list[tuple[int, int]], days: int) -> int:
    """The most different people in any window of so many days; (day, person), sorted by day."""
    counts: dict[int, int] = defaultdict(int)
    most = begin = 0
    for day, person in seen:
        counts[person] += 1
        while seen[begin][0] <= day - days:
            gone = seen[begin][1]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            begin += 1
        most = max(most, len(counts))
    return most
