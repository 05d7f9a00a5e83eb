"""Whom a value means: an identifier, a profile, or a profile of the past; and if nobody, why.

Relations are the identity models in schema `intermediate`; the connection is only read from. All
questions are filtered in DuckDB, so a large warehouse costs no more than a look at its columns.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.identity.explain.spelling import spellings
from orchestration.identity.rules import KNOWN_TYPES

if TYPE_CHECKING:
    import duckdb

_PROFILE = re.compile(r"p_[0-9a-f]{20}")
_LIKE_A_PROFILE = re.compile(r"p_[0-9a-f]{8,22}")  # also one that is cut off or mistyped
_NEAR = 5  # how many near misses are told
_FAR = 2  # letters that a near miss may differ in
_DIGITS = 7  # of a number that may lack its country
_LONG_ENOUGH = 4  # letters of a value of which near misses mean anything


@dataclass(frozen=True)
class Found:
    """What a value means. `identifier` is None if a profile was named; `profile_id` is None if the
    identifier is nobody's now, or if nothing is left of the profile that was named.

    `past_profile_id` is what was named, if that is another profile now; `since` is since when.
    """

    identifier: str | None
    profile_id: str | None
    past_profile_id: str | None = None
    since: str | None = None


@dataclass(frozen=True)
class Missing:
    """Why a value means nobody: `blocked`, `quarantined` or `unknown`; and what is near it."""

    kind: str
    reason: str
    near: tuple[str, ...] = ()


def find(connection: "duckdb.DuckDBPyConnection", text: str, country: str = "") -> list[Found]:
    """All that a value may mean, the strongest type of identifier first.

    Args:
        connection: a warehouse.
        text: `type:value`, a bare value of any type, or a profile id, also one of the past.
        country: of telephone numbers without one.
    """
    if named := _profile_id(text):
        return _profile(connection, named)
    asked = spellings(text, country)
    rows = connection.execute(
        """with found as materialized (
            select identifier_key, identifier from intermediate.int_identifiers
            where identifier in (select unnest($1::varchar[]))
        )
        select found.identifier, identity_map.profile_id
        from found
        left join (
            select identifier_key, profile_id from intermediate.int_identity_map
            where identifier_key in (select identifier_key from found)
        ) as identity_map using (identifier_key)
        order by list_position($1::varchar[], found.identifier)""",
        [asked],
    ).fetchall()
    return [Found(identifier, profile_id) for identifier, profile_id in rows]


def _profile_id(text: str) -> str:
    """The profile id that a text is; empty if it is none."""
    named = text.strip().lower()
    return named if _PROFILE.fullmatch(named) else ""


def _profile(connection: "duckdb.DuckDBPyConnection", profile_id: str) -> list[Found]:
    row = connection.execute(
        """select profile_id, null from intermediate.int_identity_map where profile_id = $1
        union all
        select profile_id, strftime(valid_from, '%Y-%m-%d %H:%M')
        from intermediate.int_identity_aliases where alias_profile_id = $1
        limit 1""",
        [profile_id],
    ).fetchone()
    if row:
        now, since = row
        return [Found(None, now, profile_id if since else None, since)]
    # Somebody once, whose first identifier is nobody's now: it is blocked.
    rows = connection.execute(
        """select identifier from intermediate.int_identity_log as log
        inner join intermediate.int_identifiers as identifiers using (identifier_key)
        where log.kind = 'assigned' and log.profile_id = $1 and log.is_first limit 1""",
        [profile_id],
    ).fetchall()
    return [Found(identifier, None, profile_id) for (identifier,) in rows]


def why_missing(connection: "duckdb.DuckDBPyConnection", text: str, country: str = "") -> Missing:
    """Why `find` found nothing."""
    if named := _LIKE_A_PROFILE.fullmatch(text.strip().lower()):
        near = _near_profiles(connection, named[0])
        return Missing("unknown", "no profile has or ever had that id", near)
    asked = spellings(text, country)
    return (
        _blocked(connection, asked)
        or _quarantined(connection, text)
        or Missing("unknown", "no record that landed carries it", _near(connection, asked))
    )


def _exists(connection: "duckdb.DuckDBPyConnection", schema: str, table: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            [schema, table],
        ).fetchone()
    )


def _blocked(connection: "duckdb.DuckDBPyConnection", asked: list[str]) -> Missing | None:
    if not _exists(connection, "intermediate", "int_identifiers_blocked"):
        return None
    row = connection.execute(
        """select identifier_type, record_count, reason, pattern
        from intermediate.int_identifiers_blocked
        where identifier_type || ':' || lower(identifier_value)
            in (select lower(unnest($1::varchar[])))
        order by record_count desc, identifier_type limit 1""",
        [asked],
    ).fetchone()
    if not row:
        return None
    kind, records, reason, pattern = row
    said = f"as {kind} it identifies nobody: {reason} (blocked by `{pattern}`)"
    carried = f"{records:,} records carry it" if records > 1 else "1 record carries it"
    return Missing("blocked", f"{said}; {carried}")


def _quarantined(connection: "duckdb.DuckDBPyConnection", text: str) -> Missing | None:
    kind, _, value = text.partition(":")
    value = (value if kind.strip() in KNOWN_TYPES else text).strip()
    if len(value) < 3 or not _exists(connection, "staging", "quarantine"):
        return None
    row = connection.execute(
        """select count(*), min_by(entity, _landed_at), min_by(reason, _landed_at)
        from staging.quarantine where contains(lower(record), lower($1))""",
        [value],
    ).fetchone()
    if not row or not row[0]:
        return None
    count, entity, reason = row
    entity = entity.replace("_", ".", 1)
    said = f"only records in quarantine hold it ({count:,}); the first is of {entity}: {reason}"
    return Missing("quarantined", said)


def _near_profiles(connection: "duckdb.DuckDBPyConnection", text: str) -> tuple[str, ...]:
    """Profile ids that begin like a text or differ from it in two letters."""
    rows = connection.execute(
        """select distinct profile_id, levenshtein(profile_id, $1) as distance
        from intermediate.int_identity_map
        where starts_with(profile_id, $1) or levenshtein(profile_id, $1) <= $2
        order by distance, profile_id limit $3""",
        [text, _FAR, _NEAR],
    ).fetchall()
    return tuple(profile_id for profile_id, _ in rows)


def _near(connection: "duckdb.DuckDBPyConnection", asked: list[str]) -> tuple[str, ...]:
    """Identifiers that begin like the value, or differ from it in two letters of one half; numbers
    that end like it, which may lack their country.

    The other half, which is the same, finds them fast; the distance of all would take seconds.
    """
    parts, values = [], []
    for identifier in asked:
        kind, _, value = identifier.partition(":")
        if len(value) < _LONG_ENOUGH:
            continue
        middle = len(identifier) - (len(value) + 1) // 2
        parts.append(
            f"""select identifier, levenshtein(identifier, ?) as distance
            from intermediate.int_identifiers
            where identifier_type = ? and (starts_with(identifier, ?) or ends_with(identifier, ?))
                and (starts_with(identifier, ?)
                    or abs(length(identifier) - {len(identifier)}) <= {_FAR})
                and (starts_with(identifier, ?) or levenshtein(identifier, ?) <= {_FAR})"""
        )
        halves = (identifier[:middle], identifier[middle:])
        values += [identifier, kind, *halves, identifier, identifier, identifier]
    for digits in {re.sub(r"\D", "", one).lstrip("0") for one in asked if one.startswith("phone:")}:
        if len(digits) >= _DIGITS:
            parts.append(
                """select identifier, 0 as distance from intermediate.int_identifiers
                where identifier_type = 'phone' and ends_with(identifier, ?)"""
            )
            values.append(digits)
    if not parts:
        return ()
    rows = connection.execute(
        f"""select identifier, min(distance) as distance from ({" union all ".join(parts)})
        group by identifier order by distance, identifier limit {_NEAR}""",
        values,
    ).fetchall()
    return tuple(identifier for identifier, _ in rows)
