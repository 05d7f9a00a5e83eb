"""Identity against a slow, obvious implementation, and the promises about ids."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.identity.components import profile_id, resolve

SECRET = b"a secret"
START = datetime(2026, 1, 1, tzinfo=UTC)

Edge = tuple[int, int]


def _table(landed: dict[int, int]) -> pa.Table:
    return pa.table(
        {
            "identifier": [f"id:{key}" for key in landed],
            "first_landed_at": [START + timedelta(hours=hour) for hour in landed.values()],
            "first_occurred_at": [START] * len(landed),
        }
    )


def _edges(edges: list[Edge]) -> pa.Table:
    return pa.table(
        {
            "identifier_a": pa.array([f"id:{left}" for left, _ in edges], pa.string()),
            "identifier_b": pa.array([f"id:{right}" for _, right in edges], pa.string()),
        }
    )


def _resolved(landed: dict[int, int], edges: list[Edge]) -> dict[str, str]:
    found = resolve(_table(landed), _edges(edges), SECRET).to_pydict()
    return dict(zip(found["identifier"], found["profile_id"], strict=True))


def _slowly(landed: dict[int, int], edges: list[Edge]) -> dict[str, str]:
    groups = {key: {key} for key in landed}
    for left, right in edges:
        merged = groups[left] | groups[right]
        for member in merged:
            groups[member] = merged
    found = {}
    for key, group in groups.items():
        first = min(group, key=lambda member: (landed[member], f"id:{member}"))
        found[f"id:{key}"] = profile_id(f"id:{first}", SECRET)
    return found


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, int], list[Edge]]:
    size = draw(st.integers(1, 25))
    landed = {key: draw(st.integers(0, 5)) for key in range(size)}
    node = st.integers(0, size - 1)
    return landed, draw(st.lists(st.tuples(node, node), max_size=30))


@settings(max_examples=200, deadline=None, print_blob=True)
@given(graphs(), st.integers())
def test_components_and_ids_are_those_of_the_obvious_way(
    graph: tuple[dict[int, int], list[Edge]], seed: int
) -> None:
    landed, edges = graph
    assert _resolved(landed, edges) == _slowly(landed, edges)
    shuffled = random.Random(seed)
    keys = list(landed)
    shuffled.shuffle(keys)
    shuffled.shuffle(edges)
    assert _resolved({key: landed[key] for key in keys}, edges) == _slowly(landed, edges)


def test_a_merge_keeps_the_id_that_landed_first() -> None:
    before = _resolved({1: 0, 2: 1}, [])
    after = _resolved({1: 0, 2: 1, 3: 2}, [(3, 2), (3, 1)])
    assert set(after.values()) == {before["id:1"]}


def test_no_identifiers_give_no_profiles() -> None:
    assert resolve(_table({}), _edges([]), SECRET).num_rows == 0


def test_another_secret_gives_other_ids() -> None:
    assert profile_id("email:a@b.c", b"one") != profile_id("email:a@b.c", b"two")
