"""How a person is written down: e-mail and phone variants, and the identifiers of each system.

A variant is a number: 0 is the plain form, the others differ as they do in real systems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Floats, Ints
from seeds.simulator.people import People
from seeds.simulator.text import identifiers, join, pick
from seeds.simulator.vocabulary import (
    DIALLING,
    FIRST_NAMES,
    LAST_NAMES,
    MAIL_DOMAINS,
    TEST_EMAILS,
    ZONES,
)

VARIANTS = 4
EMAIL_WEIGHTS = (0.74, 0.1, 0.06, 0.1)
PHONE_WEIGHTS = (0.4, 0.25, 0.2, 0.15)


@dataclass(frozen=True)
class Names:
    """Every written form of every person. `emails` and `phones` hold variant after variant."""

    people: int
    emails: pa.Array
    phones: pa.Array
    user_ids: pa.Array
    customer_ids: pa.Array
    contact_ids: pa.Array
    person_ids: pa.Array

    def email(self, person: Ints, variant: Ints) -> pa.Array:
        """The e-mail of each person in a variant; null where the variant is negative."""
        return pick(self.emails, np.where(variant < 0, -1, variant * self.people + person))

    def phone(self, person: Ints, variant: Ints) -> pa.Array:
        """The phone of each person in a variant; null where the variant is negative."""
        return pick(self.phones, np.where(variant < 0, -1, variant * self.people + person))


def make_names(people: People) -> Names:
    """Write down everybody, in all variants."""
    index = np.arange(len(people), dtype=np.int64)
    return Names(
        people=len(people),
        emails=pa.concat_arrays(_emails(people, index)),
        phones=pa.concat_arrays(_phones(people, index)),
        user_ids=identifiers("u-", index, 1),
        customer_ids=identifiers("c-", index, 2),
        contact_ids=identifiers("n-", index, 3),
        person_ids=join("person-", pc.utf8_lpad(pa.array(index).cast(pa.string()), 8, "0")),
    )


def variants(rng: np.random.Generator, weights: tuple[float, ...], count: int) -> Ints:
    """A written form for each of `count` records."""
    edges: Floats = np.cumsum(weights)
    drawn = np.searchsorted(edges, rng.random(count), side="right")
    return np.minimum(drawn, VARIANTS - 1).astype(np.int64)


def _emails(people: People, index: Ints) -> list[pa.Array]:
    first, last = pick(FIRST_NAMES, people.first_name), pick(LAST_NAMES, people.last_name)
    number = pa.array(index).cast(pa.string())
    local = pc.utf8_lower(join(first, ".", last, "-", number))
    domain = pick(MAIL_DOMAINS, (index * 7 + people.zone) % len(MAIL_DOMAINS))
    plain = join(local, "@", domain)
    forms = [
        plain,
        join(first, ".", last, "-", number, "@", domain),
        pc.utf8_upper(plain),
        join(local, "+shop@", domain),
    ]
    tests = pick(TEST_EMAILS, index % len(TEST_EMAILS))
    return [pc.if_else(pa.array(people.is_test), tests, form) for form in forms]


def _phones(people: People, index: Ints) -> list[pa.Array]:
    """E.164; national; spaced; with 00. Seven digits of one's own after the mobile prefix."""
    rules = [DIALLING[zone.country] for zone in ZONES]
    code = pick([rule.code for rule in rules], people.zone)
    trunk = pick([rule.trunk for rule in rules], people.zone)
    mobile = pick([rule.mobile for rule in rules], people.zone)
    own = pc.utf8_lpad(pa.array((index * 7_654_321 + 345) % 10**7).cast(pa.string()), 7, "0")
    head, tail = pc.utf8_slice_codeunits(own, 0, 3), pc.utf8_slice_codeunits(own, 3, 7)
    return [
        join("+", code, mobile, own),
        join(trunk, mobile, " ", own),
        join("+", code, " ", mobile, " ", head, " ", tail),
        join("00", code, mobile, own),
    ]
