"""What the commands of `muster segment` say and draw, without a warehouse."""

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import duckdb
import pytest
from rich.console import Console
from sqlglot import exp, parse_one

from orchestration.segments.backtest import Backtest, Counts, Point
from orchestration.segments.explain.conditions import tree
from orchestration.segments.explain.facts import Judged
from orchestration.segments.explain.flips import flip
from orchestration.segments.listing import Listed
from orchestration.segments.preview import Overlap, Part, Preview
from orchestration.segments.preview_page import preview_page
from orchestration.segments.show import folded, told
from orchestration.segments.show_backtest import backtest_page, print_backtest
from orchestration.segments.show_listing import print_listing
from orchestration.segments.show_preview import print_preview
from orchestration.segments.traits import Trait, telling_traits

AS_OF = datetime(2026, 11, 1)  # noqa: DTZ001  # UTC without a zone, as models store times
Shown = TypeVar("Shown")
PERSON = """select 'FR' as country, 387.7 as spent, null as tier, true as is_new,
    timestamp '2026-10-06 10:00:00' as seen_at"""


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("country = 'DE'", "wants DE, which would flip it"),
        ("country = 'FR'", "wants FR; flips with any other value"),
        ("'FR' = country", "wants FR; flips with any other value"),
        ("country <> 'DE'", "wants any value but DE; flips with DE"),
        ("not country = 'FR'", "wants any value but FR, which would flip it"),
        ("country in ('DE', 'US')", "wants one of DE, US, which would flip it"),
        ("country in ('FR', 'US')", "wants one of FR, US; flips with any value but FR, US"),
        ("country not in ('DE')", "wants any value but DE; flips with DE"),
        ("country like 'D%'", "wants something like D%, which would flip it"),
        ("tier is null", "wants no value; flips with any value"),
        ("tier is not null", "wants any value, which would flip it"),
        ("tier = 'gold'", "without a value no comparison is true"),
        ("tier is distinct from 'gold'", "wants any value but gold; flips with gold"),
        ("is_new", "wants true; flips with false"),
        ("not is_new", "wants false, which would flip it"),
        ("spent > 500", "flips above 500 (112.3 more)"),
        ("spent >= 500", "flips at 500 or above (112.3 more)"),
        ("500 < spent", "flips above 500 (112.3 more)"),
        ("not spent > 500", "flips above 500 (112.3 more)"),
        ("coalesce(spent < 400, false)", "flips at 400 or above (12.3 more)"),
        ("spent >= 387.7", "flips below 387.7"),
        ("spent / 3.1 > 29.5291", "flips at 29.5291 or below (95.5354 less)"),
        ("spent > 1234567.891", "flips above 1,234,567.891 (1,234,180.191 more)"),
        ("spent * 1e-6 > 0", "flips at 0 or below (0.0003877 less)"),
        ("spent between 400 and 500", "flips between 400 and 500 (the nearer end is 12.3 away)"),
        ("spent not between 3 and 387", "flips between 3 and 387 (the nearer end is 0.7 away)"),
        ("seen_at > timestamp '2026-10-26'", "flips after 2026-10-26 00:00:00 (19 d 14 h later)"),
    ],
)  # fmt: skip
def test_what_would_flip_a_condition_is_said(condition: str, words: str) -> None:
    where = parse_one(f"select 1 from t where {condition}", dialect="duckdb").args["where"]
    leaf = tree(where.this, itertools.count()).leaf
    assert leaf
    asked = exp.select(exp.paren(leaf.expression.copy()), *(side.copy() for side in leaf.sides))
    row = duckdb.sql(f"{asked.sql('duckdb')} from ({PERSON})").fetchone()
    assert row
    assert flip(leaf, Judged(row[0], row[1:]), AS_OF).words == words


@pytest.fixture
def people() -> duckdb.DuckDBPyConnection:
    """400 people, 100 of them members, with traits that are alike and that are not."""
    connection = duckdb.connect()
    chance = random.Random(7)
    rows = []
    for number in range(400):
        is_member = number < 100
        spent = chance.gauss(300 if is_member else 100, 40)
        visits = chance.randint(5, 9) if is_member else chance.randint(0, 4)
        recent = visits if is_member and number < 80 else max(0, visits - chance.randint(0, 2))
        is_gold = spent > 230
        row = (spent, spent * 100, visits, recent, "gold" if is_gold else "none", is_gold,
               chance.random(), -visits - chance.random() * 3, chance.choice("ab"))  # fmt: skip
        rows.append((f"p_{number}", *row))
    connection.execute(
        """create table everybody (profile_id varchar, spent double, spent_in_cents double,
        visits_90d int, visits_30d int, tier varchar, is_gold boolean, luck double, pause double,
        coin varchar)"""
    )
    connection.executemany(f"insert into everybody values ({', '.join('?' * 10)})", rows)
    connection.execute("create temp table members as from everybody limit 100")
    return connection


def test_of_traits_that_are_alike_only_the_first_is_told(
    people: duckdb.DuckDBPyConnection,
) -> None:
    told = telling_traits(people, "everybody")
    names = {trait.name for trait in told}
    assert len(names & {"spent", "spent_in_cents"}) == 1
    assert len(names & {"tier", "is_gold"}) == 1
    assert len(names & {"visits_90d", "visits_30d"}) == 1
    assert "pause" in names and next(one for one in told if one.name == "pause").difference < 0
    assert not names & {"luck", "coin"}  # they do not differ
    sizes = [abs(trait.difference) for trait in told]
    assert sizes == sorted(sizes, reverse=True)


