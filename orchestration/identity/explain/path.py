"""What joins two identifiers, edge by edge, or what keeps them apart."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

from orchestration.identity.explain.reader import Edge, Person, Reader, Rejected


@dataclass(frozen=True)
class Step:
    """One pair of a chain: its edges, or why it does not link."""

    a: str
    b: str
    edges: tuple[Edge, ...] = ()
    rejected: Rejected | None = None


@dataclass(frozen=True)
class Path:
    """A chain from one identifier to another. If one step is rejected, they are not one person;
    `None` for the steps if no edge connects them at all.
    """

    start: str
    end: str
    steps: tuple[Step, ...] | None

    @property
    def is_joined(self) -> bool:
        """Whether accepted edges alone lead there."""
        return self.steps is not None and not any(step.rejected for step in self.steps)


def path(reader: Reader, person: Person, start: str, end: str) -> Path:
    """The shortest chain between two identifiers.

    Args:
        reader: the warehouse.
        person: whose identifier `start` is.
        start: `type:value`.
        end: the same, of anybody.

    Returns:
        A chain of accepted edges if both are one person's; else that with the fewest rejected
        edges.
    """
    if any(member.identifier == end for member in person.identifiers):
        return _shortest(person.edges, (), start, end)
    around = reader.group(reader.component(start))
    return _shortest(around.edges, around.rejected, start, end)


def _shortest(edges: Iterable[Edge], rejections: Iterable[Rejected], start: str, end: str) -> Path:
    by_pair: dict[frozenset[str], list[Edge]] = defaultdict(list)
    for edge in edges:
        by_pair[frozenset((edge.a, edge.b))].append(edge)
    refused = {frozenset((one.a, one.b)): one for one in rejections}
    beside: dict[str, set[str]] = defaultdict(set)
    for pair in (*by_pair, *refused):
        for one in pair:
            beside[one] |= pair - {one}
    # Fewest rejections first, then fewest steps, then by name, so that it is always the same one.
    waiting: list[tuple[int, int, str, str]] = [(0, 0, start, start)]
    came_from: dict[str, str] = {}
    while waiting:
        rejected, steps, node, before = heappop(waiting)
        if node in came_from:
            continue
        came_from[node] = before
        if node == end:
            break
        for other in sorted(beside[node] - set(came_from)):
            is_refused = frozenset((node, other)) not in by_pair
            heappush(waiting, (rejected + is_refused, steps + 1, other, node))
    if end not in came_from:
        return Path(start, end, None)
    chain = [end]
    while chain[-1] != start:
        chain.append(came_from[chain[-1]])
    chain.reverse()
    pairs = [(a, b, frozenset((a, b))) for a, b in pairwise(chain)]
    return Path(
        start,
        end,
        tuple(Step(a, b, tuple(by_pair[pair]), refused.get(pair)) for a, b, pair in pairs),
    )
