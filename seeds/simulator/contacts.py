"""Contacts of the CRM: current records, second records of the same person, superseded versions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Ints, ints
from seeds.simulator.names import PHONE_WEIGHTS, variants
from seeds.simulator.people import REGISTERED
from seeds.simulator.sales import Orders, Sales
from seeds.simulator.settings import HOUR, Settings
from seeds.simulator.text import identifiers, join, moments, pick
from seeds.simulator.vocabulary import FIRST_NAMES, LAST_NAMES, ZONES
from seeds.simulator.world import World

GENDERS = ("f", "m", "x", "")
TIERS = ("", "bronze", "silver", "gold")
DUPLICATE_CONTACTS = 0.03
OLD_VERSIONS = 0.06


def contacts_of(settings: Settings, world: World) -> Ints:
    """Persons the CRM knows by the end."""
    found = np.flatnonzero(world.people.contact_since_ms < settings.end_ms)
    return found.astype(np.int64)


def duplicated_contacts(settings: Settings, world: World) -> Ints:
    """Persons whom the CRM has twice, the second time under another address and no customer."""
    rng, known = settings.random(9), contacts_of(settings, world)
    return known[rng.random(len(known)) < DUPLICATE_CONTACTS]


def second_ids(person: Ints) -> pa.Array:
    """The contact_id of the second record of a person."""
    return identifiers("n9-", person, 12)


def second_emails(world: World, person: Ints) -> pa.Array:
    """The address of the second record: another account at work."""
    people = world.people
    first = pc.utf8_slice_codeunits(pick(FIRST_NAMES, people.first_name[person]), 0, 1)
    last, number = pick(LAST_NAMES, people.last_name[person]), pa.array(person).cast(pa.string())
    return pc.utf8_lower(join(first, last, number, "@work.example"))


def contact_table(settings: Settings, world: World, sales: Sales) -> pa.Table:
    """Current records, then second ones, then superseded versions of a few."""
    rng, person = settings.random(10), contacts_of(settings, world)
    twice = duplicated_contacts(settings, world)
    began = since(world, person)
    aged = (rng.random(len(person)) * (settings.end_ms - began)).astype(np.int64)
    tier = _tiers(world, sales)[person]
    current = _contact_rows(rng, world, person, began + aged, tier)
    old = np.flatnonzero(rng.random(len(person)) < OLD_VERSIONS)
    before = current.take(pa.array(old))
    before = _set(before, "updated_at", moments(began[old]))
    before = _set(before, "city", pick(["Bremen"], ints(len(old))))
    second = _contact_rows(rng, world, twice, since(world, twice) + HOUR, ints(len(twice)))
    second = _set(second, "contact_id", second_ids(twice))
    second = _set(second, "customer_id", pa.nulls(len(twice), pa.string()))
    second = _set(second, "email", second_emails(world, twice))
    return pa.concat_tables([current, second, before])


def since(world: World, person: Ints) -> Ints:
    """When each person became a contact."""
    return world.people.contact_since_ms[person]


def _contact_rows(
    rng: np.random.Generator, world: World, person: Ints, updated: Ints, tier: Ints
) -> pa.Table:
    people, count = world.people, len(person)
    zone = people.zone[person]
    birth = people.birth_day[person].astype("datetime64[D]")
    has_phone, has_birth = rng.random(count) < 0.65, rng.random(count) < 0.7
    phone = np.where(has_phone, variants(rng, PHONE_WEIGHTS, count), -1)
    email = world.names.email(person, people.contact_variant[person])
    broken = pick(["not-an-email", "null", ""], rng.integers(0, 3, count))
    email = pc.if_else(pa.array(rng.random(count) < 0.003), broken, email)
    customer = pick(world.names.customer_ids, person, people.kind[person] == REGISTERED)
    return pa.table(
        {
            "contact_id": pick(world.names.contact_ids, person),
            "customer_id": customer,
            "email": email,
            "phone": world.names.phone(person, phone),
            "first_name": pick(FIRST_NAMES, people.first_name[person]),
            "last_name": pick(LAST_NAMES, people.last_name[person]),
            "birth_date": pa.array(birth, mask=~has_birth).cast(pa.string()),
            "gender": pick(GENDERS, people.gender[person]),
            "country": pick([z.country for z in ZONES], zone),
            "timezone": pick([z.timezone for z in ZONES], zone, rng.random(count) < 0.8),
            "city": pick([z.city for z in ZONES], zone),
            "postal_code": pa.array(10_000 + rng.integers(0, 89_999, count)).cast(pa.string()),
            "loyalty_tier": pick(TIERS, tier),
            "created_at": moments(since(world, person)),
            "updated_at": moments(updated),
        }
    )


def _tiers(world: World, sales: Sales) -> Ints:
    """Loyalty by what a person spent under the own customer number."""
    orders = Orders.concat(sales.orders)
    rows = orders.take(orders.names_customer)
    spent = np.bincount(rows.person, weights=rows.total_cents, minlength=len(world.people))
    return np.searchsorted([1.0, 20_000.0, 60_000.0], spent, side="right").astype(np.int64)


def _set(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, values)
