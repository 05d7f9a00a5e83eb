"""Identity the slow, obvious way: everything anew for every load, in sets and plain loops.

It follows the words of docs/identity.md and shares no code with the resolver.
"""

from dataclasses import dataclass, field

DEVICE = "anonymous_id"


@dataclass(frozen=True)
class Edge:
    """`source` is that of records, or `probabilistic`."""

    a: str
    b: str
    landed: int
    occurred: int
    source: str = "web_events"


@dataclass(frozen=True)
class Sight:
    device: str
    person: str
    day: int
    landed: int


@dataclass(frozen=True)
class Said:
    """An override; for `undo`, `name` is the one it takes back."""

    name: str
    action: str
    a: str
    b: str
    landed: int


@dataclass
class World:
    """Identifiers are `type:value`, each with its landing time and its time in that load."""

    types: list[str]
    limits: dict[str, int | None]
    most: int
    more_than: int
    within: int
    nodes: dict[str, tuple[int, int]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def kind(self, node: str) -> int:
        return self.types.index(node.split(":", maxsplit=1)[0])


Rows = set[tuple[object, ...]]


def log_of(world: World, key: dict[str, int]) -> Rows:
    """Every change as a tuple; `key` breaks the last ties among identifiers."""
    rank = {
        node: place
        for place, node in enumerate(
            sorted(world.nodes, key=lambda n: (*world.nodes[n], world.kind(n), key[n]))
        )
    }
    moments = {landed for landed, _ in world.nodes.values()}
    moments |= {thing.landed for thing in [*world.edges, *world.sights, *world.said]}
    rows: Rows = set()
    old: dict[str, str | None] = {}
    was: dict[Edge, str] = {}
    stood: list[Edge] = []
    for moment in sorted(moments):
        new, accepted, rejected = _partition(world, rank, moment)
        rows |= {("assigned", n, moment, new[n]) for n in new if n not in old or old[n] != new[n]}
        rows |= _merges(world, rank, moment, (old, new), accepted)
        rows |= _splits(moment, (old, new), stood, accepted, rejected)
        rows |= {
            ("rejected", e.a, e.b, e.source, moment, why)
            for e, why in rejected.items()
            if was.get(e) != why
        }
        rows |= {("accepted", e.a, e.b, e.source, moment) for e in was if e not in rejected}
        old, was, stood = new, rejected, accepted
    return rows


def _weight(world: World, rank: dict[str, int], edge: Edge) -> tuple[int, ...]:
    kinds = sorted((world.kind(edge.a), world.kind(edge.b)), reverse=True)
    return (*kinds, edge.occurred, *sorted((rank[edge.a], rank[edge.b])))


def _stage(edge: Edge) -> int:
    if edge.source == "override":
        return 0
    if edge.source == "probabilistic":
        return 3
    return 2 if DEVICE in (edge.a.split(":")[0], edge.b.split(":")[0]) else 1


def _constraints(world: World, moment: int) -> tuple[list[Said], list[Said], set[str]]:
    standing: list[Said] = []
    for said in sorted(world.said, key=lambda one: (one.landed, one.name)):
        if said.action == "undo":
            if said.landed <= moment:
                standing = [one for one in standing if one.name != said.name]
            continue
        names = {said.a} if said.action == "block" else {said.a, said.b}
        if any(world.nodes.get(n, (moment + 1, 0))[0] > moment for n in names):
            continue
        if said.landed <= moment:
            is_block = said.action == "block"
            standing = [
                one
                for one in standing
                if (one.action == "block") != is_block
                or ({one.a} if is_block else {one.a, one.b}) != names
            ]
            standing.append(said)
    never = [one for one in standing if one.action == "split"]
    always = [one for one in standing if one.action == "link"]
    return never, always, {one.a for one in standing if one.action == "block"}


def _partition(
    world: World, rank: dict[str, int], moment: int
) -> tuple[dict[str, str | None], list[Edge], dict[Edge, str]]:
    never, always, blocked = _constraints(world, moment)
    sets = [{node} for node, (landed, _) in world.nodes.items() if landed <= moment]
    accepted: list[Edge] = []
    rejected: dict[Edge, str] = {}

    def of(node: str) -> set[str]:
        return next(one for one in sets if node in one)

    def attempt(edge: Edge) -> None:
        if {edge.a, edge.b} & blocked:
            rejected[edge] = "block"
            return
        one, other = of(edge.a), of(edge.b)
        both = one | other
        if one is not other:
            if any(
                {s.a, s.b} <= both and not {s.a, s.b} <= one and not {s.a, s.b} <= other
                for s in never
            ):
                rejected[edge] = "never_link"
                return
            for kind in world.types:
                limit = world.limits[kind]
                if limit is not None and sum(n.startswith(kind + ":") for n in both) > limit:
                    rejected[edge] = "limit"
                    return
            if len(both) > world.most:
                rejected[edge] = "size"
                return
            sets.remove(one)
            sets.remove(other)
            sets.append(both)
        accepted.append(edge)

    for said in always:
        attempt(
            Edge(
                said.a,
                said.b,
                max(said.landed, world.nodes[said.a][0], world.nodes[said.b][0]),
                0,
                "override",
            )
        )
    known = sorted(
        (edge for edge in world.edges if edge.landed <= moment),
        key=lambda edge: (_stage(edge), edge.landed, *_weight(world, rank, edge)),
    )
    for edge in known:
        if _stage(edge) == 1:
            attempt(edge)
    shared = set()
    for device in {sight.device for sight in world.sights}:
        seen = [s for s in world.sights if s.device == device and s.landed <= moment]
        for begin in {sight.day for sight in seen}:
            people = {min(of(s.person)) for s in seen if begin <= s.day < begin + world.within}
            if len(people) > world.more_than:
                shared.add(device)
    for edge in known:
        if _stage(edge) >= 2:
            if {edge.a, edge.b} & shared:
                rejected[edge] = "shared_device"
            else:
                attempt(edge)
    found: dict[str, str | None] = {}
    for one in sets:
        first = min(one, key=lambda n: rank[n])
        for node in one:
            found[node] = None if node in blocked else first
    return found, accepted, rejected


Change = tuple[dict[str, str | None], dict[str, str | None]]


def _merges(
    world: World, rank: dict[str, int], moment: int, change: Change, accepted: list[Edge]
) -> Rows:
    old, new = change
    rows: Rows = set()
    sets = [{n} for n in new if n not in old or old[n] is None or new[n] is None]
    for pair in {(old[n], new[n]) for n in old if old[n] and new[n]}:
        sets.append({n for n in old if (old[n], new[n]) == pair})

    def order(edge: Edge) -> tuple[object, ...]:
        place = accepted.index(edge) if edge.source == "override" else 0
        weight = (_stage(edge), edge.landed, place, *_weight(world, rank, edge))
        return (edge.landed != moment, *weight)

    lost: dict[str, Edge] = {}
    for edge in sorted(accepted, key=order):
        one = next(s for s in sets if edge.a in s)
        other = next(s for s in sets if edge.b in s)
        if one is not other:
            firsts = sorted(
                (min(s, key=lambda n: rank[n]) for s in (one, other)), key=lambda n: rank[n]
            )
            lost[firsts[1]] = edge
            sets = [s for s in sets if s is not one and s is not other] + [one | other]
    for node, first in old.items():
        if node == first and new[node] not in (node, None):
            edge = lost[node]
            rows.add(("merged", node, moment, new[node], frozenset((edge.a, edge.b))))
    return rows


def _splits(
    moment: int,
    change: Change,
    stood: list[Edge],
    accepted: list[Edge],
    rejected: dict[Edge, str],
) -> Rows:
    old, new = change
    rows: Rows = set()
    for node, profile in old.items():
        if profile is None or new[node] is None or new[node] == new[profile]:
            continue
        # The first edge that held it there: it has an end with what left, and no longer links.
        edge = next(
            edge
            for edge in stood
            if edge not in accepted
            and old[edge.a] == profile
            and new[node] in (new[edge.a], new[edge.b])
            and new[edge.a] != new[edge.b]
        )
        pair, why = frozenset((edge.a, edge.b)), rejected.get(edge, "undo")
        rows.add(("split", new[node], moment, profile, pair, why))
    return rows
