"""Overrides: what may be said, what it would do, and what changed rules would do."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.identity.diff import difference
from orchestration.identity.increment import RESOLVED, Resolved
from orchestration.identity.log import profile_id
from orchestration.identity.overriding.advice import objection, told
from orchestration.identity.overriding.decisions import (
    Decision,
    DecisionError,
    Signature,
    contradiction,
    new_decision,
    new_undo,
    parse_identifier,
    record,
    recorded,
    standing,
)
from orchestration.identity.overriding.effect import Effect, effect
from orchestration.identity.overriding.outcomes import outcomes
from orchestration.identity.rules import IdentityRules, load_rules
from orchestration.identity.tried import OtherSecretError
from tests.identity_oracle import Edge, World
from tests.identity_warehouse import at, build
from tests.unit.test_identity import SECRET

RULES = load_rules()


class Desk:
    """Somebody who says things, one a minute, after all data has landed."""

    def __init__(self) -> None:
        self.said: list[Decision] = []

    def _signed(self) -> Signature:
        return Signature("ann", "reasons", at(100) + timedelta(minutes=len(self.said)))

    def would(self, action: str, *names: str) -> Decision:
        about = tuple(parse_identifier(name, RULES) for name in names)
        return new_decision(action, about, self._signed(), self.said)

    def says(self, action: str, *names: str) -> Decision:
        asked = self.would(action, *names)
        assert not contradiction(asked, self.said)
        self.said.append(asked)
        return asked

    def would_undo(self, decision: Decision) -> Decision:
        return new_undo(decision.override_id, self._signed(), self.said)

    def undoes(self, decision: Decision) -> None:
        self.said.append(self.would_undo(decision))


@pytest.mark.parametrize(
    ("text", "told_"),
    [
        ("ann@firm.org", "write type:value"),
        ("email:", "write type:value"),
        (":ann", "write type:value"),
        ("fax:12", "no identifier type is called 'fax'; there are user_id"),
        ("x" * 10_000, "x…'"),
    ],
)
def test_what_is_no_identifier_is_told(text: str, told_: str) -> None:
    with pytest.raises(DecisionError) as caught:
        parse_identifier(text, RULES)
    assert told_ in str(caught.value) and len(str(caught.value)) < 200


def test_identifiers_are_written_as_the_models_write_them() -> None:
    """Also those that could not be read again as they stand."""
    written = {
        "email: Ann.Lee+shop@GoogleMail.com": "email:annlee@gmail.com",
        "phone:+49 (0)151 1234567": "phone:+491511234567",
        "phone:raw:01511234567": "phone:raw:01511234567",
        "email:not an address": "email:not an address",
        "customer_id:C-7": "customer_id:C-7",
    }
    assert {text: str(parse_identifier(text, RULES)) for text in written} == written


def test_who_and_why_are_asked_for() -> None:
    with pytest.raises(DecisionError, match="--by WHO --why TEXT"):
        Signature("ann", " ", datetime.now(UTC))


def test_ids_are_unique_whatever_is_said() -> None:
    desk = Desk()
    ids = [desk.says("block", f"email:{number}@x.org").override_id for number in range(300)]
    assert len(set(ids)) == 300 and min(map(len, ids)) == len("o-20260105-abcd")


def test_contradictions_name_what_they_contradict() -> None:
    desk = Desk()
    link, second = desk.says("link", "email:a", "email:b"), desk.says("link", "email:b", "email:c")
    circle = contradiction(desk.would("split", "email:a", "email:c"), desk.said)
    assert link.override_id in circle and second.override_id in circle
    split = desk.says("split", "email:c", "email:d")
    other = contradiction(desk.would("link", "email:d", "email:a"), desk.said)
    assert all(said.override_id in other for said in (link, second, split))
    block = desk.says("block", "phone:1")
    blocked = contradiction(desk.would("link", "phone:1", "email:a"), desk.said)
    assert block.override_id in blocked and "undo that first" in blocked
    assert "itself" in contradiction(
        desk.would("split", "email:a@x.org", "email: A@x.org"), desk.said
    )
    again = contradiction(desk.would("link", "email:b", "email:a"), desk.said)
    assert "said already" in again and link.override_id in again


def test_a_newer_override_of_a_pair_replaces_the_older() -> None:
    desk = Desk()
    split = desk.says("split", "email:a", "email:b")
    link = desk.says("link", "email:b", "email:a")
    assert standing(desk.said) == [link]
    with pytest.raises(DecisionError, match=f"{link.override_id} .*replaced it; undo that one"):
        desk.would_undo(split)
    desk.undoes(link)
    assert not standing(desk.said)
    with pytest.raises(DecisionError, match="was taken back by ann on 2026-01-05"):
        desk.would_undo(link)
    with pytest.raises(DecisionError, match="there is no override 'o-x'"):
        new_undo("o-x", Signature("ann", "y", at(200)), desk.said)


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    desk = Desk()
    split = desk.says("split", "email:Ann@x.org", "phone:1")
    for decision in (split, desk.says("block", "email:it's@x.org"), desk.would_undo(split)):
        record(tmp_path / "landing", tmp_path / "state", decision)
    found = recorded(tmp_path / "landing", RULES)
    assert [(s.override_id, s.action, s.about, s.told_by, s.why) for s in found] == [
        (s.override_id, s.action, s.about, s.told_by, s.why) for s in [*desk.said, found[2]]
    ]
    assert [said.action for said in standing(found)] == ["block"]


def _world() -> World:
    """Two people with an account, an address and a device each, and a spare telephone."""
    world = World(types=RULES.types, limits={}, most=1000, more_than=1, within=365)
    for hour, who in enumerate(("ann", "bob")):
        for kind in ("user_id", "email", "anonymous_id"):
            world.nodes[f"{kind}:{who}"] = (hour, hour)
        for kind in ("email", "anonymous_id"):
            world.edges.append(Edge(f"user_id:{who}", f"{kind}:{who}", hour, hour))
    world.nodes["phone:1"] = (2, 2)
    return world


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        build(connection, _world(), RULES)
        connection.execute(
            """create table int_identifiers_blocked as select 'email' as identifier_type,
                'test@test.org' as identifier_value, 'test account' as reason"""
        )
        yield connection


def _effect(connection: duckdb.DuckDBPyConnection, desk: Desk, asked: Decision) -> Effect:
    return effect(connection, RULES, SECRET, desk.said, asked)


def _of(name: str) -> str:
    return profile_id(name, SECRET)


def test_a_split_is_told_with_the_parts(warehouse: duckdb.DuckDBPyConnection) -> None:
    desk = Desk()
    asked = desk.would("split", "user_id:ann", "email:ann")
    found = _effect(warehouse, desk, asked)
    ((whole, parts),) = found.split
    assert [(part.profile_id, len(part.identifiers)) for part in (whole, *parts)] == [
        (_of("user_id:ann"), 3),
        (_of("user_id:ann"), 2),
        (_of("email:ann"), 1),
    ]
    assert [(edge.a, edge.b, edge.rule) for edge in found.rejected] == [
        ("email:ann", "user_id:ann", "never_link")
    ]
    assert told(asked, desk.said, found)[0].startswith("would split profile")
    assert not objection(asked, found, RULES)


def test_a_link_is_told_with_the_profiles(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Also when what was recorded before waits for its build."""
    desk = Desk()
    desk.says("link", "phone:1", "email:bob")
    asked = desk.would("split", "phone:1", "user_id:bob")
    ((_, parts),) = _effect(warehouse, desk, asked).split
    assert [part.identifiers for part in parts] == [
        ("anonymous_id:bob", "user_id:bob"),
        ("email:bob", "phone:1"),
    ]
    ((whole, parts),) = _effect(warehouse, Desk(), desk.said[0]).joined
    assert len(whole.identifiers) == 4 and {len(part.identifiers) for part in parts} == {1, 3}


