"""Reads ahead in a thread, so that fetching and working overlap."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Chunk = TypeVar("Chunk")


def ahead(chunks: Iterator[Chunk], depth: int = 2) -> Iterator[Chunk]:
    """The same chunks, fetched by a thread that is at most `depth` of them ahead."""
    ready: queue.Queue[Chunk | BaseException | None] = queue.Queue(depth)
    abandoned = threading.Event()

    def put(item: Chunk | BaseException | None) -> None:
        while not abandoned.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def fetch() -> None:
        try:
            for chunk in chunks:
                put(chunk)
                if abandoned.is_set():
                    return
            put(None)
        except BaseException as error:  # it is raised where the chunks are read
            put(error)

    thread = threading.Thread(target=fetch, name="fetch", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()
