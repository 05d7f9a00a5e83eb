"""What changed from load to load: who was assigned to which profile, merged, split, rejected.

Identifiers and profiles are numbers here, a profile being its first identifier's; `log.py` makes a
table of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from orchestration.identity.forest import Forest
from orchestration.identity.graph import NEVER, Ints
from orchestration.identity.sequential import LocalEdge, Rejection, Replay, State

NOBODY = -1


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
    before = State([], [], {})
    for moment, now in replay.states():
        _assign(changes, moment, before, now)
        _merge(changes, moment, before, now)
        _split(changes, moment, before, now)
        for edge, why in now.rejected.items():
            earlier = before.rejected.get(edge)
            if earlier is None or earlier.rule != why.rule:
                changes.judged.append((edge, moment, why))
        for edge in before.rejected:
            if edge not in now.rejected:
                changes.judged.append((edge, moment, None))
        before = now
    return changes


def _assign(changes: Changes, moment: int, before: State, now: State) -> None:
    for node, root in enumerate(now.roots):
        if node >= len(before.roots) or before.roots[node] != root:
            changes.assigned.append((node, moment, root))


def _merge(changes: Changes, moment: int, before: State, now: State) -> None:
    """Profiles that were there before and whose first identifier is of another one now."""
    absorbed = [
        root
        for node, root in enumerate(before.roots)
        if node == root and now.roots[node] not in (node, NOBODY)
    ]
    if not absorbed:
        return
    joined_by = _joining_edges(moment, before, now)
    for node in absorbed:
        changes.merged.append((node, moment, now.roots[node], joined_by[node]))


def _joining_edges(moment: int, before: State, now: State) -> dict[int, LocalEdge]:
    """For each set that lost its first identifier's rank: the edge that joined it to an older one.

    Sets are what was together before and still is; new edges are applied before old ones.
    """
    first_of: dict[tuple[int, int], int] = {}
    top = list(range(len(now.roots)))
    for node, old in enumerate(before.roots):
        if old != NOBODY and now.roots[node] != NOBODY:
            top[node] = first_of.setdefault((old, now.roots[node]), node)

    def find(node: int) -> int:
        while top[node] != node:
            top[node] = node = top[top[node]]
        return node

    joined: dict[int, LocalEdge] = {}
    for edge in sorted(now.accepted, key=lambda edge: (edge.landed != moment, edge.order)):
        if max(edge.a, edge.b) >= len(top):
            continue
        one, other = find(edge.a), find(edge.b)
        if one != other:
            first, later = min(one, other), max(one, other)
            top[later] = first
            joined[later] = edge
    return joined


def _split(changes: Changes, moment: int, before: State, now: State) -> None:
    """Identifiers that are no longer with the first identifier of the profile they were of."""
    parted: dict[tuple[int, int], None] = {}
    for node, old in enumerate(before.roots):
        new = now.roots[node]
        if NOBODY not in (old, new) and new != now.roots[old]:
            parted[(old, new)] = None
    if not parted:
        return
    accepted = set(now.accepted)
    gone = [edge for edge in before.accepted if edge not in accepted]
    for old, new in parted:
        edge = next(
            edge
            for edge in gone
            if before.roots[edge.a] == old
            and now.roots[edge.a] != now.roots[edge.b]
            and new in (now.roots[edge.a], now.roots[edge.b])
        )
        why = now.rejected.get(edge, _UNDONE)
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
