"""Feed assets: the newest snapshot told to consumers."""

from collections.abc import Mapping

import dagster as dg

from orchestration.assets.published import SNAPSHOT
from orchestration.campaigns.emission import emit_campaigns
from orchestration.feeds import campaign_feed as campaigns
from orchestration.feeds.segment_feed import FEED, emit
from orchestration.publication.snapshot import repair_current
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import WarehouseError

SEGMENT_FEED = dg.AssetKey(["feeds", FEED])
CAMPAIGN_FEED = dg.AssetKey(["feeds", campaigns.FEED])
_BUSY_SECONDS = 60  # between two looks at a warehouse that a build writes


@dg.asset(
    key=SEGMENT_FEED,
    deps=[SNAPSHOT],
    group_name="feeds",
    kinds={"json", "parquet"},
    owners=["team:data-engineering"],
    pool="feeds",
    description="Enter and exit rows of all segments, as JSON Lines and Parquet.",
)
def segment_feed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Emit what changed since the last emission; send again what a dead process left open."""
    settings = load_settings()
    repair_current(settings.published)
    emission = emit(settings.published, settings.ledger, settings.feeds)
    if emission.repeated:
        context.log.warning(f"sent again after an interruption: {', '.join(emission.repeated)}")
    rows = emission.entered + emission.exited
    context.log.info(f"{rows} rows: {emission.entered} enter, {emission.exited} exit")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "entered": emission.entered,
            "exited": emission.exited,
            "last_sequence": emission.last_sequence,
            "emission": emission.emission_id or "nothing new",
        }
    )


@dg.asset(
    key=CAMPAIGN_FEED,
    deps=[SNAPSHOT],
    group_name="feeds",
    kinds={"json", "parquet"},
    owners=["team:data-engineering"],
    pool="feeds",
    description="Messages that campaigns decided to send, with their words, as JSON Lines and "
    "Parquet. Consent, conversion and pauses are asked again before one goes out.",
)
def campaign_feed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Emit what was decided and still holds; wait for a build that writes the warehouse."""
    try:
        emission = emit_campaigns(load_settings())
    except WarehouseError as error:
        context.log.warning(f"nothing goes out yet: {error}")
        raise dg.RetryRequested(max_retries=15, seconds_to_wait=_BUSY_SECONDS) from error
    if emission.repeated:
        context.log.warning(f"sent again after an interruption: {', '.join(emission.repeated)}")
    context.log.info(
        f"{emission.sent} messages; stopped: {_counts(emission.stopped)}; "
        f"waiting: {_counts(emission.waiting)}"
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": emission.sent,
            "stopped": _counts(emission.stopped),
            "waiting": _counts(emission.waiting),
            "last_sequence": emission.last_sequence,
            "emission": emission.emission_id or "nothing new",
        }
    )


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items())) or "none"
