"""Clusters: what is planted is found, what goes on keeps its name, what is nothing is refused."""

import itertools
import pickle
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

from orchestration.predictions.cluster_grouping import by_dbscan
from orchestration.predictions.cluster_matching import LEAST_OVERLAP, matched
from orchestration.predictions.cluster_names import Rules, named
from orchestration.predictions.cluster_pictures import draw_clusters
from orchestration.predictions.cluster_search import DBSCAN, K_MEANS, search
from orchestration.predictions.clustering import Clustering, TrainedClusters, train_clusters
from orchestration.predictions.cutoffs import TooLittleDataError
from orchestration.predictions.definitions import (
    FILE,
    Clusters,
    PredictionError,
    Training,
    load_predictions,
)
from orchestration.predictions.encoding import Matrix
from orchestration.predictions.features import Features
from orchestration.rendering.project import Project

NAME = "behaviour_cluster"
CORNERS = np.array([[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0], [4.0, 4.0, 4.0]])
COLUMNS = ("a", "b", "c")


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose features are a table."""
    root = tmp_path_factory.mktemp("planted")
    (root / "models").mkdir()
    (root / "dbt_project.yml").write_text("name: planted\n")
    (root / "models" / "int_profile_features.sql").write_text("select * from main.planted")
    return Project(root)


@pytest.fixture(scope="module")
def four(connection: duckdb.DuckDBPyConnection, project: Project) -> TrainedClusters:
    """Four clusters by K-means."""
    return found(connection, project, blobs(1)[0])


@pytest.fixture(scope="module")
def dense(connection: duckdb.DuckDBPyConnection, project: Project) -> TrainedClusters:
    """Two by DBSCAN."""
    return found(connection, project, crowd(1)[0])


def entry(names: dict[str, str] | None = None, **more: object) -> Clusters:
    told = {"description": "d", "owner": "o", "of": "true", "features": list(COLUMNS)}
    return Clusters.model_validate({**told, "most_clusters": 5, "names": names or {}, **more})


def plant(connection: duckdb.DuckDBPyConnection, matrix: Matrix, names: Sequence[str]) -> None:
    """A warehouse whose features, by their signed logarithm, are these."""
    raw = np.sign(matrix) * np.expm1(np.abs(matrix))
    given = pa.table(  # noqa: F841  # DuckDB finds it by its name
        {
            "profile_id": [f"p{number:05}" for number in range(len(matrix))],
            **{name: raw[:, place] for place, name in enumerate(names)},
        }
    )
    connection.execute("create or replace table main.planted as from given")
    connection.execute("create schema if not exists intermediate")
    connection.execute(
        """create or replace table intermediate.int_profile_activity_days as
        select date '2026-01-05' as day"""
    )
    connection.execute(
        """create or replace table main.dbt_builds as
        select 1 as number, timestamp '2026-03-01 10:00:00' as as_of"""
    )


def found(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    matrix: Matrix,
    previous: Clustering | None = None,
    definition: Clusters | None = None,
) -> TrainedClusters:
    names = COLUMNS[: matrix.shape[1]]
    plant(connection, matrix, names)
    chosen = definition or entry(features=list(names))
    features = Features(connection, project)
    return train_clusters(NAME, chosen, Training(), features, previous, lambda said: None)


def blobs(seed: int, sizes: Sequence[int] = (300, 200, 150, 100)) -> tuple[Matrix, Matrix]:
    """Rows around the corners, and the corner of each."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return CORNERS[truth] + rng.normal(0, 0.4, (len(truth), 3)), truth


def spread(rng: np.random.Generator, rows: int, radius: float) -> Matrix:
    angle, distance = rng.uniform(0, 2 * np.pi, rows), radius * np.sqrt(rng.uniform(0, 1, rows))
    return np.column_stack([distance * np.cos(angle), distance * np.sin(angle)])


def crowd(seed: int) -> tuple[Matrix, Matrix]:
    """A crowd and a few apart from it: by K-means the crowd is cut."""
    rng = np.random.default_rng(seed)
    apart = spread(rng, 30, 0.3) + 2.2
    return np.concatenate([spread(rng, 600, 2.0), apart]), np.repeat([0, 1], [600, 30])


def ring(seed: int) -> tuple[Matrix, Matrix]:
    """A ring around a spot, which no straight line parts."""
    rng = np.random.default_rng(seed)
    flat = spread(rng, 600, 1.0)
    distance = np.hypot(*flat.T)
    around = flat * (np.sqrt(9 + 7 * distance**2) / distance)[:, None]
    return np.concatenate([around, spread(rng, 80, 0.8)]), np.repeat([0, 1], [600, 80])


