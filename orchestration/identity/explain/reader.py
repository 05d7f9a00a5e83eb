"""Why a person is one: identifiers, the edges that hold them together, what was rejected, and when.

Read from the identity models of a warehouse (schema `intermediate`); a connection is only read
from, and every question is filtered there by key. `find.py` says whom a value means,
`events.py` what happened when, `path.py` what joins two identifiers or keeps them
apart; rendering is somebody else's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from orchestration.identity.explain.overrides import Said, overrides_of, reasons
from orchestration.identity.graph import PROBABILISTIC_SOURCE
from orchestration.identity.rules import KNOWN_TYPES

if TYPE_CHECKING:
    import duckdb

OVERRIDE = "override"  # the source of edges that people said


@dataclass(frozen=True)
class Identifier:
    """`since`: when it came to the profile it has now; times are UTC."""

    identifier: str
    profile_id: str | None
    since: datetime | None
    first_landed_at: datetime | None
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    record_count: int
    key: int

    @property
    def kind(self) -> str:
        """Its type."""
        return self.identifier.split(":", maxsplit=1)[0]


@dataclass(frozen=True)
class Edge:
    """Evidence of one source that two identifiers are one person's; `weight` is a proposal's."""

    a: str
    b: str
    source: str
    first_landed_at: datetime
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    record_count: int
    weight: float | None = None


@dataclass(frozen=True)
class Rejected:
    """A pair that does not link now: `a` is of the person, `b` of `other_profile_id`."""

    a: str
    b: str
    rule: str
    reason: str
    since: datetime
    other_profile_id: str | None
    sources: tuple[str, ...]
    record_count: int


@dataclass(frozen=True)
class Judgement:
    """A row of the log about an edge: `kind` is `rejected` or `accepted`."""

    key_a: int
    key_b: int
    kind: str
    changed_at: datetime
    rule: str
    reason: str


@dataclass(frozen=True)
class Person:
    """What holds of one profile now. Without a profile, its one identifier is nobody's."""

    profile_id: str | None
    since: datetime | None
    aliases: tuple[tuple[str, datetime], ...]
    identifiers: tuple[Identifier, ...]
    edges: tuple[Edge, ...]
    rejected: tuple[Rejected, ...]
    overrides: tuple[Said, ...]


Pair = frozenset[int]


