"""A lock file: who comes second waits. The system frees it with the process, also if killed."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TELL_SECONDS = 60.0


@contextmanager
def exclusive(
    lock: Path, holder: str, tell: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the lock file, after whoever holds it now.

    Args:
        lock: the file; it is made.
        holder: who we are, for those who wait.
        tell: told once a minute who is waited for.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
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
                    tell(f"waiting for another process ({stream.read().strip()})")
                time.sleep(0.5)
        stream.truncate(0)
        stream.write(holder)
        stream.flush()
        yield
