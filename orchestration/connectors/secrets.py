"""Secrets of definitions: `${NAME}` is read from the environment when it is used.

They never stand in a file, and `scrubbed` keeps them out of messages and logs.
"""

import os
import re

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):([^@\s]+)@")
_SHORTEST = 4  # a shorter value would blot out half a message

_used: set[str] = set()


class MissingSecretError(ValueError):
    """An environment variable that a definition names is not set."""


def resolved(text: str, where: str) -> str:
    """`text` with each `${NAME}` replaced by the environment variable of that name.

    Args:
        text: such as `postgresql://muster:${ERP_PASSWORD}@db/erp`.
        where: what needs it, for the message.

    Raises:
        MissingSecretError: one of them is not set.
    """

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise MissingSecretError(f"{where} needs the environment variable {match[1]}")
        _used.add(found)
        return found

    return _REFERENCE.sub(value, text)


def scrubbed(text: str) -> str:
    """`text` without any secret resolved so far, and without passwords in addresses."""
    for secret in sorted(_used, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return _URL_PASSWORD.sub(r"\1:***@", text)
