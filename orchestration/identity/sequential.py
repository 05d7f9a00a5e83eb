"""Profiles of one group of identifiers where something may forbid a merge: one edge at a time.

Limits, shared devices and overrides are weighed here, in plain Python, for the few groups that need
it. What a group is after a load depends on nothing but what landed until then. A load costs what it
changes: edges are judged in their order, and where a new one, an override or a device changes a set
at some place of that order, the later edges of its members are judged again, and no others.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from orchestration.identity.graph import ALWAYS, DEVICES, NEVER
from orchestration.identity.overrides import Constraints, Override, constraints_at
from orchestration.identity.rules import IdentityRules
from orchestration.identity.sets import Held, Sets


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


@dataclass(frozen=True)
class Rejection:
    """Why an edge does not link: the rule that forbids it, and the reason in words."""

    rule: str
    reason: str


NOBODY = -1
_LINKS = 2**40  # puts links that people asked for before all others
_NEW = Rejection("", "")  # what an edge was judged before it was known


@dataclass(frozen=True)
class Step:
    """What one load changed; edges are in their order.

    moved: of each identifier whose profile changed the one before (None: it was not there), in
        order; a profile is named by its first identifier, NOBODY for an identifier of nobody.
    roots: the profile of each identifier now; valid until the next step.
    accepted: edges that link now and did not before; gone: those that did and do not now.
    judged: edges that are rejected by another rule than before, and (with None) no longer are.
    rejected: why an edge does not link, for each that does not; valid until the next step.
    """

    moved: dict[int, int | None]
    roots: list[int]
    accepted: list[LocalEdge]
    gone: list[LocalEdge]
    judged: list[tuple[LocalEdge, Rejection | None]]
    rejected: dict[LocalEdge, Rejection]


class Replay:
    """The changes of one group, load by load.

    An edge's place in the order of all stands for the time at which it is judged; links that people
    asked for come before place 0.
    """

    def __init__(self, group: Group, rules: IdentityRules) -> None:
        self.group, self.rules = group, rules
        self.limits = rules.limits
        ordered = sorted(group.edges, key=lambda edge: edge.order)
        self.devices_from = bisect_left([edge.stage for edge in ordered], DEVICES)
        self.edges = dict(enumerate(ordered))
        self.sets = Sets(group.kinds, len(rules.types))
        self.roots: list[int] = []
        self.rejected: dict[LocalEdge, Rejection] = {}
        self.accepted: set[int] = set()  # places
        self.constraints = Constraints((), (), {})
        self._known: dict[int, list[int]] = defaultdict(list)  # places of each member's edges
        self._queue: list[int] = []
        self._queued: set[int] = set()
        # Up to which place the edges of a set's members are judged, by who stands for the set now.
        self._judged_to: dict[int, int] = {}
        self._before: dict[int, Rejection | None] = {}  # of the edges judged otherwise in this step
        self._touched: set[int] = set()  # members under which profiles may have changed
        self._asked: set[int] = set()  # devices that may be shared now and were not, or reversed
        self._shared: set[int] = set()
        self._seen: dict[int, list[tuple[int, int]]] = defaultdict(list)  # by device: day, person
        self._devices_of: dict[int, set[int]] = defaultdict(set)  # by person

    def steps(self) -> Iterator[tuple[int, Step]]:
        """Each time at which something landed, and what it changed."""
        edges, sightings = defaultdict(list), defaultdict(list)
        for place, edge in self.edges.items():
            edges[edge.landed].append(place)
        for sighting in self.group.sightings:
            sightings[sighting.landed].append(sighting)
        said = {override.landed for override in self.group.overrides}
        first = self.group.landed[0]
        for moment in sorted({*self.group.landed, *edges, *sightings, *said}):
            for place in edges[moment]:
                self._learn(place)
            for sighting in sightings[moment]:
                self._see(sighting)
            if moment >= first:
                yield moment, self._step(moment, moment in said or not self.roots)

    def _step(self, moment: int, is_said: bool) -> Step:
        self._before.clear()
        self._touched = set(range(len(self.roots), bisect_right(self.group.landed, moment)))
        if is_said:
            self._constrain(constraints_at(self.group.overrides, moment))
        self._judge_until(self.devices_from)
        self._share()
        self._judge_until(NEVER)
        moved = self._move(bisect_right(self.group.landed, moment))
        accepted, gone, judged = [], [], []
        for place, was in sorted(self._before.items()):
            edge, now = self.edges[place], self.rejected.get(self.edges[place])
            if was is not None and place in self.accepted:
                accepted.append(edge)
            if was is None and place not in self.accepted:
                gone.append(edge)
            if (was.rule if was else "") != (now.rule if now else ""):
                judged.append((edge, now))
        return Step(moved, self.roots, accepted, gone, judged, self.rejected)

    def _learn(self, place: int) -> None:
        edge = self.edges[place]
        for end in (edge.a, edge.b):
            insort(self._known[end], place)
        self._enqueue(place)

    def _see(self, sighting: Sighting) -> None:
        insort(self._seen[sighting.device], (sighting.day, sighting.person))
        self._devices_of[sighting.person].add(sighting.device)
        self._asked.add(sighting.device)

    def _enqueue(self, place: int) -> None:
        if place not in self._queued:
            self._queued.add(place)
            heappush(self._queue, place)

    def _constrain(self, now: Constraints) -> None:
        """Let what people said hold from now on: all that it may concern is judged again."""
        before, self.constraints = self.constraints, now
        changed = set(before.never) ^ set(now.never)
        changed |= set(before.always) ^ set(now.always)
        changed |= set(before.blocked.values()) ^ set(now.blocked.values())
        for said in changed:
            for node in (said.a, said.b):
                if node >= 0:
                    self._touched.add(node)
                    self._cut(self.sets.top(node, NEVER), -NEVER)
        for said in before.always:
            if said not in now.always:
                self._forget(said.position - _LINKS)
        for said in now.always:
            place = said.position - _LINKS
            if said not in before.always:
                order = (ALWAYS, said.position)
                edge = LocalEdge(-1 - said.position, said.a, said.b, said.landed, ALWAYS, order)
                self.edges.setdefault(place, edge)
                self._learn(place)

    def _forget(self, place: int) -> None:
        """An edge that nobody asks for any more."""
        edge = self.edges[place]
        for end in (edge.a, edge.b):
            self._known[end].remove(place)
        self._queued.discard(place)
        self._note(place, edge)
        self.accepted.discard(place)
        self.rejected.pop(edge, None)

    def _note(self, place: int, edge: LocalEdge) -> None:
        """Keep how an edge was judged before this step."""
        was = None if place in self.accepted else self.rejected.get(edge, _NEW)
        self._before.setdefault(place, was)

    def _judge_until(self, end: int) -> None:
        queue = self._queue
        while queue and queue[0] < end:
            place = heappop(queue)
            if place in self._queued:
                self._queued.remove(place)
                self._judge(place, self.edges[place])

    def _judge(self, place: int, edge: LocalEdge) -> None:
        sets = self.sets
        one, other = sets.top(edge.a, place), sets.top(edge.b, place)
        why = self._forbidden(place, edge, one, other)
        joined = place in (sets.when[one], sets.when[other])
        if joined and why:
            self._cut(sets.top(one, NEVER), place)
        elif one != other and not joined and not why:
            for top in (one, other):
                final = sets.top(top, NEVER)
                if self._judged_to.get(final, place) > place:
                    self._cut(final, place)
            self._join(one, other, place)
        for top in {sets.top(one, NEVER), sets.top(other, NEVER)}:
            self._judged_to[top] = max(place, self._judged_to.get(top, place))
        self._note(place, edge)
        if why:
            self.accepted.discard(place)
            self.rejected[edge] = why
        else:
            self.accepted.add(place)
            self.rejected.pop(edge, None)

    def _join(self, one: int, other: int, place: int) -> None:
        small, later = self.sets.join(one, other, place)
        self._touched.add(later)  # the profile of its members is another one now
        if place < self.devices_from and self._devices_of:
            self._ask_for(self.sets.members(small))

    def _cut(self, top: int, place: int) -> None:
        """Take back what a set became from a place on; its members' later edges are judged anew."""
        members = self.sets.cut(top, place)
        self._touched.update(members)
        for member in members:
            self._judged_to[member] = place
            known = self._known.get(member, ())
            for later in known[bisect_right(known, place) :]:
                self._enqueue(later)
        if place < self.devices_from:
            self._ask_for(members)

    def _ask_for(self, people: list[int]) -> None:
        for person in people:
            if person in self._devices_of:
                self._asked |= self._devices_of[person]

    def _forbidden(self, place: int, edge: LocalEdge, one: int, other: int) -> Rejection | None:
        """Why an edge must not link, if anything says so."""
        if edge.stage >= DEVICES and (edge.a in self._shared or edge.b in self._shared):
            rule = self.rules.shared_devices
            people = f"{rule.more_than} people" if rule.more_than > 1 else "1 person"
            reason = f"seen with more than {people} within {rule.within_days} days"
            return Rejection("shared_device", reason)
        blocked = self.constraints.blocked
        if blocked:
            for node in (edge.a, edge.b):
                if node in blocked:
                    return Rejection("block", blocked[node].told)
        if one == other:
            return None
        for said in self.constraints.never:
            if {self.sets.top(said.a, place), self.sets.top(said.b, place)} == {one, other}:
                return Rejection("never_link", said.told)
        return self._too_much(self.sets.held(one, place).and_(self.sets.held(other, place)))

    def _too_much(self, held: Held) -> Rejection | None:
        for count, limit, name in zip(held.counts, self.limits, self.rules.types, strict=True):
            if limit is not None and count > limit:
                reason = f"one profile would have {count} {name}; its limit is {limit}"
                return Rejection("limit", reason)
        most = self.rules.identifiers_per_profile
        if held.total > most:
            reason = f"one profile would have {held.total} identifiers; its limit is {most}"
            return Rejection("size", reason)
        return None

    def _share(self) -> None:
        """Weigh the devices that may be shared now, or no longer are."""
        rule = self.rules.shared_devices
        for device in self._asked:
            # Lazily: with many people the first few settle it.
            seen = ((day, self.sets.top(who, self.devices_from)) for day, who in self._seen[device])
            if is_shared(seen, rule.more_than, rule.within_days) != (device in self._shared):
                self._shared ^= {device}
                known = self._known[device]
                for place in known[bisect_left(known, self.devices_from) :]:
                    self._enqueue(place)
        self._asked.clear()

    def _move(self, size: int) -> dict[int, int | None]:
        """Set the profiles of all that may have another one; what they were before."""
        sets, blocked = self.sets, self.constraints.blocked
        before = len(self.roots)
        nodes: set[int] = set()
        for top in self._touched:
            if top not in nodes:
                nodes.update(sets.members(top))
        self.roots.extend([NOBODY] * (size - before))
        moved: dict[int, int | None] = {}
        for node in sorted(nodes):
            root = sets.held(sets.top(node, NEVER), NEVER).first
            if node in blocked:
                root = NOBODY
            if node >= before or self.roots[node] != root:
                moved[node] = self.roots[node] if node < before else None
                self.roots[node] = root
        return moved


def is_shared(seen: Iterator[tuple[int, int]], more_than: int, days: int) -> bool:
    """Whether any window of so many days has more different people; (day, person) by day."""
    last: dict[int, int] = {}
    for day, person in seen:
        last.pop(person, None)
        last[person] = day  # the one seen longest ago comes first
        while next(iter(last.values())) <= day - days:
            del last[next(iter(last))]
        if len(last) > more_than:
            return True
    return False
