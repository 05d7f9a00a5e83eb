"""The CRM's extracts: contacts (see `contacts`), consents, what became of messages, tickets."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from seeds.simulator.arrays import NEVER, Bools, Ints, ints, weighted
from seeds.simulator.contacts import contact_table, contacts_of, since
from seeds.simulator.event_table import campaign_names
from seeds.simulator.files import write_csv, write_csv_by_month
from seeds.simulator.mailing import TYPES, Interactions, Mailing
from seeds.simulator.sales import Sales
from seeds.simulator.settings import DAY, HOUR, Settings
from seeds.simulator.text import identifiers, join, moments, pick
from seeds.simulator.world import World

TICKETS_PER_DAY = 0.003


def write_crm(settings: Settings, world: World, sales: Sales, mailing: Mailing) -> dict[str, int]:
    """Write all CRM entities; returns the rows of each."""
    folder = settings.inbox / "crm"
    interactions = mailing.interactions or [Interactions(*(ints(0) for _ in range(4)))]
    messages = _interactions(world, Interactions.concat(interactions))
    return {
        "crm/contacts": write_csv(
            contact_table(settings, world, sales), folder / "contacts", "contacts"
        ),
        "crm/consents": write_csv(_consents(settings, world), folder / "consents", "consents"),
        "crm/interactions": write_csv_by_month(
            messages, "occurred_at", folder / "interactions", "interactions"
        ),
        "crm/tickets": write_csv(_tickets(settings, world), folder / "tickets", "tickets"),
    }


def _consents(settings: Settings, world: World) -> pa.Table:
    """Given when the contact was made, withdrawn later by some; no row at all if never given."""
    people, person = world.people, contacts_of(settings, world)
    began, until = since(world, person), people.withdrawn_ms[person]
    left = (until < settings.end_ms) & (until > began)
    mail, sms = people.consents_email[person], people.consents_sms[person]
    parts = [
        (mail, began, "email", "granted", "sign_up_form"),
        (sms, began, "sms", "granted", "sign_up_form"),
        (mail & left, until, "email", "withdrawn", "preference_centre"),
    ]
    tables = [
        _consent_rows(world, person[where], when[where], number, words)
        for number, (where, when, *words) in enumerate(parts)
    ]
    return pa.concat_tables(tables)


def _consent_rows(
    world: World, person: Ints, when: Ints, number: int, words: list[str]
) -> pa.Table:
    """Rows of one kind; the words are channel, status and source."""
    channel, status, source = words
    none = ints(len(person))
    return pa.table(
        {
            "consent_id": identifiers("g-", person * 3 + number, 13),
            "contact_id": pick(world.names.contact_ids, person),
            "email": world.names.email(person, world.people.contact_variant[person]),
            "channel": pick([channel], none),
            "purpose": pick(["marketing"], none),
            "status": pick([status], none),
            "source": pick([source], none),
            "occurred_at": moments(when),
        }
    )


def _interactions(world: World, rows: Interactions) -> pa.Table:
    rows = rows.take(np.lexsort((rows.kind, rows.person, rows.occurred_ms)))
    message = rows.person * 100_000 + rows.campaign
    number = np.arange(len(rows), dtype=np.int64)
    return pa.table(
        {
            "interaction_id": identifiers("x", number, 14),
            "contact_id": pick(world.names.contact_ids, rows.person),
            "email": world.names.email(rows.person, np.where(number % 5 == 0, 0, -1)),
            "channel": pick(["email"], ints(len(rows))),
            "type": pick(TYPES, rows.kind),
            "campaign": campaign_names(rows.campaign),
            "message_id": join("m", pa.array(message).cast(pa.string())),
            "occurred_at": moments(rows.occurred_ms),
        }
    )


def _tickets(settings: Settings, world: World) -> pa.Table:
    """Support cases; people about to leave have more of them and are less content."""
    rng, person = settings.random(11), contacts_of(settings, world)
    leaves = world.people.stopped_ms[person] < NEVER
    rate = TICKETS_PER_DAY * settings.days * np.where(leaves, 2.5, 1.0)
    person = np.repeat(person, rng.poisson(rate))
    when = settings.start_ms + (rng.random(len(person)) * settings.days * DAY).astype(np.int64)
    in_time = (when > since(world, person)) & (when < world.people.stopped_ms[person])
    person, when = person[in_time], when[in_time]
    closed = when + (rng.exponential(30.0, len(person)) * HOUR).astype(np.int64)
    done: Bools = closed < settings.end_ms
    unhappy = world.people.stopped_ms[person] < NEVER
    score = 1 + np.where(
        unhappy,
        weighted(rng, (5, 3, 2, 1, 1), len(person)),
        weighted(rng, (1, 1, 2, 4, 5), len(person)),
    )
    rated = done & (rng.random(len(person)) < 0.6)
    number = np.arange(len(person), dtype=np.int64)
    kinds = ("delivery", "refund", "product", "payment")
    return pa.table(
        {
            "ticket_id": identifiers("t", number, 15),
            "contact_id": pick(world.names.contact_ids, person),
            "email": world.names.email(person, np.where(number % 4 == 0, 1, -1)),
            "category": pick(kinds, rng.integers(0, 4, len(person))),
            "priority": pick(["low", "normal", "high"], weighted(rng, (3, 6, 1), len(person))),
            "status": pick(["open", "closed"], done.astype(np.int64)),
            "satisfaction": pa.array(score, mask=~rated),
            "opened_at": moments(when),
            "closed_at": moments(closed, done),
        }
    )
