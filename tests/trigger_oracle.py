"""Random histories, and every candidate that ever comes of them: the triggers' slow Python twin.

It goes from event to event and asks what is known then; it has no lookback, context or as_of.
"""

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from tests.behaviour_oracle import CONTENT, CONVERSIONS, START, Row, counted, sessions

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
# Exactly a threshold, and a second on either side of it.
SHORT = [timedelta(0), SECOND, 30 * SECOND, MINUTE, MINUTE + SECOND, 2 * MINUTE, 5 * MINUTE]
MIDDLE = [15 * MINUTE, 15 * MINUTE - SECOND, 15 * MINUTE + SECOND, 30 * MINUTE, HOUR]
LONG = [12 * HOUR, DAY, DAY - SECOND, DAY + SECOND, 36 * HOUR]
PAUSES = SHORT * 4 + MIDDLE * 2 + LONG
THEMES = [
    ["product_view"],
    ["category_view", "add_to_cart"],
    ["product_view", "add_to_cart"],
    ["product_view", "add_to_cart", "purchase"],
]
PARAMETERS = {"category_browse_products": 2, "engagement_milestones": [2, 3]}
PROFILE_OF = {"d0": "p1", "d1": "p1", "d2": "p2"}
EVENT_NAMES = ["product_view"] * 4 + [
    "category_view",
    "article_read",
    "add_to_cart",
    "add_to_cart",
    "remove_from_cart",
    "checkout_start",
    "purchase",
    "click",
    "scroll",
]
TWINS = (
    "browse_abandonment",
    "cart_abandonment",
    "category_browse",
    "category_then_cart_abandonment",
    "checkout_reminder",
    "deep_scroll",
    "dwell_cross_sell",
    "engagement_milestone",
    "new_visitor_onboarding",
    "onsite_upsell",
    "post_purchase_loyalty",
    "promo_click",
    "repeat_product_view",
)
Candidate = tuple[str, str, str, datetime, datetime, tuple[str, ...]]
"""Trigger, profile, key, occurred_at, available_at, evidence."""


def random_history(chance: random.Random) -> tuple[list[Row], list[Row]]:
    """Events and order lines; pauses are about as long as what triggers wait for.

    Each history has a few kinds of events and pauses, so that one kind meets another often.
    """
    at, events = START, []
    names = chance.choice([*THEMES, *(chance.choices(EVENT_NAMES, k=6) for _ in THEMES)])
    pauses = chance.choices(PAUSES, k=chance.randint(2, 8))
    devices = chance.choice([["d0"], ["d0", "d0", "d0", "d1", "d2", "nobody"]])
    products = chance.choice(["a", "aabbcd"])
    for number in range(chance.randint(2, 40)):
        at += chance.choice(pauses)
        name = chance.choice(names)
        in_cart = name in {"add_to_cart", "remove_from_cart", "checkout_start", "purchase"}
        events.append(
            {
                "event_id": f"e{chance.randrange(10)}{number}",
                "anonymous_id": chance.choice(devices),
                "name": name,
                "occurred_at": at,
                "received_at": None,
                "product_id": None if name == "category_view" else chance.choice(products),
                "category": chance.choice(["toys", "toys", "toys", None]),
                "cart_id": chance.choice(["c1", "c1", "c2", "c3"]) if in_cart else None,
                "quantity": chance.choice([None, 1, 1, 2]),
                "value": chance.choice([None, 5]),
                "dwell_seconds": chance.choice([None, 0, 15, 30, 31, 60, 90, 120, 121]),
                "scroll_depth": chance.choice([50, 75]) if name == "scroll" else None,
                "properties": chance.choice(['{"element": "promo_tile"}', '{"element": "menu"}']),
                "country": chance.choice(["DE", "DE", "US", None]),
            }
        )
    return events, [random_line(chance, number, events) for number in range(chance.randrange(5))]


