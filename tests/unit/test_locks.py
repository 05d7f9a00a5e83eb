"""One build at a time in one MUSTER_HOME, also across processes and after a kill."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.connectors.locks import exclusive
from orchestration.resources.warehouse import wait_until_free

HOLD_LOCK = """
import sys, time
from pathlib import Path
from orchestration.connectors.locks import exclusive
with exclusive(Path(sys.argv[1]), "run one", print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""

HOLD_WAREHOUSE = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def _holder(code: str, path: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_build_waits_and_says_for_whom(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = _holder(HOLD_LOCK, lock, 1.5)
    told: list[str] = []
    with exclusive(lock, "run two", told.append):
        assert holder.wait(5) == 0
    assert told == ["waiting for another process (run one)"]


def test_a_killed_build_leaves_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = _holder(HOLD_LOCK, lock, 60)
    holder.kill()
    holder.wait()
    told: list[str] = []
    with exclusive(lock, "run two", told.append):
        assert told == []


def test_a_build_waits_for_whoever_holds_the_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    holder = _holder(HOLD_WAREHOUSE, path, 1.5)
    told: list[str] = []
    wait_until_free(path, told.append)
    assert holder.wait(5) == 0
    assert len(told) == 1 and str(holder.pid) in told[0]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_thread_that_is_about_to_leave_the_warehouse_is_waited_for(
    tmp_path: Path, read_only: bool
) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with duckdb.connect(str(path), read_only=read_only) as held:
        threading.Timer(0.3, held.close).start()
        started = time.monotonic()
        wait_until_free(path, print)
        assert time.monotonic() - started > 0.2


def test_a_file_that_is_no_warehouse_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(duckdb.IOException, match="not a valid DuckDB database"):
        wait_until_free(path, print)
