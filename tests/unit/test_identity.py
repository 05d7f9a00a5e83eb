"""Identity against a slow, obvious implementation on random graphs, and the promises about ids."""

import random
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.identity.increment import GONE, Increment
from orchestration.identity.log import profile_id
from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import IdentityRules
from tests.identity_oracle import DEVICE, Edge, Rows, Said, Sight, World, log_of

SECRET = b"a secret"
START = datetime(2026, 1, 1, tzinfo=UTC)


def rules_of(world: World) -> IdentityRules:
    return IdentityRules(
        identifiers={name: {"limit": world.limits[name]} for name in world.types},
        identifiers_per_profile=world.most,
        shared_devices={"more_than": world.more_than, "within_days": world.within},
    )


def _time(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def keys_of(world: World) -> dict[str, int]:
    """Keys that are in no order, as hashes are."""
    return {node: (hash_of * 7919) % 100_003 for hash_of, node in enumerate(sorted(world.nodes), 1)}


def evidence_of(world: World, keys: dict[str, int], shuffle: random.Random) -> Evidence:
    nodes, edges, sights = list(world.nodes), list(world.edges), list(world.sights)
    for part in (nodes, edges, sights):
        shuffle.shuffle(part)
    said = world.said
    moment = pa.timestamp("us", "UTC")
    return Evidence(
        pa.table(
            {
                "identifier_key": pa.array([keys[n] for n in nodes], pa.uint64()),
                "identifier_type": pa.array([n.split(":")[0] for n in nodes], pa.string()),
                "identifier": pa.array(nodes, pa.string()),
                "first_landed_at": pa.array([_time(world.nodes[n][0]) for n in nodes], moment),
                "first_occurred_at": pa.array([_time(world.nodes[n][1]) for n in nodes], moment),
            }
        ),
        pa.table(
            {
                "key_a": pa.array([keys[e.a] for e in edges], pa.uint64()),
                "key_b": pa.array([keys[e.b] for e in edges], pa.uint64()),
                "source": pa.array([e.source for e in edges], pa.string()),
                "first_landed_at": pa.array([_time(e.landed) for e in edges], moment),
                "first_occurred_at": pa.array([_time(e.occurred) for e in edges], moment),
            }
        ),
        pa.table(
            {
                "device_key": pa.array([keys[s.device] for s in sights], pa.uint64()),
                "person_key": pa.array([keys[s.person] for s in sights], pa.uint64()),
                "day": pa.array([s.day for s in sights], pa.int32()).cast(pa.date32()),
                "first_landed_at": pa.array([_time(s.landed) for s in sights], moment),
            }
        ),
        pa.table(
            {
                "override_id": pa.array([s.name for s in said], pa.string()),
                "action": pa.array([s.action for s in said], pa.string()),
                "key_a": pa.array([keys.get(s.a) for s in said], pa.uint64()),
                "key_b": pa.array([keys.get(s.b) for s in said], pa.uint64()),
                "first_landed_at": pa.array([_time(s.landed) for s in said], moment),
            }
        ),
    )


def rows_of(table: pa.Table, world: World, keys: dict[str, int]) -> Rows:
    """The log in the oracle's words."""
    name = {key: node for node, key in keys.items()}
    of = {profile_id(node, SECRET): node for node in world.nodes}
    rows: Rows = set()
    for row in table.to_pylist():
        node, kind = name[row["identifier_key"]], row["kind"]
        hours = round((row["changed_at"] - START) / timedelta(hours=1))
        profile = of.get(row["profile_id"])
        assert row["is_first"] == (kind == "assigned" and profile == node)
        edge = frozenset(
            name[row[end]] for end in ("edge_key_a", "edge_key_b") if row[end] is not None
        )
        if kind == "assigned":
            rows.add((kind, node, hours, profile))
        elif kind == "merged":
            assert of[row["other_profile_id"]] == node
            rows.add((kind, node, hours, profile, edge))
        elif kind == "split":
            parted = of[row["other_profile_id"]]
            rows.add((kind, profile, hours, parted, edge, row["rule"]))
        else:
            rows.add((kind, edge, hours, row["rule"]))
    return rows


def in_same_words(rows: Rows) -> Rows:
    """The oracle's edges without their direction and source, which the log does not tell."""
    found: Rows = set()
    for row in rows:
        if row[0] in ("rejected", "accepted"):
            kind, a, b, _, when, *rest = row
            found.add((kind, frozenset((a, b)), when, rest[0] if rest else ""))
        else:
            found.add(row)
    return found


TYPES = ["user_id", "customer_id", "email", DEVICE]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small worlds in which everything happens: limits, shared devices, overrides, proposals."""
    loads = draw(st.integers(2, 5))
    world = World(
        types=TYPES,
        limits={
            "user_id": 1,
            "customer_id": draw(st.sampled_from([1, None])),
            "email": draw(st.sampled_from([1, 2, None])),
            DEVICE: None,
        },
        most=draw(st.sampled_from([4, 6, 1000])),
        more_than=draw(st.integers(1, 2)),
        within=draw(st.sampled_from([1, 3, 365])),
    )
    size = draw(st.integers(4, 9))
    for number in range(size):
        kind = TYPES[draw(st.integers(0, len(TYPES) - 1))]
        world.nodes[f"{kind}:{number}"] = (draw(st.integers(1, loads)), draw(st.integers(0, 3)))
    nodes = sorted(world.nodes)
    pairs = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes))
    used = set()
    for a, b in draw(st.lists(pairs, min_size=size, max_size=18)):
        devices = sum(n.startswith(DEVICE) for n in (a, b))
        source = draw(
            st.sampled_from(["web_events", "web_events", "crm_contacts", "probabilistic"])
        )
        if a == b or devices == 2 or frozenset((a, b)) in used:
            continue
        used.add(frozenset((a, b)))
        landed = max(world.nodes[a][0], world.nodes[b][0], draw(st.integers(1, loads)))
        world.edges.append(Edge(a, b, landed, draw(st.integers(0, 3)), source))
        if devices and source != "probabilistic":
            device, person = (a, b) if a.startswith(DEVICE) else (b, a)
            for day in draw(st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True)):
                later = max(landed, draw(st.integers(1, loads)))
                world.sights.append(Sight(device, person, day, later))
            # An edge and its first sighting land together.
            world.sights.append(Sight(device, person, draw(st.integers(0, 6)), landed))
    return _with_overrides(draw, world, loads)


def _with_overrides(draw: st.DrawFn, world: World, loads: int) -> World:
    nodes = [*sorted(world.nodes), "email:unseen"]
    for number in range(draw(st.integers(1, 6))):
        action = draw(st.sampled_from(["split", "link", "link", "block", "undo", "undo"]))
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        name = f"o{number}"
        if action == "undo":  # mostly of one that was said before
            name = f"o{draw(st.integers(0, number))}"
        if action in ("split", "link") and a == b:
            continue
        world.said.append(
            Said(name, action, a, "" if action == "block" else b, draw(st.integers(1, loads)))
        )
    return world


@settings(max_examples=400, deadline=None, print_blob=True)
@given(worlds(), st.integers())
def test_the_log_is_that_of_the_obvious_way_whatever_the_order_of_rows(
    world: World, seed: int
) -> None:
    keys = keys_of(world)
    log = resolve(evidence_of(world, keys, random.Random(seed)), rules_of(world), SECRET)
    assert rows_of(log, world, keys) == in_same_words(log_of(world, keys))


def _load(connection: duckdb.DuckDBPyConnection, evidence: Evidence, until: datetime) -> None:
    """What of the evidence landed until then, in the tables that the models make."""
    renamed = "* exclude (first_occurred_at), first_occurred_at as first_landed_occurred_at"
    for name, columns in {
        "identifiers": renamed,
        "edges": renamed,
        "sightings": "*",
        "overrides": "* exclude (first_landed_at), first_landed_at as landed_at",
    }.items():
        given = getattr(evidence, name)  # noqa: F841  # DuckDB finds it by its name
        several = """and device_key in (
            select device_key from given where first_landed_at <= $1
            group by device_key having count(distinct person_key) > 1
        )"""
        connection.execute(
            f"""create or replace table {name} as select {columns} from given
            where first_landed_at <= $1 {several if name == "sightings" else ""}""",
            [until],
        )


def _step(connection: duckdb.DuckDBPyConnection, rules: IdentityRules) -> pa.Table:
    """One run as dbt makes it: rows replace those of the same identifier."""
    is_first = ("log",) not in connection.execute("show tables").fetchall()
    tables = {name: name for name in ("identifiers", "edges", "sightings", "overrides")}
    rows = Increment(  # noqa: F841  # DuckDB finds it by its name
        connection, tables, None if is_first else "log", rules, SECRET
    ).rows()
    if is_first:
        connection.execute("create table log as select * from rows")
    else:
        connection.execute(
            "delete from log where identifier_key in (select identifier_key from rows)"
        )
        connection.execute("insert into log select * from rows")
    connection.execute(f"delete from log where kind = '{GONE}'")
    return connection.execute("select * from log order by all").to_arrow_table()


@settings(max_examples=60, deadline=None, print_blob=True)
@given(worlds(), st.integers(), st.booleans())
def test_load_by_load_gives_the_rows_of_a_rebuild(
    world: World, seed: int, changes_rules: bool
) -> None:
    """Also when the rules change before the last load, and then something is erased."""
    keys, rules = keys_of(world), rules_of(world)
    evidence = evidence_of(world, keys, random.Random(seed))
    other = rules.model_copy(update={"identifiers_per_profile": 3})
    with duckdb.connect() as piecewise, duckdb.connect() as at_once:
        for hour in range(1, 6):
            now = other if changes_rules and hour == 5 else rules
            for connection in (piecewise, at_once):
                connection.execute("set timezone = 'UTC'")
                _load(connection, evidence, _time(hour))
            at_once.execute("drop table if exists log")
            assert _step(piecewise, now).equals(_step(at_once, now))
        victim = keys[sorted(world.nodes)[0]]
        for connection in (piecewise, at_once):
            connection.execute(f"delete from identifiers where identifier_key = {victim}")
            connection.execute(f"delete from edges where {victim} in (key_a, key_b)")
            connection.execute(f"delete from sightings where {victim} in (device_key, person_key)")
        at_once.execute("drop table if exists log")
        assert _step(piecewise, now).equals(_step(at_once, now))
