"""Persons whom every feed was told to erase, and never carries again. Nothing is ever edited.

One small file for each word under `ledger/erasures/`. What a feed does with it stands in its own
module: an `erase` row for all it ever said of the person.
"""

from pathlib import Path

import duckdb

from orchestration.feeds.ledger import LedgerError
from orchestration.publication.append import append_rows


def erased(ledger: Path) -> list[str]:
    """The profile ids that are erased, in order.

    Args:
        ledger: the ledger's folder.

    Raises:
        LedgerError: a file is damaged.
    """
    folder = ledger / "erasures"
    if not any(folder.glob("*.parquet")):
        return []
    try:
        rows = duckdb.sql(
            f"select distinct profile_id from read_parquet('{folder}/*.parquet') order by 1"
        ).fetchall()
    except duckdb.Error as error:
        raise LedgerError(
            f"{folder}: a file is damaged ({str(error).splitlines()[0]}); restore it from a backup"
        ) from None
    return [str(row[0]) for row in rows]


def erase(ledger: Path, profile_ids: list[str], reason: str, said_by: str) -> None:
    """Write down that persons are to be erased wherever feeds carried them.

    Args:
        ledger: the ledger's folder.
        profile_ids: all ids that a person has or had.
        reason: why, without personal data.
        said_by: who asks for it.
    """
    append_rows(
        ledger / "erasures",
        [{"profile_id": one, "reason": reason, "said_by": said_by} for one in profile_ids],
    )
