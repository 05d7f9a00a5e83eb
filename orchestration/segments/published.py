"""What readers see of segments now: the newest snapshot's memberships."""

from dataclasses import dataclass
from datetime import datetime

from orchestration.publication.snapshot import newest
from orchestration.resources.settings import Settings


@dataclass(frozen=True)
class Published:
    """`memberships` is a relation of (segment, profile_id), as SQL; `as_of` of the snapshot."""

    memberships: str
    catalog: str
    as_of: datetime
    snapshot_id: str


def newest_published(settings: Settings) -> Published | None:
    """The newest snapshot, or None if nothing was published yet."""
    manifest = newest(settings.published)
    if manifest is None or "segment_memberships" not in manifest.tables:
        return None
    folder = settings.published / "snapshots" / manifest.snapshot_id
    as_of = datetime.fromisoformat(manifest.as_of.replace("Z", "+00:00")).replace(tzinfo=None)
    memberships = f"read_parquet('{folder}/segment_memberships.parquet')"
    catalog = f"read_parquet('{folder}/segment_catalog.parquet')"
    return Published(memberships, catalog, as_of, manifest.snapshot_id)