def random_line(chance: random.Random, number: int, events: list[Row]) -> Row:
    """An order of one product, soon or a day after an event that may have been about it."""
    event = chance.choice(events)
    after = chance.choice([*PAUSES, -HOUR, *([DAY, DAY, DAY + SECOND] * 5)])
    return {
        "order_id": f"o{number}",
        "profile_id": chance.choice([PROFILE_OF.get(event["anonymous_id"]), "p1", "p2"]),
        "cart_id": chance.choice([None, None, "c1", "c2"]),
        "product_id": chance.choice([event["product_id"], "a", "b"]),
        "ordered_at": event["occurred_at"] + after,
        "is_order": chance.random() < 0.8,
    }


class History:
    """What happened, in order of time and id, and questions about it."""

    def __init__(self, events: list[Row], lines: list[Row], end: datetime) -> None:
        self.end = end
        self.events = counted(events, PROFILE_OF, end)
        self.lines = [line for line in lines if line["ordered_at"] <= end]
        self.carts: dict[str, list[Row]] = defaultdict(list)
        for event in self.events:
            if event["cart_id"]:
                self.carts[event["cart_id"]].append(event)
        self.sessions = sessions(self.events, 30 * MINUTE)

    def bought_at(self, cart: str) -> datetime | None:
        """When the cart was first bought."""
        by_event = [e["occurred_at"] for e in self.carts[cart] if e["name"] in CONVERSIONS]
        by_order = [line["ordered_at"] for line in self.lines if line["cart_id"] == cart]
        return min(by_event + by_order, default=None)

    def is_bought(self, cart: str, by: datetime) -> bool:
        """Whether it was bought by then."""
        at = self.bought_at(cart)
        return at is not None and at <= by

    def has_additions(self, cart: str) -> bool:
        """A cart to which nothing was ever added is none."""
        return any(event["name"] == "add_to_cart" for event in self.carts[cart])

    def of(self, profile: str, *names: str) -> list[Row]:
        """Its events of these names."""
        return [e for e in self.events if e["profile_id"] == profile and e["name"] in names]

    def purchases(self, profile: str, product: str) -> list[datetime]:
        """When the profile bought the product."""
        found = [
            line["ordered_at"]
            for line in self.lines
            if (line["profile_id"], line["product_id"]) == (profile, product)
        ]
        for cart, steps in self.carts.items():
            at = self.bought_at(cart)
            if at and self.has_additions(cart) and steps[0]["profile_id"] == profile:
                found += [
                    at
                    for step in steps
                    if step["name"] == "add_to_cart"
                    and step["product_id"] == product
                    and step["occurred_at"] <= at
                ]
        return found


def pieces(steps: list[Row]) -> int:
    """What is in a cart after these of its events."""
    signs = {"add_to_cart": 1, "remove_from_cart": -1}
    return sum(signs.get(step["name"], 0) * (step["quantity"] or 1) for step in steps)


def ids(events: list[Row]) -> tuple[str, ...]:
    """Of events, each once, in order."""
    distinct = {(event["occurred_at"], event["event_id"]) for event in events}
    return tuple(event_id for _, event_id in sorted(distinct))


def pauses(history: History) -> dict[str, tuple[Row, list[Row]]]:
    """For each cart the event before the pause that counts, and all up to it."""
    found = {}
    for cart, steps in history.carts.items():
        for number, step in enumerate(steps):
            until = step["occurred_at"] + 15 * MINUTE
            later = [other["occurred_at"] for other in steps[number + 1 :]]
            is_quiet = until <= history.end and not any(at <= until for at in later)
            is_filled = pieces(steps[: number + 1]) > 0 and history.has_additions(cart)
            if is_quiet and is_filled and not history.is_bought(cart, until):
                found[cart] = (step, steps[: number + 1])
                break
    return found


