"""Assembly of the code location; read it from top to bottom to see all there is."""

import dagster as dg

from orchestration.assets.dbt import dbt_assets
from orchestration.assets.feeds import feed_assets
from orchestration.assets.landing import inbox, landing_assets, recorded
from orchestration.assets.models import model_assets, scores
from orchestration.assets.published import copy_assets, ledger_assets, quality_asset, snapshot_asset
from orchestration.assets.sources import source_assets
from orchestration.automation.feed_sensors import feed_sensors, feed_trouble_sensor
from orchestration.automation.jobs import (
    emission_jobs,
    full_build,
    landing_compaction,
    model_training,
    pull_jobs,
)
from orchestration.automation.progress import progress_logger
from orchestration.automation.schedules import (
    hourly_build,
    nightly_compaction,
    pull_schedules,
    weekly_training,
)
from orchestration.automation.sensors import (
    dead_run_sensor,
    inbox_sensor,
    model_drift_sensor,
)
from orchestration.checks.expectations import expectation_checks
from orchestration.checks.segments import no_segment_is_held, no_segment_is_unfinished
from orchestration.resources.build import Build
from orchestration.resources.dbt import manifest
from orchestration.resources.settings import load_settings

load_settings()
parsed = manifest()
pulls = pull_jobs()
emissions = emission_jobs()

defs = dg.Definitions(
    assets=[
        *source_assets(),
        inbox,
        *recorded,
        landing_assets,
        *dbt_assets(parsed),
        *model_assets(),
        scores,
        *ledger_assets,
        quality_asset,
        snapshot_asset(parsed),
        *copy_assets(),
        *feed_assets(),
    ],
    asset_checks=[*expectation_checks(parsed), no_segment_is_held, no_segment_is_unfinished],
    jobs=[
        full_build,
        *emissions.values(),
        model_training,
        landing_compaction,
        *pulls.values(),
    ],
    schedules=[hourly_build, nightly_compaction, weekly_training, *pull_schedules(pulls)],
    sensors=[
        inbox_sensor,
        *feed_sensors(emissions),
        feed_trouble_sensor,
        model_drift_sensor,
        dead_run_sensor,
    ],
    resources={"build": Build()},
    # Also for assets picked by hand: a process for each step would import dbt each time.
    executor=dg.in_process_executor,
    loggers={"progress": progress_logger},
)
