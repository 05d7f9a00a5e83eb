"""Profiles: are they, and what they are made of, possible people, sessions, orders and carts?"""

from expectations.spec import Suite
from expectations.suites.profiles import (
    int_carts,
    int_events_too_late,
    int_golden_records,
    int_identifiers_blocked,
    int_identity_map,
    int_orders_valued,
    int_sessions,
    int_trait_values,
    profile_traits,
)

SUITES: tuple[Suite, ...] = (
    int_identifiers_blocked.SUITE,
    int_identity_map.SUITE,
    int_trait_values.SUITE,
    int_golden_records.SUITE,
    int_events_too_late.SUITE,
    int_sessions.SUITE,
    int_orders_valued.SUITE,
    int_carts.SUITE,
    profile_traits.SUITE,
)
