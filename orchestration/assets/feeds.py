"""Feed assets: the newest snapshot told to consumers."""

import dagster as dg

from orchestration.assets.published import SNAPSHOT
from orchestration.feeds.segment_feed import FEED, emit
from orchestration.publication.snapshot import repair_current
from orchestration.resources.settings import load_settings

SEGMENT_FEED = dg.AssetKey(["feeds", FEED])


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
