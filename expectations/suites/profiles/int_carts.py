"""Carts: moments in an order that can be."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import profile_id

SUITE = Suite(
    stage="profiles",
    table="intermediate.int_carts",
    owner="profiles",
    rules=(
        profile_id(),
        error(
            "MatchesPattern",
            "A cart is in one of its states.",
            column="state",
            pattern="open|checkout|purchased|abandoned|expired",
        ),
        error(
            "NotBefore",
            "Nothing is last added before it was first added.",
            column="last_added_at",
            earlier="first_added_at",
        ),
        error(
            "NotBefore",
            "The last event is not before the last addition.",
            column="last_event_at",
            earlier="last_added_at",
        ),
        warn(
            "NotBefore",
            "At least 99% of the carts are not bought before something was added.",
            column="purchased_at",
            earlier="first_added_at",
            mostly=0.99,
        ),
    ),
)
