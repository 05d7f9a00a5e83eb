"""Finds runs whose process was killed, and ends them, so that nothing waits for them.

Dagster cannot tell that a local process is gone: its run stays "in progress" and keeps its slot in
the pools for ever.
"""

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """Process id and time of the event in which the run's executor names its process."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        if entry.dagster_event and "pid" in entry.dagster_event.engine_event_data.metadata:
            # The launcher names its process first, the executor after it; both are the same one.
            pid = entry.dagster_event.engine_event_data.metadata["pid"].value
            return int(str(pid)), entry.timestamp
    return None


def _is_alive(pid: int, since: float) -> bool:
    """Whether that process still runs; one that began later only has its number."""
    import psutil

    try:
        process = psutil.Process(pid)
        return bool(process.create_time() <= since and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs without a process as failed and free what ended runs hold; the failed run ids."""
    ended = []
    unfinished = RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])
    for run in instance.get_runs(unfinished):
        process = _process_of(instance, run.run_id)
        if process is not None and not _is_alive(*process):
            instance.report_run_failed(
                run, f"Process {process[0]} of this run is gone; run the job again."
            )
            ended.append(run.run_id)
    for run_id in instance.event_log_storage.get_concurrency_run_ids():
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return ended