class Reader:
    """Asks one warehouse.

    Args:
        connection: DuckDB, time zone UTC.
        silent_sources: sources whose records link nobody, by the rules.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", silent_sources: Sequence[str] = ()
    ) -> None:
        self.connection, self.silent_sources = connection, tuple(silent_sources)

    def person(self, profile_id: str | None, identifier: str | None = None) -> Person:
        """All of a profile; of an identifier that is nobody's, if there is no profile."""
        members = self.of_profiles([profile_id]) if profile_id else self.named([identifier or ""])
        return self.group(members, profile_id)

    def group(self, members: Sequence[Identifier], profile_id: str | None = None) -> Person:
        """All of these identifiers, as if they were a person; of a profile they are."""
        names = {member.key: member.identifier for member in members}
        pairs = self._pairs(names)
        rejections = self._rejections(names, pairs)
        outside = {key for pair in (*pairs, *rejections) for key in pair} - set(names)
        known = {one.key: one for one in [*members, *self.by_key(outside)]}
        overrides = overrides_of(self.connection, names)
        edges = [
            edge
            for pair, found in pairs.items()
            if pair <= set(names) and pair not in rejections
            for edge in found
            if edge.source not in self.silent_sources
        ]
        return Person(
            profile_id,
            min((m.since for m in members if m.since), default=None),
            self._aliases(profile_id) if profile_id else (),
            tuple(members),
            tuple(sorted([*edges, *_links(overrides, members)], key=_edge_order)),
            _rejected(rejections, pairs, names, known, reasons(self.connection)),
            tuple(one for one in overrides if one.action != "undo"),
        )

    def of_profiles(self, profiles: Sequence[str]) -> list[Identifier]:
        """The identifiers of these profiles."""
        return self._identifiers(
            "int_identity_map where profile_id in (select unnest(?::varchar[]))", profiles
        )

    def named(self, identifiers: Sequence[str]) -> list[Identifier]:
        """The identifiers of these names, `type:value`."""
        return self._identifiers(
            "int_identifiers where identifier in (select unnest(?::varchar[]))", identifiers
        )

    def by_key(self, keys: Iterable[int]) -> list[Identifier]:
        """The identifiers of these keys."""
        return self._identifiers(
            "int_identifiers where identifier_key in (select unnest(?::ubigint[]))", [*keys]
        )

    def _identifiers(self, found_in: str, among: Sequence[object]) -> list[Identifier]:
        # Both tables by key: the join alone would read all of one of them.
        rows = self.connection.execute(
            f"""with keys as materialized (
                select identifier_key from intermediate.{found_in}
            )
            select i.identifier, m.profile_id, m.valid_from, i.first_landed_at,
                i.first_occurred_at, i.last_occurred_at, i.record_count, i.identifier_key
            from (from intermediate.int_identifiers where identifier_key in (from keys)) as i
            left join (
                from intermediate.int_identity_map where identifier_key in (from keys)
            ) as m using (identifier_key)""",
            [among],
        ).fetchall()
        return sorted((Identifier(*row) for row in rows), key=lambda one: _order(one.identifier))

    def component(self, identifier: str) -> list[Identifier]:
        """All identifiers that any chain of edges connects with one, linking or not."""
        rows = self.connection.execute(
            """select identifier_key from intermediate.int_identity_log
            where kind = 'assigned' and component_key in (
                select component_key from intermediate.int_identity_log
                where kind = 'assigned' and identifier_key in (
                    select identifier_key from intermediate.int_identifiers where identifier = ?
                )
            )""",
            [identifier],
        ).fetchall()
        return self.by_key({key for (key,) in rows})

    def judgements(self, keys: Iterable[int]) -> list[Judgement]:
        """The log's rows about edges with an end among these, in the order of time."""
        rows = self.connection.execute(
            """with asked as (select unnest(?::ubigint[]) as key)
            select edge_key_a, edge_key_b, kind, changed_at, coalesce(rule, ''),
                coalesce(reason, '')
            from intermediate.int_identity_log
            where kind in ('rejected', 'accepted')
                and (edge_key_a in (from asked) or edge_key_b in (from asked))
            order by changed_at, kind, edge_key_a, edge_key_b, rule""",
            [[*keys]],
        ).fetchall()
        return [Judgement(*row) for row in rows]

    def _pairs(self, keys: Iterable[int]) -> dict[Pair, list[Edge]]:
        """The edges with an end among these, by pair: of records, and accepted proposals."""
        rows = self.connection.execute(
            f"""with asked as (select unnest(?::ubigint[]) as key),
            proposals as (
                select md5_number_lower(identifier_a) as key_a,
                    md5_number_lower(identifier_b) as key_b, *
                from intermediate.int_identity_proposals where accepted
            )
            select key_a, key_b, identifier_a, identifier_b, source, first_landed_at,
                first_occurred_at, last_occurred_at, record_count, null as weight
            from intermediate.int_identity_edges
            where key_a in (from asked) or key_b in (from asked)
            union all
            select key_a, key_b, identifier_a, identifier_b, '{PROBABILISTIC_SOURCE}',
                first_landed_at, null, null, 1, match_weight
            from proposals where key_a in (from asked) or key_b in (from asked)
            order by identifier_a, identifier_b, source""",
            [[*keys]],
        ).fetchall()
        found: dict[Pair, list[Edge]] = {}
        for a, b, *edge in rows:
            found.setdefault(frozenset((a, b)), []).append(Edge(*edge))
        return found

    def _rejections(
        self, keys: Iterable[int], pairs: dict[Pair, list[Edge]]
    ) -> dict[Pair, Judgement]:
        """The pairs that do not link now, also those that only sources hold which may not link."""
        now = standing(self.judgements(keys))
        for pair, edges in pairs.items():
            silent = [edge for edge in edges if edge.source in self.silent_sources]
            if len(silent) == len(edges):
                reason = f"records of {silent[0].source} may not link, say the rules"
                known = min(edge.first_landed_at for edge in silent)
                key_a, key_b = sorted(pair)
                now[pair] = Judgement(key_a, key_b, "rejected", known, "source", reason)
        return now

    def _aliases(self, profile_id: str) -> tuple[tuple[str, datetime], ...]:
        rows = self.connection.execute(
            """select alias_profile_id, valid_from from intermediate.int_identity_aliases
            where profile_id = ? order by valid_from, alias_profile_id""",
            [profile_id],
        ).fetchall()
        return tuple(rows)


def standing(judgements: Iterable[Judgement]) -> dict[Pair, Judgement]:
    """The pairs that are rejected after all these judgements, which are in the order of time."""
    newest = {frozenset((one.key_a, one.key_b)): one for one in judgements}
    return {pair: one for pair, one in newest.items() if one.kind == "rejected"}


def _links(overrides: Iterable[Said], members: Iterable[Identifier]) -> list[Edge]:
    """What people linked, as edges. A link between two of one profile was not refused: nothing
    weaker could join what it could not.
    """
    profile_of = {one.identifier: one.profile_id for one in members if one.profile_id}
    found = []
    for said in overrides:
        a, b = said.identifier_a, said.identifier_b
        if said.action == "link" and said.state == "holds" and a in profile_of and b in profile_of:
            landed = said.landed_at
            if profile_of[a] == profile_of[b]:
                found.append(Edge(a, b, OVERRIDE, landed, landed, landed, 1))
    return found


def _rejected(
    rejections: dict[Pair, Judgement],
    pairs: dict[Pair, list[Edge]],
    names: dict[int, str],
    known: dict[int, Identifier],
    told: dict[str, str],
) -> tuple[Rejected, ...]:
    found = []
    for pair, judged in rejections.items():
        if not pair <= set(known):
            continue  # of an identifier that was erased since
        ends = sorted(pair, key=lambda key: (key not in names, _order(known[key].identifier)))
        one, other = known[ends[0]], known[ends[1]]
        edges = pairs.get(pair, [])
        found.append(
            Rejected(
                one.identifier,
                other.identifier,
                judged.rule,
                told.get(judged.reason, judged.reason),
                judged.changed_at,
                other.profile_id,
                tuple(edge.source for edge in edges) or (OVERRIDE,),
                sum(edge.record_count for edge in edges),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.since, _order(one.a), _order(one.b))))


def _order(identifier: str) -> tuple[int, str]:
    """Identifiers in the order of their types, the strongest first."""
    kind = identifier.split(":", maxsplit=1)[0]
    return (KNOWN_TYPES.index(kind) if kind in KNOWN_TYPES else len(KNOWN_TYPES), identifier)


def _edge_order(edge: Edge) -> tuple[object, ...]:
    return (_order(edge.a), _order(edge.b), edge.source)