@pytest.mark.parametrize(
    ("action", "names", "problem"),
    [
        ("link", ("user_id:ann", "email:ann"), "they are one already"),
        ("link", ("user_id:ann", "user_id:bob"), "allows 1 user_id in a profile"),
        ("link", ("email:ann", "email:bob"), "would be 2: user_id:ann, user_id:bob; raise the"),
        ("link", ("email:ann", "email:eve@x.org"), "email:eve@x.org was never seen"),
        ("block", ("phone:2",), "phone:2 was never seen"),
        ("block", ("email:test@test.org",), "identifies nobody by the block list (test account)"),
        ("split", ("email:ann", "email:bob"), ""),
        ("block", ("email:ann",), ""),
    ],
)
def test_what_is_probably_a_mistake_is_objected_to(
    warehouse: duckdb.DuckDBPyConnection, action: str, names: tuple[str, ...], problem: str
) -> None:
    desk = Desk()
    asked = desk.would(action, *names)
    found = objection(asked, _effect(warehouse, desk, asked), RULES)
    assert problem in found and bool(found) == bool(problem)


def test_block_and_undo_are_told(warehouse: duckdb.DuckDBPyConnection) -> None:
    desk = Desk()
    block = desk.says("block", "user_id:ann")
    found = _effect(warehouse, Desk(), block)
    assert found.lost == ["user_id:ann"] and len(found.split[0][1]) == 2
    back = _effect(warehouse, desk, desk.would_undo(block))
    assert back.gained == ["user_id:ann"] and len(back.joined[0][1]) == 2


