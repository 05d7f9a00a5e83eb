"""Jobs: the whole way, its last step alone, a pull of each source, training, and upkeep."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.assets.feeds import feed_key
from orchestration.assets.landing import RECORDED
from orchestration.assets.models import training_keys
from orchestration.assets.sources import GROUP as SOURCES
from orchestration.assets.sources import source_entities, source_key
from orchestration.connectors.compaction import compact
from orchestration.connectors.registry import load_sources
from orchestration.feeds.definitions import load_feeds
from orchestration.resources.settings import load_settings

EmissionJobs = dict[str, UnresolvedAssetJobDefinition]  # by the feed's name
PullJobs = dict[str, UnresolvedAssetJobDefinition]  # by the source's name


def _keys_with_a_clock() -> list[dg.AssetKey]:
    """Feeds that go out on a schedule of their own, not with each build."""
    return [
        feed_key(feed.name)
        for feed in load_feeds().values()
        if not feed.settings.schedule.is_with_snapshots
    ]


# One process for all steps: each step would otherwise import dbt and Great Expectations anew.
full_build = dg.define_asset_job(
    "full_build",
    # Pulls have schedules of their own; a build takes what has landed. What people recorded is
    # landed by their command, and only its checks belong to a build. It scores, but trains nothing.
    selection=(
        dg.AssetSelection.all()
        - dg.AssetSelection.groups(SOURCES)
        - dg.AssetSelection.assets(*training_keys())
        - dg.AssetSelection.assets(*_keys_with_a_clock())
    )
    | dg.AssetSelection.checks_for_assets(*(dg.AssetKey(["landing", name]) for name in RECORDED)),
    executor_def=dg.in_process_executor,
    # A run that died is done again as a whole: its last steps alone would be of another moment.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    description="Everything from inbox to feed; the snapshot is published only if all checks pass.",
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


def emission_jobs() -> EmissionJobs:
    """A job for each feed, by the feed's name."""
    return {
        feed.name: dg.define_asset_job(
            f"emit_{feed.name}",
            selection=dg.AssetSelection.assets(feed_key(feed.name)),
            executor_def=dg.in_process_executor,
            description=f"Emit feed {feed.name}: what is new in the newest snapshot.",
        )
        for feed in load_feeds().values()
    }


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
