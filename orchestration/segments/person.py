"""Whom an analyst means: a profile id, one of the past, or any identifier."""

import re

from orchestration.identity.explain.answer import NotExplainedError, the_one
from orchestration.identity.rules import load_rules
from orchestration.rendering.context import DATABASE
from orchestration.segments.errors import SegmentError
from orchestration.segments.members import everybody
from orchestration.segments.world import World


def profile_of(world: World, value: str) -> tuple[str, str]:
    """The profile id, and what is to be told about the value (or nothing).

    Raises:
        SegmentError: it means nobody, or several; the message says why.
    """
    text = value.strip()
    if re.fullmatch(r"p_[0-9a-f]{20}", text) and _is_profile(world, text):
        return text, ""
    connection = world.connection.cursor()
    connection.execute(f"use {DATABASE}")
    try:
        found = the_one(connection, text, load_rules())
    except NotExplainedError as error:
        raise SegmentError(str(error)) from None
    if found.profile_id is None:
        raise SegmentError(f"{value} is nobody's now; see muster explain identity {value}")
    past = found.past_profile_id
    about = f"{past} is of the past: since {found.since} it is {found.profile_id}" if past else ""
    return found.profile_id, about


def _is_profile(world: World, profile_id: str) -> bool:
    row = world.connection.execute(
        f"select 1 from {everybody(world)} where profile_id = '{profile_id}' limit 1"
    ).fetchone()
    return row is not None
