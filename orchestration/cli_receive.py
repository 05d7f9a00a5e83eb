"""`muster receive`: words of a user to a call of the receiver."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestration.connectors.receiver.keys import Keys

_MB = 1_000_000


def _keys(is_open: bool, host: str) -> "Keys":
    """The keys of the environment.

    Raises:
        ValueError: there are none and that was not asked for, or not safe.
    """
    from orchestration.connectors.receiver.keys import VARIABLE, Keys, parse_keys
    from orchestration.connectors.receiver.server import is_loopback

    if is_open:
        if not is_loopback(host):
            raise ValueError(
                f"--no-auth is for this machine only, and {host} is not; set {VARIABLE}"
            )
        return Keys()
    keys = parse_keys(os.environ.get(VARIABLE, ""))
    if not keys.pairs:
        raise ValueError(
            f"no keys: set {VARIABLE} to name:key pairs, such as shop:LONG_RANDOM_TEXT,app:ANOTHER "
            "(or try without, on this machine only: --no-auth)"
        )
    return keys


def _reasons() -> str:
    """The expression by which staging judges events.

    Raises:
        ValueError: the tracking plan is not valid, nor the mappings that it judges through.
    """
    from orchestration.connectors.definitions import load_definitions
    from orchestration.tracking_plan.judgement import reasons_sql
    from orchestration.tracking_plan.plan import load_plan

    load_definitions()  # told here, before workers start that need them
    return reasons_sql(load_plan()[1])


def receive(  # noqa: PLR0913, PLR0917  # one parameter for each option
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8410,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    spool_limit_mb: Annotated[
        float, typer.Option(min=0, help="Answer 429 while more than this waits to be landed.")
    ] = 1024,
    min_free_mb: Annotated[
        float, typer.Option(min=0, help="Answer 429 when less disk than this is free.")
    ] = 512,
    close_seconds: Annotated[
        float, typer.Option(min=0.1, help="Hand a file to the file drop after so long.")
    ] = 10,
    keep_days: Annotated[
        float, typer.Option(min=0, help="Remove its own files so long after they landed.")
    ] = 7,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a batch that breaks the tracking plan (422).")
    ] = False,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask for no key; on this machine only.")
    ] = False,
) -> None:
    """Receive events by POST into the inbox; the next load lands them.

    Keys come from MUSTER_RECEIVE_KEYS=name:key,name:key.
    """
    from orchestration.connectors.receiver.app import ReceiverSettings
    from orchestration.connectors.receiver.server import listening, serve
    from orchestration.connectors.receiver.spool import Rotation
    from orchestration.resources.settings import load_settings

    try:
        keys = _keys(no_auth, host)
        home = load_settings()
        settings = ReceiverSettings(
            home.inbox,
            home.landing,
            keys,
            _reasons(),
            is_strict=strict,
            limit_bytes=int(spool_limit_mb * _MB),
            min_free_bytes=int(min_free_mb * _MB),
            keep_days=keep_days,
            rotation=Rotation(seconds=close_seconds),
        )
        listener = listening(host, port)
    except ValueError as error:
        typer.secho(str(error), err=True, fg="red")
        raise typer.Exit(2) from None
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}; take another --port or --host"
        typer.secho(message, err=True, fg="red")
        raise typer.Exit(2) from None
    with listener:
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        who = f"keys of {', '.join(keys.names)}" if keys.pairs else "without keys"
        typer.echo(
            f"receiving on http://{shown}:{bound} into {home.inbox} ({workers} "
            f"worker{'s' if workers > 1 else ''}, {who}, {'strict, ' if strict else ''}"
            f"up to {spool_limit_mb:g} MB waiting)"
        )
        for name in keys.short:
            typer.secho(f"the key of {name} is short; 16 random characters or more", err=True)
        serve(settings, listener, workers)
    typer.echo("stopped; everything received is in the inbox")
