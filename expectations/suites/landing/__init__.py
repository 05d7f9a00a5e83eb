"""Landing: is what arrived readable, traceable and in proportion?

Bad values only warn here, because staging quarantines them; what would break lineage is an error.
"""

from expectations.spec import Suite
from expectations.suites.landing import (
    crm_consents,
    crm_contacts,
    crm_interactions,
    crm_tickets,
    identity_overrides,
    plan_releases,
    rejected_lines,
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
    rejected_lines.SUITE,
    plan_releases.SUITE,
    identity_overrides.SUITE,
)
