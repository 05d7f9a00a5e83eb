"""Identity where the data is at its worst: large groups, odd identifiers, overrides in circles."""

import random
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import load_rules
from tests.identity_oracle import DEVICE, Edge, Said, Sight, World, log_of
from tests.identity_story import Story
from tests.unit.test_identity import (
    SECRET,
    TYPES,
    evidence_of,
    in_same_words,
    keys_of,
    rows_of,
    rules_of,
)

MOMENT = pa.timestamp("us", "UTC")
START = datetime(2026, 1, 1, tzinfo=UTC)


def _random_world(draw: random.Random) -> World:
    """Some tens of identifiers, three of which are of everybody, over several loads."""
    loads = draw.choice([3, 6, 12])
    world = World(
        types=TYPES,
        limits={"user_id": draw.choice([1, 2, None]), "customer_id": draw.choice([1, None])}
        | {"email": draw.choice([1, 2, 5, None]), DEVICE: draw.choice([None, 3])},
        most=draw.choice([4, 8, 15, 1000]),
        more_than=draw.choice([1, 1, 2, 5]),
        within=draw.choice([1, 3, 365]),
    )
    for number in range(draw.choice([10, 20, 40])):
        kind = draw.choice([*TYPES, DEVICE])
        world.nodes[f"{kind}:{number}"] = (draw.randint(1, loads), draw.randint(0, 3))
    nodes = sorted(world.nodes)
    common = draw.sample(nodes, 3)
    pairs: set[frozenset[str]] = set()
    for _ in range(int(len(nodes) * draw.choice([0.8, 1.2, 2, 3]))):
        a, b = draw.choice(nodes if draw.random() < 0.7 else common), draw.choice(nodes)
        devices = [name for name in (a, b) if name.startswith(DEVICE)]
        if a == b or len(devices) == 2 or frozenset((a, b)) in pairs:
            continue
        pairs.add(frozenset((a, b)))
        source = draw.choice(["web_events"] * 6 + ["probabilistic"])
        landed = max(world.nodes[a][0], world.nodes[b][0], draw.randint(1, loads))
        world.edges.append(Edge(a, b, landed, draw.randint(0, 3), source))
        if devices and source == "web_events":
            (person,) = {a, b} - set(devices)
            for later in (landed, *[max(landed, draw.randint(1, loads))] * draw.randint(0, 2)):
                world.sights.append(Sight(devices[0], person, draw.randint(0, 6), later))
    for number in range(draw.choice([0, 2, 5, 9])):
        action = draw.choice(["split", "link", "block", "undo"])
        a, b = draw.sample([*nodes, "email:unseen"], 2)
        name = f"o{draw.randint(0, 5) if action == 'undo' else number}"
        other = "" if action == "block" else b
        world.said.append(Said(name, action, a, other, draw.randint(1, loads)))
    return world


@pytest.mark.parametrize("seed", range(60))
def test_larger_worlds_have_the_log_of_the_obvious_way(seed: int) -> None:
    """Sets that come, go and come back over many loads, as small worlds do not have them."""
    draw = random.Random(seed)
    world = _random_world(draw)
    keys = keys_of(world)
    log = resolve(evidence_of(world, keys, draw), rules_of(world), SECRET)
    assert rows_of(log, world, keys) == in_same_words(log_of(world, keys))