def test_planted_clusters_are_found(four: TrainedClusters) -> None:
    trained, truth = four, blobs(1)[1]
    labels = trained.clustering.assign(trained.matrix)
    assert adjusted_rand_score(truth, labels) > 0.95
    assert (trained.algorithm, len(trained.sizes), trained.refused) == (K_MEANS, 4, "")
    assert trained.sizes == pytest.approx((0.4, 0.267, 0.2, 0.133), abs=0.01), "by size"
    assert trained.clustering.numbers == (1, 2, 3, 4)
    (chosen,) = [one for one in trained.candidates if not one.why_not]
    assert chosen.clusters == 4 and chosen.stability > 0.95 and chosen.silhouette > 0.7
    assert [one.clusters for one in trained.candidates if one.algorithm == K_MEANS] == [
        *range(2, 6)
    ]
    assert trained.descriptions[0].startswith("a 0.9 sd above everybody (mean 5")


def test_numbers_of_clusters_that_are_not_sought_are_not_chosen(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    trained = found(connection, project, blobs(1)[0], definition=entry(least_clusters=5))
    told = {one.why_not for one in trained.candidates if one.clusters == 4}
    assert told == {"4 clusters; 5 to 5 are sought"}, "of DBSCAN"
    assert len(trained.sizes) == 5


def test_a_few_beside_a_crowd_are_found_by_density(dense: TrainedClusters) -> None:
    assert dense.algorithm.startswith(DBSCAN) and not dense.refused, dense.candidates
    assert adjusted_rand_score(crowd(1)[1], dense.clustering.assign(dense.matrix)) == 1


def test_a_ring_is_one_group_and_noise_belongs_to_the_nearest() -> None:
    matrix, truth = ring(1)
    grouping = by_dbscan(matrix, 0.99)
    assert grouping is not None and 0 < grouping.noise < 0.05
    assert adjusted_rand_score(truth, grouping.assign(matrix)) == 1
    outside, centre = grouping.assign(np.array([[40.0, 0.0], [0.1, 0.0]]))
    assert outside == grouping.assign(np.array([[0.0, -3.5]]))[0] != centre


def test_names_and_numbers_go_on_with_new_data(
    connection: duckdb.DuckDBPyConnection, project: Project, four: TrainedClusters
) -> None:
    before = four.clustering
    matrix, truth = blobs(2)
    order = np.random.default_rng(3).permutation(len(matrix))
    again = found(connection, project, matrix[order], before)
    assert (again.clustering.names, again.clustering.numbers) == (before.names, before.numbers)
    assert adjusted_rand_score(truth[order], again.clustering.assign(again.matrix)) > 0.95

    shifted = found(connection, project, matrix[order] + 0.5, before)
    assert (shifted.clustering.names, shifted.clustering.numbers) == (before.names, before.numbers)

    other_sizes, _ = blobs(4, (100, 300, 150, 200))
    grown = found(connection, project, other_sizes, before)
    assert (grown.clustering.names, grown.clustering.numbers) == (before.names, before.numbers)
    assert grown.sizes == pytest.approx((0.133, 0.4, 0.2, 0.267), abs=0.01), "not by size again"


def test_a_new_cluster_has_a_number_that_none_ever_had(
    connection: duckdb.DuckDBPyConnection, project: Project, four: TrainedClusters
) -> None:
    before = four.clustering
    three = found(connection, project, blobs(1, (300, 200, 150))[0], before).clustering
    assert three.numbers == before.numbers[:3] and three.names == before.names[:3]
    again = found(connection, project, blobs(1)[0], three).clustering
    assert again.numbers == (1, 2, 3, 5), "4 was another's"
    assert again.next_number == 6


def test_who_shares_no_features_begins_anew(
    connection: duckdb.DuckDBPyConnection, project: Project, four: TrainedClusters
) -> None:
    before = four.clustering
    plant(connection, blobs(1)[0], ("a", "b", "d"))
    said: list[str] = []
    trained = train_clusters(
        NAME, entry(features=["a", "d"]), Training(), Features(connection, project), before,
        said.append,
    )  # fmt: skip
    assert trained.clustering.numbers[0] == 1 and "there is no c any more" in said[1]


def test_the_same_data_give_the_same_clusters(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    four: TrainedClusters,
    dense: TrainedClusters,
) -> None:
    for one, matrix in ((four, blobs(1)[0]), (dense, crowd(1)[0])):
        names = COLUMNS[: matrix.shape[1]]
        plant(connection, matrix, names)
        connection.execute("create or replace table planted as from main.planted order by random()")
        features = Features(connection, project)
        definition = entry(features=list(names))
        other = train_clusters(NAME, definition, Training(), features, None, lambda said: None)
        assert one.candidates == other.candidates and one.descriptions == other.descriptions
        assert one.clustering.names == other.clustering.names
        for old, new in zip(_arrays(one.clustering), _arrays(other.clustering), strict=True):
            assert np.array_equal(old, new)


def _arrays(of: Clustering) -> list[Matrix]:
    return [of.grouping.points, of.grouping.groups, of.means, of.scaler.mean, of.scaler.deviation]


@pytest.mark.parametrize("kind", ["four", "dense"])
def test_rows_may_come_in_any_parts(kind: str, request: pytest.FixtureRequest) -> None:
    trained: TrainedClusters = request.getfixturevalue(kind)
    kept: Clustering = pickle.loads(pickle.dumps(trained.clustering))
    whole = kept.assign(trained.matrix)
    parts = [kept.assign(part) for part in np.array_split(trained.matrix, 7)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert len(kept.assign(trained.matrix[:0])) == 0
    assert np.bincount(whole) / len(whole) == pytest.approx(trained.sizes)


def how_much_nearer(trained: TrainedClusters) -> Matrix:
    """How much nearer each row is to the mean of its cluster than to everybody's."""
    logs = np.sign(trained.matrix) * np.log1p(np.abs(trained.matrix))
    rows = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    labels = trained.clustering.assign(trained.matrix)
    means = np.array([rows[labels == one].mean(axis=0) for one in range(len(trained.sizes))])
    nearer: Matrix = (rows**2).sum(axis=1) - ((rows - means[labels]) ** 2).sum(axis=1)
    return nearer


def test_contributions_add_up_to_how_much_nearer_the_cluster_is(four: TrainedClusters) -> None:
    added = four.clustering.contributions(four.matrix)
    assert added.shape == (len(four.matrix), 3)
    assert added.sum(axis=1) == pytest.approx(how_much_nearer(four), abs=1e-6)


def test_text_has_a_column_for_each_value_and_one_reason(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    matrix, truth = blobs(1)
    plant(connection, matrix, COLUMNS)
    connection.execute(
        """create or replace table planted as
        select *, case when a > 10 then 'books' when b > 10 then 'toys' else 'music' end as kind
        from planted"""
    )
    definition = entry({"book_lovers": '"kind is books" > 0.5'}, features=["a", "b", "kind"])
    trained = train_clusters(
        NAME, definition, Training(), Features(connection, project), None, lambda said: None
    )
    assert "book_lovers" in trained.clustering.names
    added = trained.clustering.contributions(trained.matrix)
    assert added.shape[1] == 3
    assert added.sum(axis=1) == pytest.approx(how_much_nearer(trained), abs=1e-6)
    connection.execute("update planted set kind = 'never seen'")
    known = trained.clustering.encoding.sql
    rows = connection.execute(f"select {known} from planted").fetchnumpy()
    assert len(trained.clustering.assign(np.column_stack(list(rows.values())))) == len(truth)


def test_what_has_no_clusters_is_refused(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    even = np.random.default_rng(2).normal(0, 1, (400, 3))
    trained = found(connection, project, even, definition=entry(most_clusters=2))
    assert trained.refused.startswith("no grouping will do; K-means with ")
    assert "not found again in resamples" in trained.refused
    assert all(one.why_not for one in trained.candidates)
    assert trained.clustering.assign(trained.matrix).max() > 0, "it can be looked at"


def test_a_tiny_cluster_is_none(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    matrix = np.concatenate([blobs(1)[0], np.full((3, 3), 9.0)])
    trained = found(connection, project, matrix)
    assert len(trained.sizes) == 4
    assert any("smallest cluster has 0.4%" in one.why_not for one in trained.candidates)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (blobs(1)[0][:50], "50 rows; it takes 200"),
        (blobs(1)[0][:0], "0 rows; it takes 200"),
        (np.full((300, 3), 2.0), "nothing tells them apart"),
    ],
)
def test_too_little_data_is_said(
    connection: duckdb.DuckDBPyConnection, project: Project, matrix: Matrix, words: str
) -> None:
    with pytest.raises(TooLittleDataError, match=words):
        found(connection, project, matrix)


def test_few_distinct_rows_are_no_crash(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    two = found(connection, project, np.repeat([[0.0, 1, 1], [2.0, 1, 3]], 150, axis=0))
    assert len(two.sizes) == 2 and two.clustering.encoding.features == ("a", "c"), "b is constant"
    one_off = np.zeros((300, 3))
    one_off[0] = 5.0
    assert "smallest cluster" in found(connection, project, one_off).refused


def test_more_clusters_than_rows_are_no_crash() -> None:
    rows = np.random.default_rng(1).normal(0, 1, (20, 3))
    assert len(search(rows, range(18, 21), 1).candidates) > 3


def test_a_feature_that_is_none_is_refused_with_its_line(
    connection: duckdb.DuckDBPyConnection, project: Project
) -> None:
    lines = FILE.read_text().splitlines()
    line = lines.index("    features:") + 1
    with pytest.raises(
        PredictionError, match=f"^predictions.yml:{line}: {NAME}: features: .*missing"
    ):
        found(connection, project, blobs(1)[0], definition=entry(features=["a", "missing"]))


@pytest.mark.parametrize(
    ("rule", "words"),
    [("missing > 1", "missing"), ("a", "is no condition, but double"), ("a >", "syntax error")],
)
def test_a_rule_that_is_none_is_refused_with_its_line(
    connection: duckdb.DuckDBPyConnection, project: Project, rule: str, words: str
) -> None:
    lines = FILE.read_text().splitlines()
    line = next(at for at, said in enumerate(lines, 1) if said.startswith("      readers:"))
    with pytest.raises(
        PredictionError, match=f"^predictions.yml:{line}: {NAME}: readers: .*{words}"
    ):
        found(connection, project, blobs(1)[0], definition=entry({"readers": rule}))


def test_the_rules_of_the_project_are_conditions(connection: duckdb.DuckDBPyConnection) -> None:
    for name, definition in load_predictions().clusters.items():
        Rules(connection, name, definition).check(definition.features)


def test_rules_name_each_cluster_once_in_their_order(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rules = Rules(connection, NAME, entry({"first": "a > 1 and c <= 0", "second": "a > 0.5"}))
    means = np.array([[1.5, 5.0], [2.0, 0.0], [0.7, 0.1], [-0.1, -2.0], [0.1, -1.0]])
    assert named(rules, ("a", "b"), means, {}) == (
        "second", "first", "high_a", "low_b", "low_b_2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mean", "name"), [(1.01, "many"), (0.81, "many"), (0.79, "high_b"), (-2.0, "low_a")]
)
def test_a_name_is_kept_while_its_rule_nearly_holds(
    connection: duckdb.DuckDBPyConnection, mean: float, name: str
) -> None:
    rules = Rules(connection, NAME, entry({"many": "a > 1 and b < 0.5"}))
    means = np.array([[mean, 0.59 if 0.8 < mean < 1 else 0.45], [-1.0, -3.0]])
    if name == "high_b":
        means[0] = [mean, 0.9]
    assert named(rules, ("a", "b"), means, {0: "many"})[0] == name
    if mean < 1:
        assert named(rules, ("a", "b"), means, {})[0] != "many", "but not given anew"


def test_a_kept_name_is_not_given_to_a_stronger_cluster(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rules = Rules(connection, NAME, entry({"many": "a > 1"}))
    means = np.array([[0.9, 0.0, 0.0], [3.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert named(rules, COLUMNS, means, {0: "many"}) == ("many", "high_a", "low_a")


def test_a_name_of_no_rule_is_kept_while_it_is_true(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rules = Rules(connection, NAME, entry())
    assert named(rules, COLUMNS, np.array([[1.0, 1.5, 0.0]]), {0: "high_a"}) == ("high_a",)
    assert named(rules, COLUMNS, np.array([[0.5, 1.5, 0.0]]), {0: "high_a"}) == ("high_b",)
    assert named(rules, COLUMNS, np.array([[-1.0, 1.5, 0.0]]), {0: "high_a"}) == ("high_b",)
    assert named(rules, COLUMNS, np.array([[1.0, 1.5, 0.0]]), {0: "rule_of_old"}) == ("high_b",)
    added = Rules(connection, NAME, entry({"many": "a > 0.9"}))
    assert named(added, COLUMNS, np.array([[1.0, 1.5, 0.0]]), {0: "high_a"}) == ("many",)


def test_matching_agrees_with_trying_all_pairs() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        now, before = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
        before = np.where(rng.random(60) < rng.random(), now % 3, before)
        now[:4] = range(4)
        overlap = {
            (new, old): float(np.sum((now == new) & (before == old)))
            / max(1, int(np.sum((now == new) | (before == old))))
            for new in range(4)
            for old in range(3)
        }
        best = max(
            sum(overlap[new, old] for old, new in enumerate(order))
            for order in itertools.permutations(range(4), 3)
        )
        pairs = matched(now, before)
        dropped = best - sum(overlap[pair] for pair in pairs.items())
        assert dropped < LEAST_OVERLAP * (3 - len(pairs)) + 1e-9
        assert all(overlap[pair] >= LEAST_OVERLAP for pair in pairs.items())


def test_pictures_are_drawn(four: TrainedClusters, tmp_path: Path) -> None:
    drawn = draw_clusters(four, tmp_path)
    assert [one.name for one in drawn] == [
        "clusters.png", *(f"cluster_{number}.png" for number in (1, 2, 3, 4)),
    ]  # fmt: skip
    assert all(one.read_bytes().startswith(b"\x89PNG") for one in drawn)
