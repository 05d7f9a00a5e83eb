"""The ledger of pauses: who stopped a campaign when, and let it go on. Nothing is ever edited.

`ledger/campaign_pauses/` has one small file for each word; what it means is decided by the gate
`paused`.
"""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.campaigns.names import CampaignError
from orchestration.publication.append import append_rows, last_record


def paused(ledger: Path) -> dict[str, str]:
    """Campaigns that are paused, with the reasons."""
    folder = ledger / "campaign_pauses"
    if not last_record(folder).number:
        return {}
    rows = duckdb.sql(
        f"""select campaign, max_by(reason, number) from read_parquet('{folder}/*.parquet')
        group by campaign having max_by(action, number) = 'pause'"""
    ).fetchall()
    return dict(rows)


def say(ledger: Path, campaign: str, action: str, reason: str = "") -> None:
    """Write down a word on a campaign, at the clock's time.

    Args:
        ledger: the ledger's folder.
        campaign: its name.
        action: `pause` or `resume`.
        reason: why; may be empty.

    Raises:
        CampaignError: it is so already.
    """
    if (campaign in paused(ledger)) == (action == "pause"):
        state = "paused already" if action == "pause" else "not paused"
        raise CampaignError(f"{campaign} is {state}")
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    row = {"changed_at": now, "campaign": campaign, "action": action, "reason": reason}
    append_rows(ledger / "campaign_pauses", [row], now)
