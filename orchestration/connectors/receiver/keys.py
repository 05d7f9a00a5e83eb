"""Who may send: API keys from the environment, and where a request carries one.

Keys are kept as digests only, compared in constant time, and never part of a message.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

VARIABLE = "MUSTER_RECEIVE_KEYS"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SHORT = 16  # characters; a shorter key can be guessed


class KeysError(ValueError):
    """The variable does not hold keys; the message never quotes one."""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True)
class Keys:
    """Pairs of a name and the digest of a key; a name may have several keys while one is rotated.

    No pairs at all means that everyone may send.
    """

    pairs: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    short: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names, once each, in their order."""
        return list(dict.fromkeys(name for name, _ in self.pairs))

    def name_of(self, key: str) -> str | None:
        """The name of a key, or None; every pair is compared, whichever matches."""
        given = _digest(key)
        found = None
        for name, digest in self.pairs:
            if hmac.compare_digest(given, digest):
                found = name
        return found


def parse_keys(text: str) -> Keys:
    """Keys from `name:key,name:key`.

    Raises:
        KeysError: an entry is no such pair, or two names have one key.
    """
    pairs: list[tuple[str, bytes]] = []
    short = []
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, colon, key = entry.partition(":")
        if not colon or not key.strip() or not _NAME.fullmatch(name):
            raise KeysError(
                f"{VARIABLE}: entry {number} is not name:key; write for example "
                "shop:LONG_RANDOM_TEXT,app:ANOTHER"
            )
        digest = _digest(key.strip())
        if any(known == digest for _, known in pairs):
            raise KeysError(f"{VARIABLE}: entry {number} ({name}) has the key of another entry")
        if len(key.strip()) < _SHORT:
            short.append(name)
        pairs.append((name, digest))
    return Keys(tuple(pairs), tuple(short))


def credential(headers: Mapping[str, str]) -> str | None:
    """The key that a request carries: Bearer, `X-Api-Key`, or the user name of Basic (Segment)."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return decoded.partition(":")[0] or None
    return headers.get("x-api-key") or None
