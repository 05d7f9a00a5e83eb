"""A value as somebody types it to the identifiers by which the models may know it.

The models normalise when records are staged (`normalization.py`); this is the one place where a
question does the same. It may offer several spellings: the tables say which of them there is.
"""

from orchestration.identity.normalization import normal_email, normal_phone
from orchestration.identity.rules import KNOWN_TYPES


def spellings(text: str, country: str = "") -> list[str]:
    """The identifiers (`type:value`) that a text may mean, the strongest type first.

    Args:
        text: `type:value`, or a value of any type.
        country: where telephone numbers without a country are dialled from, if known.

    >>> spellings("Email: Ann@Example.com")
    ['email:ann@example.com']
    """
    kind, colon, value = text.partition(":")
    kind = kind.strip().lower()
    if colon and kind in KNOWN_TYPES:
        return _of_type(kind, value, country)
    return [identifier for kind in KNOWN_TYPES for identifier in _of_type(kind, text, country)]


def _of_type(kind: str, text: str, country: str) -> list[str]:
    value: str | None = text.strip()
    if not value:
        return []
    values: list[str | None] = [value]
    if kind == "email":
        values = [normal_email(value), value.lower()]
    elif kind == "phone":
        # As stored; with its own country; dialled from the default one; and of no known country.
        values += [normal_phone(value, country or None), normal_phone(value)]
    return [f"{kind}:{one}" for one in dict.fromkeys(values) if one]
