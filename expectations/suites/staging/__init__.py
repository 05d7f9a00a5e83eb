"""Staging: is what was accepted normalised and plausible? One module per entity."""

from expectations.spec import Suite
from expectations.suites.staging import (
    crm_consents,
    crm_contacts,
    crm_interactions,
    crm_tickets,
    muster_identity_overrides,
    quarantine,
    shop_order_items,
    shop_orders,
    shop_products,
    shop_refunds,
    web_events,
)

SUITES: tuple[Suite, ...] = (
    crm_contacts.SUITE,
    crm_consents.SUITE,
    crm_interactions.SUITE,
    crm_tickets.SUITE,
    web_events.SUITE,
    shop_products.SUITE,
    shop_orders.SUITE,
    shop_order_items.SUITE,
    shop_refunds.SUITE,
    quarantine.SUITE,
    muster_identity_overrides.SUITE,
)
