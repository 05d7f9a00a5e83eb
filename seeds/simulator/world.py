"""What every step refers to: the world of a run, and the day being played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seeds.simulator.catalogue import Catalogue, make_catalogue
from seeds.simulator.devices import Devices, make_devices
from seeds.simulator.names import Names, make_names
from seeds.simulator.people import People, make_people
from seeds.simulator.settings import DAY, Settings


@dataclass(frozen=True)
class World:
    """Who and what there is. Only sign-ups and withdrawals of `people` change during a run."""

    people: People
    names: Names
    devices: Devices
    catalogue: Catalogue


@dataclass(frozen=True)
class Day:
    """Twenty-four hours from `start_ms`, with a random generator of their own."""

    settings: Settings
    world: World
    start_ms: int
    rng: np.random.Generator

    @property
    def end_ms(self) -> int:
        """The first moment after the day."""
        return self.start_ms + DAY

    @property
    def number(self) -> int:
        """Days since 1970 at its start; also the number of a campaign sent on it."""
        return self.start_ms // DAY

    @property
    def name(self) -> str:
        """The date of its start."""
        return str(np.datetime64(self.number, "D"))


def make_world(settings: Settings) -> World:
    """Draw the world of a run."""
    people = make_people(settings)
    devices = make_devices(settings, people)
    return World(people, make_names(people), devices, make_catalogue(settings))


def make_day(settings: Settings, world: World, index: int) -> Day:
    """The day at a position from the start of the run."""
    start_ms = settings.start_ms + index * DAY
    return Day(settings, world, start_ms, settings.random(6, index))
