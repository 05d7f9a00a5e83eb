"""Who is who: identifiers, edges, rules and overrides in, and a log of all that ever changed out.

A pure function. Groups of identifiers that any edge connects are independent of each other, so a
load needs the groups it touches and no more (`increment.py`). Most groups break no rule: their
profiles are plain connected components, found by a compiled library. The others are replayed load
by load (`sequential.py`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orchestration.identity import history
from orchestration.identity.forest import Forest, grow
from orchestration.identity.graph import (
    DEVICES,
    Bools,
    Edges,
    Ints,
    Nodes,
    components,
    make_edges,
    make_nodes,
)
from orchestration.identity.groups import Said, groups, numbered_overrides, numbered_sightings
from orchestration.identity.log import Log
from orchestration.identity.overrides import Override
from orchestration.identity.rules import IdentityRules
from orchestration.identity.sequential import Replay

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Evidence:
    """What the resolver judges, as Arrow tables.

    - `identifiers`: `identifier_key` (uint64), `identifier_type`, `identifier` (`type:value`),
      `first_landed_at`, `first_occurred_at` (of the records of that first load); one row each.
    - `edges`: `key_a`, `key_b`, `source`, `first_landed_at`, `first_occurred_at`; one row for each
      pair and source.
    - `sightings`: `device_key`, `person_key`, `day` (date32), `first_landed_at`, of devices that
      were seen with more than one other identifier.
    - `overrides`: `override_id`, `action`, `key_a`, `key_b`, `first_landed_at`.
    """

    identifiers: "pa.Table"
    edges: "pa.Table"
    sightings: "pa.Table"
    overrides: "pa.Table"


def resolve(evidence: Evidence, rules: IdentityRules, secret: bytes) -> "pa.Table":
    """The log of all identifiers, as `log.Log.table` describes it.

    Raises:
        InputError: the tables do not fit together, or hold a type that the rules do not know.
    """
    nodes = make_nodes(evidence.identifiers, rules)
    edges = make_edges(evidence.edges, nodes, rules)
    overrides = numbered_overrides(evidence.overrides, nodes)
    size = len(nodes)
    linked = [(said.a, said.b) for said in overrides if min(said.a, said.b) >= 0]
    labels = components(_with_pairs(edges, linked), size)
    is_special = _special(nodes, edges, labels, rules, overrides)
    log = Log(nodes, edges, overrides, labels, secret)
    plain = ~is_special[labels]
    forest = grow(edges, labels, size, plain[edges.a] & _has_history(nodes, edges, labels))
    _log_plain(log, forest, nodes, labels, plain)
    said = Said(edges, numbered_sightings(evidence.sightings, nodes), overrides)
    for members, group in groups(nodes, labels, is_special, said):
        log.add(members, history.group_changes(Replay(group, rules)))
    return log.table()


def _with_pairs(edges: Edges, pairs: list[tuple[int, int]]) -> Edges:
    """The edges, and pairs that belong into one group though no edge joins them."""
    if not pairs:
        return edges
    more = np.array(pairs, dtype=np.int64)
    zeros = np.zeros(len(more), dtype=np.int64)
    added = Edges(more.min(axis=1), more.max(axis=1), zeros, zeros, zeros, zeros)
    names = Edges.__dataclass_fields__
    return Edges(*(np.concatenate([getattr(edges, n), getattr(added, n)]) for n in names))


def _special(
    nodes: Nodes, edges: Edges, labels: Ints, rules: IdentityRules, overrides: list[Override]
) -> Bools:
    """For each group: whether anything might forbid a merge in it, now or at some past moment."""
    count = int(labels.max(initial=-1)) + 1
    special = np.bincount(labels, minlength=count) > rules.identifiers_per_profile
    for kind, limit in enumerate(rules.limits):
        if limit is not None:
            special |= np.bincount(labels[nodes.kind == kind], minlength=count) > limit
    for said in overrides:
        for node in (said.a, said.b):
            if node >= 0:
                special[labels[node]] = True
    special[labels[_disputed_devices(nodes, edges, labels, special)]] = True
    return special


def _disputed_devices(nodes: Nodes, edges: Edges, labels: Ints, special: Bools) -> Ints:
    """Devices that at some moment were seen with identifiers nothing else had joined by then."""
    seen = np.flatnonzero((edges.stage == DEVICES) & ~special[labels[edges.a]])
    # The device is the end of that kind; the other is a person's identifier.
    device_kind = nodes.kind[edges.a[seen]] >= nodes.kind[edges.b[seen]]
    device = np.where(device_kind, edges.a[seen], edges.b[seen])
    person = np.where(device_kind, edges.b[seen], edges.a[seen])
    order = np.lexsort((person, edges.landed[seen], device))
    device, person, when = device[order], person[order], edges.landed[seen][order]
    is_first = np.diff(device, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(device)), 0))
    further = np.flatnonzero(person != person[start]) if len(device) else start
    if not len(further):
        return further
    asked = np.zeros(int(labels.max()) + 1, dtype=np.bool_)
    asked[labels[device[further]]] = True
    which = (edges.stage < DEVICES) & asked[labels[edges.a]]
    without_devices = grow(edges, labels, len(nodes), which)
    moment = when[further]
    one = without_devices.root_at(person[start[further]], moment)
    other = without_devices.root_at(person[further], moment)
    disputed: Ints = device[further][one != other]
    return disputed


def _has_history(nodes: Nodes, edges: Edges, labels: Ints) -> Bools:
    """Edges of groups that did not land at once; the others need no order."""
    count = int(labels.max(initial=-1)) + 1
    first = np.zeros(count, dtype=np.int64)
    first[labels[::-1]] = nodes.landed[::-1]  # the smallest number, written last, landed first
    later = np.zeros(count, dtype=np.bool_)
    later[labels[nodes.landed > first[labels]]] = True
    later[labels[edges.a[edges.landed > first[labels[edges.a]]]]] = True
    found: Bools = later[labels[edges.a]]
    return found


def _log_plain(log: Log, forest: Forest, nodes: Nodes, labels: Ints, plain: Bools) -> None:
    """Changes of groups in which every edge counts."""
    count = int(labels.max(initial=-1)) + 1
    first = np.zeros(count, dtype=np.int64)
    first[labels[::-1]] = np.arange(len(nodes))[::-1]
    has_forest = np.zeros(count, dtype=np.bool_)
    has_forest[labels[forest.parent != np.arange(len(nodes))]] = True
    at_once = np.flatnonzero(plain & ~has_forest[labels])
    log.assign(at_once, nodes.landed[at_once], first[labels[at_once]])
    moving = np.flatnonzero(plain & has_forest[labels])
    for assigned in history.forest_assignments(forest, moving, nodes.landed):
        log.assign(*assigned)
    log.merge(*history.forest_merges(forest, nodes.landed))
