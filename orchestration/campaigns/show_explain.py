"""Decisions of campaigns about one person for a terminal, from 80 columns on."""

from collections.abc import Iterator

from rich.console import Console

from orchestration.campaigns.explain import Decided, Explanation
from orchestration.campaigns.silence import Quiet, Silence
from orchestration.segments.show import at, heading, line, more, table

_MOST = 5  # decisions, and events of one
_VERBS = {"send": ("sent", "bold green"), "hold": ("waits", "bold yellow"),
          "suppress": ("not sent", "bold red")}  # fmt: skip


def print_explanation(console: Console, shown: Explanation) -> None:
    """Each decision, the newest first: what, why, all gates, caps, and the events behind it."""
    count = len(shown.decisions)
    decisions = f"{count} decision{'s' * (count != 1)}"
    heading(
        console,
        f"{shown.campaign} and {shown.profile_id}: {decisions}",
        f"as of {at(shown.as_of)} UTC, as all times here",
    )
    for words in shown.about:
        line(console, words, "yellow", hang=2)
    if shown.none_because:
        line(console, f"nothing to decide: {shown.none_because}", hang=2)
    for one in shown.decisions[:_MOST]:
        console.print()
        _decided(console, one, shown.version)
    more(console, min(count, _MOST), count)


def _decided(console: Console, one: Decided, version: str | None) -> None:
    verb, style = _VERBS[one.decision]
    step = "" if one.step == "message" else f"step {one.step}, "
    reason = f" ({one.reason})" if one.reason else ""
    line(console, f"{step}{one.occurrence_key}: {verb}{reason}", style, hang=2)
    line(console, one.because, indent=2, hang=2)
    if one.after:
        line(console, one.after, indent=2, hang=2)
    times = [f"occurred {at(one.occurred_at)}", f"due {at(one.due_at)}",
             f"decided {at(one.decided_at)}"]  # fmt: skip
    if one.send_at:
        times.append(f"{'sent' if one.decision == 'send' else 'looked at again'} {at(one.send_at)}")
    line(console, ", ".join(times), "dim", indent=2, hang=2)
    is_now = " (the present one)" if one.version == version else " (not the present one)"
    group = "held out" if one.is_holdout else f"variant {one.variant}"
    told = f"{group}, priority {one.priority}, version {one.version}{is_now}"
    line(console, told, "dim", indent=2, hang=2)
    for words in one.before:
        line(console, f"before: {words}", "dim", indent=2, hang=2)
    gates = table("", "gate", "what it saw", folds=("what it saw",))
    for fails, name, detail in _gates(one):
        gates.add_row("✗" if fails else "✓", name, detail, style="red" if fails else "")
    console.print(gates)
    if one.events:
        line(console, "made by", "dim", indent=2)
    for event in one.events[:_MOST]:
        line(console, f"{at(event.occurred_at)}  {event.name}  {event.about}", indent=4, hang=4)
    more(console, min(len(one.events), _MOST), len(one.events))


def _gates(one: Decided) -> Iterator[tuple[bool, str, str]]:
    """Gates and caps; what failed only for something else of the same run is said so."""
    fails = False
    for gate in one.gates:
        is_reason = gate.name == one.reason and not gate.fails
        fails |= gate.name == one.reason
        yield (gate.fails or is_reason), gate.name, one.because if is_reason else gate.detail
    for cap in one.caps:
        is_full = cap.used >= cap.most
        fails |= is_full
        detail = f"{cap.used} of {cap.most} of {cap.scope} within {cap.within}"
        yield is_full, "frequency_cap", detail
    if one.decision != "send" and not fails:
        yield True, one.reason, one.because


def print_silence(console: Console, shown: Silence) -> None:
    """What was sent last, whom it can be sent to, and each campaign's newest reason."""
    heading(
        console,
        f"{shown.profile_id}: {shown.last_message}",
        f"as of {at(shown.as_of)} UTC, as all times here",
    )
    for words in shown.about:
        line(console, words, "yellow", hang=2)
    console.print()
    reach = table("channel", "reached", "consent", "stopped", folds=("consent", "stopped"))
    for one in shown.reach:
        reach.add_row(one.channel, "yes" if one.is_reachable else "no", one.consent, one.stop)
    console.print(reach)
    console.print()
    decided = [one for one in shown.campaigns if one.outcomes]
    if decided:
        made = table("campaign", "decided", "the newest", folds=("decided", "the newest"))
        for quiet in sorted(decided, key=_newest, reverse=True):
            made.add_row(quiet.campaign, _outcomes(quiet), quiet.because)
        console.print(made)
        console.print()
    others = [one for one in shown.campaigns if not one.outcomes]
    if others:
        line(console, "Nothing to decide", "bold")
        for quiet in others:
            line(console, f"{quiet.campaign}: {quiet.because}", indent=1, hang=2)


def _newest(quiet: Quiet) -> tuple[str, str]:
    return str(quiet.newest), quiet.campaign


def _outcomes(quiet: Quiet) -> str:
    """`no_consent 2, sent 1`, the most frequent first."""
    counted = sorted(quiet.outcomes.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{name} {count}" for name, count in counted)
