"""Events in words: the columns of `web.events`, before they become lines of JSON."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seeds.simulator.arrays import Ints
from seeds.simulator.events import Events
from seeds.simulator.faults import Fault
from seeds.simulator.text import identifiers, join, moments, money, pick
from seeds.simulator.vocabulary import (
    ARTICLE,
    ARTICLE_READ,
    CATEGORIES,
    CATEGORY,
    CLICK,
    CLICKED,
    DEVICE_TYPES,
    EVENT_NAMES,
    PAGE_TYPES,
    PLACEHOLDERS,
    PRODUCT,
    QUERIES,
    SEARCH,
    UNKNOWN_NAMES,
    VIDEO_PLAY,
    ZONES,
)
from seeds.simulator.world import World


def event_ids(events: Events) -> pa.Array:
    """The id of each event; repeats share theirs."""
    return identifiers("e", events.number, 7, digits=10)


def event_table(world: World, events: Events) -> pa.Table:
    """The contract's columns as text or numbers, plus `fault` and `number` for the writer."""
    person, fault = events.person, events.fault
    kept = fault != Fault.MISSING_PROPERTY
    zone = world.people.zone[person]
    columns = {
        "event_id": event_ids(events),
        "name": _names(events),
        "occurred_at": moments(events.occurred_ms),
        "received_at": moments(events.received_ms),
        **_identity(world, events),
        "page_url": _pages(world, events),
        "page_type": pick(PAGE_TYPES, events.page, kept | (events.name != ARTICLE_READ)),
        "product_id": pick(world.catalogue.product_ids, events.product, kept),
        "category": pick(CATEGORIES, events.category, kept),
        "cart_id": identifiers("k", events.cart, 8, digits=8),
        "order_id": identifiers("o", np.where(kept, events.order, -1), 9, digits=8),
        "quantity": _number(events.quantity),
        "value": pc.if_else(pa.array(events.value_cents >= 0), money(events.value_cents), None),
        "currency": pick(["EUR"], np.where(events.value_cents >= 0, 0, -1)),
        "dwell_seconds": _number(events.dwell_seconds),
        "scroll_depth": _number(np.where(kept, events.scroll, -1)),
        "search_query": pick(QUERIES, _detail_of(events, SEARCH), kept),
        "device_type": pick(DEVICE_TYPES, world.devices.kind[events.device]),
        "country": pick([z.country for z in ZONES], zone),
        "timezone": pick([z.timezone for z in ZONES], zone),
        "utm_source": pick(["newsletter"], np.where(events.campaign >= 0, 0, -1)),
        "utm_medium": pick(["email"], np.where(events.campaign >= 0, 0, -1)),
        "utm_campaign": campaign_names(events.campaign),
        "element": pick(CLICKED, _detail_of(events, CLICK)),
        "video": _number(_detail_of(events, VIDEO_PLAY)),
        "fault": pa.array(fault),
        "number": pa.array(events.number),
    }
    return pa.table(columns)


def campaign_names(campaign: Ints) -> pa.Array:
    """`newsletter-<date>`; the campaign is the day of sending, since 1970; null if negative."""
    dates = pa.array(campaign.astype("datetime64[D]"), mask=campaign < 0).cast(pa.string())
    return join("newsletter-", dates)


def _identity(world: World, events: Events) -> dict[str, pa.Array]:
    """Device, user and e-mail; some are placeholders that identify nobody."""
    placeholder = pick(PLACEHOLDERS, events.number % len(PLACEHOLDERS))
    no_device = pa.array(events.fault == Fault.PLACEHOLDER_DEVICE)
    no_user = pa.array(events.fault == Fault.PLACEHOLDER_USER)
    device = pick(world.devices.anonymous_ids, events.device)
    user = pick(world.names.user_ids, events.person, events.has_user)
    return {
        "anonymous_id": pc.if_else(no_device, placeholder, device),
        "user_id": pc.if_else(no_user, placeholder, user),
        "email": world.names.email(events.person, events.email_variant),
    }


def _names(events: Events) -> pa.Array:
    known = pick(EVENT_NAMES, events.name)
    other = pick(UNKNOWN_NAMES, events.number % len(UNKNOWN_NAMES))
    return pc.if_else(pa.array(events.fault == Fault.UNKNOWN_NAME), other, known)


def _pages(world: World, events: Events) -> pa.Array:
    """The address of the page: a folder by page type, and what is shown there."""
    paths = ["", "sale", "cart", "account", "p/", "c/", "journal/", "checkout", "search"]
    last = pc.coalesce(
        pick(world.catalogue.product_ids, events.product, events.page == PRODUCT),
        pick(CATEGORIES, events.category, events.page == CATEGORY),
        _number(np.where(events.page == ARTICLE, events.detail, -1)).cast(pa.string()),
        pa.scalar(""),
    )
    return join("https://shop.example/", pick(paths, events.page), last)


def _detail_of(events: Events, name: int) -> Ints:
    return np.where(events.name == name, events.detail, -1)


def _number(values: Ints) -> pa.Array:
    return pa.array(values, mask=values < 0)
