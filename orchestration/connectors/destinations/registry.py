"""The kinds of destinations. The list below is the registry: a new kind is a module and a line."""

from typing import Any

from orchestration.connectors.definitions import of_kind
from orchestration.connectors.destinations.base import Destination


def kinds() -> dict[str, type[Destination]]:
    """Destination classes by the `type` that a definition names."""
    from orchestration.connectors.destinations.files import FilesDestination
    from orchestration.connectors.destinations.kafka import KafkaDestination
    from orchestration.connectors.destinations.postgres import PostgresDestination
    from orchestration.connectors.destinations.redis import RedisDestination
    from orchestration.connectors.destinations.vendor import VendorDestination
    from orchestration.connectors.destinations.webhook import WebhookDestination

    return {
        "files": FilesDestination,
        "kafka": KafkaDestination,
        "postgres": PostgresDestination,
        "redis": RedisDestination,
        "vendor": VendorDestination,
        "webhook": WebhookDestination,
    }


def destination(entry: dict[str, Any], where: str) -> Destination:
    """One entry of `destinations`, with everything checked.

    Args:
        entry: its settings.
        where: its place, for messages.

    Raises:
        DefinitionError: it is not valid; the message names the place and the cure.
    """
    return of_kind(entry, kinds(), where)
