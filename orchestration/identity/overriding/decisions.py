"""Overrides as people record them: what may be said, what it contradicts, and what became of it.

An override is a landed record (`landing/muster/identity_overrides`), append-only and with who and
why; the next build applies it. What it would change is for `effect.py` to say.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.connectors.landing import land_own, own_relation
from orchestration.identity.normalization import normal_email, normal_phone
from orchestration.identity.rules import IdentityRules

TABLE = "identity_overrides"
_COLUMNS = (
    *("override_id", "action", "type_a", "value_a", "type_b", "value_b"),
    *("told_by", "why"),
)


class DecisionError(ValueError):
    """Nothing was recorded; the message says why and what to do."""


@dataclass(frozen=True)
class Identifier:
    """A typed value; `value` as it was given, `normal` as the models write it."""

    kind: str
    value: str
    normal: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.normal}"


@dataclass(frozen=True)
class Decision:
    """One override. `about`: two identifiers of a split or link, one of a block, none of an undo.

    `override_id` of an undo is the one that it takes back; `at` is when it was recorded.
    """

    override_id: str
    action: str
    about: tuple[Identifier, ...]
    told_by: str
    why: str
    at: datetime

    @property
    def names(self) -> frozenset[str]:
        """The identifiers as `type:value`."""
        return frozenset(map(str, self.about))

    def __str__(self) -> str:
        said = " ".join((self.action, *map(str, self.about)))
        return f"{self.override_id} ({said}; {self.told_by}, {self.at:%Y-%m-%d})"


def parse_identifier(text: str, rules: IdentityRules) -> Identifier:
    """An identifier as a user writes it, `type:value`.

    Raises:
        DecisionError: it has no type, or one that the rules do not have.
    """
    kind, colon, value = (part.strip() for part in text.partition(":"))
    if not (colon and kind and value):
        raise DecisionError(f"{_short(text)!r}: write type:value, such as email:ann@example.org")
    if kind not in rules.identifiers:
        raise DecisionError(f"no identifier type is called {kind!r}; there are {_listed(rules)}")
    return Identifier(kind, value, _normal(kind, value, rules))


def _listed(rules: IdentityRules) -> str:
    return ", ".join(rules.types)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _normal(kind: str, value: str, rules: IdentityRules) -> str:
    """As the macro `normal_identifier` has it."""
    found = None
    if kind == "email":
        found = normal_email(value)
    if kind == "phone":
        found = normal_phone(value, rules.default_country)
    return found or value


def recorded(landing: Path, rules: IdentityRules) -> list[Decision]:
    """All that was ever recorded, in the order in which it counts."""
    import duckdb

    relation = own_relation(landing, TABLE)
    if not relation:
        return []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            f"""select {", ".join(_COLUMNS)}, epoch_us(_landed_at) from ({relation})
            order by _landed_at, override_id"""
        ).fetchall()
    found = []
    for override_id, action, *given, told_by, why, landed in rows:
        pairs = (given[:2], given[2:])
        about = tuple(
            Identifier(kind, value, _normal(kind, value, rules)) for kind, value in pairs if kind
        )
        at = datetime.fromtimestamp(landed / 1_000_000, UTC)
        found.append(Decision(override_id, action, about, told_by, why, at))
    return found


def ends(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """By override that holds no more: the one that took it back or replaced it."""
    ended: dict[str, Decision] = {}
    current: dict[tuple[bool, frozenset[str]], Decision] = {}
    for said in decisions:
        if said.action == "undo":
            for key, other in list(current.items()):
                if other.override_id == said.override_id:
                    ended[other.override_id] = said
                    del current[key]
            continue
        key = (said.action == "block", said.names)
        if key in current:
            ended[current[key].override_id] = said
        current[key] = said
    return ended


def standing(decisions: Sequence[Decision]) -> list[Decision]:
    """The overrides that hold, oldest first."""
    ended = ends(decisions)
    return [said for said in decisions if said.action != "undo" and said.override_id not in ended]


@dataclass(frozen=True)
class Signature:
    """Who says something, why and when.

    Raises:
        DecisionError: who or why is blank.
    """

    told_by: str
    why: str
    at: datetime

    def __post_init__(self) -> None:
        if not (self.told_by.strip() and self.why.strip()):
            raise DecisionError("say who decides it and why: --by WHO --why TEXT")


def new_decision(
    action: str, about: tuple[Identifier, ...], by: Signature, decisions: Sequence[Decision]
) -> Decision:
    """A split, link or block, under an id that nobody has: its day, and a hash of what it says."""
    text = "\n".join((action, *map(str, about), by.told_by, by.why, by.at.isoformat()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    taken = {said.override_id for said in decisions}
    ids = (f"o-{by.at:%Y%m%d}-{digest[:size]}" for size in range(4, len(digest)))
    name = next(one for one in ids if one not in taken)
    return Decision(name, action, about, by.told_by, by.why, by.at)


def new_undo(override_id: str, by: Signature, decisions: Sequence[Decision]) -> Decision:
    """What takes an override back.

    Raises:
        DecisionError: no such override holds.
    """
    if not any(said.override_id == override_id for said in decisions):
        hint = "`muster identity list` shows them" if decisions else "none was ever recorded"
        raise DecisionError(f"there is no override {override_id!r}; {hint}")
    end = ends(decisions).get(override_id)
    if end and end.action == "undo":
        raise DecisionError(
            f"{override_id} was taken back by {end.told_by} on {end.at:%Y-%m-%d} ({end.why})"
        )
    if end:
        raise DecisionError(f"{override_id} holds no more: {end} replaced it; undo that one")
    return Decision(override_id, "undo", (), by.told_by, by.why, by.at)


def contradiction(asked: Decision, decisions: Sequence[Decision]) -> str:
    """Why it cannot hold beside what was said before; blank if nothing speaks against it.

    Of one pair the newer override replaces the older, so that is none.
    """
    if asked.action != "block" and len(asked.names) == 1:
        return f"{asked.about[0]} cannot be {_DONE[asked.action]} itself; name two identifiers"
    key = (asked.action == "block", asked.names)
    others = [s for s in standing(decisions) if (s.action == "block", s.names) != key]
    same = [s for s in standing(decisions) if s.names == asked.names and s.action == asked.action]
    if same:
        return f"that was said already: {same[0]}"
    blocked = {str(said.about[0]): said for said in others if said.action == "block"}
    if asked.action == "link":
        for name in sorted(asked.names & blocked.keys()):
            return f"{name} is nobody's by {blocked[name]}; undo that first"
    links = [said for said in [*others, asked] if said.action == "link"]
    for split in [said for said in [*others, asked] if said.action == "split"]:
        chain = _chain(links, *map(str, split.about))
        if chain and (asked in chain or asked == split):
            against = [str(said) for said in [split, *chain] if said != asked]
            return f"it contradicts {'; '.join(against)}; undo one of them first"
    return ""


_DONE = {"split": "split from", "link": "linked to"}


def replaced(asked: Decision, decisions: Sequence[Decision]) -> Decision | None:
    """The override of the same pair that it replaces."""
    if asked.action not in _DONE:
        return None
    same = [s for s in standing(decisions) if s.action in _DONE and s.names == asked.names]
    return same[0] if same else None


def _chain(links: Sequence[Decision], start: str, end: str) -> list[Decision]:
    """The fewest links that lead from one identifier to another; none if they do not."""
    came_by: dict[str, Decision | None] = {start: None}
    queue = deque([start])
    while queue and end not in came_by:
        here = queue.popleft()
        for link in links:
            if here in link.names:
                for there in link.names - {here}:
                    if there not in came_by:
                        came_by[there] = link
                        queue.append(there)
    chain = []
    here = end
    while (by := came_by.get(here)) is not None:
        chain.append(by)
        (here,) = by.names - {here}
    return chain[::-1]


def record(landing: Path, state: Path, decision: Decision) -> None:
    """Land it, for the next build to apply.

    Args:
        landing: the landing folder.
        state: dlt's working folder.
        decision: checked before.
    """
    import pyarrow as pa

    given = [part for one in decision.about for part in (one.kind, one.value)]
    values = (decision.override_id, decision.action, *(given + [None] * 4)[:4])
    row = dict(zip(_COLUMNS, (*values, decision.told_by, decision.why), strict=True))
    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    land_own(landing, state, TABLE, pa.Table.from_pylist([row], schema))
