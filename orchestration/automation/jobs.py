"""Jobs: the whole way, its last step alone, a pull of each source, training, and upkeep."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.assets.feeds import CAMPAIGN_FEED, SEGMENT_FEED
from orchestration.assets.landing import RECORDED
from orchestration.assets.models import training_keys
from orchestration.assets.sources import GROUP as SOURCES
from orchestration.assets.sources import source_entities, source_key
from orchestration.connectors.compaction import compact
from orchestration.connectors.registry import load_sources
from orchestration.resources.settings import load_settings

PullJobs = dict[str, UnresolvedAssetJobDefinition]  # by the source's name

# One process for all steps: each step would otherwise import dbt and Great Expectations anew.
full_build = dg.define_asset_job(
    "full_build",
    # Pulls have schedules of their own; a build takes what has landed. What people recorded is
    # landed by their command, and only its checks belong to a build. It scores, but trains nothing.
    selection=(
        dg.AssetSelection.all()
        - dg.AssetSelection.groups(SOURCES)
        - dg.AssetSelection.assets(*training_keys())
    )
    | dg.AssetSelection.checks_for_assets(*(dg.AssetKey(["landing", name]) for name in RECORDED)),
    executor_def=dg.in_process_executor,
    # A run that died is done again as a whole: its last steps alone would be of another moment.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    description="Everything from inbox to feed; the snapshot is published only if all checks pass.",
)

segment_feed_emission = dg.define_asset_job(
    "segment_feed_emission",
    selection=dg.AssetSelection.assets(SEGMENT_FEED),
    executor_def=dg.in_process_executor,
    description="Emit the segment feed from the newest snapshot.",
)

campaign_feed_emission = dg.define_asset_job(
    "campaign_feed_emission",
    selection=dg.AssetSelection.assets(CAMPAIGN_FEED),
    executor_def=dg.in_process_executor,
    description="Emit the campaign feed: what was decided, holds still, and did not go out yet.",
)

model_training = dg.define_asset_job(
    "model_training",
    selection=dg.AssetSelection.assets(*training_keys()),
    executor_def=dg.in_process_executor,
    description="Train each entry of predictions.yml on the newest build; the next build scores.",
)


@dg.op(description="Join the small files of frequent loads into few.")
def join_small_files(context: dg.OpExecutionContext) -> None:
    """Readers notice nothing; replaced files are deleted a day later."""
    settings = load_settings()
    compact(settings.landing, settings.dlt, tell=context.log.info)


@dg.job(
    executor_def=dg.in_process_executor, description="Keep the number of landing's files small."
)
def landing_compaction() -> None:
    """One step."""
    join_small_files()


def pull_jobs() -> PullJobs:
    """A job for each pulled source, by the source's name."""
    return {
        source.name: dg.define_asset_job(
            f"pull_{source.name}",
            selection=dg.AssetSelection.assets(
                *(source_key(source.name, entity) for entity in source_entities(source))
            ),
            executor_def=dg.in_process_executor,
            description=f"Pull what is new from {source.name}.",
        )
        for source in load_sources().values()
    }
