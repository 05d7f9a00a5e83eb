"""The gate of the campaign feed: pauses, what holds at the moment of emission, and the words."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from orchestration.campaigns.content.renderer import load_renderer
from orchestration.campaigns.definitions import load_usable
from orchestration.campaigns.messages import messages
from orchestration.campaigns.pauses import paused
from orchestration.campaigns.recheck import recheck
from orchestration.connectors.landing import all_loads
from orchestration.feeds.campaign_feed import Decision, Refused, emit
from orchestration.feeds.definitions import Feed
from orchestration.feeds.emitted import Emitted, moment_of
from orchestration.publication.snapshot import Manifest, manifest_path
from orchestration.resources.settings import Settings
from orchestration.segments.world import open_world


def emit_campaigns(
    settings: Settings,
    feed: Feed,
    tell: Callable[[str], None] = print,
    now: datetime | None = None,
) -> Emitted:
    """Send what campaigns decided and what still holds.

    Args:
        settings: where everything is.
        feed: a feed of campaigns.
        tell: is told of attempts that failed.
        now: the machine's clock, UTC with its zone; left out, it is read.

    Raises:
        WarehouseError: a build writes the warehouse: what holds cannot be asked, so nothing goes.
        DeliveryError: the destination took nothing, or not all; the next call goes on there.
    """
    clock = now or datetime.now(UTC)
    return emit(
        feed,
        settings.published,
        settings.ledger,
        lambda manifest: _Gate(settings, manifest, clock),
        tell,
    )


class _Gate:
    def __init__(self, settings: Settings, manifest: Manifest, now: datetime) -> None:
        self.now = now
        self._campaigns = load_usable()
        self._faults = {fault.name for fault in self._campaigns.faults}
        self._world = open_world(settings)
        self.connection = self._world.connection
        self.connection.execute(
            """create view aliases as
            select alias_profile_id, profile_id from warehouse.intermediate.int_identity_aliases"""
        )
        self._paused = paused(settings.ledger)
        is_landed_anew = bool(all_loads(settings.landing) - set(manifest.loads))
        self._known_at = now.replace(tzinfo=None) if is_landed_anew else None
        # As much later than the snapshot's moment as it is later than the snapshot: a build of a
        # past moment is played on its own clock.
        path = manifest_path(settings.published, manifest.snapshot_id)
        age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
        self._moment = moment_of(manifest) + max(age, timedelta(0))

    def waits(self, decision: Decision) -> str | None:
        if decision["campaign"] in self._paused:
            return "paused"
        return "at fault" if decision["campaign"] in self._faults else None

    def refused(self, decisions: Sequence[Decision]) -> Mapping[str, Refused]:
        return recheck(self._world, self._campaigns, decisions, self._moment, self._known_at)

    def words(self, decisions: Sequence[Decision]) -> Mapping[str, Decision | str]:
        if not decisions:
            return {}
        renderer = load_renderer(campaigns=self._campaigns)
        return {
            decision_id: made
            if isinstance(made, str)
            else {"subject": made.subject, "preview": made.preview, "body": made.body,
                  "locale": made.locale}
            for decision_id, made in messages(self.connection, renderer, decisions).items()
        }  # fmt: skip
