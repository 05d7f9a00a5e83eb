"""Jobs: the whole way, and the last step of it alone."""

import dagster as dg

from orchestration.assets.feeds import SEGMENT_FEED

# One process for all steps: each step would otherwise import dbt and Great Expectations anew.
full_build = dg.define_asset_job(
    "full_build",
    selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
    executor_def=dg.in_process_executor,
    description="Everything from inbox to feed; the snapshot is published only if all checks pass.",
)

segment_feed_emission = dg.define_asset_job(
    "segment_feed_emission",
    selection=dg.AssetSelection.assets(SEGMENT_FEED),
    executor_def=dg.in_process_executor,
    description="Emit the segment feed from the newest snapshot.",
)
