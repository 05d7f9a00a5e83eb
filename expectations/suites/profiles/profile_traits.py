"""One row per person: traits that segments use."""

from expectations.spec import Suite, error, warn
from expectations.suites.common import not_negative, profile_id

SUITE = Suite(
    stage="profiles",
    table="marts.profile_traits",
    owner="profiles",
    rules=(
        profile_id(),
        *not_negative("identifier_count", "session_count", "session_count_7d", "order_count"),
        *not_negative("days_since_last_session", "days_since_last_order", "refunded_value"),
        *not_negative("predicted_value_90d"),
        *(
            error(
                "ExpectColumnValuesToBeBetween",
                f"{score} is between {least} and {most}.",
                column=score,
                min_value=least,
                max_value=most,
            )
            for score, least, most in (
                ("engagement_score", 0, 100),
                ("data_quality_score", 0, 100),
                ("recency_score", 1, 5),
                ("frequency_score", 1, 5),
                ("monetary_score", 1, 5),
                ("preferred_hour", 0, 23),
                ("churn_probability_7d", 0, 1),
                ("churn_probability_30d", 0, 1),
                ("churn_probability_90d", 0, 1),
                ("purchase_probability_30d", 0, 1),
            )
        ),
        error(
            "NotBefore",
            "No last session ends before the first begins.",
            column="last_session_at",
            earlier="first_session_at",
        ),
        error(
            "NotBefore",
            "Nobody is last seen before they were first seen.",
            column="last_seen_at",
            earlier="first_seen_at",
        ),
        error(
            "NotBefore",
            "No last order is before the first.",
            column="last_order_at",
            earlier="first_order_at",
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "90% of the lifetime values are not negative (history may begin with a cancellation).",
            column="lifetime_value",
            min_value=0,
            mostly=0.9,
        ),
        warn(
            "ExpectColumnValuesToBeBetween",
            "99% of the profiles have at most 50 identifiers: more suggests a wrong merge.",
            column="identifier_count",
            max_value=50,
            mostly=0.99,
        ),
    ),
)
