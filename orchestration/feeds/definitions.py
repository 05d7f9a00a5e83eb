"""`feeds.yml`: which feeds there are, what each carries, where to and when.

Belongs here: what may be written there, and that names in it exist. What is emitted is decided in
the modules beside.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.connectors.definitions import DefinitionError
from orchestration.connectors.destinations.base import Destination
from orchestration.connectors.destinations.registry import destination
from orchestration.near import did_you_mean
from orchestration.yaml_files import line_of, load_validated

FEEDS_FILE = Path(__file__).with_name("feeds.yml")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
KEYS = {"segments": ("segment", "profile_id"), "campaigns": ("decision_id",)}
_RESERVED = frozenset({"sequence", "action", "reason", "merged_into", "segment", "profile_id",
                       "as_of", "snapshot_id", "idempotency_key"})  # fmt: skip


class FeedError(ValueError):
    """`feeds.yml` is wrong, or there is no such feed; the message says where and what to do."""


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Schedule(_Block):
    """When a feed is emitted; with neither, whenever there is a new snapshot."""

    every_minutes: Annotated[int, Field(ge=1)] | None = None
    cron: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Schedule":
        from croniter import croniter

        if self.every_minutes and self.cron:
            raise ValueError("say every_minutes or cron, not both")
        if self.cron and not croniter.is_valid(self.cron):
            raise ValueError(f"cron {self.cron!r} is none: minute hour day month weekday, UTC")
        return self

    @property
    def is_with_snapshots(self) -> bool:
        """Whether it has no clock of its own."""
        return self.every_minutes is None and self.cron is None


class Guard(_Block):
    """Which change of an audience is taken for a mistake, against what was sent last.

    `may_lose` is the share of members that may leave at once, `may_grow` how many times as large it
    may become; neither is asked below `from_members`. Nobody at all, after somebody, is always held
    unless `may_be_empty`.
    """

    may_lose: Annotated[float, Field(ge=0, le=1)] = 0.5
    may_grow: Annotated[float, Field(ge=1)] = 3.0
    from_members: Annotated[int, Field(ge=0)] = 100
    may_be_empty: bool = False


class Retries(_Block):
    """How often a batch is tried in one emission, and a refused row in all."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    row_attempts: Annotated[int, Field(ge=1, le=100)] = 3


class FeedSettings(_Block):
    """One entry of `feeds`."""

    of: Literal["segments", "campaigns"]
    to: str
    description: str = ""
    owner: str = "data-engineering"
    segments: tuple[Name, ...] = ()
    columns: Mapping[Name, str] = {}
    consent: Literal["email", "sms", "push"] | None = None
    channels: tuple[Literal["email", "sms", "push", "onsite"], ...] = ()
    schedule: Schedule = Schedule()
    mode: Literal["delta", "full"] = "delta"
    batch_rows: Annotated[int, Field(ge=1)] | None = None
    guard: Guard = Guard()
    retries: Retries = Retries()
    late_after_minutes: Annotated[int, Field(ge=1)] = 120

    @model_validator(mode="after")
    def _fits(self) -> "FeedSettings":
        of_segments = ("segments", "columns", "consent", "guard", "mode")
        wrong = of_segments if self.of == "campaigns" else ("channels",)
        if said := sorted(self.model_fields_set & set(wrong)):
            raise ValueError(f"a feed of {self.of} has no {', '.join(said)}")
        if "segments" in self.model_fields_set and not self.segments:
            raise ValueError("segments: name some, or leave it out, which means all")
        if taken := sorted(_RESERVED & set(self.columns)):
            raise ValueError(f"columns: {', '.join(taken)} has a meaning of its own; rename it")
        return self


class _File(_Block):
    destinations: Mapping[Name, Any]
    feeds: Mapping[Name, FeedSettings]


@dataclass(frozen=True)
class Feed:
    """A feed with its name and destination."""

    name: str
    settings: FeedSettings
    destination_name: str
    destination: Destination

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name what a row is about."""
        return KEYS[self.settings.of]

    @cached_property
    def place(self) -> str:
        """Names where the feed's rows go, without telling it: another one has none of them."""
        place = f"{self.destination.type} {self.destination.place(self.name)}"
        return hashlib.sha256(place.encode()).hexdigest()[:16]

    @cached_property
    def batch_rows(self) -> int:
        """The most rows of a batch."""
        return self.settings.batch_rows or self.destination.batch_rows


def feeds_file() -> Path:
    """`MUSTER_FEEDS`, or the project's own file."""
    return Path(os.environ.get("MUSTER_FEEDS") or FEEDS_FILE)


def load_feeds(path: Path | None = None) -> dict[str, Feed]:
    """Every feed by name, in the order of the file.

    Raises:
        FeedError: the file is not valid; the message names file, line or entry, and the cure.
    """
    path = path or feeds_file()
    file = load_validated(path, _File, FeedError)
    known = {}
    for name, entry in file.destinations.items():
        if not isinstance(entry, dict):
            raise FeedError(f"{_at(path, 'destinations', name)} is not a block of settings")
        try:
            known[name] = destination(entry, _at(path, "destinations", name))
        except DefinitionError as error:
            raise FeedError(str(error)) from None
    found = {}
    for name, settings in file.feeds.items():
        if settings.to not in known:
            raise FeedError(
                f"{_at(path, 'feeds', name, 'to')}: there is no destination {settings.to!r}"
                + did_you_mean(settings.to, known, f"; there are {', '.join(known) or 'none'}")
            )
        found[name] = Feed(name, settings, settings.to, known[settings.to])
    _check_places(path, list(found.values()))
    _check_channels(path, [feed for feed in found.values() if feed.settings.of == "campaigns"])
    return found


def _check_places(path: Path, feeds: list[Feed]) -> None:
    """What a destination holds is of one feed."""
    known: dict[str, str] = {}
    for feed in feeds:
        place = feed.destination.place(feed.name)
        if place and place in known:
            raise FeedError(
                f"{_at(path, 'feeds', feed.name, 'to')}: feeds.{known[place]} is kept in the same "
                "place, and each would take the other's rows away; give each a destination with a "
                "table, prefix, topic or folder of its own"
            )
        known[place] = feed.name


def _check_channels(path: Path, feeds: list[Feed]) -> None:
    """No message may go out by two feeds."""
    for number, feed in enumerate(feeds):
        for other in feeds[:number]:
            mine, theirs = feed.settings.channels, other.settings.channels
            if not mine or not theirs or set(mine) & set(theirs):
                both = ", ".join(sorted(set(mine) & set(theirs))) or "every channel"
                raise FeedError(
                    f"{_at(path, 'feeds', feed.name)}: carries {both}, and so does "
                    f"feeds.{other.name}: each message would go out twice; give each its channels"
                )


def _at(path: Path, *keys: str) -> str:
    return f"{path}, line {line_of(path, *keys)}: {'.'.join(keys)}"


def feed_named(name: str) -> Feed:
    """One feed.

    Raises:
        FeedError: there is none of that name, or the file is not valid.
    """
    feeds = load_feeds()
    if name not in feeds:
        near = did_you_mean(name, feeds, f"; there are {', '.join(feeds) or 'none'}")
        raise FeedError(f"there is no feed {name!r} in {feeds_file()}{near}")
    return feeds[name]
