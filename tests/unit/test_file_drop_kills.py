"""The file drop under kill -9: each line of each file lands once, whatever dies when."""

import json
import multiprocessing
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.landing import live_files
from orchestration.connectors.sources.file_drop import land_inbox
from tests.kills import seeded
from tests.pull_for_ever import land_for_ever

Place = tuple[str, int]


def _drop(folder: Path, number: int, lines: int) -> set[Place]:
    """A file of so many events, its last line torn; the places of the good ones."""
    name = f"{number:05d}.jsonl"
    event = {"name": "page_view", "occurred_at": "2026-01-01", "colour": "red"}
    rows = [json.dumps({"event_id": f"e{number}-{line}", **event}) for line in range(lines)]
    part = folder / f"{name}.part"
    part.write_text("\n".join([*rows, '{"event_id": "torn']) + "\n")
    part.rename(folder / name)
    return {(f"web/events/{name}", line + 1) for line in range(lines)}


def _landed(landing: Path, table: str) -> list[Place]:
    return duckdb.execute(
        "select _source_file, _row_number from read_parquet(?) order by all",
        [live_files(landing, "web", table)],
    ).fetchall()


def _killed_loads(home: Path, kills: int) -> int:
    """Kill a landing process again and again while files arrive; how many loads were torn."""
    chance = seeded()
    inbox, landing, state = home / "inbox", home / "landing", home / "dlt"
    folder = inbox / "web" / "events"
    folder.mkdir(parents=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pull_for_ever"])
    expected: set[Place] = set()
    torn = number = 0
    for _ in range(kills):
        done = context.Semaphore(0)
        child = context.Process(target=land_for_ever, args=(inbox, landing, state, done))
        child.start()
        assert done.acquire(timeout=60)
        for _ in range(chance.randrange(1, 4)):
            number += 1
            expected |= _drop(folder, number, chance.randrange(1, 12000))
            time.sleep(chance.uniform(0, 0.2))
        assert child.is_alive()
        child.kill()
        child.join()
        packages = (state / "landing_web").rglob("[0-9]*.[0-9]*/")
        torn += any(path.parent.name != "loaded" for path in packages if path.is_dir())
    land_inbox(inbox, landing, state, "web")
    assert _landed(landing, "web_events") == sorted(expected)
    bad_lines = _landed(landing, "_rejected_lines")
    assert [file for file, _ in bad_lines] == sorted({file for file, _ in expected})
    assert land_inbox(inbox, landing, state, "web").load_id is None
    return torn


def test_three_kills(tmp_path: Path) -> None:
    _killed_loads(tmp_path, 3)


@pytest.mark.soak
def test_fifty_kills(tmp_path: Path) -> None:
    assert _killed_loads(tmp_path, 50) >= 3, "kills must hit loads in their middle"
