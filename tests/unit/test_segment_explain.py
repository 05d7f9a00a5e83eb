"""`muster segment explain`: taken apart, a segment says what it says as a whole."""

import json
import os
import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.resources.settings import Settings
from orchestration.segments.explain.answer import Explanation, explain
from orchestration.segments.world import World, open_world
from tests.homes import muster_home

AS_OF = datetime(2026, 11, 1)  # noqa: DTZ001  # UTC without a zone, as models store times
SEGMENT = "seg_high_value"  # whose text the tests replace


@pytest.fixture(scope="module")
def world(sample_home: Settings) -> Iterator[World]:
    with muster_home(sample_home.home):
        yield open_world(sample_home)


def _explained(world: World, sql: str, profile_id: str) -> Explanation:
    world.texts = {SEGMENT: sql}
    return explain(world, "high_value", profile_id)


class _Segments:
    """Random small segments, in all forms that analysts write."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def any(self) -> str:
        return self.chance.choice(
            [self.traits, self.sessions, self.counted, self.cte, self.joined, self.asked,
             self.united, self.carts]
        )()  # fmt: skip

    def _pick(self, *several: str) -> str:
        return self.chance.choice(several)

    def _of_traits(self) -> str:
        return self._pick(
            f"lifetime_value > {self.chance.randrange(300)}",
            f"order_count {self._pick('=', '<>', '>=', '<')} {self.chance.randrange(4)}",
            "country in ('DE', 'FR', 'GB')",
            "country not in ('DE', 'US')",
            "loyalty_tier is null",
            "loyalty_tier is not null",
            "session_count between 2 and 6",
            "loyalty_tier = 'gold'",
            "last_session_at >= {{ as_of() }} - interval '10 day'",
            "coalesce(last_order_at > {{ as_of() }} - interval '20 day', false)",
            "case when order_count > 0 then lifetime_value > 100 else session_count > 3 end",
            "lifetime_value > {{ parameter('high_value_spend') }} / 5",
            "lifetime_value > (select avg(lifetime_value) from {{ ref('profile_traits') }})",
        )

    def _of_sessions(self) -> str:
        return self._pick(
            f"content_page_count > {self.chance.randrange(4)}",
            "has_conversion",
            "not has_conversion",
            "started_at > {{ as_of() }} - interval '14 day'",
            "event_count between 3 and 12",
        )

    def _mixed(self, one: Any) -> str:
        condition = one()
        for _ in range(self.chance.randrange(3)):
            other = one()
            word = self._pick("and", "or")
            condition = self._pick(
                f"({condition}) {word} {other}", f"not ({condition} {word} {other})"
            )
        return str(condition)

    def traits(self) -> str:
        return f"select profile_id from {{{{ ref('profile_traits') }}}} where {self._traits()}"

    def _traits(self) -> str:
        return self._mixed(self._of_traits)

    def _sessions(self) -> str:
        return self._mixed(self._of_sessions)

    def sessions(self) -> str:
        return f"""select distinct s.profile_id from {{{{ ref('int_sessions') }}}} as s
            where {self._sessions()}"""

    def carts(self) -> str:
        return """select profile_id from {{ ref('int_carts') }}
            where purchased_at is null or last_added_at < {{ as_of() }} - interval '9 day'
            group by 1"""

    def counted(self) -> str:
        return f"""select profile_id, count(*) as n from {{{{ ref('int_sessions') }}}}
            where {self._sessions()} group by profile_id
            having n > {self.chance.randrange(5)} {self._pick("and", "or")} sum(event_count) > 30
            """

    def cte(self) -> str:
        return f"""with recent as (
                select * from {{{{ ref('int_sessions') }}}} where {self._sessions()}
            ),
            counted as (
                select profile_id, count(*) as sessions from recent group by all
            )
            select profile_id from counted where sessions > {self.chance.randrange(4)}"""

    def joined(self) -> str:
        return f"""select distinct traits.profile_id
            from {{{{ ref('profile_traits') }}}} as traits
            {self._pick("inner", "left")} join {{{{ ref('int_carts') }}}} as carts
                on traits.profile_id = carts.profile_id and carts.purchased_at is null
            where {self._pick("order_count > 0", "session_count > 4", "carts.cart_id is null")}"""

    def asked(self) -> str:
        condition = self._pick(
            "profile_id in (select c.profile_id from {{ ref('int_carts') }} as c "
            "where c.purchased_at is null)",
            "profile_id not in (select c.profile_id from {{ ref('int_carts') }} as c)",
            "exists (select 1 from {{ ref('int_sessions') }} as s "
            "where s.profile_id = t.profile_id and s.content_page_count > 3)",
            "not exists (select 1 from {{ ref('int_sessions') }} as s "
            "where s.profile_id = t.profile_id and s.has_conversion)",
        )
        return f"""select t.profile_id from {{{{ ref('profile_traits') }}}} as t
            where {condition} {self._pick("and", "or")} {self._traits()}"""

    def united(self) -> str:
        return f"{self.traits()} union {self.sessions()}"


def _truth(tree: Any, results: Mapping[int, bool | None]) -> bool | None:
    """Three-valued logic, said once more and otherwise."""
    if tree is None:
        return True
    if isinstance(tree, int):
        return results[tree]
    ((kind, children),) = tree.items()
    values = [_truth(child, results) for child in children]
    if kind == "not":
        return None if values[0] is None else not values[0]
    ranks = [{False: 0, None: 1, True: 2}[value] for value in values]
    return {0: False, 1: None, 2: True}[min(ranks) if kind == "all" else max(ranks)]


def test_taken_apart_a_segment_says_what_it_says_as_a_whole(world: World) -> None:
    seed = int(os.environ.get("MUSTER_SEED", random.SystemRandom().randrange(10**6)))
    print(f"MUSTER_SEED={seed}")
    chance = random.Random(seed)
    segments = _Segments(chance)
    everybody = [
        row[0]
        for row in world.connection.execute(
            "select profile_id from warehouse.marts.profile_traits order by order_count desc, 1"
        ).fetchall()
    ]
    seen = {True: 0, False: 0}
    for _ in range(60):
        sql = segments.any()
        profile_id = chance.choice(everybody[: chance.choice([50, len(everybody)])])
        found = _explained(world, sql, profile_id)
        seen[found.is_member] += 1
        assert not found.notes, (sql, profile_id, found.notes)
        main = [part for part in found.parts if part.name == ""]
        assert any(part.truth for part in main) == found.is_member, (sql, profile_id)
        for part in found.parts:
            for row in part.rows:
                truths = {number: result.truth for number, result in row.results.items()}
                passes = all(truths[number] for number in part.joins)
                assert row.passes == (passes and _truth(part.where, truths) is True), sql
    assert min(seen.values()) > 5, seen


def test_what_flips_by_itself_flips_then(world: World) -> None:
    """Asked again at the moment that explain tells, and a second before, membership differs."""
    sql = """select profile_id from {{ ref('int_sessions') }}
        where started_at > {{ as_of() }} - {{ interval_of(parameter('frequent_visitor_days'),
        'day') }} group by profile_id having count(*) > 1"""
    world.texts = {SEGMENT: sql}
    world.make(SEGMENT, set(), world.closure(SEGMENT))
    relation = world.renderer.relation(SEGMENT)
    members = world.connection.execute(f"select * from {relation} order by 1 limit 5").fetchall()
    for (profile_id,) in members:
        found = _explained(world, sql, profile_id)
        assert found.is_member and found.changes_at and found.changes_at > AS_OF
        starts = world.connection.execute(
            f"""select count(*) filter (where started_at > timestamp '{found.changes_at}'
                    - interval 7 day),
                count(*) filter (where started_at > timestamp '{found.changes_at}'
                    - interval 7 day - interval 1 second)
            from warehouse.intermediate.int_sessions where profile_id = '{profile_id}'"""
        ).fetchone()
        assert starts and starts[0] <= 1 < starts[1]


def test_thresholds_are_traced_to_their_parameters(world: World) -> None:
    world.texts = {}
    row = world.connection.execute(
        "select min(profile_id) from warehouse.segments.seg_frequent_visitors"
    ).fetchone()
    assert row
    (part,) = explain(world, "frequent_visitors", row[0]).parts
    traced = {one.text: [each.name for each in one.parameters] for one in part.conditions}
    assert traced == {
        "started_at > as_of - interval 7 day": ["frequent_visitor_days"],
        "count(*) > 5": ["frequent_visitor_sessions"],
    }


@pytest.mark.parametrize("width", ["80", "200"])
def test_the_command_tells_the_person_by_any_identifier(sample_home: Settings, width: str) -> None:
    runner = CliRunner(env={"COLUMNS": width})
    with muster_home(sample_home.home):
        world = open_world(sample_home)
        row = world.connection.execute(
            """select identifier, profile_id from warehouse.intermediate.int_identity_map
            where identifier_type = 'email' and profile_id in
                (select profile_id from warehouse.segments.seg_frequent_visitors)
            order by 1 limit 1"""
        ).fetchone()
        assert row
        told = runner.invoke(app, ["segment", "explain", "frequent_visitors", row[0]])
        machine = runner.invoke(app, ["segment", "explain", "frequent_visitors", row[0], "--json"])
        missing = runner.invoke(app, ["segment", "explain", "frequent_visitors", "no@body.example"])
    assert told.exit_code == 0, told.output
    assert f"{row[1]} is in frequent_visitors" in told.output
    assert "frequent_visitor_sessions = 5 sessions" in told.output
    assert max(len(line) for line in told.output.splitlines()) <= int(width)
    parsed = json.loads(machine.output)
    assert parsed["is_member"] is True and parsed["event_count"] > 0
    assert missing.exit_code == 2 and "no record that landed carries it" in missing.output


def test_a_row_that_finds_no_partner_is_shown(world: World) -> None:
    sql = """select traits.profile_id from {{ ref('profile_traits') }} as traits
        join {{ ref('int_carts') }} as carts on traits.profile_id = carts.profile_id
        where traits.order_count >= 0"""
    row = world.connection.execute(
        """select min(profile_id) from warehouse.marts.profile_traits
        where profile_id not in (select profile_id from warehouse.intermediate.int_carts)"""
    ).fetchone()
    assert row
    (part,) = _explained(world, sql, row[0]).parts
    (only,) = part.rows
    (join,) = part.joins
    assert not only.passes and only.results[join].truth is False
    assert [one.truth for number, one in only.results.items() if number != join] == [True]
    words = next(one.text for one in part.conditions if one.number == join)
    assert words == "a row of int_carts with traits.profile_id = carts.profile_id"


@pytest.mark.parametrize(
    ("inner", "is_apart"),
    [
        ("{{ ref('int_sessions') }} as s where s.profile_id = t.profile_id and {} limit 1", True),
        ("{{ ref('int_sessions') }} as s where {} and t.profile_id = s.profile_id", True),
        ("{{ ref('int_sessions') }} as s where s.profile_id = t.profile_id", True),
        ("{{ ref('int_sessions') }} as s where {}", False),  # not of the person
        (
            "{{ ref('int_sessions') }} as s where s.profile_id = t.profile_id "
            "and s.event_count > t.order_count",
            False,
        ),
    ],
)
def test_exists_is_taken_apart_as_in_is(world: World, inner: str, is_apart: bool) -> None:
    """Where it is about the person alone: with its rows, its conditions and their events."""
    of_session = "s.started_at > {{ as_of() }} - interval '14 day'"
    of_others = inner.replace("{}", of_session)
    sql = f"""select t.profile_id from {{{{ ref('profile_traits') }}}} as t
        where exists (select 1 from {of_others}) and t.order_count >= 0"""
    row = world.connection.execute(
        """select min(profile_id) from warehouse.intermediate.int_sessions
        where started_at > timestamp '2026-10-25'"""
    ).fetchone()
    assert row
    found = _explained(world, sql, row[0])
    assert found.is_member and not found.notes
    parts = {part.name: part for part in found.parts}
    assert set(parts) == ({"", "exists (...)"} if is_apart else {""})
    if is_apart:
        asked = parts["exists (...)"]
        assert asked.tables == ("int_sessions",) and asked.truth and found.event_count
        assert len(asked.conditions) == ("{}" in inner)
        flips = [result.flips_at for one in asked.rows for result in one.results.values()]
        assert any(flips) == ("{}" in inner)


def test_a_model_with_tags_as_a_whole_is_all_its_segments(world: World) -> None:
    world.texts = {}
    rows = world.connection.execute(
        """select profile_id, list('interested_in_' || tag order by tag)
        from warehouse.segments.seg_interested_in group by 1 order by len(list(tag)) desc, 1"""
    ).fetchall()
    (profile_id, segments), *_ = rows
    found = explain(world, "interested_in", profile_id)
    assert found.is_member
    assert found.notes == (f"each tag is a segment; in {', '.join(segments)}",)
