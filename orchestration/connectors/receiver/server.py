"""Runs the receiver: one listening socket, one or several worker processes, an orderly end."""

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from orchestration.connectors.receiver.app import ReceiverSettings, create_app

if TYPE_CHECKING:
    from starlette.applications import Starlette

DRAIN_SECONDS = 30
MAX_CONNECTIONS = 1000  # of one worker; more are told 503


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A socket that already takes connections, so that none is refused while workers start.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.create_server((host, port), family=family, backlog=2048)
    found.set_inheritable(True)
    return found


def _worker(settings: ReceiverSettings, supervisor: int | None) -> "Starlette":
    """The application of one process; with a supervisor it ends when that is gone."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    app = create_app(settings)
    if supervisor is None:
        return app
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(application: "Starlette") -> AsyncIterator[None]:
        watch = asyncio.create_task(_end_without(supervisor))
        async with inner(application):
            yield
        watch.cancel()

    app.router.lifespan_context = lifespan
    return app


async def _end_without(supervisor: int) -> None:
    """A supervisor that was killed cannot end its workers, and they would keep the port."""
    while os.getppid() == supervisor:
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def serve(settings: ReceiverSettings, listener: socket.socket, workers: int) -> None:
    """Receive until SIGTERM or SIGINT; then answer what was begun and close the files."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        partial(_worker, settings, os.getpid() if workers > 1 else None),
        factory=True,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=30,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    # uvicorn raises the signal again when it has ended in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