def test_an_override_that_changes_nothing_now_says_so(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    desk = Desk()
    asked = desk.would("split", "email:ann", "email:bob")
    found = _effect(warehouse, desk, asked)
    assert found.is_nothing
    assert told(asked, desk.said, found) == [
        "would change nothing now: they are not one, and never would be"
    ]


def test_the_list_tells_what_became_of_each(warehouse: duckdb.DuckDBPyConnection) -> None:
    desk = Desk()
    old = desk.says("block", "phone:1")
    desk.undoes(old)
    replaced = desk.says("link", "email:ann", "email:bob")
    desk.says("split", "email:ann", "email:bob")
    states = {one.said: one.told for one in outcomes(desk.said, warehouse)}
    assert states[old] == "taken back by ann on 2026-01-05: reasons (from the next build on)"
    assert states[replaced].startswith(f"replaced by {desk.said[-1].override_id}")
    assert states[desk.said[-1]] == "waits for the next build"
    assert outcomes(desk.said[3:], None)[0].state == "recorded"


def test_the_difference_is_that_of_plain_sets(warehouse: duckdb.DuckDBPyConnection) -> None:
    tried = RULES.model_copy(update={"sources": {"web_events": False}})
    found = difference(warehouse, tried, SECRET, 5)
    assert (found.sizes.profiles.before, found.sizes.profiles.after) == (3, 7)
    assert (found.sizes.split, found.sizes.split_into, found.sizes.unchanged) == (2, 6, 1)
    assert (found.sizes.merged, found.sizes.moved_identifiers) == (0, 4)
    assert [(one.profile_id, list(one.parts.values())) for one in found.split_samples] == [
        (profile, [1, 1, 1]) for profile in sorted((_of("user_id:ann"), _of("user_id:bob")))
    ]
    assert {(one.source, one.rule) for one in found.split_samples} == {("web_events", None)}
    assert difference(warehouse, RULES, SECRET, 5).is_nothing


def test_a_raised_limit_merges_and_the_deciding_rule_is_named() -> None:
    world = _world()
    world.nodes["customer_id:x"] = (3, 3)
    world.edges += [Edge("customer_id:x", f"email:{who}", 3, 3) for who in ("ann", "bob")]
    with duckdb.connect() as connection:
        build(connection, world, RULES)
        raised = dict(RULES.identifiers)
        raised["user_id"] = raised["user_id"].model_copy(update={"limit": 2})
        tried = RULES.model_copy(update={"identifiers": raised})
        found = difference(connection, tried, SECRET, 5)
        back = difference(connection, RULES, SECRET, 5)
    assert back.is_nothing and found.sizes.profiles.before == 3
    assert (found.sizes.merged, found.sizes.merged_into, found.sizes.unchanged) == (2, 1, 1)
    (sample,) = found.merged_samples
    assert {sample.a, sample.b} == {"customer_id:x", "email:bob"}
    assert sample.rule == "limit"
    assert sample.reason == "one profile would have 2 user_id; its limit is 1"
    assert (found.rejections["limit"].before, found.rejections["limit"].after) == (1, 0)
    assert found.largest[0].identifiers == 7 and found.largest[0].made_of == 2


def test_another_order_of_types_is_noted() -> None:
    with duckdb.connect() as connection:
        build(connection, _world(), RULES)
        said = json.dumps(asdict(Resolved(0, RULES.weighed, "", 2, "")))
        connection.execute(
            f"""insert into int_identity_log (kind, identifier_key, reason)
            values ('{RESOLVED}', 0, $1)""",
            [said],
        )
        assert not difference(connection, RULES, SECRET, 1).notes
        names = ["email", *(name for name in RULES.types if name != "email")]
        turned = {name: RULES.identifiers[name] for name in names}
        tried = RULES.model_copy(update={"identifiers": turned, "default_country": "DE"})
        notes = difference(connection, tried, SECRET, 1).notes
    assert ["another order" in notes[0], "default_country" in notes[1]] == [True, True]


def test_another_secret_is_told_before_anything_else(warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(OtherSecretError, match=r"another project secret.*MUSTER_PROJECT_SECRET"):
        difference(warehouse, RULES, b"another", 1)
    with pytest.raises(OtherSecretError):
        effect(warehouse, RULES, b"another", [], Desk().would("block", "user_id:ann"))


def _weighed(**changed: object) -> IdentityRules:
    block = RULES.probabilistic.model_copy(update={"enabled": True, **changed})
    return RULES.model_copy(update={"probabilistic": block})


@pytest.mark.parametrize(
    ("changed", "split", "is_noted"),
    [
        ({}, 0, False),
        ({"accept_weight": 12.0}, 0, False),  # the proposal weighs 12.5
        ({"accept_weight": 13.0}, 1, False),
        ({"enabled": False}, 1, False),
        ({"accept_weight": -1.0, "propose_weight": -1.0}, 0, True),
        ({"max_pairs": 10}, 0, True),
    ],
)
def test_a_threshold_of_proposals_can_be_tried_and_other_weighing_is_noted(
    changed: dict[str, object], split: int, is_noted: bool
) -> None:
    world = _world()
    world.edges.append(Edge("email:ann", "email:new", 3, 3, "probabilistic"))
    world.nodes["email:new"] = (3, 3)
    with duckdb.connect() as connection:
        build(connection, world, _weighed())
        found = difference(connection, _weighed(**changed), SECRET, 5)
    assert found.sizes.split == split
    assert [note.startswith("probabilistic: ") for note in found.notes] == [True] * is_noted
