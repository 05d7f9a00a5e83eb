"""Array types and the batch: a record of equally long numpy arrays.

Here because every step of the simulation passes columns of numbers on; text is made only at the
border, in `event_table`, `shop_files` and `crm_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).max // 4)
"""A moment after every other one: "has not happened", in milliseconds."""


@dataclass
class Batch:
    """Equally long columns; a subclass names them."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: Ints | Bools) -> Self:
        """The given rows, by position or by mask."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """All rows of `parts`, in their order. At least one part."""
        return cls(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        )


def ints(count: int, value: int = 0) -> Ints:
    """`count` times the same number."""
    return np.full(count, value, dtype=np.int64)


def flags(count: int, value: bool = False) -> Bools:
    """`count` times the same truth value."""
    return np.full(count, value, dtype=np.bool_)


def weighted(rng: np.random.Generator, weights: Sequence[float], count: int) -> Ints:
    """`count` positions in `weights`, each drawn in proportion to its weight."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(edges / edges[-1], rng.random(count), side="right")
    return np.minimum(drawn, len(edges) - 1).astype(np.int64)


def spread(counts: Ints) -> tuple[Ints, Ints]:
    """Rows of a ragged table: for each element its owner, and its position within the owner."""
    owner = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return owner, np.arange(len(owner), dtype=np.int64) - first