def cart_triggers(history: History) -> list[Candidate]:
    """cart_abandonment, and that after a category was viewed."""
    found = []
    for cart, (step, steps) in pauses(history).items():
        owner, at = history.carts[cart][0]["profile_id"], step["occurred_at"]
        moments = (at, at + 15 * MINUTE)
        found.append(("cart_abandonment", owner, cart, *moments, ids(steps)))
        added = [other for other in steps if other["name"] == "add_to_cart"][-1]
        views = [
            view
            for view in history.of(owner, "category_view")
            if view["category"]
            and (view["occurred_at"], view["event_id"]) < (added["occurred_at"], added["event_id"])
            and added["occurred_at"] - view["occurred_at"] <= DAY
        ]
        if views:
            evidence = ids([views[-1], added])
            found.append(("category_then_cart_abandonment", owner, cart, *moments, evidence))
    return found


def view_triggers(history: History) -> list[Candidate]:
    """browse_abandonment and repeat_product_view."""
    found: list[Candidate] = []
    views_of = defaultdict(list)
    for event in history.events:
        if event["name"] == "product_view":
            views_of[event["profile_id"], event["product_id"]].append(event)
    for (profile, product), views in views_of.items():
        for day in {view["occurred_at"].date() for view in views}:
            of_day = [view for view in views if view["occurred_at"].date() == day]
            first, last = of_day[0]["occurred_at"], of_day[-1]["occurred_at"]
            if not any(first <= at <= last + DAY for at in history.purchases(profile, product)):
                key = f"{product}|{day}"
                moments = (last, last + DAY)
                found.append(("browse_abandonment", profile, key, *moments, ids(of_day)))
        # How many views the 24 hours up to each view hold; reaching three counts.
        before = 0
        for number, view in enumerate(views):
            at = view["occurred_at"]
            near = [one for one in views[: number + 1] if at - one["occurred_at"] <= DAY]
            if len(near) >= 3 > before:
                key = f"{product}|{near[-3]['event_id']}"
                found.append(("repeat_product_view", profile, key, at, at, ids(near[-3:])))
            before = len(near)
    return found


def session_triggers(history: History) -> list[Candidate]:
    """Those whose key is a session, or a session and something in it."""
    found: list[Candidate] = []
    for session in history.sessions:
        key, profile = session[0]["event_id"], session[0]["profile_id"]
        seen: dict[str, list[Row]] = defaultdict(list)
        done = set()
        for event in session:
            at, category, product = event["occurred_at"], event["category"], event["product_id"]
            is_promo = json.loads(event["properties"])["element"] == "promo_tile"
            first = {
                "deep_scroll": (event["scroll_depth"] or 0) >= 75,
                "promo_click": event["name"] == "click" and is_promo,
            }
            for name, fires in first.items():
                if fires and name not in done:
                    done.add(name)
                    found.append((name, profile, key, at, at, ids([event])))
            if event["name"] == "product_view" and category:
                others = seen[category]
                if product not in [other["product_id"] for other in others]:
                    others.append(event)
                    if len(others) == 3:
                        of_both = f"{key}|{category}"
                        found.append(("category_browse", profile, of_both, at, at, ids(others)))
        found += onsite_upsell(history, session)
    return found


def onsite_upsell(history: History, session: list[Row]) -> list[Candidate]:
    """The first event of a session at which all holds."""
    key, profile = session[0]["event_id"], session[0]["profile_id"]
    for number, event in enumerate(session):
        so_far = session[: number + 1]
        at, place = event["occurred_at"], (event["occurred_at"], event["event_id"])
        views = [one for one in so_far if one["name"] == "product_view"]
        if at - session[0]["occurred_at"] <= MINUTE or not views:
            continue
        last_steps = []
        for cart, all_steps in history.carts.items():
            steps = [s for s in all_steps if (s["occurred_at"], s["event_id"]) <= place]
            is_open = history.has_additions(cart) and not history.is_bought(cart, at)
            if is_open and steps and steps[-1] in so_far and pieces(steps) > 0:
                last_steps.append(steps[-1])
        if last_steps:
            step = min(last_steps, key=lambda one: (one["occurred_at"], one["event_id"]))
            return [("onsite_upsell", profile, key, at, at, ids([views[-1], step, event]))]
    return []


