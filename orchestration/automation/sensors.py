"""Sensors: new files start a build, a snapshot an emission, drift a training; dead runs end.

The first three look at files, not at their cursor alone, so a lost cursor does no harm.
"""

import hashlib

import dagster as dg

from orchestration.automation.dead_runs import end_dead_runs
from orchestration.automation.jobs import (
    full_build,
    model_training,
)
from orchestration.connectors.landing import all_loads
from orchestration.connectors.sources.file_drop import new_files
from orchestration.predictions.definitions import load_predictions
from orchestration.predictions.registry import Registry
from orchestration.predictions.scoring import drifted
from orchestration.publication.snapshot import newest
from orchestration.resources.settings import Settings, load_settings

_BUILDING = dg.RunsFilter(
    job_name="full_build",
    statuses=[
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ],
)


@dg.sensor(
    job=full_build,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Starts a build when there are files that have not landed, or loads that are not published."""
    settings = load_settings()
    if context.instance.get_runs_count(_BUILDING):
        return dg.SkipReason("a build is running; what is new meanwhile is looked at after it")
    waiting = [
        *new_files(settings.inbox, settings.landing).values(),
        *_unpublished_loads(settings),
    ]
    stamps = sorted(hashlib.sha256(text.encode()).hexdigest()[:16] for text in waiting)
    # Each asks for a build once, so a refused file or a failing check does not start one for ever.
    asked = set((context.cursor or "").split())
    context.update_cursor(" ".join(stamps))
    if not stamps:
        return dg.SkipReason("no new file in the inbox")
    if asked.issuperset(stamps):
        return dg.SkipReason(
            f"{len(stamps)} files or loads wait, and a build was started for them; see why it "
            "refused or failed"
        )
    return dg.RunRequest(tags={"muster/waiting": str(len(stamps))})


def _unpublished_loads(settings: Settings) -> set[str]:
    manifest = newest(settings.published)
    return all_loads(settings.landing) - set(manifest.loads if manifest else ())


@dg.sensor(job=model_training, minimum_interval_seconds=300)
def model_drift_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Trains models whose features or scores drifted, each version's successor once."""
    limit = load_predictions().training.drift_limit
    far = drifted(Registry(load_settings().models), limit)
    if not far:
        return dg.SkipReason(f"no current model drifted beyond {limit:g}")
    versions = ", ".join(f"{name} v{version}" for name, version in far.items())
    if context.cursor == versions:
        return dg.SkipReason(f"a training was started for {versions}")
    context.update_cursor(versions)
    return dg.RunRequest(
        asset_selection=[dg.AssetKey(["models", name]) for name in far],
        tags={"muster/drifted": versions},
    )


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def dead_run_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Ends runs whose process was killed, so that the next run does not wait for them."""
    ended = end_dead_runs(context.instance)
    if ended:
        context.log.warning(f"ended {', '.join(ended)}: their processes are gone")
    return dg.SkipReason(f"{len(ended)} dead runs")
