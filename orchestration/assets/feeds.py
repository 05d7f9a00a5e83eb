"""Feed assets: the newest snapshot told to consumers, one asset and two checks for each feed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from orchestration.assets.published import SNAPSHOT
from orchestration.connectors.destinations.base import DeliveryError
from orchestration.emission import emit
from orchestration.feeds.definitions import Feed, FeedError, load_feeds
from orchestration.feeds.emitted import Emitted
from orchestration.feeds.ledger import LedgerError
from orchestration.feeds.status import Status, status_of
from orchestration.publication.manifest import SnapshotError
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import WarehouseError

_BUSY_SECONDS = 60  # between two looks at a warehouse that a build writes
_KINDS = {"files": {"json", "parquet"}, "postgres": {"postgres"}, "redis": {"redis"},
          "kafka": {"kafka"}}  # fmt: skip
_HELD, _DEAD = "no_audience_is_held", "no_row_is_a_dead_letter"
_SAYS = {
    "segments": "Who entered, changed or left the audiences",
    "campaigns": "Messages that campaigns decided to send, with their words; consent, conversion "
    "and pauses are asked again before one goes out",
}


def feed_key(name: str) -> dg.AssetKey:
    """The asset of a feed."""
    return dg.AssetKey(["feeds", name])


def feed_assets() -> list[dg.AssetsDefinition]:
    """One asset for each entry of `feeds.yml`."""
    return [_asset(feed) for feed in load_feeds().values()]


def _asset(feed: Feed) -> dg.AssetsDefinition:
    @dg.asset(
        key=feed_key(feed.name),
        deps=[SNAPSHOT],
        group_name="feeds",
        kinds=_KINDS.get(feed.destination.type, {feed.destination.type}),
        owners=[f"team:{feed.settings.owner}"],
        pool=f"destination_{feed.destination_name}",
        description=feed.settings.description
        or f"{_SAYS[feed.settings.of]}; to {feed.destination_name}.",
        check_specs=[
            dg.AssetCheckSpec(
                _HELD, asset=feed_key(feed.name),
                description="No audience collapsed, exploded or emptied against what was sent.",
            ),
            dg.AssetCheckSpec(
                _DEAD, asset=feed_key(feed.name),
                description="The destination took every row in the end.",
            ),
        ],
    )  # fmt: skip
    def emission(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        settings = load_settings()
        try:
            emitted = emit(settings, feed, context.log.warning)
        except WarehouseError as error:
            context.log.warning(f"nothing goes out yet: {error}")
            raise dg.RetryRequested(max_retries=15, seconds_to_wait=_BUSY_SECONDS) from error
        except (DeliveryError, FeedError, LedgerError, SnapshotError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        status = status_of(feed, settings.ledger, settings.published, datetime.now(UTC))
        context.log.info(_told(emitted))
        yield dg.MaterializeResult(
            metadata=_metadata(emitted, status), check_results=_checks(emitted, status)
        )

    return emission


def _told(emitted: Emitted) -> str:
    if emitted.paused:
        return f"paused by {emitted.paused.said_by}: {emitted.paused.reason or 'no reason given'}"
    parts = [_counts(emitted.actions)] if emitted.actions else ["nothing new"]
    for words, counts in (("stopped", emitted.stopped), ("waiting", emitted.waiting)):
        if counts:
            parts.append(f"{words}: {_counts(counts)}")
    if emitted.refused:
        parts.append(f"{emitted.refused} refused")
    parts += [f"held: {one.words}" for one in emitted.held]
    parts += [f"released: {audience} by {who}" for audience, who in emitted.released.items()]
    if emitted.repeated:
        parts.append(f"delivered what was open: {', '.join(emitted.repeated)}")
    return "; ".join(parts)


def _metadata(emitted: Emitted, status: Status) -> Mapping[str, dg.MetadataValue]:
    now = datetime.now(UTC)
    age = (
        now - datetime.fromisoformat(status.open_since) if status.open_since else None
    )  # of the oldest emission that is not acknowledged
    text: dict[str, str] = {
        "emission": emitted.emission_id or "nothing new",
        "actions": _counts(emitted.actions),
        "snapshot": emitted.snapshot_id or "none",
        "as_of": emitted.as_of or "none",
    }
    if emitted.stopped or emitted.waiting:
        text |= {"stopped": _counts(emitted.stopped), "waiting": _counts(emitted.waiting)}
    if emitted.held:
        text["held"] = "; ".join(one.words for one in emitted.held)
    if emitted.released:
        text["released"] = "; ".join(f"{name} by {who}" for name, who in emitted.released.items())
    numbers = {
        "dagster/row_count": emitted.rows,
        "last_sequence": emitted.last_sequence,
        "refused_rows_waiting": status.waiting,
        "dead_letters": status.dead,
        "lag_seconds": int(status.lag.total_seconds()) if status.lag else 0,
        "oldest_unacknowledged_seconds": int(age.total_seconds()) if age else 0,
    }
    return {name: dg.MetadataValue.text(value) for name, value in text.items()} | {
        name: dg.MetadataValue.int(value) for name, value in numbers.items()
    }


def _checks(emitted: Emitted, status: Status) -> list[dg.AssetCheckResult]:
    held = [one.words for one in emitted.held]
    cure = f"; if that is right: muster feed release {emitted.feed} AUDIENCE"
    dead = f"{status.dead} rows; see: muster feed status {emitted.feed}"
    return [
        dg.AssetCheckResult(
            check_name=_HELD, passed=not held, severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(held) + cure if held else None,
        ),
        dg.AssetCheckResult(
            check_name=_DEAD, passed=not status.dead, severity=dg.AssetCheckSeverity.WARN,
            description=dead if status.dead else None,
        ),
    ]  # fmt: skip


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counted.items())) or "none"
