"""A value as somebody types it to the values by which the models may know it.

The models normalise in SQL (`dbt_project/macros/identifiers.sql`); this is the one place where a
question does the same. It may offer several spellings: the tables say which of them there is.
"""

import re

from orchestration.identity.rules import KNOWN_TYPES


def spellings(text: str) -> list[str]:
    """The identifiers (`type:value`) that a text may mean, the strongest type first.

    >>> spellings("email: Ann@Example.com")
    ['email:ann@example.com']
    """
    kind, colon, value = text.partition(":")
    if colon and kind.strip() in KNOWN_TYPES:
        return _of_type(kind.strip(), value)
    return [identifier for kind in KNOWN_TYPES for identifier in _of_type(kind, text)]


def _of_type(kind: str, text: str) -> list[str]:
    value = text.strip()
    if kind == "email":
        value = value.lower()
    elif kind == "phone":
        value = re.sub(r"^00", "", re.sub(r"[^0-9]", "", value))
    return [f"{kind}:{value}"] if value else []
