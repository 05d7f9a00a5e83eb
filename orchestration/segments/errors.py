"""What is wrong with a segment, told in one line with the place in its file."""

import json
import re

from orchestration.rendering.places import as_written, place_in_file
from orchestration.rendering.renderer import Rendered
from orchestration.resources.settings import shown


class SegmentError(ValueError):
    """A command cannot do what was asked; the message says why and what to do."""


def query_error(error: Exception, rendered: Rendered, text: str, before: int) -> SegmentError:
    """DuckDB's refusal of a model's SQL, with the place in the file.

    Args:
        error: of a connection with `errors_as_json`.
        rendered: what was run.
        text: the file as it was rendered.
        before: characters that stood before the SQL in the statement.
    """
    said, offset, is_in_bytes = _told(str(error))
    name = shown(rendered.model.path)
    if offset is None or offset < before:
        return SegmentError(f"{name}: {said}")
    place = offset - before
    if is_in_bytes:
        place = len("".join(rendered.pieces).encode()[:place].decode(errors="ignore"))
    line, column = place_in_file(rendered.pieces, text, place)
    said = as_written(said, text, line, column)
    return SegmentError(f"{name}:{line}:{column}: {said}")


def _told(text: str) -> tuple[str, int | None, bool]:
    """DuckDB's message in one line, and the place it names: its parser counts characters, all
    else of it bytes.
    """
    start = text.find("{")
    try:
        told = json.loads(text[start:])
    except ValueError:
        return " ".join(text.split()), None, False
    said = re.sub(r"\n\s*\n?LINE \d+:.*", "", str(told["exception_message"]), flags=re.DOTALL)
    position = told.get("position")
    place = int(position) if position not in (None, "") else None
    return " ".join(said.split()), place, told.get("exception_type") != "Parser"
