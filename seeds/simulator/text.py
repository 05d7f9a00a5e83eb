"""Numbers to text, column by column: words by position, and identifiers that reveal no order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Bools, Ints


def pick(words: Sequence[str] | pa.Array, index: Ints, where: Bools | None = None) -> pa.Array:
    """The word at each position; null where the position is negative or `where` is false."""
    absent = index < 0 if where is None else (index < 0) | ~where
    table = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return table.take(pa.array(index, mask=absent))


def join(*parts: pa.Array | str) -> pa.Array:
    """The parts side by side; null where any part is null."""
    return pc.binary_join_element_wise(*parts, "")


def identifiers(prefix: str, index: Ints, salt: int, digits: int = 9) -> pa.Array:
    """`<prefix><number>`: one to one with `index`, but in no visible order; null if negative.

    Each kind of identifier has a salt of its own, so that no key can be guessed from another.
    """
    step = 387_420_489 + 20 * salt  # ends in 9, hence coprime to every power of ten
    number = (index * step + 1_000_003 * salt) % 10**digits
    shown = pa.array(number, mask=index < 0).cast(pa.string())
    return join(prefix, pc.utf8_lpad(shown, digits, "0"))


def moments(milliseconds: Ints, where: Bools | None = None) -> pa.Array:
    """ISO 8601 in UTC, with milliseconds and a Z."""
    mask = None if where is None else ~where
    stamps = pa.array(milliseconds.astype("datetime64[ms]"), mask=mask)
    return pc.strftime(stamps, format="%Y-%m-%dT%H:%M:%SZ")


def money(cents: Ints) -> pa.Array:
    """Cents as a decimal text with two places."""
    whole = pa.array(cents // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(np.mod(cents, 100)).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(whole, rest, ".")
