"""What changed from load to load: who was assigned to which profile, merged, split, rejected.

Identifiers and profiles are numbers here, a profile being its first identifier's; `log.py` makes a
table of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from orchestration.identity.forest import Forest
from orchestration.identity.graph import NEVER, Ints
from orchestration.identity.sequential import NOBODY, LocalEdge, Rejection, Replay, Step


@dataclass
class Changes:
    """Changes of one group or of many; `None` for an edge means that none is to blame.

    assigned: (identifier, when, profile); merged: (absorbed, when, survivor, edge);
    split: (profile that came of it, when, profile it was of, edge, why);
    judged: (edge, when, why; None when it is accepted after all).
    """

    assigned: list[tuple[int, int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, LocalEdge]] = field(default_factory=list)
    split: list[tuple[int, int, int, LocalEdge, Rejection]] = field(default_factory=list)
    judged: list[tuple[LocalEdge, int, Rejection | None]] = field(default_factory=list)


_UNDONE = Rejection("undo", "an override was taken back or replaced")


def group_changes(replay: Replay) -> Changes:
    """All changes of one group, in the order in which they became known."""
    changes = Changes()
    for moment, step in replay.steps():
        roots = step.roots
        changes.assigned += [(node, moment, roots[node]) for node in step.moved]
        _merge(changes, moment, step)
        _split(changes, moment, step)
        changes.judged += [(edge, moment, why) for edge, why in step.judged]
    return changes


def _merge(changes: Changes, moment: int, step: Step) -> None:
    """Profiles that were there before and whose first identifier is of another one now."""
    absorbed = [
        node for node, old in step.moved.items() if old == node and step.roots[node] != NOBODY
    ]
    if not absorbed:
        return
    joined_by = _joining_edges(moment, step)
    for node in absorbed:
        changes.merged.append((node, moment, step.roots[node], joined_by[node]))


def _joining_edges(moment: int, step: Step) -> dict[int, LocalEdge]:
    """For each set that lost its first identifier's rank: the edge that joined it to an older one.

    Sets are what was together before and still is, so an edge that linked before joins none. New
    edges are applied before old ones.
    """
    parted: dict[tuple[int, int], int] = {}  # the first of those that left a profile together
    for node, old in step.moved.items():
        if old is not None:
            parted.setdefault((old, step.roots[node]), node)
    top: dict[int, int] = {}

    def find(node: int) -> int:
        if node not in top:
            old, new = step.moved.get(node, step.roots[node]), step.roots[node]
            if old is None or NOBODY in (old, new):
                top[node] = node
            else:
                top[node] = old if step.roots[old] == new else parted[old, new]
                top.setdefault(top[node], top[node])
        while top[node] != node:
            top[node] = node = top[top[node]]
        return node

    joined: dict[int, LocalEdge] = {}
    for edge in sorted(step.accepted, key=lambda edge: (edge.landed != moment, edge.order)):
        one, other = find(edge.a), find(edge.b)
        if one != other:
            first, later = min(one, other), max(one, other)
            top[later] = first
            joined[later] = edge
    return joined


def _split(changes: Changes, moment: int, step: Step) -> None:
    """Identifiers that are no longer with the first identifier of the profile they were of."""
    roots = step.roots
    parted = {
        (old, roots[node]): None
        for node, old in step.moved.items()
        if old is not None and NOBODY not in (old, roots[node]) and roots[node] != roots[old]
    }
    if not parted:
        return
    blame: dict[tuple[int, int], LocalEdge] = {}
    for edge in step.gone:
        old = step.moved.get(edge.a, roots[edge.a])
        if old is not None and roots[edge.a] != roots[edge.b]:
            blame.setdefault((old, roots[edge.a]), edge)
            blame.setdefault((old, roots[edge.b]), edge)
    for old, new in parted:
        edge = blame[old, new]
        why = step.rejected.get(edge, _UNDONE)
        changes.split.append((new, moment, old, edge, why))


def forest_assignments(forest: Forest, nodes: Ints, landed: Ints) -> Iterator[tuple[Ints, ...]]:
    """(identifier, when, profile) arrays for identifiers of groups in which all edges count.

    Args:
        forest: the merges of these groups.
        nodes: the identifiers.
        landed: the landing time of every identifier, by number.
    """
    when = landed[nodes]
    root = forest.root_at(nodes, when)
    yield nodes, when, root
    while True:
        moves = forest.when[root] != NEVER
        nodes, root = nodes[moves], root[moves]
        if not len(nodes):
            return
        when = forest.when[root]
        root = forest.root_at(root, when)
        yield nodes, when, root


def forest_merges(forest: Forest, landed: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """(absorbed, when, survivor, edge number) of profiles that were there before the load."""
    absorbed = np.flatnonzero((forest.when != NEVER) & (landed < forest.when))
    when = forest.when[absorbed]
    return absorbed, when, forest.root_at(absorbed, when), forest.edge[absorbed]
