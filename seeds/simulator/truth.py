"""What really is: who is who, the true sessions, who left, what e-mail does to whom, which fault.

Written to a folder of its own. Only tests and benchmarks read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Floats, Ints, ints
from seeds.simulator.contacts import (
    contacts_of,
    duplicated_contacts,
    second_emails,
    second_ids,
)
from seeds.simulator.event_table import campaign_names, event_ids
from seeds.simulator.events import Events
from seeds.simulator.faults import Fault
from seeds.simulator.files import write_truth
from seeds.simulator.mailing import Assignments, Mailing
from seeds.simulator.names import VARIANTS
from seeds.simulator.people import KINDS, REGISTERED
from seeds.simulator.settings import Settings
from seeds.simulator.text import pick
from seeds.simulator.world import World


@dataclass
class Witness:
    """What is seen of the events while they pass: sessions, and rows with a fault."""

    sessions: list[pa.Table] = field(default_factory=list)
    faults: list[pa.Table] = field(default_factory=list)

    def see_sessions(self, world: World, events: Events) -> None:
        """The sessions of the good events of one day's visits; each visit is seen once."""
        good = events.take(events.session >= 0)
        if not len(good):
            return
        good = good.take(np.lexsort((good.occurred_ms, good.session)))
        session, first, count = np.unique(good.session, return_index=True, return_counts=True)
        last = first + count - 1
        delay = np.maximum.reduceat(good.received_ms - good.occurred_ms, first)
        self.sessions.append(
            pa.table(
                {
                    "session_id": pa.array(session),
                    "person_id": pick(world.names.person_ids, good.person[first]),
                    "anonymous_id": pick(world.devices.anonymous_ids, good.device[first]),
                    "started_at": _stamps(good.occurred_ms[first]),
                    "ended_at": _stamps(good.occurred_ms[last]),
                    "events": pa.array(count),
                    "longest_delay_seconds": pa.array(delay // 1_000),
                }
            )
        )

    def see_faults(self, events: Events, file: str) -> None:
        """The rows of one day's files that have a fault."""
        bad = events.take(events.fault != Fault.NONE)
        kinds = pick([fault.name.lower() for fault in Fault], bad.fault)
        columns = {"event_id": event_ids(bad), "kind": kinds}
        self.faults.append(pa.table({**columns, "day": pick([file], ints(len(bad)))}))


def write_all(settings: Settings, world: World, mailing: Mailing, witness: Witness) -> None:
    """Write every truth table."""
    tables = {
        "identifiers": _identifiers(settings, world),
        "persons": _persons(settings, world),
        "churn": _churn(settings, world),
        "treatments": _treatments(world, mailing),
    }
    for name, table in tables.items():
        write_truth(table, settings.truth, name)
    if witness.sessions:
        write_truth(pa.concat_tables(witness.sessions), settings.truth, "sessions")
    write_truth(pa.concat_tables(witness.faults), settings.truth, "faults")


def _identifiers(settings: Settings, world: World) -> pa.Table:
    """Every value that points at a person; a shared device has a row for each of its users."""
    names, everyone = world.names, np.arange(len(world.people), dtype=np.int64)
    user, device = world.devices.users()
    known = contacts_of(settings, world)
    twice = duplicated_contacts(settings, world)
    members = known[world.people.kind[known] == REGISTERED]
    parts = [
        _pairs(world, "anonymous_id", user, pick(world.devices.anonymous_ids, device)),
        _pairs(world, "user_id", members, pick(names.user_ids, members)),
        _pairs(world, "customer_id", members, pick(names.customer_ids, members)),
        _pairs(world, "contact_id", known, pick(names.contact_ids, known)),
        _pairs(world, "contact_id", twice, second_ids(twice)),
        _pairs(world, "email", twice, second_emails(world, twice)),
    ]
    for variant in range(VARIANTS):
        form = ints(len(everyone), variant)
        parts.append(_pairs(world, "email", everyone, names.email(everyone, form)))
        parts.append(_pairs(world, "phone", everyone, names.phone(everyone, form)))
    return pa.concat_tables(parts)


def _pairs(world: World, kind: str, person: Ints, value: pa.Array) -> pa.Table:
    return pa.table(
        {
            "person_id": pick(world.names.person_ids, person),
            "type": pick([kind], ints(len(person))),
            "value": value,
        }
    )


def _persons(settings: Settings, world: World) -> pa.Table:
    """Kind and the parameters of behaviour: without e-mail, and the relative change by it."""
    people = world.people
    uplift = people.buy_probability * people.email_uplift
    known = people.contact_since_ms
    return pa.table(
        {
            "person_id": world.names.person_ids,
            "kind": pick(KINDS, people.kind),
            "is_test": pa.array(people.is_test),
            "visits_per_day": _rounded(people.visits_per_day),
            "order_probability_per_visit": _rounded(people.buy_probability),
            "email_relative_uplift": _rounded(people.email_uplift),
            "email_uplift_per_visit": _rounded(uplift),
            "joined_at": _stamps(people.joined_ms),
            "contact_since": pc.if_else(
                pa.array(known < settings.end_ms), _stamps(np.minimum(known, settings.end_ms)), None
            ),
        }
    )


def _churn(settings: Settings, world: World) -> pa.Table:
    """Who stopped before the end, and when; from then on a person never visits or buys again."""
    stopped = world.people.stopped_ms
    churned = stopped < settings.end_ms
    return pa.table(
        {
            "person_id": world.names.person_ids,
            "churned": pa.array(churned),
            "stopped_at": pc.if_else(
                pa.array(churned), _stamps(np.minimum(stopped, settings.end_ms)), None
            ),
        }
    )


def _treatments(world: World, mailing: Mailing) -> pa.Table:
    """Who was sent each campaign, and who was held out at random."""
    none = ints(0)
    empty = Assignments(none, none, none, np.zeros(0, dtype=np.bool_))
    rows = Assignments.concat([empty, *mailing.assignments])
    return pa.table(
        {
            "person_id": pick(world.names.person_ids, rows.person),
            "campaign": campaign_names(rows.campaign),
            "sent_at": _stamps(rows.sent_ms),
            "treated": pa.array(rows.treated),
        }
    )


def _stamps(milliseconds: Ints) -> pa.Array:
    return pa.array(milliseconds.astype("datetime64[ms]")).cast(pa.timestamp("us", "UTC"))


def _rounded(values: Floats) -> pa.Array:
    """Four places are enough for a truth, and keep the checked-in sample small."""
    return pa.array(np.round(values, 4).astype(np.float32))
