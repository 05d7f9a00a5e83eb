"""Cuts what is known into groups of identifiers, each with numbers of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orchestration.identity.graph import Bools, Edges, Ints, Nodes, keys_of, microseconds
from orchestration.identity.overrides import Override
from orchestration.identity.sequential import Group, LocalEdge, Sighting

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Said:
    """All that was said of identifiers, which are named by number."""

    edges: Edges
    sightings: list[Sighting]
    overrides: list[Override]


def numbered_overrides(table: "pa.Table", nodes: Nodes) -> list[Override]:
    """The overrides in landing order, naming identifiers by number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not table.num_rows:
        return []
    ordered = table.sort_by([("first_landed_at", "ascending"), ("override_id", "ascending")])
    known = pa.array(nodes.keys)
    places = [
        pc.fill_null(pc.index_in(ordered[name], value_set=known), -1).to_pylist()
        for name in ("key_a", "key_b")
    ]
    landed = microseconds(ordered["first_landed_at"]).tolist()
    found = []
    for place, row in enumerate(ordered.select(["override_id", "action"]).to_pylist()):
        a, b = places[0][place], places[1][place]
        seen = [int(nodes.landed[node]) for node in (a, b) if node >= 0]
        told = f"override {row['override_id']}"
        moment = max([landed[place], *seen]) if row["action"] != "undo" else landed[place]
        found.append(Override(place, row["override_id"], row["action"], a, b, moment, told))
    return found


def numbered_sightings(table: "pa.Table", nodes: Nodes) -> list[Sighting]:
    """The sightings of devices, naming identifiers by number."""
    import pyarrow as pa

    return [
        Sighting(*row)
        for row in zip(
            nodes.places(keys_of(table["device_key"]), "sightings").tolist(),
            nodes.places(keys_of(table["person_key"]), "sightings").tolist(),
            table["day"].cast(pa.int32()).to_pylist(),
            microseconds(table["first_landed_at"]).tolist(),
            strict=True,
        )
    ]


def groups(
    nodes: Nodes, labels: Ints, is_special: Bools, said: Said
) -> Iterator[tuple[list[int], Group]]:
    """The special groups: their identifiers' numbers, and the group with numbers of its own.

    Args:
        nodes: all identifiers.
        labels: the group of each identifier.
        is_special: by group.
        said: of all groups.
    """
    if not is_special.any():
        return
    members = _by_group(np.flatnonzero(is_special[labels]), labels)
    edges = said.edges
    of_edges = labels[edges.a]
    links = _by_group(np.flatnonzero(is_special[of_edges]), of_edges)
    seen: dict[int, list[Sighting]] = {}
    for sighting in said.sightings:
        seen.setdefault(int(labels[sighting.device]), []).append(sighting)
    overrides: dict[int, list[Override]] = {}
    for one in said.overrides:
        # What is taken back may be of any group.
        of = {int(labels[node]) for node in (one.a, one.b) if node >= 0}
        for label in members if one.action == "undo" else of:
            overrides.setdefault(label, []).append(one)
    for label, numbers in members.items():
        local = {number: place for place, number in enumerate(numbers)}
        group = Group(
            landed=nodes.landed[numbers].tolist(),
            kinds=nodes.kind[numbers].tolist(),
            edges=_local_edges(edges, links.get(label, []), local),
            sightings=[
                replace(one, device=local[one.device], person=local[one.person])
                for one in seen.get(label, [])
            ],
            overrides=[
                replace(one, a=local.get(one.a, -1), b=local.get(one.b, -1))
                for one in overrides.get(label, [])
            ],
        )
        yield numbers, group


def _by_group(numbers: Ints, labels: Ints) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for label, number in zip(labels[numbers].tolist(), numbers.tolist(), strict=True):
        found.setdefault(label, []).append(number)
    return found


def _local_edges(edges: Edges, numbers: list[int], local: dict[int, int]) -> list[LocalEdge]:
    rows = zip(
        *(getattr(edges, name)[numbers].tolist() for name in Edges.__dataclass_fields__),
        strict=True,
    )
    return [
        LocalEdge(
            number,
            local[a],
            local[b],
            landed,
            stage,
            (stage, landed, weight, occurred, local[a], local[b]),
        )
        for number, (a, b, landed, stage, weight, occurred) in zip(numbers, rows, strict=True)
    ]
