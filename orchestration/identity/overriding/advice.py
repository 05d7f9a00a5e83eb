"""What to tell somebody who is about to record an override: in words, from its effect."""

from collections.abc import Sequence

from orchestration.identity.overriding.decisions import Decision, replaced
from orchestration.identity.overriding.effect import Effect, Part
from orchestration.identity.rules import IdentityRules

SHOWN = 5  # identifiers and parts that are named before "and n more"


def told(asked: Decision, decisions: Sequence[Decision], effect: Effect) -> list[str]:
    """What it would do, a line each."""
    lines = []
    if other := replaced(asked, decisions):
        lines.append(f"replaces {other}")
    for part, parts in effect.split:
        pieces = _listed([_named(piece) for piece in parts], "and")
        lines.append(f"would split profile {_named(part)} into {pieces}")
    for part, parts in effect.joined:
        pieces = _listed([_named(piece) for piece in parts], "and")
        lines.append(f"would join {pieces} into profile {_named(part)}")
    if effect.lost:
        lines.append(f"would be nobody's: {_listed(effect.lost)}")
    if effect.gained:
        lines.append(f"would be somebody's again: {_listed(effect.gained)}")
    if asked.action != "link":
        lines += [
            f"would not link {edge.a} and {edge.b} any more ({edge.rule}: {edge.reason})"
            for edge in effect.rejected[:SHOWN]
        ]
    if effect.is_nothing:
        lines.append(f"would change nothing now{_yet(asked)}")
    return lines


def _yet(asked: Decision) -> str:
    if asked.action == "split":
        return ": they are not one, and never would be"
    return ": it holds for what comes" if asked.action in ("link", "block") else ""


def objection(asked: Decision, effect: Effect, rules: IdentityRules) -> str:
    """Why it is probably a mistake; blank if it is not."""
    if asked.action == "undo":
        return ""
    for name, reason in effect.blocked.items():
        return f"{name} identifies nobody by the block list ({reason}), so there is nothing to say"
    if effect.unseen:
        return (
            f"{_listed(effect.unseen)} was never seen; write it as `muster explain identity` "
            "shows it, or say --force to have it wait until it comes"
        )
    if asked.action == "link" and effect.rejected:
        return f"a link would not hold: {_broken(effect, rules)}"
    if asked.action == "link" and len(effect.named) == 1:
        return (
            f"they are one already, profile {_named(effect.named[0])}; say --force to keep them "
            "so, whatever comes"
        )
    return ""


def _broken(effect: Effect, rules: IdentityRules) -> str:
    """Which limit a link would break, and by which identifiers."""
    edge = effect.rejected[0]
    both = [name for part in effect.named for name in part.identifiers]
    for kind, rule in rules.identifiers.items():
        of_kind = sorted(name for name in both if name.startswith(f"{kind}:"))
        if edge.rule == "limit" and rule.limit is not None and len(of_kind) > rule.limit:
            return (
                f"identity_rules.yml allows {rule.limit} {kind} in a profile, and these would be "
                f"{len(of_kind)}: {_listed(of_kind)}; raise the limit or split what is wrong, or "
                f"say --force and have {edge.a} and {edge.b} rejected"
            )
    return f"{edge.a} and {edge.b} would be rejected ({edge.rule}: {edge.reason}); --force does so"


def _named(part: Part) -> str:
    """A profile or a part of it: its id, and what is in it."""
    held = len(part.identifiers)
    return f"{part.profile_id} ({part.identifiers[0] if held == 1 else f'{held:,} identifiers'})"


def _listed(names: Sequence[str], word: str = "") -> str:
    """Some of the names, and how many more there are."""
    shown = [name if len(name) <= 80 else name[:80] + "…" for name in names[:SHOWN]]
    if len(names) > SHOWN:
        return f"{', '.join(shown)} and {len(names) - SHOWN:,} more"
    if word and len(shown) > 1:
        return f"{', '.join(shown[:-1])} {word} {shown[-1]}"
    return ", ".join(shown)
