"""The whole answer to `muster explain identity VALUE`, as records that anything can render."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.identity.explain.events import Event, events
from orchestration.identity.explain.find import Found, find, why_missing
from orchestration.identity.explain.path import Path, path
from orchestration.identity.explain.reader import Person, Reader
from orchestration.identity.increment import LOG, resolved
from orchestration.identity.provenance import TraitProvenance, trait_provenance
from orchestration.identity.rules import IdentityRules

if TYPE_CHECKING:
    import duckdb


_LONG = 80  # characters of a value that an error repeats


class NotExplainedError(ValueError):
    """A value means nobody, or several; the message says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """`notes` are sentences to be told first."""

    asked: Found
    notes: tuple[str, ...]
    person: Person
    traits: tuple[TraitProvenance, ...]
    events: tuple[Event, ...]
    path: Path | None

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        told = asdict(self)
        for one in told["person"]["identifiers"]:
            del one["key"]  # a number of this warehouse only
        return json.dumps(told, default=_in_utc, indent=2)


def _in_utc(moment: datetime) -> str:
    """Times of records have no zone in the warehouse, where all are UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def answer(
    connection: "duckdb.DuckDBPyConnection", rules: IdentityRules, value: str, other: str = ""
) -> Answer:
    """Why the person that a value means is one.

    Args:
        connection: a warehouse, time zone UTC; only read from.
        rules: the rules of identity.
        value: `type:value`, a bare value of any type, or a profile id.
        other: another one, if a path between the two is asked for.

    Raises:
        NotExplainedError: a value means nobody, or several.
    """
    reader = Reader(connection, rules.silent_sources)
    asked = the_one(connection, value, rules)
    person = reader.person(asked.profile_id, asked.identifier)
    way = None
    if other:
        end = the_one(connection, other, rules)
        last = end.identifier or reader.person(end.profile_id).identifiers[0].identifier
        way = path(reader, person, asked.identifier or person.identifiers[0].identifier, last)
    notes = (*_about(asked), *_stale(connection, rules))
    traits = _traits(connection, asked.profile_id)
    return Answer(asked, notes, person, traits, tuple(events(reader, person)), way)


def the_one(connection: "duckdb.DuckDBPyConnection", value: str, rules: IdentityRules) -> Found:
    """What a value means, if it is one thing.

    Raises:
        NotExplainedError: it means nobody, or several.
    """
    found = find(connection, value, rules.default_country)
    if not found:
        if not value.strip():
            raise NotExplainedError("no value; name an identifier or a profile id")
        missing = why_missing(connection, value, rules.default_country)
        near = f"; near it: {', '.join(missing.near)}" if missing.near else ""
        shown = value if len(value) <= _LONG else f"{value[:_LONG]}... ({len(value):,} characters)"
        raise NotExplainedError(f"{shown}: {missing.reason}{near}")
    if len({one.profile_id or one.identifier for one in found}) > 1:
        lines = [f"  {one.identifier}  of {one.profile_id or 'nobody'}" for one in found]
        first = found[0].identifier
        cure = f'name one with its type: muster explain identity "{first}"'
        raise NotExplainedError("\n".join([f"{value} is several:", *lines, cure]))
    return found[0]


def _traits(
    connection: "duckdb.DuckDBPyConnection", profile_id: str | None
) -> tuple[TraitProvenance, ...]:
    """The golden record; identity is built before it, and may be there alone."""
    import duckdb

    if profile_id is None:
        return ()
    try:
        return tuple(trait_provenance(connection, profile_id))
    except duckdb.CatalogException:
        return ()


def _about(asked: Found) -> list[str]:
    past = asked.past_profile_id
    if past and asked.profile_id:
        return [f"{past} is of the past: since {asked.since} (UTC) it is {asked.profile_id}"]
    if past:
        first = asked.identifier
        return [f"{past} is of the past: {first}, from which it had its id, is nobody's now"]
    return []


def _stale(connection: "duckdb.DuckDBPyConnection", rules: IdentityRules) -> list[str]:
    built = resolved(connection, LOG)
    if built and built.rules != rules.weighed:
        return ["identity_rules.yml changed after the last build: this is the outcome before it"]
    return []
