"""The same explanation without contact data: values become shortened hashes, free text goes.

Hashes are keyed with the project secret, so nobody can try addresses against a screenshot; the same
value has the same hash wherever it stands.
"""

import hashlib
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from orchestration.identity.rules import KNOWN_TYPES

_HIDDEN_TEXT = ("why", "told_by")
_HASHED_TEXT = ("value", "record_id")  # of traits
_T = TypeVar("_T")


class Hider:
    """Replaces identifiers in any of the explanation's records."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret).digest()

    def identifier(self, identifier: str) -> str:
        """`type:#` and six hexadecimal digits."""
        kind = identifier.split(":", maxsplit=1)[0]
        digest = hashlib.blake2b(identifier.encode(), key=self._key, digest_size=3).hexdigest()
        return f"{kind}:#{digest}"

    def hide(self, value: _T) -> _T:
        """A record, or a tuple or list of them, with every identifier in it hidden."""
        if isinstance(value, str):
            return self.identifier(value) if _is_identifier(value) else value  # type: ignore[return-value]
        if isinstance(value, tuple | list):
            return type(value)(self.hide(one) for one in value)  # type: ignore[return-value]
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self._field(value, f.name) for f in fields(value)})
        return value

    def _field(self, record: object, name: str) -> object:
        value = getattr(record, name)
        if name in _HIDDEN_TEXT:
            return "(hidden)"
        if name in _HASHED_TEXT:
            return self.identifier(f"{name}:{value}").partition(":")[2]
        if name == "key":
            return 0  # a hash of the value that is not keyed
        if name == "reason":
            return str(value).partition(",")[0] if str(value).startswith("override ") else value
        if name == "notes":
            return tuple(" ".join(self.hide(word.rstrip(",")) for word in n.split()) for n in value)
        return self.hide(value)


def _is_identifier(text: str) -> bool:
    return text.split(":", maxsplit=1)[0] in KNOWN_TYPES and ":" in text
