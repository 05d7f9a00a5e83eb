"""Sensors: new files start a build, a new snapshot starts an emission, dead runs are ended.

The first two look at files, not at their cursor alone, so a lost cursor does no harm.
"""

import hashlib

import dagster as dg

from orchestration.automation.dead_runs import end_dead_runs
from orchestration.automation.jobs import full_build, segment_feed_emission
from orchestration.connectors.sources.file_drop import new_files
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.segment_feed import FEED
from orchestration.publication.snapshot import newest
from orchestration.resources.settings import load_settings


@dg.sensor(
    job=full_build,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Starts a build when the inbox holds files that have not been landed as they are now."""
    settings = load_settings()
    files = new_files(settings.inbox, settings.landing)
    if not files:
        return dg.SkipReason("no new file in the inbox")
    seen = [f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files]
    # The same set of files asks for one build only, so a refused file does not start one for ever.
    key = hashlib.sha256("\n".join(seen).encode()).hexdigest()
    if context.cursor == key:
        return dg.SkipReason(f"{len(files)} new files, and a build was started for them")
    context.update_cursor(key)
    return dg.RunRequest(tags={"muster/files": str(len(files))})


@dg.sensor(
    job=segment_feed_emission,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def segment_feed_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Starts an emission when the newest snapshot has not been emitted."""
    settings = load_settings()
    manifest = newest(settings.published)
    if manifest is None:
        return dg.SkipReason("nothing has been published yet")
    ledger = Ledger(settings.ledger / "feeds" / FEED)
    if manifest.snapshot_id in ledger.acknowledged():
        return dg.SkipReason(f"snapshot {manifest.snapshot_id} has been emitted")
    if context.cursor == manifest.snapshot_id:
        return dg.SkipReason(f"an emission of snapshot {manifest.snapshot_id} was started")
    context.update_cursor(manifest.snapshot_id)
    return dg.RunRequest(tags={"muster/snapshot": manifest.snapshot_id})


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def dead_run_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Ends runs whose process was killed, so that the next run does not wait for them."""
    ended = end_dead_runs(context.instance)
    if ended:
        context.log.warning(f"ended {', '.join(ended)}: their processes are gone")
    return dg.SkipReason(f"{len(ended)} dead runs")
