"""Merges in order, where nothing forbids any of them: which identifier joins which, by which edge.

Union-find in arrays: the k-th edges of all components are applied at once, since components know
nothing of each other. Large components, of which there are few, go edge by edge.
"""

from dataclasses import dataclass

import numpy as np

from orchestration.identity.graph import NEVER, Bools, Edges, Ints, by_number, ranks, settle

# Beyond so many edges of one component a loop over them costs less than a round for each.
LARGE = 200


@dataclass(frozen=True)
class Forest:
    """How each identifier stopped being the first of its profile; arrays by identifier number.

    `parent` is the first identifier of the profile that took it in (itself: nobody has), `edge`
    the number of the edge that did it (-1) and `when` that edge's landing time (NEVER).
    """

    parent: Ints
    edge: Ints
    when: Ints

    def root_at(self, nodes: Ints, moment: Ints) -> Ints:
        """The first identifier of each node's profile when all that landed until then is known."""
        current = nodes.copy()
        moving = np.arange(len(current))
        while len(moving):
            moving = moving[self.when[current[moving]] <= moment[moving]]
            current[moving] = self.parent[current[moving]]
        return current


def _in_order(edges: Edges, chosen: Ints, component: Ints) -> Ints:
    """Places of the chosen edges, component by component, in the order in which they are applied:
    landing order, and within a load by weight, then by time, then by the identifiers they join.
    """
    major = ranks((edges.landed * 256 + edges.stage * 64 + edges.weight)[chosen])
    whole = component * (int(major.max(initial=0)) + 1) + major
    order = by_number(whole)
    ties = (edges.occurred, edges.a, edges.b)
    settle(order, np.diff(whole[order]) == 0, lambda tied: tuple(tie[chosen[tied]] for tie in ties))
    return order


def grow(edges: Edges, labels: Ints, size: int, which: Bools) -> Forest:
    """Apply the chosen edges in order.

    Args:
        edges: all edges.
        labels: the component of each identifier, over at least the chosen edges.
        size: how many identifiers there are.
        which: the chosen edges.
    """
    forest = Forest(
        parent=np.arange(size, dtype=np.int64),
        edge=np.full(size, -1, dtype=np.int64),
        when=np.full(size, NEVER, dtype=np.int64),
    )
    chosen = np.flatnonzero(which)
    if not len(chosen):
        return forest
    component = labels[edges.a[chosen]]
    order = _in_order(edges, chosen, component)
    ordered, component = chosen[order], component[order]
    starts = np.flatnonzero(np.diff(component, prepend=-1))
    counts = np.diff(np.append(starts, len(component)))
    position = np.arange(len(ordered)) - np.repeat(starts, counts)
    is_large = np.repeat(counts > LARGE, counts)
    top = np.arange(size, dtype=np.int64)
    _in_rounds(forest, top, edges, ordered[~is_large], position[~is_large])
    _one_by_one(forest, edges, ordered[is_large])
    return forest


def _in_rounds(forest: Forest, top: Ints, edges: Edges, ordered: Ints, position: Ints) -> None:
    """Apply edges by their position within their component."""
    rounds = by_number(position)
    begin = 0
    for end in np.cumsum(np.bincount(position)).tolist():
        batch = ordered[rounds[begin:end]]
        begin = end
        left, right = _tops(top, edges.a[batch]), _tops(top, edges.b[batch])
        joins = left != right
        batch, left, right = batch[joins], left[joins], right[joins]
        first, later = np.minimum(left, right), np.maximum(left, right)
        top[later] = first
        forest.parent[later] = first
        forest.edge[later] = batch
        forest.when[later] = edges.landed[batch]


def _tops(top: Ints, nodes: Ints) -> Ints:
    """The first identifier of each node's set; the way there is shortened."""
    found = top[nodes]
    while True:
        above = top[found]
        if np.array_equal(above, found):
            top[nodes] = found
            return found
        found = above


def _one_by_one(forest: Forest, edges: Edges, ordered: Ints) -> None:
    """Apply the edges of large components in a plain loop."""
    top: dict[int, int] = {}

    def find(node: int) -> int:
        while (above := top.get(node, node)) != node:
            top[node] = node = top.get(above, above)
        return node

    ends = zip(edges.a[ordered].tolist(), edges.b[ordered].tolist(), ordered.tolist(), strict=True)
    for left, right, number in ends:
        one, other = find(left), find(right)
        if one == other:
            continue
        first, later = min(one, other), max(one, other)
        top[later] = first
        forest.parent[later] = first
        forest.edge[later] = number
    later_ones = np.fromiter(top, dtype=np.int64, count=len(top))
    taken = later_ones[forest.edge[later_ones] >= 0]
    forest.when[taken] = edges.landed[forest.edge[taken]]
