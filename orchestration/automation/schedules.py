"""Schedules: a build every hour, and a pull of each source when its definition says so."""

import dagster as dg

from orchestration.automation.jobs import (
    PullJobs,
    full_build,
    landing_compaction,
    model_training,
)
from orchestration.connectors.registry import load_sources

hourly_build = dg.ScheduleDefinition(
    name="hourly_build",
    job=full_build,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    description="Build and emit every hour, since segments change as time passes.",
)

nightly_compaction = dg.ScheduleDefinition(
    name="nightly_compaction",
    job=landing_compaction,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Join the small files that frequent loads leave in landing.",
)

weekly_training = dg.ScheduleDefinition(
    name="weekly_training",
    job=model_training,
    cron_schedule="0 4 * * 1",
    execution_timezone="UTC",
    description="Train all models on Monday morning; the next build scores with them.",
)


def pull_schedules(jobs: PullJobs) -> list[dg.ScheduleDefinition]:
    """A running schedule for each source that has a cron line; `jobs` are those of the pulls."""
    return [
        dg.ScheduleDefinition(
            name=f"pull_{source.name}_schedule",
            job=jobs[source.name],
            cron_schedule=source.schedule,
            execution_timezone="UTC",
            # Whoever wrote the line wants it to run.
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Pull {source.name}; the inbox sensor starts a build when rows landed.",
        )
        for source in load_sources().values()
        if source.schedule
    ]
