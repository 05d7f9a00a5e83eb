"""Scores of a build: every current model over the features that the build made, into one file.

`MUSTER_HOME/models/scores/<day>.parquet` holds the scores of the last build of that day; dbt reads
the newest scoring up to its as_of. Grain: one row per prediction and profile, and one row without a
profile that says that a scoring took place, since there may be no model at all.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.predictions.definitions import Predictions
from orchestration.predictions.drift import stability
from orchestration.predictions.encoding import Matrix
from orchestration.predictions.features import FEATURES
from orchestration.predictions.registry import Registry, RegistryError, Version
from orchestration.predictions.scored import Scored

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

KEPT_DAYS = 90
_CHUNK = 16_384  # rows: what a model works on then fits a processor's cache
_WORKERS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of one model: how many it scored and how far it drifted, or why it did not."""

    name: str
    version: int
    rows: int = 0
    drift: dict[str, float] = field(default_factory=dict)
    trouble: str = ""


def score_all(
    connection: "duckdb.DuckDBPyConnection",
    definitions: Predictions,
    registry: Registry,
    as_of: datetime,
) -> list[Outcome]:
    """Score everybody by every current model and put the file in place.

    A model that cannot be used costs its own scores only.

    Args:
        connection: to the warehouse.
        definitions: predictions.yml; a model that is not there is not used.
        registry: the models, beside which the scores are kept.
        as_of: of the features (UTC).
    """
    import pyarrow.parquet as pq

    folder = registry.folder / "scores"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{as_of:%Y-%m-%d}.parquet"
    beside = path.with_suffix(".new")
    outcomes = []
    with pq.ParquetWriter(beside, _schema(), compression="zstd") as writer:
        writer.write_table(_marker(as_of))
        for name in (*definitions.predictions, *definitions.clusters):
            version = registry.current(name)
            if version:
                of = definitions.of(name).of
                outcomes.append(_scored_by(version, of, connection, as_of, writer))
    beside.replace(path)
    for old in sorted(folder.glob("*.parquet"))[:-KEPT_DAYS]:
        old.unlink()
    return outcomes


def _scored_by(
    version: Version,
    of: str,
    connection: "duckdb.DuckDBPyConnection",
    as_of: datetime,
    writer: Any,
) -> Outcome:
    import duckdb

    total: dict[str, Any] = {}
    rows = 0
    try:
        model = version.load()
        batches = connection.execute(
            f"select profile_id, {model.encoding.sql} from intermediate.{FEATURES} where {of}"
        ).to_arrow_reader(_CHUNK)
        for table, scored in _in_parallel(model, version, batches, as_of):
            writer.write_table(table)
            rows += table.num_rows
            for value, counted in scored.counts.items():
                total[value] = np.add(total.get(value, 0), counted)
    except RegistryError as error:
        return Outcome(version.name, version.number, trouble=str(error))
    except duckdb.BinderException as error:
        words = str(error).split("\n", maxsplit=1)[0]
        return Outcome(
            version.name,
            version.number,
            trouble=f"{version.name} v{version.number} was trained on other features ({words}); "
            f"train it again: muster model train {version.name}",
        )
    drift = stability(model.spreads, total) if rows else {}
    return Outcome(version.name, version.number, rows, drift)


def _in_parallel(
    model: Any, version: Version, batches: "pa.RecordBatchReader", as_of: datetime
) -> Iterator[tuple["pa.Table", Scored]]:
    """Chunks in order, a few at a time: numpy and scikit-learn leave Python's lock."""
    import pyarrow as pa

    origin = (version.name, version.number, as_of)

    def work(batch: "pa.RecordBatch") -> tuple["pa.Table", Scored]:
        columns = [
            batch.column(place).to_numpy(zero_copy_only=False)
            for place in range(1, batch.num_columns)
        ]
        matrix = np.column_stack(columns) if columns else np.zeros((batch.num_rows, 0))
        scored = model.score(matrix)
        reasons = _reasons(matrix, scored, model)
        labels = pa.nulls(len(matrix), pa.string())
        if scored.label is not None:
            labels = pa.array(model.labels, pa.string()).take(pa.array(scored.label))
        return _table(batch.column(0), scored, labels, reasons, origin), scored

    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: list[Future[tuple[pa.Table, Scored]]] = []
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > 2 * _WORKERS:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    reason = pa.struct(
        [("feature", pa.string()), ("value", pa.float64()), ("effect", pa.float64())]
    )
    return pa.schema(
        [
            ("prediction", pa.string()),
            ("version", pa.int64()),
            ("profile_id", pa.string()),
            ("score", pa.float64()),
            ("label", pa.string()),
            ("reasons", pa.list_(reason)),
            ("scored_at", pa.timestamp("us")),
        ]
    )


