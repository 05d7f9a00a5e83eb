"""Is a feed's ledger as it was written?"""

from collections.abc import Iterator
from pathlib import Path

from orchestration.feeds.ledger import CURE, DIGITS, Ledger, LedgerError, said_in
from orchestration.publication.snapshot import checksum


def check(ledger: Ledger) -> None:
    """See that it is whole as far as it is not archived, and written in the form of today.

    Raises:
        LedgerError: a file is damaged or gone, or an older version wrote it: going on would give
            numbers twice, or send everything again.
    """
    for path in ledger.files("intents/*.parquet"):
        if len(path.stem) != DIGITS:
            raise LedgerError(
                f"{path} was written by an older version of Muster, which named emissions "
                f"otherwise. Move {ledger.folder} away, then everybody enters anew"
            )
    for words in _faults(ledger):
        raise LedgerError(f"{words}; {CURE}")


def damaged(ledger: Ledger) -> list[str]:
    """What is not as it was written, in words; archives and states are read through, too."""
    found = []
    try:
        found += list(_faults(ledger))
        for path in [*ledger.archives(), *ledger.files("state/*.parquet")]:
            header = path.with_suffix(".json")
            if path.parent.name == "state" and not header.exists():
                continue  # a process died before it counted
            if not _is_as(path, said_in(header)["sha256"]):
                found.append(f"{path} is missing or damaged")
        for path in ledger.files("acknowledgements/*.json"):
            said_in(path)
        ledger.look()
    except LedgerError as error:
        found.append(str(error))
    return found


def _faults(ledger: Ledger) -> Iterator[str]:
    """What is wrong with emissions that are not archived."""
    last, known = ledger.archived_until(), set()
    for one in ledger.emissions():
        known.add(one.emission_id)
        if one.first_sequence != last + 1:
            yield f"{ledger.folder}: rows {last + 1} to {one.first_sequence - 1} are missing"
        last = one.last_sequence
        path = ledger.intent(one.emission_id)
        if not _is_as(path, one.sha256):
            yield f"{path} is missing or damaged: its checksum is not that of its header"
    for path in ledger.files("acknowledgements/*.json"):
        if path.stem not in known and int(path.stem) > ledger.archived_until():
            yield f"{ledger.folder}: emission {path.stem} arrived, and what it sent is missing"


def _is_as(path: Path, sha256: str) -> bool:
    return path.exists() and checksum(path) == sha256
