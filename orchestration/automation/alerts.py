"""Alerts to people, by the services that `MUSTER_ALERTS` names: addresses of apprise, by blanks.

Such as `mailto://user:password@example.com` or `slack://...`; without it, alerts stand in Dagster's
log only. What is worth one is decided by who calls.
"""

import os
from collections.abc import Sequence


def alert(title: str, lines: Sequence[str]) -> bool:
    """Tell people; whether somebody was told.

    Args:
        title: of the message.
        lines: its text, without personal data.
    """
    addresses = os.environ.get("MUSTER_ALERTS", "").split()
    if not addresses:
        return False
    import apprise

    services = apprise.Apprise()
    for address in addresses:
        services.add(address)
    return bool(services.notify(title=title, body="\n".join(lines)))
