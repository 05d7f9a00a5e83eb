"""What an override would change, told beforehand: the resolver itself, on the groups it touches.

Reads the identity models of a warehouse; nothing is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestration.identity.increment import LOG, TABLES, read
from orchestration.identity.overriding.decisions import Decision
from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import IdentityRules
from orchestration.identity.tried import check_secret

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Key = int


@dataclass(frozen=True)
class Part:
    """Identifiers that stay together, and the profile they are of."""

    profile_id: str
    identifiers: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """An edge that would not link, and why."""

    a: str
    b: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Effect:
    """What would change.

    split: a profile, and the parts it falls into; joined: a profile, and the parts it is made of;
    lost, gained: identifiers that would be nobody's, or somebody's again; rejected: edges that link
    now and would not.
    named: the parts that the identifiers it is about are of now. unseen: those of them that no
    record has brought yet; blocked: why they never will be somebody's, by the block list.
    """

    split: list[tuple[Part, list[Part]]]
    joined: list[tuple[Part, list[Part]]]
    lost: list[str]
    gained: list[str]
    rejected: list[Rejected]
    named: list[Part]
    unseen: list[str]
    blocked: dict[str, str]

    @property
    def is_nothing(self) -> bool:
        """Whether no identifier would change its profile."""
        return not (self.split or self.joined or self.lost or self.gained)


def effect(
    connection: "duckdb.DuckDBPyConnection",
    rules: IdentityRules,
    secret: bytes,
    decisions: Sequence[Decision],
    asked: Decision,
) -> Effect:
    """What the next build would make of an override, on the evidence of the newest one.

    Args:
        connection: a warehouse, time zone UTC.
        rules: the rules.
        secret: the project's secret.
        decisions: what was recorded before, whether a build has seen it or not.
        asked: what is to be recorded.

    Raises:
        InputError: the tables do not fit together or the rules.
        OtherSecretError: the warehouse was built with another secret.
    """
    check_secret(connection, secret)
    named = _named(asked, decisions)
    keys = _keys(connection, {name for said in [*decisions, asked] for name in said.names})
    evidence = _touched(connection, decisions, asked, keys)
    names = dict(zip(*(evidence.identifiers[n].to_pylist() for n in _NAMED), strict=True))
    logs = [
        resolve(replace(evidence, overrides=_table(said, keys)), rules, secret)
        for said in (decisions, [*decisions, asked])
    ]
    before, after = (_who(log, names) for log in logs)
    old, new = (_rejected(log) for log in logs)
    unseen = [name for name in named if name not in before]
    profiles = {before[name] for name in named if name in before}
    return Effect(
        split=_parted(before, after),
        joined=_parted(after, before),
        lost=sorted(name for name in before if before[name] and not after[name]),
        gained=sorted(name for name in before if after[name] and not before[name]),
        rejected=[
            Rejected(min(ends), max(ends), *why)
            for pair, why in new.items()
            if pair not in old and (ends := [names[key] for key in pair])
        ],
        named=[
            Part(profile, tuple(sorted(n for n in before if before[n] == profile)))
            for profile in sorted(filter(None, profiles))
        ],
        unseen=unseen,
        blocked=_blocked(connection, unseen),
    )


_NAMED = ("identifier_key", "identifier")


def _named(asked: Decision, decisions: Sequence[Decision]) -> list[str]:
    """The identifiers that it is about; of an undo those of what is taken back."""
    if asked.action != "undo":
        return [str(one) for one in asked.about]
    said = next(s for s in decisions if s.override_id == asked.override_id and s.about)
    return [str(one) for one in said.about]


def _keys(connection: "duckdb.DuckDBPyConnection", names: Iterable[str]) -> dict[str, Key]:
    rows = connection.execute(
        "select name, md5_number_lower(name) from unnest($1::varchar[]) as given(name)",
        [sorted(names)],
    ).fetchall()
    return dict(rows)


def _touched(
    connection: "duckdb.DuckDBPyConnection",
    decisions: Sequence[Decision],
    asked: Decision,
    keys: dict[str, Key],
) -> Evidence:
    """The evidence of all groups that it touches, and of those that other links join to them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = {keys[name] for name in _named(asked, decisions)}
    pairs = [{keys[name] for name in said.names} for said in decisions if len(said.names) > 1]
    known: set[Key] = set()
    while True:
        found = _groups(connection, wanted)
        if found == known:
            break
        known = found
        wanted |= {key for pair in pairs if pair & (known | wanted) for key in pair}
    held = pa.array(sorted(known), pa.uint64())
    connection.register("identity_touched", pa.table({"identifier_key": held}))
    evidence = read(connection, TABLES, "identity_touched")
    connection.unregister("identity_touched")
    # Under other rules than those of the build a group may have edges to the outside.
    inside = {
        "edges": evidence.edges.filter(pc.is_in(evidence.edges["key_b"], value_set=held)),
        "sightings": evidence.sightings.filter(
            pc.is_in(evidence.sightings["person_key"], value_set=held)
        ),
    }
    return replace(evidence, **inside)


