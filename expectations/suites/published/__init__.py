"""Published: what consumers read. It holds no contact data and nothing from after its as_of."""

from expectations.spec import Suite
from expectations.suites.published import (
    campaign_catalog,
    campaign_decisions,
    campaign_versions,
    experiment_assignments,
    identity_aliases,
    identity_map,
    identity_merges,
    identity_rejections,
    profile_scores,
    profiles,
    segment_catalog,
    segment_membership_history,
    segment_memberships,
    segment_overlaps,
    tracking_plan_violations,
    trigger_candidates,
)

SUITES: tuple[Suite, ...] = (
    profiles.SUITE,
    profile_scores.SUITE,
    segment_memberships.SUITE,
    segment_catalog.SUITE,
    segment_membership_history.SUITE,
    segment_overlaps.SUITE,
    trigger_candidates.SUITE,
    campaign_decisions.SUITE,
    campaign_catalog.SUITE,
    campaign_versions.SUITE,
    experiment_assignments.SUITE,
    identity_map.SUITE,
    identity_aliases.SUITE,
    identity_merges.SUITE,
    identity_rejections.SUITE,
    tracking_plan_violations.SUITE,
)
