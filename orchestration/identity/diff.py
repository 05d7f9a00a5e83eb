"""What other rules would make of the newest build's evidence, compared with what it has now.

Reads the identity models of a warehouse; nothing is written. Sets are compared in SQL.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.identity.increment import LOG, TABLES, read
from orchestration.identity.resolver import resolve
from orchestration.identity.rules import IdentityRules
from orchestration.identity.tried import check_secret, notes, tried_edges

if TYPE_CHECKING:
    import duckdb

LARGEST = 10


@dataclass(frozen=True)
class Counts:
    """How many there are, before and after."""

    before: int
    after: int


@dataclass(frozen=True)
class Large:
    """A profile as it would be, and of how many it would be made."""

    profile_id: str
    identifiers: int
    made_of: int


@dataclass(frozen=True)
class Sample:
    """A profile that would fall into parts, or be made of them, with their sizes, largest first.

    The edge is one that decides it: by `rule`, which forbids it on one side of the comparison, or
    by its source, which may link on one side only.
    """

    profile_id: str
    parts: dict[str, int]
    a: str | None
    b: str | None
    source: str | None
    rule: str | None
    reason: str | None


@dataclass(frozen=True)
class Sizes:
    """Of profiles: `merged` into `merged_into`, `split` into `split_into`, `renamed`, `unchanged`.

    A renamed one keeps its identifiers, but another of them counts as the first. Of identifiers:
    how many there are, how many are `nobodys`, and how many would move.
    """

    profiles: Counts
    merged: int
    merged_into: int
    split: int
    split_into: int
    renamed: int
    unchanged: int
    identifiers: int
    nobodys: Counts
    moved_identifiers: int


@dataclass(frozen=True)
class Difference:
    """All of it; `notes` say what it cannot show, `rejections` are edges by rule."""

    notes: list[str]
    sizes: Sizes
    rejections: dict[str, Counts]
    largest: list[Large]
    merged_samples: list[Sample]
    split_samples: list[Sample]

    @property
    def is_nothing(self) -> bool:
        """Whether everybody stays who they are, and the same edges are rejected."""
        are_same = all(one.before == one.after for one in self.rejections.values())
        return are_same and not self.sizes.moved_identifiers


def difference(
    connection: "duckdb.DuckDBPyConnection", rules: IdentityRules, secret: bytes, samples: int
) -> Difference:
    """Resolve everything under the rules, and compare.

    Args:
        connection: a warehouse, time zone UTC; temporary tables are made there.
        rules: the rules to try.
        secret: the project's secret.
        samples: how many merged and how many split profiles to show.

    Raises:
        InputError: the evidence does not fit the rules.
        OtherSecretError: the warehouse was built with another secret.
    """
    check_secret(connection, secret)
    edges, unweighed = tried_edges(connection, rules)
    log = resolve(read(connection, {**TABLES, "edges": edges}), rules, secret)
    connection.register("identity_log_tried", log)
    _compare(connection)
    largest = connection.execute(
        f"select new, identifiers, parts from made order by identifiers desc, new limit {LARGEST}"
    ).fetchall()
    found = Difference(
        notes=[*notes(connection, rules), *unweighed],
        sizes=_sizes(connection),
        rejections=_rejections(connection),
        largest=[Large(*row) for row in largest],
        merged_samples=_samples(connection, ("new", "old"), ("old_rejected", edges), samples),
        split_samples=_samples(
            connection, ("old", "new"), ("new_rejected", TABLES["edges"]), samples
        ),
    )
    connection.unregister("identity_log_tried")
    return found


def _compare(connection: "duckdb.DuckDBPyConnection") -> None:
    """Tables of who is who on both sides, and of what is rejected on both sides."""
    connection.execute(
        f"""create or replace temp table who as
        with tried as (
            select identifier_key, arg_max_null(profile_id, changed_at) as profile_id
            from identity_log_tried where kind = 'assigned' group by identifier_key
        )
        select identifiers.identifier_key, identity_map.profile_id as old, tried.profile_id as new
        from {TABLES["identifiers"]} as identifiers
        left join intermediate.int_identity_map as identity_map using (identifier_key)
        left join tried using (identifier_key)"""
    )
    connection.execute(
        """create or replace temp table shares as
        select old, new, count(*) as size from who group by old, new"""
    )
    for side, other, name in (("new", "old", "made"), ("old", "new", "broken")):
        connection.execute(
            f"""create or replace temp table {name} as
            select {side}, sum(size)::bigint as identifiers, count({other}) as parts,
                coalesce(sum(size) filter (where {other} is not null), 0)::bigint as kept
            from shares where {side} is not null group by {side}"""
        )
    for name, log in (("old_rejected", LOG), ("new_rejected", "identity_log_tried")):
        connection.execute(
            f"""create or replace temp table {name} as
            select one, other, last.rule as rule, last.reason as reason
            from (
                select least(edge_key_a, edge_key_b) as one,
                    greatest(edge_key_a, edge_key_b) as other,
                    max({{'at': changed_at, 'kind': kind, 'rule': rule, 'reason': reason}}) as last
                from {log} where kind in ('rejected', 'accepted')
                group by all
            )
            where last.kind = 'rejected'"""
        )


def _sizes(connection: "duckdb.DuckDBPyConnection") -> Sizes:
    def asked(query: str) -> tuple[int, ...]:
        row: tuple[int, ...] = connection.execute(query).fetchall()[0]
        return row

    identifiers, moved, nobody_before, nobody_after = (
        int(number or 0)
        for number in asked(
            """select sum(size), sum(size) filter (where old is distinct from new),
                sum(size) filter (where old is null), sum(size) filter (where new is null)
            from shares"""
        )
    )
    before, split = asked("select count(*), count(*) filter (where parts > 1) from broken")
    after, merged_into = asked("select count(*), count(*) filter (where parts > 1) from made")
    both = "from shares join broken using (old) join made using (new)"
    merged, split_into = asked(
        f"""select count(distinct old) filter (where made.parts > 1),
            count(distinct new) filter (where broken.parts > 1) {both}"""
    )
    renamed, unchanged = asked(
        f"""select count(*) filter (where old <> new), count(*) filter (where old = new) {both}
        where broken.parts = 1 and made.parts = 1
            and broken.kept = broken.identifiers and made.kept = made.identifiers"""
    )
    return Sizes(
        Counts(before, after),
        *(merged, merged_into, split, split_into, renamed, unchanged),
        identifiers,
        Counts(nobody_before, nobody_after),
        moved,
    )


def _rejections(connection: "duckdb.DuckDBPyConnection") -> dict[str, Counts]:
    rows = connection.execute(
        """select rule, count(*) filter (where is_old), count(*) filter (where not is_old)
        from (
            select rule, true as is_old from old_rejected
            union all select rule, false from new_rejected
        )
        group by rule order by rule"""
    ).fetchall()
    return {rule: Counts(before, after) for rule, before, after in rows}


def _samples(
    connection: "duckdb.DuckDBPyConnection",
    sides: tuple[str, str],
    separated: tuple[str, str],
    limit: int,
) -> list[Sample]:
    """The profiles of one side that are of the most parts on the other, with a deciding edge.

    An edge decides if its ends are one profile on one side and two on the other. `separated` are
    relations: what is rejected where they are parts, and the edges where they are one.
    """
    (whole, part), (rejected, edges) = sides, separated
    rows = connection.execute(
        f"""with chosen as (
            select {whole} as whole from {"made" if whole == "new" else "broken"}
            where parts > 1 order by parts desc, identifiers desc, whole limit {limit}
        ),
        parts as (
            select {whole} as whole, map(list({part} order by size desc, {part}),
                list(size order by size desc, {part})) as parts
            from shares where {whole} in (select whole from chosen) and {part} is not null
            group by whole
        ),
        members as (
            select identifier_key, {whole} as whole, {part} as part
            from who where {whole} in (select whole from chosen)
        ),
        links as (
            select key_a, key_b, source, first_landed_at from {edges}
            union all
            select key_a, key_b, 'override', landed_at from {TABLES["overrides"]}
            where action = 'link'
        ),
        deciding as (
            select one.whole, links.*, why.rule, why.reason
            from links
            join members as one on links.key_a = one.identifier_key
            join members as other on links.key_b = other.identifier_key
            left join {rejected} as why on least(key_a, key_b) = why.one
                and greatest(key_a, key_b) = why.other
            where one.whole = other.whole and one.part <> other.part
        ),
        first_of as (
            select whole, min({{'unexplained': rule is null, 'at': first_landed_at, 'a': key_a,
                'b': key_b, 'source': source, 'rule': rule, 'reason': reason}}) as edge
            from deciding group by whole
        )
        select whole, parts.parts, a.identifier, b.identifier, edge.source, edge.rule,
            edge.reason
        from parts
        left join first_of using (whole)
        left join {TABLES["identifiers"]} as a on edge.a = a.identifier_key
        left join {TABLES["identifiers"]} as b on edge.b = b.identifier_key
        order by cardinality(parts.parts) desc, list_sum(map_values(parts.parts)) desc, whole"""
    ).fetchall()
    return [Sample(*row) for row in rows]
