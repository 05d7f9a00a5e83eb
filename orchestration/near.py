"""Names that a mistyped one may mean."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`; did you mean 'high_value'?`, to be put behind a message; `otherwise` if none is near."""
    names = sorted(known)
    nearer, near = (get_close_matches(word.lower(), names, 3, cutoff) for cutoff in (0.85, 0.6))
    named = " or ".join(f"'{one}'" for one in nearer or near)
    return f"; did you mean {named}?" if near else otherwise
