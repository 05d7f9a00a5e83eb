"""The moment a run evaluates the world at: given, or the time at which the run was created.

All steps of a run must agree on it, so it is never read from a clock twice.
"""

from datetime import UTC, datetime

import dagster as dg


def parse_moment(text: str) -> datetime:
    """A time as a user writes it, in UTC unless it says otherwise.

    Raises:
        ValueError: the text is no ISO 8601 time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write for example 2026-11-01 or 2026-11-01T06:00:00Z"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class Moment(dg.ConfigurableResource):  # type: ignore[type-arg]
    """`as_of` and `full_refresh` of a run, the same for all its steps."""

    as_of: str = ""
    full_refresh: bool = False

    def resolve(self, instance: dg.DagsterInstance, run_id: str) -> str:
        """The run's as_of as `YYYY-MM-DD HH:MM:SS` in UTC."""
        if self.as_of:
            moment = parse_moment(self.as_of)
        else:
            record = instance.get_run_record_by_id(run_id)
            moment = record.create_timestamp if record else datetime.now(UTC)
        return moment.strftime("%Y-%m-%d %H:%M:%S")