def _marker(as_of: datetime) -> "pa.Table":
    import pyarrow as pa

    row = {"prediction": "", "version": 0, "scored_at": as_of.replace(tzinfo=None)}
    return pa.Table.from_pylist([row], schema=_schema())


def _table(
    profile_ids: "pa.Array",
    scored: Scored,
    labels: "pa.Array",
    reasons: "pa.Array",
    origin: tuple[str, int, datetime],
) -> "pa.Table":
    import pyarrow as pa

    rows, (name, number, as_of) = len(profile_ids), origin
    return pa.Table.from_arrays(
        [
            pa.repeat(name, rows),
            pa.repeat(pa.scalar(number, pa.int64()), rows),
            profile_ids.cast(pa.string()),
            pa.array(np.round(scored.score, 4), from_pandas=True),
            labels,
            reasons,
            pa.repeat(pa.scalar(as_of.replace(tzinfo=None), pa.timestamp("us")), rows),
        ],
        schema=_schema(),
    )


def _reasons(matrix: Matrix, scored: Scored, model: Any) -> "pa.Array":
    """Lists of structs, made of flat columns: a list for each row in Python takes minutes."""
    import pyarrow as pa

    encoding, told = model.encoding, scored.reasons.feature >= 0
    features = scored.reasons.feature[told]
    row = np.repeat(np.arange(len(told)), told.sum(axis=1))
    place = np.array([list(encoding.feature_of).index(n) for n in range(len(encoding.features))])
    is_text = np.array([encoding.columns[one].value is not None for one in place], dtype=bool)
    values = np.where(is_text[features], np.nan, matrix[row, place[features]])
    structs = pa.StructArray.from_arrays(
        [
            pa.array(encoding.features, pa.string()).take(pa.array(features)),
            pa.array(np.round(values, 4), from_pandas=True),
            pa.array(np.round(scored.reasons.effect[told], 4)),
        ],
        fields=list(_schema().field("reasons").type.value_type),
    )
    offsets = np.concatenate([[0], np.cumsum(told.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


def write_outcomes(registry: Registry, as_of: datetime, outcomes: list[Outcome]) -> None:
    """Note what a scoring found, for people and for the drift sensor."""
    path = _outcomes_file(registry)
    told = {
        "scored_at": f"{as_of:%Y-%m-%dT%H:%M:%SZ}",
        "models": {one.name: asdict(one) for one in outcomes},
    }
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(told, indent=2) + "\n")
    beside.replace(path)


def last_outcomes(registry: Registry) -> tuple[str, dict[str, Outcome]]:
    """When everybody was last scored (UTC, ISO 8601; empty for never), and what became of it."""
    path = _outcomes_file(registry)
    if not path.exists():
        return "", {}
    told = json.loads(path.read_text())
    return told["scored_at"], {name: Outcome(**one) for name, one in told["models"].items()}


def drifted(registry: Registry, limit: float) -> dict[str, int]:
    """Models beyond the limit in the last scoring that are still current, with their versions."""
    found = {}
    for name, one in last_outcomes(registry)[1].items():
        current = registry.current(name)
        is_current = current is not None and current.number == one.version
        if is_current and max(one.drift.values(), default=0.0) > limit:
            found[name] = one.version
    return found


def _outcomes_file(registry: Registry) -> Path:
    return registry.folder / "scores" / "outcomes.json"
