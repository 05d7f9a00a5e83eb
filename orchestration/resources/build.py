"""The build a run makes: alone, and at one moment.

All steps of a run must agree on the moment, so it is never read from a clock twice. Two builds in
one MUSTER_HOME would mix their tables, so a second one waits for the first.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration.resources.settings import load_settings

_TELL_SECONDS = 60.0


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


@contextmanager
def exclusive(lock: Path, holder: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file, after whoever holds it now; it is freed with the process, also if killed.

    Args:
        lock: the file; it is made.
        holder: who we are, for those who wait.
        tell: told once a minute who is waited for.
    """
    with lock.open("a+") as stream:
        told = 0.0
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told or time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    stream.seek(0)
                    tell(f"waiting for the build that runs now ({stream.read().strip()})")
                time.sleep(0.5)
        stream.truncate(0)
        stream.write(holder)
        stream.flush()
        yield


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
