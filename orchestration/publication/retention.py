"""Which snapshots may go: too many, too old, and nobody can have them open any more.

Pure: what is there and the time go in, what may go comes out. Deleting belongs to who keeps them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_VARIABLES = {
    "MUSTER_KEEP_SNAPSHOTS": "how many are kept",
    "MUSTER_KEEP_SNAPSHOT_DAYS": "for how many days at most",
    "MUSTER_SNAPSHOT_GRACE_MINUTES": "for how many minutes the files of one that was replaced stay",
}


@dataclass(frozen=True)
class Retention:
    """The newest `count` are kept, but none for longer than `age` after it was replaced.

    A reader may have opened one just before it was replaced, so each stays for the `grace` at
    least, however many there are. The newest always stays.
    """

    count: int = 10
    age: timedelta = timedelta(days=30)
    grace: timedelta = timedelta(hours=1)


def retention_of(environment: Mapping[str, str]) -> Retention:
    """The user's: MUSTER_KEEP_SNAPSHOTS, MUSTER_KEEP_SNAPSHOT_DAYS, MUSTER_SNAPSHOT_GRACE_MINUTES.

    Raises:
        ValueError: one is no number, or no snapshot would be kept.
    """
    usual = Retention()

    def number(name: str, default: float, least: float) -> float:
        text = environment.get(name) or str(default)
        try:
            found = float(text)
        except ValueError:
            found = -1
        if not found >= least:
            raise ValueError(f"{name} is '{text}'; it says {_VARIABLES[name]}, at least {least:g}")
        return found

    return Retention(
        int(number("MUSTER_KEEP_SNAPSHOTS", usual.count, 1)),
        timedelta(days=number("MUSTER_KEEP_SNAPSHOT_DAYS", usual.age.days, 0)),
        timedelta(
            minutes=number("MUSTER_SNAPSHOT_GRACE_MINUTES", usual.grace.total_seconds() / 60, 0)
        ),
    )


def expired(
    snapshots: Sequence[tuple[str, datetime]], retention: Retention, now: datetime | None = None
) -> list[str]:
    """Ids that may go, oldest first.

    Args:
        snapshots: id and time of publication (UTC) of each, oldest first.
        retention: what to keep.
        now: the present, unless another time is asked about.
    """
    now = now or datetime.now(UTC)
    may_go = []
    for place, (snapshot_id, _) in enumerate(snapshots[:-1]):
        replaced_at = snapshots[place + 1][1]
        is_surplus = len(snapshots) - place > retention.count
        is_old = replaced_at <= now - retention.age
        if (is_surplus or is_old) and replaced_at <= now - retention.grace:
            may_go.append(snapshot_id)
    return may_go
