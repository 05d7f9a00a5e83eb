"""The ledger of campaigns: what was decided for whom, and by which version of the campaign.

Append-only Parquet under `ledger/campaign_decisions/` and `ledger/campaign_versions/`, one file for
a build that decided something new. The warehouse can be deleted; who got what is here, and caps
count from it. What is decided is up to the models of `dbt_project/models/marts/campaigns/`.
"""

from pathlib import Path

import duckdb

from orchestration.publication.append import append, begin_record

_VERSIONS = """
    select campaign, version, first_used_at, definition
    from campaigns.campaign_versions_known where is_new
"""
_DECISIONS = "select * exclude (is_new) from campaigns.campaign_decided where is_new"


def record_decisions(warehouse: Path, ledger: Path, as_of: str) -> int:
    """Append what the build in the warehouse decided; how many decisions.

    It is written before the snapshot is: a kill in between loses nothing, and the next build finds
    these decisions made. A build that looks back, to before the newest record, leaves no trace, so
    that nothing is sent for a moment that is over.

    Args:
        warehouse: the DuckDB file, whose tables passed every check.
        ledger: the ledger's folder.
        as_of: the build's moment, such as `2026-11-01T00:00:00Z`.
    """
    versions, decisions = ledger / "campaign_versions", ledger / "campaign_decisions"
    record = begin_record(ledger, (versions, decisions), as_of)
    if record is None:
        return 0
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        # Decisions last: they name a version, so that one must not be missing.
        append(connection, versions, record, _VERSIONS)
        return append(connection, decisions, record, _DECISIONS)
