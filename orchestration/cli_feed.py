"""`muster feed`: how feeds stand, what they would say, and the words that people say on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestration.feeds.definitions import Feed

feed_app = typer.Typer(no_args_is_help=True, help="Feeds: segments and messages sent onwards.")

NAME = Annotated[str, typer.Argument(help="The feed, as in feeds.yml.")]
REASON = Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")]


JSON = Annotated[bool, typer.Option("--json", help="For machines.")]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What a user can mend is one line, and exit code 1."""
    from orchestration.connectors.destinations.base import DeliveryError
    from orchestration.connectors.secrets import scrubbed
    from orchestration.feeds.definitions import FeedError
    from orchestration.feeds.ledger import LedgerError
    from orchestration.feeds.words import WordError
    from orchestration.publication.manifest import SnapshotError
    from orchestration.resources.warehouse import WarehouseError

    known = (DeliveryError, FeedError, LedgerError, SnapshotError, WordError, WarehouseError)
    try:
        yield
    except known as error:
        typer.echo(scrubbed(str(error)), err=True)
        raise typer.Exit(1) from None


def _tell(words: str) -> None:
    typer.echo(f"  {words}", err=True)


@contextmanager
def _what_is_next(name: str, replay: str = "") -> Iterator[None]:
    """After an emission that failed: when the next one is made, and by what; or a replay."""
    from orchestration.connectors.destinations.base import DeliveryError
    from orchestration.connectors.secrets import scrubbed
    from orchestration.feeds.emitted import ledger_of
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        try:
            yield
        except DeliveryError as error:
            typer.echo(scrubbed(str(error)), err=True)
            ledger = ledger_of(_feed(name), load_settings().ledger)
            if replay:
                at = ledger.broken_replay()
                again = f"replay {name} --from {at}" if at else replay
                _tell(f"It goes on there when you say: muster feed {again}")
                raise typer.Exit(1) from None
            failure = ledger.failure()
            after = failure.retry_at if failure else "a while"
            _tell(
                f"Nothing is lost: it goes on there after {after} while Dagster runs, or when you "
                f"say: muster feed emit {name}"
            )
            raise typer.Exit(1) from None


@feed_app.command("list")
def list_feeds(
    as_json: JSON = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if somebody should look at a feed.")
    ] = False,
) -> None:
    """Every feed: what it carries, where to, when, and whether somebody should look at it."""
    import json

    from orchestration.feeds.definitions import load_feeds
    from orchestration.feeds.show import as_json as told
    from orchestration.feeds.show import print_feeds
    from orchestration.feeds.status import status_of
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        settings, now = load_settings(), datetime.now(UTC)
        feeds = [
            (feed, status_of(feed, settings.ledger, settings.published, now))
            for feed in load_feeds().values()
        ]
        if as_json:
            typer.echo(json.dumps([told(*each) for each in feeds], indent=2))
        else:
            print_feeds(feeds)
        if check and any(status.troubles for _, status in feeds):
            raise typer.Exit(1)


