"""What people said of identity, against the data: kept apart, put together, or of nobody.

An override is a landed record like any other, so a rebuild finds it again; a later one of the same
pair or identifier replaces it, and `undo` takes it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Action = Literal["split", "link", "block", "undo"]
ACTIONS: tuple[Action, ...] = ("split", "link", "block", "undo")


@dataclass(frozen=True)
class Override:
    """One override; `a`, `b` are identifiers' numbers (-1: not seen yet, or none is named).

    `position` is its place in landing order; `landed` is not before what it names landed. An `undo`
    names the `override_id` it takes back.
    """

    position: int
    override_id: str
    action: Action
    a: int
    b: int
    landed: int
    told: str


@dataclass(frozen=True)
class Constraints:
    """What holds at a moment: pairs that must not, and that should, be one; and blocked ones."""

    never: tuple[Override, ...]
    always: tuple[Override, ...]
    blocked: dict[int, Override]


def constraints_at(overrides: Sequence[Override], moment: int) -> Constraints:
    """The overrides that hold when all that landed until then is known, in landing order."""
    current: dict[tuple[int, ...], Override] = {}
    for said in sorted(overrides, key=lambda one: one.position):
        if said.landed > moment:
            continue
        if said.action == "undo":
            current = {
                about: other
                for about, other in current.items()
                if other.override_id != said.override_id
            }
            continue
        about = (said.a,) if said.action == "block" else tuple(sorted((said.a, said.b)))
        if -1 not in about:
            current.pop(about, None)  # the newest comes last
            current[about] = said
    return Constraints(
        never=tuple(said for said in current.values() if said.action == "split"),
        always=tuple(said for said in current.values() if said.action == "link"),
        blocked={said.a: said for said in current.values() if said.action == "block"},
    )
