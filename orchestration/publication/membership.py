"""The ledger of segments: who entered and left in which build, and by which definition.

Append-only Parquet under `ledger/segment_changes/` and `ledger/segment_definitions/`, one file for
a build that changed something; `segments_recorded_until` is the as_of of the newest build, also of
one that changed nothing. The warehouse can be deleted; the history is here. Which changes there are
is decided by the models of `dbt_project/models/marts/membership/`.
"""

from pathlib import Path

import duckdb

from orchestration.publication.append import append, begin_record, last_record

_DEFINITIONS = """
    with now as (
        select distinct model, definition_hash, definition_version, held_since, description, owner
        from membership.segment_versions
    ),
    known as (select * from {definitions}),
    last as (
        select model, max_by({{
            'definition_hash': definition_hash, 'definition_version': definition_version,
            'held_since': held_since, 'description': description, 'owner': owner
        }}, number) as said
        from known group by model
    )
    select now.* from now left join last on now.model = last.model
    where last.said is distinct from {{
        'definition_hash': now.definition_hash, 'definition_version': now.definition_version,
        'held_since': now.held_since, 'description': now.description, 'owner': now.owner
    }}
"""
_EMPTY_DEFINITIONS = """(
    select null::bigint as number, null::timestamp as recorded_at, null::varchar as model,
        null::varchar as definition_hash, null::bigint as definition_version,
        null::timestamp as held_since, null::varchar as description, null::varchar as owner
    where false
)"""
_CHANGES = "select * from membership.segment_changes"


def record_membership(warehouse: Path, ledger: Path, as_of: str) -> int:
    """Append what the build in the warehouse changed; how many rows.

    It is written before the snapshot is: a kill in between loses nothing, and the next build finds
    these changes made. A build that looks back, to before the newest record, leaves no trace.

    Args:
        warehouse: the DuckDB file, whose tables passed every check.
        ledger: the ledger's folder.
        as_of: the build's moment, such as `2026-11-01T00:00:00Z`.
    """
    changes, definitions = ledger / "segment_changes", ledger / "segment_definitions"
    record = begin_record(ledger, (changes, definitions), as_of)
    if record is None:
        return 0
    has_past = last_record(definitions).number > 0
    known = f"read_parquet('{definitions}/*.parquet')" if has_past else _EMPTY_DEFINITIONS
    written = 0
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        # Changes last: they tell by which definition, so that one must not be missing.
        for folder, query in (
            (definitions, _DEFINITIONS.format(definitions=known)),
            (changes, _CHANGES),
        ):
            written += append(connection, folder, record, query)
    return written
