"""Features and outcomes at past midnights, from the warehouse: the models' SQL at that moment.

The one place that reads profiles for training. Scoring reads the same model as the build made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestration.predictions.definitions import FILE, Clusters, Prediction, PredictionError
from orchestration.predictions.encoding import Encoding, Matrix, learn_encoding
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.yaml_files import line_of

if TYPE_CHECKING:
    import duckdb

FEATURES = "int_profile_features"
ACTIVITY = "intermediate.int_profile_activity_days"


@dataclass(frozen=True)
class Frame:
    """Rows of one or several cutoffs, sorted by cutoff and profile.

    `matrix` is rows x columns of the encoding; `outcome` is 0 or 1, or an amount; `baseline` is
    what a model must beat, in its own unit.
    """

    profile_ids: NDArray[np.object_]
    matrix: Matrix
    baseline: NDArray[np.float64]
    outcome: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.outcome)

    def where(self, chosen: NDArray[np.bool_]) -> "Frame":
        """Some of the rows."""
        return Frame(
            self.profile_ids[chosen],
            self.matrix[chosen],
            self.baseline[chosen],
            self.outcome[chosen],
        )


def joined(frames: Sequence[Frame]) -> Frame:
    """The rows of all, in order."""
    return Frame(
        np.concatenate([one.profile_ids for one in frames]),
        np.concatenate([one.matrix for one in frames]),
        np.concatenate([one.baseline for one in frames]),
        np.concatenate([one.outcome for one in frames]),
    )


class Features:
    """What the warehouse knows, at any midnight up to its as_of.

    Args:
        connection: to the warehouse, or to tables in its form.
        project: the dbt project; its features' SQL is rendered for each cutoff.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", project: Project | None = None
    ) -> None:
        self.connection = connection
        self._renderer = Renderer(project or Project(), connection)
        catalog = connection.execute("select current_database()").fetchone()
        self._renderer.databases = lambda name: str(catalog[0]) if catalog else ""
        row = connection.execute(
            f"""select min(day), (select max_by(as_of, number) from main.dbt_builds)
            from {ACTIVITY}"""
        ).fetchone()
        first_day, as_of = row or (None, None)
        if first_day is None or as_of is None:
            raise PredictionError("nothing is known of anybody yet; load data and build first")
        self.first_day: date = first_day
        self.as_of: date = as_of.date()

    def at(self, cutoff: date) -> str:
        """The features of everybody at the midnight that begins a day, as a query."""
        self._renderer.variables = {"as_of": f"{cutoff} 00:00:00"}
        return self._renderer.render(FEATURES).sql

    def check(self, name: str, entry: Prediction | Clusters) -> bool:
        """Refuse SQL that DuckDB refuses. Whether the outcome is true or false, not an amount.

        Raises:
            PredictionError: which entry, file and line, and DuckDB's words.
        """
        features = f"select * from ({self.at(self.as_of)}) limit 0"
        if isinstance(entry, Clusters):
            self._kind(("clusters", name, "of"), entry.of, features)
            for feature in entry.features:
                self._kind(("clusters", name, "features"), feature, features)
            return False
        self._kind(("predictions", name, "of"), entry.of, features)
        self._kind(("predictions", name, "baseline"), entry.baseline, features)
        activity = f"select * from {ACTIVITY} limit 0"
        return self._kind(("predictions", name, "outcome"), entry.outcome, activity) == "BOOLEAN"

    def encoding(self, of: str, cutoff: date, only: Sequence[str] = ()) -> Encoding:
        """The columns that the profiles of a cutoff ask for."""
        rows = f"select * from ({self.at(cutoff)}) where {of}"
        self.connection.execute(f"create or replace temp table encoded as {rows}")
        return learn_encoding(self.connection, "select * from encoded", only)

    def read(
        self, entry: Prediction, encoding: Encoding, cutoff: date, most_rows: int, seed: int
    ) -> Frame:
        """Features at a cutoff, and what came of them within the horizon.

        Of more than `most_rows` profiles those are taken whose hash with the seed is least.
        """
        end = cutoff + timedelta(days=entry.horizon_days)
        after = f"day >= date '{cutoff}' and day < date '{end}'"
        columns = self._sums()
        numbers = self.connection.execute(
            f"""with known as (
                select *, cast({entry.baseline} as double) as _baseline
                from ({self.sample(entry.of, cutoff, most_rows, seed)})
            ),
            later as (
                select profile_id, {", ".join(f"sum({one}) as {one}" for one in columns)}
                from {ACTIVITY} where {after} group by profile_id
            ),
            outcomes as (
                select known.profile_id,
                    {", ".join(f"coalesce(later.{one}, 0) as {one}" for one in columns)}
                from known left join later on known.profile_id = later.profile_id
            ),
            told as (
                select profile_id, cast({entry.outcome} as double) as outcome from outcomes
            )
            select known.profile_id, told.outcome, known._baseline as baseline, {encoding.sql}
            from known inner join told on known.profile_id = told.profile_id
            order by known.profile_id"""
        ).fetchnumpy()
        return Frame(
            np.asarray(numbers["profile_id"], dtype=np.object_),
            matrix_of(numbers, encoding),
            _filled(numbers["baseline"]),
            _filled(numbers["outcome"]),
        )

    def now(self, of: str, encoding: Encoding, most_rows: int, seed: int) -> Matrix:
        """The rows that a scoring at the newest midnight would see, at most so many."""
        rows = self.connection.execute(
            f"""select {encoding.sql} from ({self.sample(of, self.as_of, most_rows, seed)})
            order by profile_id"""
        ).fetchnumpy()
        return matrix_of(rows, encoding)

    def sample(self, of: str, cutoff: date, most_rows: int, seed: int) -> str:
        """Features of the profiles that an entry is about, as a query: at most so many."""
        return f"""select * from ({self.at(cutoff)}) where {of}
            qualify row_number() over (order by md5(profile_id || '{seed}'), profile_id)
                <= {most_rows}"""

    def _sums(self) -> list[str]:
        rows = self.connection.execute(f"describe {ACTIVITY}").fetchall()
        return [row[0] for row in rows if row[0] not in {"profile_id", "day"}]

    def _kind(self, place: tuple[str, str, str], sql: str, rows: str) -> str:
        import duckdb

        try:
            found = self.connection.execute(f"describe (select {sql} as it from ({rows}))")
            return str(found.fetchall()[0][1])
        except duckdb.Error as error:
            line = line_of(FILE, *place)
            words = str(error).split("\n", maxsplit=1)[0]
            raise PredictionError(f"{FILE.name}:{line}: {place[1]}: {place[2]}: {words}") from None


def matrix_of(numbers: Mapping[str, Any], encoding: Encoding) -> Matrix:
    """The columns of a query that asked for an encoding, side by side."""
    columns = [_filled(numbers[f"c{place}"]) for place in range(len(encoding.columns))]
    # Of nobody no feature varies, so there may be none.
    return np.column_stack(columns) if columns else np.zeros((len(numbers["outcome"]), 0))


def _filled(values: Any) -> NDArray[np.float64]:
    # fetchnumpy masks nulls; there are none, but an empty result comes masked.
    return np.asarray(np.ma.filled(values, 0.0), dtype=np.float64)