def _groups(connection: "duckdb.DuckDBPyConnection", keys: set[Key]) -> set[Key]:
    rows = connection.execute(
        f"""with wanted as (select unnest($1::ubigint[]) as identifier_key)
        select distinct identifier_key from {LOG}
        where kind = 'assigned' and component_key in (
            select component_key from {LOG}
            where kind = 'assigned' and identifier_key in (select identifier_key from wanted)
        )""",
        [sorted(keys)],
    ).fetchall()
    return {key for (key,) in rows}


def _table(decisions: Sequence[Decision], keys: dict[str, Key]) -> "pa.Table":
    """Overrides as the resolver wants them."""
    import pyarrow as pa

    ends = [[keys[str(one)] for one in said.about] + [None] * 2 for said in decisions]
    return pa.table(
        {
            "override_id": pa.array([said.override_id for said in decisions], pa.string()),
            "action": pa.array([said.action for said in decisions], pa.string()),
            "key_a": pa.array([pair[0] for pair in ends], pa.uint64()),
            "key_b": pa.array([pair[1] for pair in ends], pa.uint64()),
            "first_landed_at": pa.array([said.at for said in decisions], pa.timestamp("us", "UTC")),
        }
    )


def _who(log: "pa.Table", names: dict[Key, str]) -> dict[str, str | None]:
    """The profile of each identifier at last."""
    import pyarrow.compute as pc

    rows = log.filter(pc.equal(log["kind"], "assigned")).sort_by("changed_at")
    keys, profiles = rows["identifier_key"].to_pylist(), rows["profile_id"].to_pylist()
    return {names[key]: profile for key, profile in zip(keys, profiles, strict=True)}


def _parted(
    whole: dict[str, str | None], now: dict[str, str | None]
) -> list[tuple[Part, list[Part]]]:
    """Profiles of `whole` whose identifiers are of several in `now`, with their parts."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, profile in whole.items():
        other = now[name]
        if profile and other:
            found[profile][other].append(name)
    return [
        (
            Part(profile, tuple(sorted(name for part in parts.values() for name in part))),
            [Part(other, tuple(sorted(part))) for other, part in _largest_first(parts)],
        )
        for profile, parts in sorted(found.items())
        if len(parts) > 1
    ]


def _largest_first(parts: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))


def _rejected(log: "pa.Table") -> dict[frozenset[Key], tuple[str, str]]:
    """The edges that are rejected at last, with rule and reason."""
    import pyarrow as pa
    import pyarrow.compute as pc

    judged = pc.is_in(log["kind"], value_set=pa.array(["rejected", "accepted"]))
    order = [("changed_at", "ascending"), ("kind", "ascending")]
    found: dict[frozenset[Key], tuple[str, str]] = {}
    for row in log.filter(judged).sort_by(order).to_pylist():
        pair = frozenset((row["edge_key_a"], row["edge_key_b"]))
        found.pop(pair, None)
        if row["kind"] == "rejected":
            found[pair] = (row["rule"], row["reason"])
    return found


def _blocked(connection: "duckdb.DuckDBPyConnection", names: Sequence[str]) -> dict[str, str]:
    """Of identifiers that records carry and nobody is known by: what the block list says."""
    rows = connection.execute(
        """select identifier_type || ':' || identifier_value, reason
        from intermediate.int_identifiers_blocked
        where identifier_type || ':' || identifier_value in (select unnest($1::varchar[]))""",
        [list(names)],
    ).fetchall()
    return dict(rows)