def test_of_everybody_no_trait_tells(people: duckdb.DuckDBPyConnection) -> None:
    people.execute("create or replace temp table members as from everybody")
    assert telling_traits(people, "everybody") == ()


def _printed(width: int, show: Callable[[Console, Shown], None], shown: Shown) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        show(console, shown)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width, lines
    return lines


@pytest.mark.parametrize("width", [80, 120])
def test_each_bar_of_a_backtest_says_of_which_version_it_is(width: int) -> None:
    points = tuple(
        Point(AS_OF + timedelta(days=day), Counts(1_000_000 + day, 0, 0),
              Counts(2_000_000 + day, 12_345, 12_345), 0, 1_000_000)
        for day in range(3)
    )  # fmt: skip
    shown = Backtest("high_value", False, "HEAD~12, high_value_spend=300", points, ())
    lines = _printed(width, print_backtest, shown)
    versions = {line.split()[0]: line for line in lines if line[:1] in {"A", "B"}}
    assert "its file as it is now" in versions["A"]
    assert "HEAD~12, high_value_spend=300" in versions["B"]
    drawn = [line for line in lines if "█" in line]
    assert len(drawn) == 6
    assert all(f" {'AB'[place % 2]} " in line for place, line in enumerate(drawn))
    page = backtest_page(shown)
    assert "A: its file as it is now" in page and "B: HEAD~12, high_value_spend=300" in page


def test_why_a_segment_is_held_can_be_read_at_80_columns() -> None:
    why = "models/marts/segments/seg_big_spenders.sql cannot be read: Referenced column not found"
    segments = [
        Listed("big_spenders", 12_345, "a_team_of_some_length", "", f"held: {why}"),
        Listed("content_explorers", None, "growth", "", "not published yet"),
        Listed("vip", 42, "growth", "", ""),
    ]
    lines = _printed(80, print_listing, segments)
    table, reason = lines[: lines.index("")], " ".join(" ".join(lines).split())
    assert [line.split()[0] for line in table] == ["segment", *(one.segment for one in segments)]
    assert f"big_spenders: {why}" in reason


def test_in_a_narrow_terminal_a_state_and_a_name_stay_whole() -> None:
    segments = [
        Listed("browsers_with_high_cart_value", None, "growth", "", "not published yet"),
        Listed("vip", 42, "growth", "", ""),
    ]
    lines = _printed(60, print_listing, segments)
    assert len(lines) == 3 and lines[1].endswith("not published yet ")
    trait = Trait("average_order_value_of_the_last_year", "", 300, 100, 2.5)
    lines = _printed(60, print_preview, _preview([trait]))
    names = [line.split()[0] for line in lines if "_" in line]
    assert {"average_order_value_of_", "the_last_year", "interested_in_", "something_0"} <= {*names}
    assert folded("one_two three", 7) == "one_two\nthree"
    assert folded("one_two", 6) == "one_\ntwo" and folded("alone", 2) == "alone"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (789.570906838453914, "789.5709"),
        (Decimal("789.570906838453914"), "789.5709"),
        (Decimal("500.00"), "500"),
        (1234567.0, "1,234,567"),
        (0.1 + 0.2, "0.3"),
        (0.00001234567, "0.0000123457"),
        (0.0, "0"),
        (1e300, "1e+300"),
        (-1e-300, "-1e-300"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_has_the_digits_that_mean_anything(value: object, words: str) -> None:
    assert told(value) == words


def test_one_moment_is_one() -> None:
    shown = Backtest("vip", True, None, (Point(AS_OF, Counts(1, None, None)),), ())
    assert _printed(80, print_backtest, shown)[0] == "vip at 1 moment"
    assert "<h1>vip at 1 moment</h1>" in backtest_page(shown)


def _preview(traits: Sequence[Trait]) -> Preview:
    overlaps = tuple(
        Overlap(f"interested_in_something_{number}", 900, 90, 1.5, 0.5 / (number + 1))
        for number in range(14)
    )
    columns = ("profile_id", "a_trait_with_a_rather_long_name", "another_trait_with_such_a_name")
    part = Part("big_spenders", 100, 90, 10, 0, (), ())
    return Preview(
        "seg_big_spenders", AS_OF, AS_OF, 100, 2_000, (part,), (), {}, overlaps, tuple(traits),
        columns, (("p_0123456789abcdef0123", "1", "2"),), {}, 1.0,
    )  # fmt: skip


def test_a_preview_shows_by_what_it_is_sorted() -> None:
    shown = _preview([Trait("spent", "", 300, 100, 2.5), Trait("tier", "gold", 0.1, 0.4, -0.6)])
    lines = _printed(80, print_preview, shown)
    assert "Overlap with other segments, the most alike first" in lines
    row = next(line for line in lines if "interested_in_something_0" in line)
    assert "50.0%" in row
    assert any("spent (average)" in line and "+2.5" in line for line in lines)
    assert any("tier = gold" in line and "-0.6" in line for line in lines)
    assert any("p_0123456789abcdef0123" in line for line in lines)  # whole
    assert not any("another_trait" in line for line in lines)  # there is no room for it


def test_a_page_has_directions_both_colours_and_all_widths() -> None:
    shown = _preview([Trait("spent", "", 300, 100, 2.5), Trait("<tier>", "g", 0.1, 0.4, -0.6)])
    page = preview_page(shown)
    assert page.count('<i class="less"') == 1
    assert "prefers-color-scheme:dark" in page and 'name="viewport"' in page
    assert "&lt;tier&gt; = g" in page and "<tier>" not in page
    assert "No trait tells them from everybody" in preview_page(_preview([]))
