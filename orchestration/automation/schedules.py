"""Schedules."""

import dagster as dg

from orchestration.automation.jobs import full_build

hourly_build = dg.ScheduleDefinition(
    name="hourly_build",
    job=full_build,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    description="Build and emit every hour, since segments change as time passes.",
)
