"""The words of one locale, taken apart: lines such as `subject: ...`, `---`, and the body.

Belongs here: files to parsed templates, and from a place in one back to file and line. What the
words may use is checks.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from orchestration.campaigns.content.language import TAGS, Language
from orchestration.near import did_you_mean
from orchestration.resources.settings import shown

_HEADS = {"email": ("subject", "preview"), "push": ("subject",), "onsite": ("subject",), "sms": ()}
_NEEDED = {"email": ("subject", "preview")}
_OPENED = ("if", "unless", "for", "case", "capture", "comment")


class TemplateError(ValueError):
    """A template cannot be used; the message names the file, the line and the cure."""


@dataclass(frozen=True)
class Source:
    """A text and where it stands: its file, and the line before its first."""

    path: Path
    text: str
    offset: int = 0

    def line(self, index: int) -> int:
        """The line of the file in which a place of the text is."""
        return self.offset + 1 + self.text.count("\n", 0, max(index, 0))


@dataclass(frozen=True)
class Words:
    """Of one locale: parsed parts, and their sources with those of the blocks, by name."""

    path: Path
    parts: Mapping[str, BoundTemplate]  # subject, preview, body; layout of e-mail
    sources: Mapping[str, Source]

    def place(self, name: str, index: int) -> str:
        """`file, line N` of a place in a part or block."""
        source = self.sources.get(name) or Source(self.path, "")
        return f"{shown(source.path)}, line {source.line(index)}"


def blocks_of(folder: Path, locale: str) -> dict[str, Source]:
    """Shared blocks by name: `NAME.liquid` of any locale, `NAME.LOCALE.liquid` of one."""
    found = {}
    for path in sorted(folder.glob("*.liquid")):
        name, _, of = path.stem.partition(".")
        if of in ("", locale):
            found[name] = Source(path, _read(path))
    return found


def read_words(
    path: Path, channel: str, blocks: Mapping[str, Source], translations: Mapping[str, str]
) -> Words:
    """A file of words, parsed.

    Args:
        path: `LOCALE.liquid`.
        channel: of its template.
        blocks: those of the locale.
        translations: what the filter `translate` says in it.

    Raises:
        TemplateError: it cannot be parsed, or lacks a part that its channel needs.
    """
    sources = _split(path, _read(path), channel)
    texts = {name: block.text for name, block in blocks.items()}
    # Heads are plain text in e-mail too; the body and its layout are HTML.
    plain = Language(path.stem, False, texts, translations)
    html = Language(path.stem, channel == "email", texts, translations)
    if channel == "email":
        if "layout" not in blocks:
            raise TemplateError(
                f"{path}: there is no _blocks/layout.liquid, which each e-mail is in"
            )
        sources["layout"] = blocks["layout"]
    parts = {}
    for name, source in sources.items():
        language = html if name in ("body", "layout") else plain
        parts[name] = parse(language, name, source)
    return Words(path, parts, {**blocks, **sources})


def parse(language: Language, name: str, source: Source) -> BoundTemplate:
    """A text, parsed.

    Raises:
        TemplateError: it is no Liquid, or of another kind than is allowed here.
    """
    try:
        return language.from_string(source.text, name=name)
    except LiquidError as error:
        cause = error.__cause__ or error
        said = str(getattr(cause, "message", None) or cause)
        index = error.token.start_index if error.token else -1
        if index < 0:
            index = _unclosed(language, source.text)
        unknown = re.match(r"unexpected tag '(\w+)'", said)
        if unknown:
            near = did_you_mean(unknown[1], TAGS, f"; there are {', '.join(TAGS)}")
            said = f"there is no tag '{unknown[1]}'{near}"
        said = said.replace("found end of expression", "found nothing more")
        raise TemplateError(f"{source.path}, line {source.line(index)}: {said}") from None


def _unclosed(language: Language, text: str) -> int:
    """Where the fault is that Liquid tells no place of: a wrong {{ }}, or a block left open."""
    for found in re.finditer(r"\{\{.*?\}\}", text, re.DOTALL):
        try:
            language.from_string(found[0])
        except LiquidError:
            return found.start()
    opened: list[int] = []
    for found in re.finditer(r"\{%-?\s*(end)?(\w+)", text):
        if found[2] in _OPENED and not found[1]:
            opened.append(found.start())
        elif found[2] in _OPENED and opened:
            opened.pop()
    return opened[-1] if opened else len(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise TemplateError(f"{path} is not UTF-8 text that can be read") from None


def _split(path: Path, text: str, channel: str) -> dict[str, Source]:
    """The parts of a file; heads are those lines before a line `---` that say `name: text`."""
    allowed, needed = _HEADS[channel], _NEEDED.get(channel, ())
    head, parted, body = text.partition("\n---\n")
    if not parted:
        head, body = "", text
    found: dict[str, Source] = {}
    for number, line in enumerate(head.splitlines()):
        name, colon, words = line.partition(":")
        name = name.strip()
        if not line.strip():
            continue
        if not colon or name not in allowed or name in found:
            there = ", ".join(f"`{one}: ...`" for one in allowed) or "none"
            raise TemplateError(
                f"{path}, line {number + 1}: before `---` each line is a head, once; of {channel} "
                f"there are {there}"
            )
        found[name] = Source(path, words.strip(), number)
    for name in needed:
        if not (name in found and found[name].text):
            raise TemplateError(
                f"{path}, line 1: {channel} needs `{name}: ...` above a line `---`, then the body"
            )
    if not body.strip():
        raise TemplateError(f"{path}, line {text.count(chr(10)) + 1}: there is no body; write one")
    found["body"] = Source(path, body.strip("\n") if channel != "email" else body,
                           text[: len(text) - len(body)].count("\n"))  # fmt: skip
    return found
