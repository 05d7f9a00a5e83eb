"""A whole run: day after day, so that memory does not grow with the number of days.

A day's events are drawn here; two worker threads write down and compress the days before.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seeds.simulator import truth
from seeds.simulator.arrays import Ints, ints
from seeds.simulator.carts import Carts, fill_carts, leave_carts, no_carts
from seeds.simulator.crm_files import write_crm
from seeds.simulator.event_table import event_table
from seeds.simulator.events import Events, no_events, write_events
from seeds.simulator.faults import add_faults
from seeds.simulator.lines import write_lines
from seeds.simulator.mailing import Mailing
from seeds.simulator.sales import Sales, sell_in_stores, sell_online
from seeds.simulator.settings import DAY, MAX_ROWS_PER_FILE, Settings
from seeds.simulator.shop_files import write_shop
from seeds.simulator.steps import Steps, take_steps
from seeds.simulator.visits import Visits, draw_visits
from seeds.simulator.vocabulary import PURCHASE
from seeds.simulator.world import Day, World, make_day, make_world

WORKERS = 2
WAITING = 3  # files drawn but not yet written; bounds the memory


@dataclass
class State:
    """What one day leaves to the next."""

    mailing: Mailing
    carts: Carts
    sales: Sales
    busy_ms: Ints
    later: Events
    witness: truth.Witness
    next_event: int = 0
    next_session: int = 0


def simulate(settings: Settings) -> dict[str, int]:
    """Write the inbox and the truth of one run; returns the rows of each entity."""
    world = make_world(settings)
    state = State(
        mailing=Mailing(ints(settings.people, settings.start_ms)),
        carts=no_carts(),
        sales=Sales(),
        busy_ms=ints(len(world.devices.kind), settings.start_ms - DAY),
        later=no_events(),
        witness=truth.Witness(),
    )
    rows = {"web/events": 0}
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[None]] = deque()
        for index in range(settings.days):
            day = make_day(settings, world, index)
            due = _play(day, state)
            rows["web/events"] += len(due)
            for path, part in _files(day, due):
                waiting.append(pool.submit(_write, world, part, path))
                while len(waiting) > WAITING:
                    waiting.popleft().result()
        for task in waiting:
            task.result()
    rows |= write_shop(settings, world, state.sales)
    rows |= write_crm(settings, world, state.sales, state.mailing)
    truth.write_all(settings, world, state.mailing, state.witness)
    return rows


def _play(day: Day, state: State) -> Events:
    """Draw one day; returns the events received on it, in the order of arrival."""
    state.mailing.send(day)
    visits = draw_visits(day, state.mailing, state.carts.returning, state.busy_ms)
    baskets = fill_carts(day, state.carts, visits)
    steps = take_steps(day, visits, baskets.lines)
    steps = steps.take(steps.occurred_ms < day.settings.end_ms)
    sold = sell_online(day, state.sales, visits, baskets, _purchases(visits, steps))
    sell_in_stores(day, state.sales)
    leave_carts(day, state.carts, visits, baskets)
    events = write_events(day, visits, steps, baskets, sold)
    return _receive(day, state, events, len(visits))


def _receive(day: Day, state: State, events: Events, visits: int) -> Events:
    """Spoil some events, keep back what arrives after the day, drop what arrives after the end."""
    end_ms = day.settings.end_ms
    events = add_faults(day, events.take(events.received_ms < end_ms))
    events = events.take(events.received_ms < end_ms)
    events.number += state.next_event
    events.session = np.where(events.session >= 0, events.session + state.next_session, -1)
    state.next_event = int(events.number.max(initial=state.next_event - 1)) + 1
    state.next_session += visits
    state.witness.see_sessions(day.world, events)
    every = Events.concat([state.later, events])
    now = every.received_ms < day.end_ms
    state.later = every.take(~now)
    due = every.take(now)
    due = due.take(np.lexsort((due.fault, due.number, due.received_ms)))
    state.witness.see_faults(due, day.name)
    return due


def _purchases(visits: Visits, steps: Steps) -> Ints:
    """The moment of purchase of each visit, -1 for none."""
    bought = ints(len(visits), -1)
    rows = steps.name == PURCHASE
    bought[steps.visit[rows]] = steps.occurred_ms[rows]
    return bought


def _files(day: Day, due: Events) -> list[tuple[Path, Events]]:
    """The day's events in files of bounded size."""
    folder, many = day.settings.inbox / "web" / "events", len(due) > MAX_ROWS_PER_FILE
    files = []
    for part, start in enumerate(range(0, len(due), MAX_ROWS_PER_FILE)):
        rows = np.arange(start, min(start + MAX_ROWS_PER_FILE, len(due)), dtype=np.int64)
        mark = f"-{part + 1:04d}" if many else ""
        files.append((folder / f"events-{day.name}{mark}.jsonl.gz", due.take(rows)))
    return files


def _write(world: World, events: Events, path: Path) -> None:
    write_lines(event_table(world, events), path)
