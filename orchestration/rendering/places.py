"""Places in files: of what is wrong there, and of rendered SQL in the file it came from."""

import re
from collections.abc import Sequence
from pathlib import Path

from orchestration.resources.settings import shown


class FileError(ValueError):
    """Something is wrong in a file: `file:line:column: words`, as far as the place is known.

    `is_certain`: no build could read the file; else dbt may know more than is known here.
    """

    is_certain = True

    def __init__(self, words: str, file: Path | str = "", *place: int | None) -> None:
        self.words = words
        named = shown(file) if isinstance(file, Path) else file
        self.place = ":".join([named, *(str(number) for number in place if number)])
        super().__init__(f"{self.place}: {words}" if file else words)


def place_in_file(pieces: Sequence[str], text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, in the file.

    A piece that stands literally in the file is found there exactly; one that Jinja made is placed
    at the tag that made it. In a loop the first turn stands for all.

    Args:
        pieces: the rendered SQL in order, as `Rendered.pieces`.
        text: the file.
        offset: characters before the place, in the SQL that the pieces make.
    """
    at = done = 0
    for piece in pieces:
        found = text.find(piece, at) if piece.strip() else -1
        is_literal = found >= 0
        if done + len(piece) > offset:
            if is_literal:
                return _line_and_column(text, found + offset - done)
            break
        if is_literal:
            at = found + len(piece)
        done += len(piece)
    tag = min((one for one in (text.find("{{", at), text.find("{%", at)) if one >= 0), default=at)
    return _line_and_column(text, tag)


def as_written(words: str, text: str, line: int, column: int) -> str:
    """`syntax error at or near "x"` in the words of the file: where Jinja made `x`, its tag.

    Args:
        words: DuckDB's.
        text: the file.
        line: of the place, from 1.
        column: the same.
    """
    near = re.search(r'at or near "(.*)"', words)
    there = "\n".join(text.split("\n")[line - 1 :])[column - 1 :]
    tag = re.match(r"\{\{.*?\}\}|\{%.*?%\}", there, flags=re.DOTALL)
    if not near or not tag or there.startswith(near[1]):
        return words
    return words.replace(near[0], f"at or near {' '.join(tag[0].split())}")


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
