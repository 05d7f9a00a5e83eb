"""Variants and control groups of 1,000,000 profiles, by the real model.

The ids are always the same, so whatever is true here once is true always: a bound of four standard
errors, or a chi-square that one of a thousand fair draws exceeds, cannot fail by chance.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import chi2_contingency

from orchestration.campaigns.as_rows import rows
from orchestration.campaigns.fields import Campaign, Policy
from orchestration.rendering.context import DATABASE
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT
from tests import campaign_world as world
from tests.campaign_cases import loaded, plain

MANY = 1_000_000
FEW = 100_000  # of them, where each is looked at for itself
Weights = Mapping[str, float]
LETTER: Weights = {"plain": 50, "pictures": 30, "story": 20}
CART: Weights = {"short": 90, "long": 10}
HOLDOUTS = {"letter": 10.0, "cart": 2.5, "welcome": 0.0}


def _campaign(holdout: float, weights: Weights | None = None) -> Campaign:
    variants = {name: {"weight": weight} for name, weight in (weights or {}).items()}
    return plain(holdout=holdout, variants=variants or None)


SHIPPED = {
    "letter": _campaign(10, LETTER),
    "cart": _campaign(2.5, CART),
    "welcome": _campaign(0),
}


def _assign(
    connection: duckdb.DuckDBPyConnection, table: str, campaigns: Mapping[str, Campaign], many: int
) -> None:
    """Make `table`: what the model says if these profiles come into question in each campaign."""
    renderer = Renderer(Project(DBT_PROJECT), connection)
    told = json.dumps(rows(loaded(campaigns, Policy()), Path())).replace("'", "''")
    definitions = renderer.call("campaign_rows", f"'{told}'")
    connection.execute(
        "create or replace table campaigns.campaign_contexts as "
        "select campaign, variants, holdout_share, 'profile ' || number as profile_id, "
        f"false as is_removed from ({definitions}) "
        f"cross join range({many}) as people (number)"
    )
    connection.execute(
        f"create or replace table {table} as {renderer.render('profile_assignments').sql}"
    )
    connection.execute("drop table campaigns.campaign_contexts")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """With the table `assigned`: those of all three campaigns."""
    with duckdb.connect() as made:
        made.execute(f"attach ':memory:' as {DATABASE}; use {DATABASE}; create schema campaigns")
        _assign(made, "assigned", SHIPPED, MANY)
        yield made


def _changed(
    connection: duckdb.DuckDBPyConnection, column: str, number: str
) -> list[tuple[object, object, int, float, float]]:
    """Who has another one in `again`: before, after, how many, and from where to where they lie."""
    return connection.execute(
        f"""select before.{column}, again.{column}, count(*), min(before.{number}),
            max(before.{number})
        from assigned as before inner join again using (campaign, profile_id)
        where before.{column} is distinct from again.{column} group by all order by 4"""
    ).fetchall()


def _holds(connection: duckdb.DuckDBPyConnection, number: str, begin: float, end: float) -> int:
    """How many of the profiles looked at lie in a stretch."""
    (found,) = connection.execute(
        f"""select count(*) from again
        where {number} >= ? and {number} < ?""",
        [begin, end],
    ).fetchone() or (0,)
    return int(found)


def test_shares_are_the_weights(connection: duckdb.DuckDBPyConnection) -> None:
    told = connection.execute(
        "select campaign, variant, count(*) from assigned group by all"
    ).fetchall()
    counted = {(campaign, variant): many for campaign, variant, many in told}
    wanted = {("letter", name): weight for name, weight in LETTER.items()}
    wanted |= {("cart", name): weight for name, weight in CART.items()}
    wanted |= {("welcome", "default"): 100}
    assert set(counted) == set(wanted)
    held = connection.execute(
        "select campaign, count(*) filter (where is_holdout) from assigned group by campaign"
    ).fetchall()
    counted |= {(campaign, "held out"): many for campaign, many in held}
    wanted |= {(campaign, "held out"): percent for campaign, percent in HOLDOUTS.items()}
    for what, percent in wanted.items():
        share = percent / 100
        error = (share * (1 - share) / MANY) ** 0.5
        assert abs(counted[what] / MANY - share) <= 4 * error, what


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("letter.variant", "cart.variant"),
        ("letter.is_holdout", "cart.is_holdout"),
        ("letter.variant", "letter.is_holdout"),
        ("cart.variant", "cart.is_holdout"),
        ("letter.variant", "cart.is_holdout"),
    ],
)
def test_one_says_nothing_of_the_other(
    connection: duckdb.DuckDBPyConnection, one: str, other: str
) -> None:
    cells = connection.execute(
        f"""select dense_rank() over (order by {one}) - 1, dense_rank() over (order by {other}) - 1,
            count(*)
        from assigned as letter inner join assigned as cart using (profile_id)
        where letter.campaign = 'letter' and cart.campaign = 'cart' group by {one}, {other}"""
    ).fetchall()
    table = np.zeros([max(cell[place] for cell in cells) + 1 for place in (0, 1)])
    for row, column, many in cells:
        table[row, column] = many
    assert min(table.shape) > 1
    assert table.sum() == MANY
    assert chi2_contingency(table).pvalue > 0.001, table


@pytest.mark.parametrize(
    ("weights", "moved"),
    [
        # One boundary moves: from 0.5 to 0.6.
        ({"plain": 60, "pictures": 20, "story": 20}, [("pictures", "plain", 0.5, 0.6)]),
        # Both do: from 0.5 to 0.3, and from 0.8 to 0.6.
        (
            {"plain": 30, "pictures": 30, "story": 40},
            [("plain", "pictures", 0.3, 0.5), ("pictures", "story", 0.6, 0.8)],
        ),
        # Another is added at the end, and takes from the last alone.
        (
            {"plain": 50, "pictures": 30, "story": 15, "film": 5},
            [("story", "film", 0.95, 1.0)],
        ),
    ],
)
def test_other_weights_move_those_alone_who_lie_between_the_boundaries(
    connection: duckdb.DuckDBPyConnection,
    weights: Weights,
    moved: list[tuple[str, str, float, float]],
) -> None:
    _assign(connection, "again", {"letter": _campaign(10, weights)}, FEW)
    found = _changed(connection, "variant", "variant_number")
    assert [change[:2] for change in found] == [change[:2] for change in moved]
    for (_, _, many, least, most), (_, _, begin, end) in zip(found, moved, strict=True):
        # In 0.3 + 0.5 and the like the last bit is not that of 0.8.
        assert begin - 1e-9 <= least and most <= end + 1e-9
        assert many == _holds(connection, "variant_number", begin, end), "all of them"
    assert not _changed(connection, "is_holdout", "holdout_number")


def test_a_larger_control_group_keeps_its_members(connection: duckdb.DuckDBPyConnection) -> None:
    _assign(connection, "again", {"letter": _campaign(15, LETTER)}, FEW)
    ((before, after, many, least, most),) = _changed(connection, "is_holdout", "holdout_number")
    assert (before, after) == (False, True)
    assert least >= 0.1 and most < 0.15
    assert many == _holds(connection, "holdout_number", 0.1, 0.15)
    assert not _changed(connection, "variant", "variant_number")


def test_other_campaigns_change_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    _assign(connection, "again", {"letter": SHIPPED["letter"]}, FEW)
    left = connection.execute(
        "select * from again except all select * from assigned where campaign = 'letter'"
    ).fetchall()
    assert not left
    assert connection.execute("select count(*) from again").fetchall() == [(FEW,)]


def test_numbers_are_the_md5_of_the_names(connection: duckdb.DuckDBPyConnection) -> None:
    some = connection.execute(
        "select campaign, profile_id, variant_number, holdout_number, variant, is_holdout "
        "from assigned where hash(profile_id) % 500 = 0"
    ).fetchall()
    assert len(some) > 5000
    for campaign, profile, variant_number, holdout_number, variant, is_holdout in some:
        assert variant_number == world.unit(f"{campaign}:variant:{profile}")
        assert holdout_number == world.unit(f"{campaign}:holdout:{profile}")
        weights = {"letter": LETTER, "cart": CART}.get(campaign, {"default": 100})
        names, bounds = list(weights), np.cumsum(list(weights.values())) / 100
        assert variant == names[int(np.searchsorted(bounds[:-1], variant_number, side="right"))]
        assert is_holdout == (holdout_number < HOLDOUTS[campaign] / 100)
