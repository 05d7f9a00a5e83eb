"""Identifiers and edges as arrays of whole numbers, in the one order that everything follows.

An identifier's number is its place in the order in which identifiers landed, so the smallest number
of a profile is the identifier that gives it its id. Nothing here decides anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
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
        found = self._slots[self._slot(keys)]
        wrong = np.flatnonzero(self.keys[found] != keys) if len(self) else np.arange(len(keys))
        if len(wrong):
            found[wrong] = self._hidden_places(keys[wrong], of)
        return found.astype(np.int64)

    @cached_property
    def _slots(self) -> "npt.NDArray[np.int32]":
        """By the upper bits of a key: the number of one identifier with such a key.

        Keys are hashes, so few share a slot; those that do are searched for among themselves. With
        one slot for each key and three more, that takes 40% of the time of Arrow's `index_in`.
        """
        slots = np.zeros(1 << self._slot_bits, dtype=np.int32)
        slots[self._slot(self.keys)] = np.arange(len(self), dtype=np.int32)
        return slots

    @property
    def _slot_bits(self) -> int:
        return min(len(self).bit_length() + 2, 30)

    def _slot(self, keys: Keys) -> Ints:
        return (keys >> np.uint64(64 - self._slot_bits)).astype(np.int64)

    def _hidden_places(self, keys: Keys, of: str) -> Ints:
        """The numbers of identifiers whose slot another one has."""
        import pyarrow as pa
        import pyarrow.compute as pc

        hidden = np.flatnonzero(self._slots[self._slot(self.keys)] != np.arange(len(self)))
        found = pc.index_in(pa.array(keys), value_set=pa.array(self.keys[hidden]))
        if found.null_count:
            raise InputError(f"{found.null_count:,} {of} name an identifier that is not there")
        return np.asarray(hidden[found.to_numpy()])


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

    small = ranks(major)
    if small.max(initial=0) < np.iinfo(np.int16).max:
        small = small.astype(np.int16)  # which numpy sorts by radix
    is_known = time != NEVER
    begin = int(pc.min(pa.array(time)).as_py() or 0)
    latest = int(time[is_known].max(initial=begin))
    moment = np.where(is_known, time - begin, latest - begin + 1) * 64 + minor
    order = np.lexsort((moment, small))
    same = (np.diff(moment[order]) == 0) & (np.diff(small[order]) == 0)
    settle(order, same, lambda tied: (ties[tied],))
    return order


def by_number(numbers: Ints) -> Ints:
    """The places that sort by numbers that are not negative, equal ones as they come.

    Radix sort, which numpy has for 16 bits: half the time of its stable sort of 64.
    """
    order = np.argsort((numbers & 0xFFFF).astype(np.uint16), kind="stable")
    while (numbers := numbers >> 16).any():
        order = order[np.argsort((numbers[order] & 0xFFFF).astype(np.uint16), kind="stable")]
    return order


def ranks(values: Ints) -> Ints:
    """The place of each value among the different ones; of few different ones, quickly."""
    import pyarrow as pa

    codes = pa.array(values).dictionary_encode()
    of_code = np.argsort(np.argsort(codes.dictionary.to_numpy()))
    return np.asarray(of_code[codes.indices.to_numpy()])


def settle(order: Ints, same: Bools, ties_of: "Callable[[Ints], tuple[Ints | Keys, ...]]") -> None:
    """Put places that are equal to their neighbours into the order of their ties.

    Args:
        order: sorted places, changed here.
        same: whether a place is equal to the next one; one shorter.
        ties_of: places to what orders them, the first before the next.
    """
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied):
        run = np.cumsum(~np.append(False, same))[tied]
        ties = ties_of(order[tied])
        order[tied] = order[tied[np.lexsort((*reversed(ties), run))]]


def _small(numbers: Ints) -> "npt.NDArray[np.int32]":
    return numbers.astype(np.int32)


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

    # In the type that scipy works with, and said to be without parallel edges, which it would sort
    # and add up first: 0.15 s instead of 0.24 s for two million.
    graph = coo_array((np.ones(len(edges)), (_small(edges.a), _small(edges.b))), (size, size))
    graph.has_canonical_format = True
    _, labels = connected_components(graph.tocsr(), directed=False)
    return np.asarray(labels, dtype=np.int64)


def first_of_each(labels: Ints) -> Ints:
    """The smallest number of each component."""
    found = np.zeros(int(labels.max(initial=-1)) + 1, dtype=np.int64)
    found[labels[::-1]] = np.arange(len(labels))[::-1]  # what is written last stays
    return found
