"""The build a run makes: alone, and at one moment.

All steps of a run must agree on the moment, so it is never read from a clock twice. Two builds in
one MUSTER_HOME would mix their tables, so a second one waits for the first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg

from orchestration.connectors.locks import exclusive
from orchestration.resources.settings import load_settings


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


class Build(dg.ConfigurableResource):  # type: ignore[type-arg]
    """`as_of` and `full_refresh` of a run, the same for all its steps."""

    as_of: str = ""
    full_refresh: bool = False

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Build"]:
        """Wait until no other process builds."""
        lock = load_settings().working / "build.lock"
        tell = context.log.warning if context.log else print
        with exclusive(lock, f"run {context.run.run_id}" if context.run else "a run", tell):
            yield self

    def moment(self, instance: dg.DagsterInstance, run_id: str) -> str:
        """The run's as_of in UTC, such as `2026-11-01T00:00:00Z`."""
        if self.as_of:
            moment = parse_moment(self.as_of)
        else:
            record = instance.get_run_record_by_id(run_id)
            moment = record.create_timestamp if record else datetime.now(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