def dwell_triggers(history: History) -> list[Candidate]:
    """dwell_cross_sell and checkout_reminder: a page is known to be seen for long when left."""
    found: list[Candidate] = []
    reminders = []
    for session in history.sessions:
        profile = session[0]["profile_id"]
        products = {one["product_id"] for one in session if one["name"] == "product_view"}
        for product in products:
            views = [
                {**one, "left_at": one["occurred_at"] + one["dwell_seconds"] * SECOND}
                for one in session
                if (one["name"], one["product_id"]) == ("product_view", product)
                and one["dwell_seconds"]
            ]
            views.sort(key=lambda one: (one["left_at"], one["event_id"]))
            reached: dict[int, int] = {}
            for number in range(len(views)):
                seconds = sum(one["dwell_seconds"] for one in views[: number + 1])
                for threshold in (30, 120):
                    if seconds > threshold:
                        reached.setdefault(threshold, number)
            if 30 in reached:
                view = views[reached[30]]
                key = f"{session[0]['event_id']}|{product}"
                evidence = tuple(one["event_id"] for one in views[: reached[30] + 1])
                moments = (view["occurred_at"], view["left_at"])
                found.append(("dwell_cross_sell", profile, key, *moments, evidence))
            if 120 in reached:
                view = views[reached[120]]
                for step in session:
                    if (step["name"], step["product_id"]) == ("add_to_cart", product):
                        moment = max(view["left_at"], step["occurred_at"])
                        if not history.is_bought(step["cart_id"], moment):
                            order = (moment, step["occurred_at"], step["event_id"])
                            reminders.append((order, step["cart_id"], profile, view, step))
    carts = set()
    for (moment, *_), cart, profile, view, step in sorted(reminders, key=lambda one: one[0]):
        if cart not in carts:
            carts.add(cart)
            at = max(view["occurred_at"], step["occurred_at"])
            evidence = ids([view, step])
            found.append(("checkout_reminder", profile, cart, at, moment, evidence))
    return found


def profile_triggers(history: History) -> list[Candidate]:
    """Those that look at a profile's whole life, and orders."""
    found: list[Candidate] = []
    for profile in {event["profile_id"] for event in history.events}:
        reads = history.of(profile, *CONTENT)
        for number in PARAMETERS["engagement_milestones"]:  # type: ignore[attr-defined]
            if len(reads) >= number:
                read = reads[number - 1]
                at = read["occurred_at"]
                found.append(("engagement_milestone", profile, str(number), at, at, ids([read])))
        mine = [one for one in history.sessions if one[0]["profile_id"] == profile]
        first = min(mine, key=lambda one: (one[0]["occurred_at"], one[0]["event_id"]))
        for event in first:
            at = event["occurred_at"]
            if at - first[0]["occurred_at"] > 5 * MINUTE and event["country"] == "DE":
                evidence = ids([first[0], event])
                found.append(("new_visitor_onboarding", profile, profile, at, at, evidence))
                break
    for line in history.lines:
        if line["profile_id"] and line["is_order"]:
            at, key = line["ordered_at"], line["order_id"]
            found.append(("post_purchase_loyalty", line["profile_id"], key, at, at, ()))
    return found


def candidates(events: list[Row], lines: list[Row], end: datetime) -> set[Candidate]:
    """Every candidate that may be acted on by `end`, but for winback."""
    history = History(events, lines, end)
    rules: list[Any] = [cart_triggers, view_triggers, session_triggers, dwell_triggers]
    found = [one for rule in [*rules, profile_triggers] for one in rule(history)]
    assert len({one[:3] for one in found}) == len(found)
    return {one for one in found if one[4] <= end}
