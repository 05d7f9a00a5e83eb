"""Identity after a build, in Markdown: counts, merges and rejections by rule, and a picture.

No contact data: values are shortened keyed hashes.
"""

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestration.identity.explain.hidden import Hider
from orchestration.identity.explain.picture import svg
from orchestration.identity.explain.reader import Reader
from orchestration.identity.explain.scene import scene
from orchestration.identity.rules import IdentityRules

if TYPE_CHECKING:
    import duckdb

_LARGEST = 5
_PICTURED = 24  # identifiers in the picture, and in the profile that it is about if there is one

_COUNTS = {
    "Identifiers": """
        select identifier_type as type, count(*) as identifiers,
            count(distinct profile_id) as profiles
        from intermediate.int_identity_map group by all order by identifiers desc, type""",
    "Changes since the beginning": """
        select kind as change, rule, count(*) as times, max(changed_at)::date::varchar as newest
        from intermediate.int_identity_log
        where kind in ('merged', 'split', 'rejected', 'accepted')
        group by all order by kind, times desc, rule""",
    "Largest profiles": f"""
        select profile_id as profile, count(*) as identifiers
        from intermediate.int_identity_map group by all order by identifiers desc, profile
        limit {_LARGEST}""",
}


def report(
    connection: "duckdb.DuckDBPyConnection", rules: IdentityRules, secret: bytes
) -> dict[str, str]:
    """Two pieces of Markdown, by name: `identity` and `picture`; the latter if there is anybody.

    Args:
        connection: a warehouse, time zone UTC.
        rules: the rules of identity.
        secret: what values are hashed with.
    """
    (profiles,) = connection.execute(
        "select count(distinct profile_id) from intermediate.int_identity_map"
    ).fetchall()[0]
    parts = [f"**{profiles:,} profiles**"]
    parts += [_table(connection, title, query) for title, query in _COUNTS.items()]
    told = {"identity": "\n\n".join(part for part in parts if part)}
    profile_id = _interesting(connection)
    if profile_id:
        reader = Reader(connection, rules.silent_sources)
        members = reader.of_profiles([profile_id])
        # Without its aliases: they may not have been built yet.
        person = replace(reader.group(members), profile_id=profile_id)
        shown = scene(reader, person, None, most=_PICTURED)
        picture = svg(Hider(secret).hide(shown), f"One of them: {profile_id}")
        data = base64.b64encode(picture.encode()).decode()
        told["picture"] = f"![{profile_id}](data:image/svg+xml;base64,{data})"
    return told


def _table(connection: "duckdb.DuckDBPyConnection", title: str, query: str) -> str:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    rows = [
        [f"{cell:,}" if isinstance(cell, int) else str(cell or "") for cell in row]
        for row in result.fetchall()
    ]
    if not rows:
        return ""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _interesting(connection: "duckdb.DuckDBPyConnection") -> str | None:
    """The largest profile that fits into a picture and has a rejection or a merge; else any."""
    row = connection.execute(
        """with sizes as (
            select profile_id, count(*) as size from intermediate.int_identity_map group by all
        ),
        changed as (
            select edge_key_a as key_a, edge_key_b as key_b from intermediate.int_identity_log
            where kind in ('merged', 'rejected')
        ),
        told as (
            select distinct identity_map.profile_id
            from intermediate.int_identity_map as identity_map
            where identifier_key in (select key_a from changed union select key_b from changed)
        )
        select sizes.profile_id from sizes left join told using (profile_id)
        order by size <= $1 desc, told.profile_id is not null desc, size desc, sizes.profile_id
        limit 1""",
        [_PICTURED],
    ).fetchone()
    return str(row[0]) if row else None
