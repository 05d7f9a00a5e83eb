"""Devices and who uses them: one to four each, and a few that a household shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seeds.simulator.arrays import Bools, Ints, ints, spread, weighted
from seeds.simulator.people import People
from seeds.simulator.settings import SHARED_DEVICES, Settings
from seeds.simulator.text import identifiers


@dataclass(frozen=True)
class Devices:
    """Uses, grouped by person: person p uses `used[first[p] : first[p] + count[p]]`."""

    used: Ints
    first: Ints
    count: Ints
    kind: Ints
    shared: Bools
    anonymous_ids: pa.Array

    def choose(self, rng: np.random.Generator, person: Ints) -> Ints:
        """A device for each visit; the first of a person is used most."""
        draw = rng.random(len(person)) ** 1.8
        return self.used[self.first[person] + (draw * self.count[person]).astype(np.int64)]

    def users(self) -> tuple[Ints, Ints]:
        """All pairs of (person, device)."""
        return np.repeat(np.arange(len(self.count), dtype=np.int64), self.count), self.used


def make_devices(settings: Settings, people: People) -> Devices:
    """Own devices first, then each shared one given to the members of a household."""
    rng = settings.random(2)
    own_count = 1 + weighted(rng, (0.55, 0.3, 0.1, 0.05), len(people))
    owner, _ = spread(own_count)
    owned = np.arange(len(owner), dtype=np.int64)
    # Neighbours by number live together: no address is needed to say who shares.
    shares = max(2, round(SHARED_DEVICES * len(owner)))
    shared = np.sort(rng.choice(len(owner), shares, replace=False))
    more, nth = spread(1 + weighted(rng, (0.6, 0.3, 0.1), shares))
    guest = (owner[shared[more]] + 1 + nth) % len(people)
    person = np.concatenate([owner, guest])
    device = np.concatenate([owned, shared[more]])
    order = np.lexsort((device, person))
    count = np.bincount(person, minlength=len(people)).astype(np.int64)
    is_shared = np.zeros(len(owner), dtype=np.bool_)
    is_shared[shared] = True
    return Devices(
        used=device[order],
        first=np.cumsum(count) - count,
        count=count,
        kind=weighted(rng, (0.58, 0.34, 0.08), len(owner)),
        shared=is_shared,
        anonymous_ids=identifiers("a-", ints(len(owner)) + owned, 5),
    )
