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
    first_of_each,
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
    first_of = first_of_each(labels)[labels]
    log = Log(nodes, edges, overrides, nodes.keys[first_of], secret)
    plain = ~is_special[labels]
    forest = grow(edges, labels, size, plain[edges.a] & _has_history(nodes, edges, first_of))
    _log_plain(log, forest, first_of, plain)
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
    shared = (np.bincount(device, minlength=len(nodes)) > 1)[device]  # few devices are
    seen, device, person = seen[shared], device[shared], person[shared]
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


def _has_history(nodes: Nodes, edges: Edges, first_of: Ints) -> Bools:
    """Edges of groups in which a profile may have been another one for a while.

    Not so where all landed at once, nor where each identifier came in a load together with an edge
    to an older one: it was of the first identifier's profile from the beginning.
    """
    later, came_alone = np.zeros((2, len(nodes)), dtype=np.bool_)
    later[first_of[nodes.landed > nodes.landed[first_of]]] = True
    group = first_of[edges.a]
    later[group[edges.landed > nodes.landed[group]]] = True
    is_alone = first_of != np.arange(len(nodes))
    is_alone[edges.b[edges.landed == nodes.landed[edges.b]]] = False
    came_alone[first_of[is_alone]] = True
    found: Bools = (later & came_alone)[group]
    return found


def _log_plain(log: Log, forest: Forest, first_of: Ints, plain: Bools) -> None:
    """Changes of groups in which every edge counts; arrays by identifier."""
    landed = log.nodes.landed
    has_forest = np.zeros(len(landed), dtype=np.bool_)
    has_forest[first_of[forest.parent != np.arange(len(landed))]] = True
    moves = has_forest[first_of]
    at_once = np.flatnonzero(plain & ~moves)
    log.assign(at_once, landed[at_once], first_of[at_once])
    for assigned in history.forest_assignments(forest, np.flatnonzero(plain & moves), landed):
        log.assign(*assigned)
    log.merge(*history.forest_merges(forest, landed))
