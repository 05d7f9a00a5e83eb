"""From a place in rendered SQL back to line and column of the file it was rendered from."""

from collections.abc import Sequence


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


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
