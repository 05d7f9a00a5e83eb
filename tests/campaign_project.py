"""A dbt project of campaigns alone, to be changed: what they refer to is there by name only."""

import shutil
from pathlib import Path

from orchestration.resources.settings import DBT_PROJECT

TRIGGERS = (
    "cart_abandonment", "browse_abandonment", "repeat_product_view", "category_browse",
    "category_then_cart_abandonment", "engagement_milestone", "onsite_upsell", "dwell_cross_sell",
    "checkout_reminder", "new_visitor_onboarding", "post_purchase_loyalty", "winback",
    "deep_scroll", "promo_click",
)  # fmt: skip


def campaign_project(folder: Path, is_empty: bool = False) -> Path:
    """The folder `campaigns/` of a project: with the shipped campaigns, or with templates only."""
    for kind, names in (("triggers", TRIGGERS), ("segments", ())):
        made = folder / "models/marts" / kind
        made.mkdir(parents=True)
        for name in names:
            (made / f"trg_{name}.sql").touch()
    for path in (DBT_PROJECT / "models/marts/segments").glob("*"):
        shutil.copy(path, folder / "models/marts/segments")
    shutil.copy(DBT_PROJECT / "tracking_plan.yml", folder)
    shutil.copytree(DBT_PROJECT / "campaigns", folder / "campaigns")
    if is_empty:
        for path in (folder / "campaigns").glob("*.yml"):
            path.unlink()
        (folder / "campaigns/policy.yml").write_text("caps: []\n")
    return folder / "campaigns"
