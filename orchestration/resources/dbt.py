"""Runs dbt inside this process, with a manifest parsed once, and hands on results as they come.

A subprocess for each command costs five times as much. dbt is not safe to run twice at once in one
process; the Dagster pool `warehouse` and a lock here see to that.
"""

import hashlib
import json
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.resources.dbt_project import Project
from orchestration.resources.dbt_words import plain
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT, load_settings
from orchestration.resources.warehouse import wait_until_free

if TYPE_CHECKING:
    import duckdb

_LOCK = threading.Lock()
_BORROWED = threading.Lock()  # held while dbt's connection is read, or closed
_MODELS = DBT_PROJECT / "models"
_SHARED = (DBT_PROJECT / "macros", DBT_PROJECT / "tests", PROJECT_ROOT / "seeds" / "mappings")

Event = dict[str, Any]  # a dbt event as dagster-dbt expects it: {"info": ..., "data": ...}
# The events that are handed on: what became of a node. There are a hundred others for each.
RESULTS = frozenset({"LogSeedResult", "LogModelResult", "LogTestResult"})


@dataclass(frozen=True)
class Failed:
    """A node that dbt could not build, or a test that failed: its unique id, name, and why."""

    unique_id: str
    name: str
    reason: str


class DbtError(RuntimeError):
    """dbt did not succeed; the message says which nodes failed and why, and `failed` lists them."""

    def __init__(self, message: str, failed: Sequence[Failed] = ()) -> None:
        super().__init__(message)
        self.failed = tuple(failed)


def _target() -> Path:
    return load_settings().working / "dbt"


def project() -> Project:
    """The project, without segments that keep it from being read."""
    return Project(DBT_PROJECT, _target())


def _base_arguments(folder: Path) -> list[str]:
    return [
        "--project-dir",
        str(folder),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        str(_target()),
        "--log-path",
        str(_target()),
        "--log-level",
        "none",
        "--log-level-file",
        "info",
        "--no-use-colors",
    ]


def _fingerprint(models: Sequence[Path] = (_MODELS,)) -> str:
    digest = hashlib.sha256()
    files = [path for one in (*models, *_SHARED) for path in one.rglob("*") if path.is_file()]
    for path in sorted([*files, *DBT_PROJECT.glob("*.yml")]):
        stat = path.stat()
        name = path.relative_to(PROJECT_ROOT)
        digest.update(f"{name}:{stat.st_mtime_ns}:{stat.st_size}".encode())
    return digest.hexdigest()


def _parse() -> None:
    """Parse the project if any of its files changed since the last parse."""
    from dbt.cli.main import dbtRunner

    stamp = _target() / "fingerprint"
    current = _fingerprint()
    if stamp.exists() and stamp.read_text() == current:
        return

    def parse(folder: Path) -> str | None:
        result = dbtRunner().invoke(["parse", *_base_arguments(folder)])
        return None if result.success else str(result.exception)

    wrong = project().read(parse)
    if wrong is not None:
        raise DbtError(f"dbt cannot read the project: {wrong}")
    stamp.write_text(current)


class UnitTests:
    """Whether the unit tests of a step of the build passed on the models as they are now.

    They say something of the code only, so data cannot change it. `note` writes down that they
    passed on the models as they were when this object was made.

    Args:
        step: of the build.
        folders: below `models/`, that hold the step's models and all that they are made of.
    """

    def __init__(self, step: str, folders: Sequence[str]) -> None:
        self._stamp = _target() / f"unit_tests_{step}"
        self._models = _fingerprint([_MODELS / folder for folder in folders])
        self.passed = self._stamp.exists() and self._stamp.read_text() == self._models

    def note(self) -> None:
        """Write it down."""
        self._stamp.write_text(self._models)


def manifest() -> Mapping[str, Any]:
    """The parsed project as dbt's manifest.json describes it.

    Raises:
        DbtError: a model or YAML file is not valid; dbt's message names it.
    """
    with _LOCK:
        _parse()
    loaded: dict[str, Any] = json.loads((_target() / "manifest.json").read_text())
    return loaded


def _as_event(message: Any) -> Event:  # a protobuf message of dbt's
    from google.protobuf.json_format import MessageToDict

    converted: Event = MessageToDict(message, preserving_proto_field_name=True)
    return converted


def _close_connections() -> None:
    # dbt-duckdb keeps the file open until the process ends; others could not read it until then.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    with _BORROWED:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


@contextmanager
def borrowed() -> Iterator["duckdb.DuckDBPyConnection | None"]:
    """Another connection to the warehouse that dbt has open now; None if it has none open.

    It sees what is committed. Events are handled later than they happen, so dbt may be done before
    the reader is: it then waits with closing, which would close this connection too.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    with _BORROWED:
        environment: Any = DuckDBConnectionManager._ENV
        if environment is None or environment.conn is None:
            yield None
        else:
            with environment.conn.cursor() as connection:
                yield connection


def _invoke(command: list[str], events: "queue.Queue[Event | None]") -> list[Failed]:
    """Run one dbt command and return what failed; events go to the queue."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    _parse()
    # Read anew each time: compiling writes into the manifest, and a later run has another as_of.
    parsed = Manifest.from_msgpack((_target() / "partial_parse.msgpack").read_bytes())
    parsed.build_flat_graph()  # type: ignore[no-untyped-call]

    def hand_on(message: Any) -> None:
        if message.info.name in RESULTS:
            events.put(_as_event(message))

    runner = dbtRunner(manifest=parsed, callbacks=[hand_on])
    try:
        result = runner.invoke([*command, *_base_arguments(project().folder)])
    finally:
        _close_connections()
    if result.success:
        return []
    if result.exception:
        return [Failed("", "dbt", str(result.exception))]
    rows = getattr(result.result, "results", [])
    return [
        Failed(row.node.unique_id, row.node.name, plain(str(row.message)))
        for row in rows
        if row.status in ("error", "fail", "runtime error")
    ]


def run_dbt(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[Event]:
    """Run a dbt command and yield what becomes of each node while it works.

    Args:
        command: such as `["build", "--select", "path:models/staging"]`.
        variables: dbt variables, `as_of` among them.

    Raises:
        DbtError: after the last event, if any node failed.
    """
    arguments = [*command, "--vars", json.dumps(dict(variables))]
    events: queue.Queue[Event | None] = queue.Queue()
    failures: list[Failed] = []

    def work() -> None:
        try:
            failures.extend(_invoke(arguments, events))
        except Exception as error:
            failures.append(Failed("", type(error).__name__, str(error)))
        finally:
            events.put(None)

    with _LOCK:
        thread = threading.Thread(target=work, name="dbt", daemon=True)
        thread.start()
        while (event := events.get()) is not None:
            yield event
        thread.join()
        # What dbt's threads leave behind is closed when it is collected, whenever that is.
        wait_until_free(load_settings().warehouse, lambda _: None)
    if failures:
        told = "; ".join(f"{failed.name}: {failed.reason}" for failed in failures)
        raise DbtError(told, failures)