@feed_app.command()
def status(
    name: NAME,
    check: Annotated[
        bool, typer.Option("--verify", help="Compare every file of the ledger with its checksum.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """How a feed stands: rows, what is open or refused, who said what on it."""
    import json

    from orchestration.feeds.emitted import ledger_of
    from orchestration.feeds.show import as_json as told
    from orchestration.feeds.show import print_status
    from orchestration.feeds.status import status_of
    from orchestration.feeds.whole import damaged
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        settings, feed = load_settings(), _feed(name)
        ledger = ledger_of(feed, settings.ledger)
        stands = status_of(feed, settings.ledger, settings.published, datetime.now(UTC))
        if as_json:
            typer.echo(json.dumps(told(feed, stands), indent=2))
        else:
            print_status(feed, stands, ledger)
        if check:
            found = damaged(ledger)
            for words in found:
                typer.echo(f"damaged: {words}", err=True)
            if found:
                raise typer.Exit(1)
            typer.echo("Every file of the ledger is as it was written.", err=as_json)


@feed_app.command()
def emit(name: NAME) -> None:
    """Send what is new now, whatever the schedule says, and even if the destination failed."""
    from orchestration.emission import emit as emit_feed
    from orchestration.feeds.show import print_emitted
    from orchestration.resources.settings import load_settings

    with _what_is_next(name):
        print_emitted(emit_feed(load_settings(), _feed(name), _tell))


@feed_app.command("dry-run")
def dry_run(
    name: NAME,
    rows: Annotated[int, typer.Option(min=0, help="Rows to show of each action.")] = 10,
) -> None:
    """What the next emission would say, field by field; nothing is sent or written down."""
    from orchestration.feeds.dry_run import look_ahead
    from orchestration.feeds.show import print_ahead
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        settings = load_settings()
        print_ahead(look_ahead(_feed(name), settings.published, settings.ledger, rows))


@feed_app.command()
def replay(
    name: NAME,
    first: Annotated[int, typer.Option("--from", min=1, help="The first sequence to send again.")],
) -> None:
    """Send rows again that were sent before, from a sequence on, under the same keys."""
    from orchestration.feeds.upkeep import replay as send_again
    from orchestration.resources.settings import load_settings

    with _what_is_next(name, f"replay {name} --from {first}"):
        arrived = send_again(load_settings().ledger, _feed(name), first, _tell)
        typer.echo(
            f"{arrived.rows:,} rows were sent again, whole batches under their keys; "
            f"{arrived.refused:,} were refused."
        )


@feed_app.command()
def retry(name: NAME) -> None:
    """Give dead letters all their attempts anew, and emit: what was refused is tried now."""
    from orchestration.emission import emit as emit_feed
    from orchestration.feeds.show import print_emitted
    from orchestration.feeds.upkeep import revive
    from orchestration.resources.settings import load_settings

    with _what_is_next(name):
        settings, feed = load_settings(), _feed(name)
        typer.echo(f"{revive(settings.ledger, feed, _tell):,} dead letters are tried again.")
        emitted = emit_feed(settings, feed, _tell)
        print_emitted(emitted)
        if emitted.retried and emitted.retried.refused:
            raise typer.Exit(1)


@feed_app.command()
def pause(name: NAME, reason: REASON = "") -> None:
    """Send nothing until `resume`; what is published meanwhile is sent then."""
    _say(name, "pause", reason, f"Feed {name} is paused.")


@feed_app.command()
def resume(name: NAME, reason: REASON = "") -> None:
    """Let a paused feed go on."""
    _say(name, "resume", reason, f"Feed {name} goes on with its next emission.")


@feed_app.command()
def release(
    name: NAME,
    audience: Annotated[str, typer.Argument(help="The segment that a guard holds.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is right; kept in the ledger.")],
) -> None:
    """Let an audience that a guard holds go out with the next emission."""
    from orchestration.feeds.emitted import ledger_of
    from orchestration.feeds.words import WordError
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        look = ledger_of(_feed(name), load_settings().ledger).look()
        held = look.held if look else {}
        if audience not in held:
            there = ", ".join(held) or "none"
            raise WordError(f"feed {name} does not hold {audience!r}; it holds {there}")
    _say(name, "release", reason, f"{audience} goes out with the next emission.", audience)


@feed_app.command()
def reset(
    name: NAME,
    reason: REASON = "",
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Begin anew: the destination forgets the feed, and everybody enters again."""
    from orchestration.feeds.upkeep import reset as begin_anew
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        feed = _feed(name)
        if not is_sure and feed.settings.of == "segments":
            typer.confirm(f"Remove all of feed {name} at {feed.destination_name}?", abort=True)
        begin_anew(load_settings().ledger, feed, reason, _tell)
        typer.echo(f"Feed {name} begins anew with its next emission; numbers go on.")


@feed_app.command()
def erase(
    profile: Annotated[str, typer.Argument(help="A profile id, of now or of the past.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, without personal data.")],
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have every feed tell its consumer to erase a person, and never carry the person again."""
    from orchestration.feeds.upkeep import erase_everywhere
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        settings = load_settings()
        if not is_sure:
            typer.confirm(f"Erase {profile} in all feeds, for ever?", abort=True)
        ids = erase_everywhere(settings.ledger, settings.published, profile, reason)
        typer.echo(
            f"Each feed erases {', '.join(ids)} with its next emission. Landing and published "
            "tables are not touched by this."
        )


def _say(name: str, action: str, reason: str, done: str, about: str = "") -> None:
    from orchestration.feeds.emitted import ledger_of
    from orchestration.feeds.words import say
    from orchestration.resources.settings import load_settings

    with _clear_errors():
        ledger = ledger_of(_feed(name), load_settings().ledger)
        say(ledger.folder, action, reason, ledger.last_sequence(), about)
        typer.echo(done)


def _feed(name: str) -> "Feed":
    from orchestration.feeds.definitions import feed_named

    return feed_named(name)
