"""Campaigns for a terminal, from 80 columns on: their list, and what one says to somebody."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from rich.console import Console

from orchestration.campaigns.content.rendering import Message
from orchestration.campaigns.content.sizes import told
from orchestration.campaigns.definitions import Campaigns, Defined
from orchestration.campaigns.preview import Preview
from orchestration.segments.show import line, table

_BLOCKS = ("p", "div", "h1", "h2", "h3", "tr", "li", "table", "ul", "br")


def print_list(console: Console, campaigns: Campaigns, paused: Mapping[str, str]) -> None:
    """A row each; faults take lines of their own, as they are too long for a column.

    Args:
        console: where it goes.
        campaigns: as loaded.
        paused: those that are, and why.
    """
    if not campaigns.defined and not campaigns.faults:
        line(console, "There is no campaign yet; docs/campaigns.md says how to write one.")
        return
    made = table("campaign", "audience", "channel", "version", folds=("audience",))
    for name, one in sorted(campaigns.defined.items()):
        made.add_row(name, audience_of(one), one.campaign.channel, one.version)
    for fault in campaigns.faults:
        made.add_row(fault.name, "", "", "at fault", style="red")
    console.print(made)
    for name, reason in sorted(paused.items()):
        line(console, f"{name} is paused{': ' * bool(reason)}{reason}", "yellow", 1, 2)
    if campaigns.faults:
        console.print()
        line(console, "What is wrong, and how to mend it", "bold")
    for fault in campaigns.faults:
        line(console, fault.message, "red", 1, 2)


def audience_of(defined: Defined) -> str:
    """Whom it is about, in a few words."""
    audience = defined.campaign.audience
    if audience.trigger:
        return f"trigger {audience.trigger}"
    return f"segment {audience.segment}, every {audience.every}".replace("every once", "once")


def print_preview(console: Console, shown: Preview) -> None:
    """Each message under a heading, with what stood in for what was missing."""
    campaign = shown.campaign
    line(
        console, f"{campaign.name}, {campaign.campaign.channel}, version {campaign.version}", "bold"
    )
    for words in (*shown.about, f"As of {shown.as_of:%Y-%m-%d %H:%M} UTC, the newest build."):
        line(console, words, "dim")
    for one in shown.shown:
        console.print()
        line(console, f"{one.title} (template {one.template})", "bold")
        if one.message is None:
            line(console, f"would not be sent: {one.problem}", "red", 1, 2)
            continue
        message = one.message
        for name, head in (("subject", message.subject), ("preview", message.preview)):
            if head is not None:
                line(console, f"{name}: {head}", "", 1, 2)
        for words in text_of(message.body, campaign.campaign.channel):
            line(console, words or " ", "", 3)
        for words in notes_of(message, campaign.campaign.channel):
            line(console, words, "yellow" if "stood in" in words else "dim", 1, 2)


def notes_of(message: Message, channel: str) -> list[str]:
    """Language and size, and a line for each fallback that was used."""
    notes = [f"in {message.locale}, {told(channel, message.size)}"]
    for name, value in message.fallbacks_used.items():
        if name == "locale":
            notes.append(f"there are no words in the wanted language; {value} stood in")
        elif value:
            notes.append(f"{name} is missing; '{value}' stood in")
        else:
            notes.append(f"{name} is missing; nothing stood in")
    return notes


def text_of(body: str, channel: str) -> Sequence[str]:
    """The lines of a message; of an e-mail, what one reads of its HTML, with links behind it."""
    return _Text(body).lines if channel == "email" else body.splitlines()


class _Text(HTMLParser):
    """Words of a page by line; what is not shown is left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._lines = [""]
        self._hidden: list[str] = []
        self._link = ""
        self.feed(html)

    @property
    def lines(self) -> list[str]:
        """Without empty ones."""
        return [words for one in self._lines if (words := " ".join(one.split()))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "head" or given.get("class") == "preview" or self._hidden:
            # Tags without an end, such as meta, hide nothing.
            self._hidden += [tag] if tag not in ("meta", "br", "img", "link") else []
        if tag in _BLOCKS:
            self._lines.append("· " if tag == "li" else "")
        elif tag in ("td", "small"):
            self._lines[-1] += " "
        if tag == "a":
            self._link = given.get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden.pop()
            return
        if tag == "a" and self._link:
            self._lines[-1] += f" [{self._link}]"
            self._link = ""
        elif tag in _BLOCKS:
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._lines[-1] += data
