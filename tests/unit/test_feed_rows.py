"""Rows of a segment feed against a slow, obvious consumer and publisher, on random histories.

Merges, splits, erasures, withdrawn consent, changed columns, guards and dead processes in between.
"""

import copy
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from orchestration.connectors.destinations.files import FilesSession
from orchestration.feeds import state
from orchestration.feeds.erasures import erase
from orchestration.feeds.ledger import Ledger
from orchestration.feeds.upkeep import replay
from orchestration.feeds.words import say
from tests.unit.test_segment_feed import CrashError, World

TABLES = ["segment_memberships", "profiles", "identity_aliases"]
PEOPLE = ("p1", "p2", "p3", "p4", "p5", "p6")
Held = dict[tuple[str, str], str]  # what a consumer has: tier by segment and profile


@dataclass
class Shop:
    """What is true at a moment: who is in which segment, with tier and consent; who became whom."""

    members: set[tuple[str, str]] = field(default_factory=set)
    tier: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PEOPLE, "basic"))
    consent: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PEOPLE, "granted"))
    alias: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        people = [one for one in PEOPLE if one not in self.alias]
        return {
            "segment_memberships": sorted(self.members),
            "profiles": [(one, self.tier[one], self.consent[one]) for one in people],
            "identity_aliases": sorted(self.alias.items()),
        }

    def permitted(self) -> Held:
        return {
            (segment, one): self.tier[one]
            for segment, one in self.members
            if self.consent[one] == "granted" and one not in self.erased
        }


segment, person = st.sampled_from("ab"), st.sampled_from(PEOPLE)
step = st.one_of(
    st.tuples(st.just("enter"), segment, person),
    st.tuples(st.just("enter"), segment, person),
    st.tuples(st.just("leave"), segment, person),
    st.tuples(st.just("tier"), person, st.sampled_from(("basic", "gold"))),
    st.tuples(st.just("consent"), person, st.sampled_from(("granted", "withdrawn", "unknown"))),
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("split"), person),
    st.tuples(st.just("erase"), person),
    st.tuples(st.just("everybody leaves"), segment),
    st.tuples(st.just("one stays and withdraws"), segment, person),
    st.tuples(st.just("release"), segment),
    st.tuples(st.just("die"), st.sampled_from(("delivery", "acknowledgement", "intent"))),
)


def _apply(shop: Shop, change: tuple[str, ...]) -> None:
    what, *about = change
    if what == "enter" and about[1] not in shop.alias:
        shop.members.add((about[0], about[1]))
    elif what == "leave":
        shop.members.discard((about[0], about[1]))
    elif what == "tier":
        shop.tier[about[0]] = about[1]
    elif what == "consent":
        shop.consent[about[0]] = about[1]
    elif what == "merge" and about[0] != about[1] and not {*about} & {*shop.alias}:
        shop.alias[about[0]] = about[1]
        for one in [pair for pair in shop.members if pair[1] == about[0]]:
            shop.members.remove(one)
            shop.members.add((one[0], about[1]))
    elif what == "split":
        shop.alias.pop(about[0], None)
    elif what == "erase":
        shop.erased.add(about[0])
    elif what == "one stays and withdraws":
        shop.members = {pair for pair in shop.members if pair[0] != about[0] or pair[1] == about[1]}
        shop.consent[about[1]] = "withdrawn"
    elif what == "everybody leaves":
        shop.members = {pair for pair in shop.members if pair[0] != about[0]}


def consumed(rows: list[dict[str, object]]) -> Held:
    """What somebody has who applied rows, by the rules of docs/feeds.md and no others."""
    held: Held = {}
    for row in rows:
        key = (str(row["segment"]), str(row["profile_id"]))
        if row["action"] in ("exit", "erase"):
            held.pop(key, None)
        else:
            held[key] = str(row["tier"])
    return held


def expected(before: Held, shop: Shop, released: set[str]) -> Held:
    """What a consumer should have, audience by audience, if a guard only knows emptiness."""
    after: Held = {}
    now = shop.permitted()
    for name in "ab":
        had = {key: value for key, value in before.items() if key[0] == name}
        has = {key: value for key, value in now.items() if key[0] == name}
        # Left of their own accord: still permitted, and no other name of somebody.
        members = {key for key in shop.members if key[0] == name}
        parting = [key for key in had if key not in has and key not in members
                   and key[1] not in shop.alias and key[1] not in shop.erased]  # fmt: skip
        if parting and not has and name not in released:
            after |= {key: value for key, value in had.items()
                      if key[1] not in shop.erased and key not in members}  # fmt: skip
        else:
            after |= has
    return after


@seed(20261128)
@settings(
    max_examples=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(st.lists(step, min_size=1, max_size=6), min_size=1, max_size=6))
def test_applying_all_rows_gives_what_is_published(
    history: list[list[tuple[str, ...]]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "STATE_EVERY", 5)
    monkeypatch.setattr(state, "ARCHIVE_FROM", 2)
    world = World(
        tmp_path_factory.mktemp("feed"), columns={"tier": "tier"}, consent="email", guard={}
    )
    shop, held, known = Shop(), Held(), 0
    for changes in history:
        released: set[str] = set()
        for change in changes:
            _apply(shop, change)
            if change[0] == "erase":
                erase(world.folder / "ledger", [change[1]], "asked for", "a test")
            if change[0] == "release":
                released.add(change[1])
                say(world.ledger.folder, "release", "", world.ledger.last_sequence(), change[1])
        world.publish_tables(shop.tables(), TABLES)
        before = copy.deepcopy(held)
        places = [change[1] for change in changes if change[0] == "die"]
        if places:
            _die(world, places[0], monkeypatch)
            # What went into an intent counts as sent; the release is spent with it.
        world.emit()
        rows = world.delivered()
        held = consumed(rows)
        assert held == expected(before, shop, released)
        for row in rows[known:]:
            is_merged = row["action"] == "exit" and row["profile_id"] in shop.alias
            assert (row["reason"] == "merged") == is_merged
            assert row["merged_into"] == (shop.alias[str(row["profile_id"])] if is_merged else None)
        known = len(rows)
    rows = world.delivered()
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["idempotency_key"] for row in rows} == {
        f"segments-{n + 1}" for n in range(len(rows))
    }
    assert world.emit().rows == 0
    for first in range(1, len(rows) + 1):
        again = world.ledger.rows_from(first).to_pylist()
        assert consumed([*rows, *again]) == held
    if rows:
        replay(world.folder / "ledger", world.feed, 1, print)
        assert world.delivered() == rows
    # An erased person stands in no consumer, and every pair that was ever carried was told so.
    last = {(row["segment"], row["profile_id"]): row["action"] for row in rows}
    assert all(last[key] == "erase" for key in last if key[1] in shop.erased)


def _die(world: World, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise CrashError

    of, name = {
        "delivery": (FilesSession, "deliver"),
        "acknowledgement": (Ledger, "acknowledge"),
        "intent": (Ledger, "intend"),
    }[place]
    with monkeypatch.context() as patched:
        patched.setattr(of, name, die)
        try:
            world.emit()
        except CrashError:
            return
