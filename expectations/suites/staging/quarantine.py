"""What staging did not accept: each with its reason, and few enough."""

from expectations.spec import Suite, error, warn

SUITE = Suite(
    stage="staging",
    table="staging.quarantine",
    owner="data",
    rules=(
        error("HasProvenance", "Each record can be traced to a row of a file in landing."),
        error(
            "ExpectColumnValuesToNotBeNull",
            "Each record says why it was not accepted.",
            column="reason",
        ),
        warn(
            "QuarantineIsSmall",
            "Of no entity is more than 5% of the landed records in quarantine.",
            entities=[
                "crm_contacts",
                "crm_consents",
                "crm_interactions",
                "crm_tickets",
                "web_events",
                "shop_products",
                "shop_orders",
                "shop_order_items",
                "shop_refunds",
            ],
        ),
    ),
)
