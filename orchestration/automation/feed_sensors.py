"""Sensors of feeds: each emits when it is due and has something new; one tells of troubles.

What is due is read from the feed's ledger. The cursor only keeps a run that was just asked for from
being asked for again, so losing it does no harm.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.automation.alerts import alert
from orchestration.automation.jobs import EmissionJobs
from orchestration.feeds.definitions import Feed, load_feeds
from orchestration.feeds.status import due, status_of
from orchestration.resources.settings import load_settings

_ASK_AGAIN = timedelta(minutes=10)
_AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def feed_sensors(jobs: EmissionJobs) -> list[dg.SensorDefinition]:
    """One sensor for each feed, named after it."""
    return [_sensor(feed, jobs[feed.name]) for feed in load_feeds().values()]


def _sensor(feed: Feed, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{feed.name}_feed_sensor",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts an emission of {feed.name} when it is due and there is something new.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        settings = load_settings()
        names = [f"emit_{feed.name}"]
        if feed.settings.schedule.is_with_snapshots:
            names.append("full_build")  # which emits at its end
        for name in names:
            if context.instance.get_runs_count(dg.RunsFilter(job_name=name, statuses=_AT_WORK)):
                return dg.SkipReason(f"{name} is at work")
        now = datetime.now(UTC)
        what = due(feed, settings.ledger, settings.published, now)
        if not what:
            return dg.SkipReason(_why_not(feed, now))
        # A run that was killed, or failed for itself, is asked for again, but not at once.
        asked = json.loads(context.cursor) if context.cursor else {"what": "", "at": 0.0}
        if asked["what"] == what and now.timestamp() - asked["at"] < _ASK_AGAIN.total_seconds():
            return dg.SkipReason(f"an emission was started for: {what}; see why it did not end it")
        context.update_cursor(json.dumps({"what": what, "at": now.timestamp()}))
        return dg.RunRequest(tags={"muster/feed": feed.name, "muster/due": what})

    return sensor


def _why_not(feed: Feed, now: datetime) -> str:
    settings = load_settings()
    status = status_of(feed, settings.ledger, settings.published, now)
    if status.paused:
        return f"paused by {status.paused.said_by}: {status.paused.reason or 'no reason given'}"
    if status.failure:
        return f"the destination rests until {status.failure.retry_at}: {status.failure.message}"
    if status.snapshot_id is None:
        return "nothing has been published yet"
    return f"nothing new, or not due, since {status.look.at if status.look else 'ever'}"


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def feed_trouble_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tells of a held audience, dead letters, a feed that is late or not taken, once each."""
    settings = load_settings()
    now = datetime.now(UTC)
    there = [
        f"feed {feed.name}: {words}"
        for feed in load_feeds().values()
        for words in status_of(feed, settings.ledger, settings.published, now).troubles
    ]
    known: Sequence[str] = json.loads(context.cursor) if context.cursor else []
    new = [words for words in there if words not in known]
    over = [words for words in known if words not in there]
    for words in new:
        context.log.warning(words)
    for words in over:
        context.log.info(f"over: {words}")
    if new:
        alert("Muster: " + ("a feed needs a look" if len(new) == 1 else "feeds need a look"), new)
    context.update_cursor(json.dumps(there))
    return dg.SkipReason("; ".join(there) or "no feed has trouble")