def _evidence(
    names: list[str], edges: list[tuple[int, int]], loads: int, sighted: bool = True
) -> Evidence:
    """Identifiers that land evenly over the loads; an edge lands with its later end."""
    landed = [START + timedelta(hours=place * loads // len(names)) for place in range(len(names))]
    later = [landed[max(pair)] for pair in edges]
    seen = [pair for pair in edges if names[pair[1]].startswith(DEVICE)] if sighted else []
    keys = pa.uint64()
    return Evidence(
        pa.table(
            {
                "identifier_key": pa.array(range(len(names)), keys),
                "identifier_type": [name.split(":", maxsplit=1)[0] for name in names],
                "identifier": names,
                "first_landed_at": pa.array(landed, MOMENT),
                "first_occurred_at": pa.array(landed, MOMENT),
            }
        ),
        pa.table(
            {
                "key_a": pa.array([a for a, _ in edges], keys),
                "key_b": pa.array([b for _, b in edges], keys),
                "source": pa.repeat("web_events", len(edges)),
                "first_landed_at": pa.array(later, MOMENT),
                "first_occurred_at": pa.array(later, MOMENT),
            }
        ),
        pa.table(
            {
                "device_key": pa.array([b for _, b in seen], keys),
                "person_key": pa.array([a for a, _ in seen], keys),
                "day": pa.array([a % 300 for a, _ in seen], pa.int32()).cast(pa.date32()),
                "first_landed_at": pa.array([landed[max(pair)] for pair in seen], MOMENT),
            }
        ),
        pa.table(
            {
                "override_id": pa.array([], pa.string()),
                "action": pa.array([], pa.string()),
                "key_a": pa.array([], keys),
                "key_b": pa.array([], keys),
                "first_landed_at": pa.array([], MOMENT),
            }
        ),
    )


def _rejected(evidence: Evidence) -> dict[str, int]:
    """How many edges each rule rejects, and whether that took too long."""
    begin = time.process_time()
    log = resolve(evidence, load_rules(), SECRET)
    seconds = time.process_time() - begin
    print(f"{evidence.identifiers.num_rows:,} identifiers: {seconds:.1f} s")
    assert seconds < 20
    rejected = log.filter(pa.compute.equal(log["kind"], "rejected"))
    return {row["values"]: row["counts"] for row in rejected["rule"].value_counts().to_pylist()}


def test_a_placeholder_of_a_hundred_thousand_identifiers_in_two_hundred_loads() -> None:
    """An e-mail that everybody gives: the first account has it, the others are rejected."""
    names, edges = ["email:none@given.org"], []
    for number in range(50_000):
        user = len(names)
        names += [f"user_id:{number}", f"anonymous_id:{number}"]
        edges += [(user, 0), (user, user + 1)]
    assert _rejected(_evidence(names, edges, 200)) == {"limit": 49_999}


def test_a_profile_that_would_grow_without_end() -> None:
    """One account on ever new devices, and a new address in each of the first loads."""
    names, edges = ["user_id:robot"], []
    for number in range(30_000):
        names.append(f"anonymous_id:{number}" if number % 150 else f"email:{number}")
        edges.append((0, len(names) - 1))
    found = _rejected(_evidence(names, edges, 200))
    assert found == {"size": 30_000 - 200 - (999 - 5), "limit": 200 - 5}


def test_a_device_of_everybody() -> None:
    names, edges = ["anonymous_id:undefined"], []
    for number in range(15_000):
        user = len(names)
        names += [f"user_id:{number}", f"email:{number}"]
        edges += [(user, user + 1), (user, 0)]
    evidence = _evidence(names, edges, 200)
    assert _rejected(evidence) == {"shared_device": 15_000}


def test_an_identifier_of_ten_thousand_characters() -> None:
    """The block list keeps it out of builds; the resolver would treat it as any other."""
    story = Story()
    long = "email:" + "x" * 10_000
    story.record(1, "customer_id:c", long)
    story.record(2, long, "phone:1")
    assert set(story.who().values()) == {"customer_id:c"}


def test_overrides_in_a_circle() -> None:
    """What was said first holds: the link that closes the circle is rejected, by the split."""
    story = Story()
    for name in "abc":
        story.record(1, f"email:{name}")
    story.override(2, "link", "email:a", "email:b")
    split = story.override(2, "split", "email:a", "email:c")
    story.override(2, "link", "email:b", "email:c")
    who = story.who()
    assert who == {"email:a": "email:a", "email:b": "email:a", "email:c": "email:c"}
    (rejected,) = story.rows("rejected")
    assert (rejected.edge, rejected.rule) == ({"email:b", "email:c"}, "never_link")
    assert split in (rejected.reason or "")


def test_an_always_link_that_breaks_a_limit() -> None:
    story = Story()
    story.record(1, "user_id:ann", "email:a")
    story.record(1, "user_id:bob", "email:b")
    story.override(2, "link", "user_id:ann", "user_id:bob")
    assert len(set(story.who().values())) == 2
    (rejected,) = story.rows("rejected")
    assert (rejected.rule, rejected.reason) == (
        "limit",
        "one profile would have 2 user_id; its limit is 1",
    )


def test_an_override_of_an_identifier_that_nobody_has_seen() -> None:
    """It waits, and holds from the load that brings the identifier."""
    story = Story()
    story.record(1, "customer_id:c", "email:a")
    story.override(1, "split", "email:a", "phone:1")
    assert not story.rows("split", "rejected")
    story.record(3, "email:a", "phone:1")
    assert story.who()["phone:1"] == "phone:1"
    (rejected,) = story.rows("rejected")
    assert (rejected.load, rejected.rule) == (3, "never_link")
