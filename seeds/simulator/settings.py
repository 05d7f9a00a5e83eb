"""What one run is: its size, seed, moments and folders, and the rates of its faults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_ROWS_PER_FILE = 500_000
SHARED_DEVICES = 0.03
BLOCKED_PURCHASE_EVENTS = 0.02  # a blocker in the browser: the shop knows the order, the web not


@dataclass(frozen=True)
class FaultRates:
    """Share of events, by fault."""

    duplicate: float = 0.005
    retry: float = 0.003
    late: float = 0.01
    malformed: float = 0.0005
    unknown_name: float = 0.001
    missing_property: float = 0.001
    wrong_type: float = 0.0005
    placeholder_device: float = 0.0005
    placeholder_user: float = 0.001


@dataclass(frozen=True)
class Settings:
    """One run. Raises ValueError, with a message for the command line, on impossible values."""

    people: int
    days: int
    seed: int
    end_ms: int
    inbox: Path
    truth: Path
    rates: FaultRates = FaultRates()

    def __post_init__(self) -> None:
        if self.people < 10:
            raise ValueError(f"--people must be at least 10, not {self.people}")
        if self.people > 20_000_000:
            raise ValueError(f"--people must be at most 20000000, not {self.people}")
        if not 1 <= self.days <= 1_000:
            raise ValueError(f"--days must be between 1 and 1000, not {self.days}")
        if self.seed < 0:
            raise ValueError(f"--seed must not be negative, but is {self.seed}")

    @property
    def start_ms(self) -> int:
        """The first moment of the simulation."""
        return self.end_ms - self.days * DAY

    def random(self, *stream: int) -> np.random.Generator:
        """The generator of one stream: a step of the run, and a day if it has one."""
        return np.random.default_rng([self.seed, *stream])


def parse_end(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 moment; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--end must be an ISO 8601 moment, not {text!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND
