"""What became of overrides: applied, rejected by a rule, taken back, or waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.identity.increment import LOG, TABLES
from orchestration.identity.overriding.decisions import Decision, ends

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Outcome:
    """An override and what became of it; `state` is the first word of `told`."""

    said: Decision
    state: str
    told: str


def outcomes(
    decisions: Sequence[Decision], connection: "duckdb.DuckDBPyConnection | None"
) -> list[Outcome]:
    """Every override that was recorded, newest first.

    Args:
        decisions: all that was recorded.
        connection: a warehouse, time zone UTC; None if there is none to read.
    """
    built = _built(connection) if connection else set()
    ended = ends(decisions)
    found = []
    for said in reversed([one for one in decisions if one.action != "undo"]):
        if end := ended.get(said.override_id):
            state = "taken back" if end.action == "undo" else "replaced"
            who = f"by {end.told_by}" if end.action == "undo" else f"by {end.override_id}"
            told = f"{state} {who} on {end.at:%Y-%m-%d}: {end.why}"
            if (end.override_id, end.action) not in built:
                told += " (from the next build on)"
        elif not connection:
            state = told = "recorded"
        elif (said.override_id, said.action) not in built:
            state, told = "waits", "waits for the next build"
        else:
            state, told = _state(connection, said)
        found.append(Outcome(said, state, told))
    return found


def _built(connection: "duckdb.DuckDBPyConnection") -> set[tuple[str, str]]:
    """Override and action that the newest build has seen."""
    rows = connection.execute(f"select override_id, action from {TABLES['overrides']}")
    return {(override_id, action) for override_id, action in rows.fetchall()}


def _state(connection: "duckdb.DuckDBPyConnection", said: Decision) -> tuple[str, str]:
    names = [str(one) for one in said.about]
    profiles = dict(
        connection.execute(
            """select identifiers.identifier, identity_map.profile_id
            from intermediate.int_identifiers as identifiers
            left join intermediate.int_identity_map as identity_map using (identifier_key)
            where identifiers.identifier in (select unnest($1::varchar[]))""",
            [names],
        ).fetchall()
    )
    unseen = [name for name in names if name not in profiles]
    if unseen:
        return "not seen", f"not seen yet: {', '.join(unseen)}"
    if said.action != "link" or len(set(profiles.values())) == 1:
        return "applied", "applied"
    why = connection.execute(
        f"""select rule, reason from {LOG}
        where kind = 'rejected'
            and least(edge_key_a, edge_key_b) = least(md5_number_lower($1), md5_number_lower($2))
            and greatest(edge_key_a, edge_key_b)
                = greatest(md5_number_lower($1), md5_number_lower($2))
        order by changed_at desc limit 1""",
        names,
    ).fetchone()
    rule, reason = why or ("?", "the log does not say why")
    return "rejected", f"rejected by {rule}: {reason}"
