"""Every suite, by stage, and what each stage must cover: read top to bottom, nothing is discovered.

A stage lists the schemas in which every table needs a suite. A family covers all tables of a schema
whose names begin with a prefix, so that a new segment or trigger needs no Python.
"""

from collections.abc import Callable
from dataclasses import dataclass

from expectations.spec import Suite
from expectations.suites import landing, profiles, published, segments, staging


@dataclass(frozen=True)
class Family:
    """A suite for each table `schema.prefix*`."""

    schema: str
    prefix: str
    suite_of: Callable[[str], Suite]


@dataclass(frozen=True)
class Stage:
    """One border: its suites, and the schemas in which a table without one fails.

    Tables that begin with `internal` are views between a stage's own models and need no suite.
    """

    name: str
    complete: tuple[str, ...]
    suites: tuple[Suite, ...]
    families: tuple[Family, ...] = ()
    internal: str | None = None


STAGES: tuple[Stage, ...] = (
    Stage("landing", ("landing",), landing.SUITES),
    Stage("staging", ("staging",), staging.SUITES, internal="base_"),
    # Of the intermediate tables only those have suites that others build on.
    Stage("profiles", ("marts",), profiles.SUITES),
    Stage(
        "segments",
        ("segments", "triggers"),
        (),
        families=(
            Family("segments", "seg_", segments.segment_suite),
            Family("triggers", "trg_", segments.trigger_suite),
        ),
    ),
    Stage("published", ("published",), published.SUITES),
)
