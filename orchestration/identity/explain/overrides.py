"""What people said of some identifiers, against the data, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from orchestration.identity.overrides import Override, constraints_at

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Said:
    """An override; `state` is `holds`, `replaced`, `taken back` or `waits` (not seen yet)."""

    override_id: str
    action: str
    identifier_a: str | None
    identifier_b: str | None
    told_by: str
    why: str
    landed_at: datetime
    state: str


def overrides_of(connection: "duckdb.DuckDBPyConnection", keys: Iterable[int]) -> list[Said]:
    """The overrides that speak of these identifiers, and what became of them."""
    rows = connection.execute(
        """with asked as (select unnest(?::ubigint[]) as key),
        spoken as (
            select override_id, key_a, key_b from intermediate.int_identity_overrides
            where key_a in (from asked) or key_b in (from asked)
        ),
        seen as (
            select identifier_key from intermediate.int_identifiers
            where identifier_key in (select key_a from spoken union select key_b from spoken)
        )
        select override_id, action, identifier_a, identifier_b, told_by, why, landed_at,
            (key_a is null or key_a in (from seen)) and (key_b is null or key_b in (from seen))
        from intermediate.int_identity_overrides
        where override_id in (select override_id from spoken)
        order by landed_at, override_id""",
        [[*keys]],
    ).fetchall()
    said = [Said(*row[:7], state="") for row in rows]  # type: ignore[misc]  # of any columns
    states = _states(said, [row[7] for row in rows])
    return [replace(one, state=state) for one, state in zip(said, states, strict=True)]


def reasons(connection: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    """What the log gives as a reason when an override is one, to who said it and why."""
    rows = connection.execute(
        """select override_id, told_by, why from intermediate.int_identity_overrides
        where action <> 'undo'"""
    ).fetchall()
    return {f"override {name}": f"override {name}, {who}: {why}" for name, who, why in rows}


def _states(overrides: Sequence[Said], seen: Sequence[bool]) -> list[str]:
    number: dict[str | None, int] = {None: -1}
    for said in overrides:
        for name in (said.identifier_a, said.identifier_b):
            number.setdefault(name, len(number))
    numbered = [
        Override(place, said.override_id, said.action, *ends, 0, "")  # type: ignore[arg-type]
        for place, said in enumerate(overrides)
        for ends in [(number[said.identifier_a], number[said.identifier_b])]
    ]
    known = [one for one, is_seen in zip(numbered, seen, strict=True) if is_seen]
    now = constraints_at(known, 0)
    hold = {one.position for one in (*now.never, *now.always, *now.blocked.values())}
    undone = {one.override_id for one in overrides if one.action == "undo"}
    return [
        "holds"
        if place in hold
        else "waits: not seen yet"
        if not seen[place]
        else "taken back"
        if said.override_id in undone
        else "replaced"
        for place, said in enumerate(overrides)
    ]
