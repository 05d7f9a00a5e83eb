"""Identifiers and edges as arrays of whole numbers, in the one order that everything follows.

An identifier's number is its place in the order in which identifiers landed, so the smallest number
of a profile is the identifier that gives it its id. Nothing here decides anything.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from orchestration.identity.rules import IdentityRules

if TYPE_CHECKING:
    import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Keys: TypeAlias = npt.NDArray[np.uint64]

NEVER = np.iinfo(np.int64).max  # later than any time; also stands for a time nobody knows

# Evidence is weighed in this order. What comes later never displaces what comes before.
ALWAYS, RECORDS, DEVICES, PROPOSALS = range(4)
PROBABILISTIC_SOURCE = "probabilistic"


class InputError(ValueError):
    """The tables do not fit together; the message says which and how."""


@dataclass(frozen=True)
class Nodes:
    """One entry per identifier, in the order in which they landed.

    `landed` is in microseconds since 1970 (UTC); `kind` is the position of the identifier's type
    in the rules; `given` is where an identifier stood in the table that was given.
    """

    keys: Keys
    landed: Ints
    kind: Ints
    given: Ints
    identifiers: "pa.Table"

    def __len__(self) -> int:
        return len(self.keys)

    def names(self, numbers: Ints) -> list[str]:
        """`type:value` of some identifiers."""
        import pyarrow as pa

        found: list[str] = (
            self.identifiers["identifier"].take(pa.array(self.given[numbers])).to_pylist()
        )
        return found

    def places(self, keys: Keys, of: str) -> Ints:
        """The number of each key's identifier.

        Raises:
            InputError: a key is of no identifier.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if not len(keys):
            return np.zeros(0, dtype=np.int64)
        found = pc.index_in(pa.array(keys), value_set=pa.array(self.keys))
        if found.null_count:
            raise InputError(f"{found.null_count:,} {of} name an identifier that is not there")
        return np.asarray(found.to_numpy()).astype(np.int64)


@dataclass(frozen=True)
class Edges:
    """One entry per edge that may link; `a`, `b` are identifiers' numbers, `a` the smaller.

    `weight` orders edges of one load: by the types they join, within a stage (0 to 3).
    """

    a: Ints
    b: Ints
    landed: Ints
    stage: Ints
    weight: Ints
    occurred: Ints

    def __len__(self) -> int:
        return len(self.a)

    def take(self, which: Ints | Bools) -> "Edges":
        """Some of the edges, in the given order."""
        return Edges(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def microseconds(column: "pa.ChunkedArray") -> Ints:
    """Times as microseconds since 1970; unknown ones as NEVER."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pc.fill_null(column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()), NEVER)
    return np.asarray(whole.to_numpy(), dtype=np.int64)


def ordered(major: Ints, time: Ints, minor: Ints, ties: Ints | Keys) -> Ints:
    """The places that sort by `major`, then time, then `minor`, then `ties`.

    A plain sort by four columns takes three times as long: `major` is made small, time and `minor`
    (not negative, below 64) become one number, and ties are looked at only where there are any.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = pa.array(major).dictionary_encode()
    ranks = np.argsort(np.argsort(codes.dictionary.to_numpy()))
    small = ranks[codes.indices.to_numpy()]
    if len(ranks) < np.iinfo(np.int16).max:
        small = small.astype(np.int16)  # which numpy sorts by radix
    is_known = time != NEVER
    begin = int(pc.min(pa.array(time)).as_py() or 0)
    latest = int(time[is_known].max(initial=begin))
    moment = np.where(is_known, time - begin, latest - begin + 1) * 64 + minor
    order = np.lexsort((moment, small))
    same = (np.diff(moment[order]) == 0) & (np.diff(small[order]) == 0)
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied):
        run = np.cumsum(~np.append(False, same))[tied]
        order[tied] = order[tied[np.lexsort((ties[order[tied]], run))]]
    return order


def keys_of(column: "pa.ChunkedArray") -> Keys:
    """A column of identifier keys as an array."""
    return np.asarray(column.to_numpy(), dtype=np.uint64)


def make_nodes(identifiers: "pa.Table", rules: IdentityRules) -> Nodes:
    """Identifiers in landing order; within a load by time, then type, then key.

    Args:
        identifiers: `identifier_key`, `identifier_type`, `identifier`, `first_landed_at`, and
            `first_occurred_at` in that load; one row each.
        rules: the types and their order.

    Raises:
        InputError: a type is not in the rules.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pc.index_in(identifiers["identifier_type"], value_set=pa.array(rules.types))
    if kind.null_count:
        unknown = pc.unique(identifiers["identifier_type"].filter(pc.is_null(kind))).to_pylist()
        raise InputError(
            f"identity_rules.yml has no identifier type {', '.join(map(str, unknown))}; add it "
            f"under identifiers (there are {', '.join(rules.types)})"
        )
    keys = keys_of(identifiers["identifier_key"])
    landed = microseconds(identifiers["first_landed_at"])
    occurred = microseconds(identifiers["first_occurred_at"])
    kinds = np.asarray(kind.to_numpy(), dtype=np.int64)
    order = ordered(landed, occurred, kinds, keys)
    return Nodes(keys[order], landed[order], kinds[order], order, identifiers)


def make_edges(edges: "pa.Table", nodes: Nodes, rules: IdentityRules) -> Edges:
    """The edges of sources that may link, in no particular order.

    Args:
        edges: `key_a`, `key_b`, `source`, `first_landed_at`, `first_occurred_at`.
        nodes: all identifiers.
        rules: which sources may link, and the order of types.

    Raises:
        InputError: an edge names an identifier that is not there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    silent = pa.array(rules.silent_sources, pa.string())
    if len(silent):
        edges = edges.filter(pc.invert(pc.is_in(edges["source"], value_set=silent)))
    ends = np.concatenate([keys_of(edges["key_a"]), keys_of(edges["key_b"])])
    left, right = np.split(nodes.places(ends, "ends of edges"), 2)
    is_proposal = pc.equal(edges["source"], PROBABILISTIC_SOURCE).to_numpy()
    weaker = np.maximum(nodes.kind[left], nodes.kind[right])
    stronger = np.minimum(nodes.kind[left], nodes.kind[right])
    stage = np.where(weaker == rules.device_kind, DEVICES, RECORDS)
    stage = np.where(is_proposal, PROPOSALS, stage).astype(np.int64)
    return Edges(
        a=np.minimum(left, right),
        b=np.maximum(left, right),
        landed=microseconds(edges["first_landed_at"]),
        stage=stage,
        weight=weaker * len(rules.types) + stronger,
        occurred=microseconds(edges["first_occurred_at"]),
    )


def components(edges: Edges, size: int) -> Ints:
    """The connected component of each identifier: a label from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # 32 bits: parallel edges are added up, and a sum that overflowed to 0 would be no edge.
    graph = coo_array((np.ones(len(edges), dtype=np.int32), (edges.a, edges.b)), (size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)
