"""The identity log: one row for each thing that ever changed, from which all tables are made.

Kinds: `assigned` (an identifier is of a profile from then on, or of nobody), `merged` (a profile
was taken into another), `split` (a profile came of another), `rejected` (an edge does not link),
`accepted` (one that was rejected links after all).
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from orchestration.identity.graph import (
    ALWAYS,
    DEVICES,
    PROPOSALS,
    RECORDS,
    Edges,
    Ints,
    Keys,
    Nodes,
)
from orchestration.identity.history import Changes
from orchestration.identity.overrides import Override
from orchestration.identity.sequential import NOBODY, LocalEdge, Rejection

if TYPE_CHECKING:
    import pyarrow as pa

_RULES = {ALWAYS: "override", RECORDS: "record", DEVICES: "device", PROPOSALS: "probabilistic"}


def profile_id(identifier: str, secret: bytes) -> str:
    """The keyed hash of a profile's first identifier: BLAKE2b of 10 bytes, in hexadecimal digits.

    Keyed, so that nobody can find an address by hashing candidates (RFC 7693, keyed hashing; three
    times as fast as HMAC, and a build makes one for each profile).
    """
    return _ids([identifier], secret)[0]


def _ids(identifiers: list[str], secret: bytes) -> list[str]:
    key = hashlib.blake2b(secret).digest()  # a key may have 64 bytes at most
    begun = hashlib.blake2b(key=key, digest_size=10)  # copied, which saves a third of the time
    found = []
    for name in identifiers:
        hashed = begun.copy()
        hashed.update(name.encode())
        found.append("p_" + hashed.hexdigest())
    return found


@dataclass
class Log:
    """Collects changes by number, and writes them with keys and profile ids."""

    nodes: Nodes
    edges: Edges
    overrides: list[Override]
    component_keys: Keys
    secret: bytes
    assigned: list[tuple[Ints, ...]] = field(default_factory=list)
    merged: list[tuple[Ints, ...]] = field(default_factory=list)
    rows: list[tuple[str, int, int, int, int, tuple[int, int], str, str]] = field(
        default_factory=list
    )

    def assign(self, nodes: Ints, when: Ints, profiles: Ints) -> None:
        """Identifiers that are of profiles from then on."""
        self.assigned.append((nodes, when, profiles))

    def merge(self, absorbed: Ints, when: Ints, survivors: Ints, edges: Ints) -> None:
        """Profiles taken into others, by edges of records or devices."""
        self.merged.append((absorbed, when, survivors, edges))

    def add(self, members: list[int], changes: Changes) -> None:
        """The changes of one group, whose identifiers have numbers of their own."""
        of = np.array(members, dtype=np.int64)
        moved = np.array(changes.assigned, dtype=np.int64).reshape(-1, 3)
        profiles = np.where(moved[:, 2] == NOBODY, NOBODY, of[moved[:, 2]])
        self.assign(of[moved[:, 0]], moved[:, 1], profiles)
        for absorbed, when, survivor, by in changes.merged:
            told = self.overrides[-1 - by.number].told if by.stage == ALWAYS else ""
            why = Rejection(_RULES[by.stage], told)
            self._row("merged", members, (absorbed, when, survivor, absorbed), by, why)
        for profile, when, left, by, why in changes.split:
            self._row("split", members, (profile, when, profile, left), by, why)
        for by, when, judged in changes.judged:
            kind = "rejected" if judged else "accepted"
            about = (by.a, when, NOBODY, NOBODY)
            self._row(kind, members, about, by, judged or Rejection("", ""))

    def _row(
        self,
        kind: str,
        members: list[int],
        about: tuple[int, int, int, int],
        by: LocalEdge,
        why: Rejection,
    ) -> None:
        """`about`: the identifier, when, and two profiles."""
        node, when, *profiles = about
        one, other = (NOBODY if place == NOBODY else members[place] for place in profiles)
        pair = (members[by.a], members[by.b])
        self.rows.append((kind, members[node], when, one, other, pair, why.rule, why.reason))

    def table(self) -> "pa.Table":
        """The log: `kind`, `identifier_key` (what the row is about), `component_key` (the group's
        first identifier), `changed_at`, `profile_id` (assigned to, survivor, or what came of a
        split), `other_profile_id` (absorbed, or what was split), `is_first` (the identifier that
        the profile's id is made of), `edge_key_a`, `edge_key_b`, `rule`, `reason`.
        """
        import pyarrow as pa

        nodes, when, roots = _joined(self.assigned, 3)
        absorbed, at, survivors, edges = _joined(self.merged, 4)
        kinds, about, moments, ones, others, pairs, rules, reasons = (
            list(part) for part in (zip(*self.rows, strict=True) if self.rows else [[]] * 8)
        )
        changes = np.array([about, moments, ones, others], dtype=np.int64).reshape(4, -1)
        ids = self._profile_ids([roots, survivors, absorbed, changes[2], changes[3]])
        rule_of_stage = pa.array([_RULES[stage] for stage in sorted(_RULES)])
        ends = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return pa.concat_tables(
            [
                self._rows(
                    (nodes, when),
                    kind=pa.repeat("assigned", len(nodes)),
                    profile_id=ids[0],
                    is_first=pa.array(nodes == roots, pa.bool_()),
                ),
                self._rows(
                    (absorbed, at),
                    kind=pa.repeat("merged", len(absorbed)),
                    profile_id=ids[1],
                    other_profile_id=ids[2],
                    edge_key_a=pa.array(self.nodes.keys[self.edges.a[edges]]),
                    edge_key_b=pa.array(self.nodes.keys[self.edges.b[edges]]),
                    rule=rule_of_stage.take(pa.array(self.edges.stage[edges])),
                ),
                self._rows(
                    (changes[0], changes[1]),
                    kind=pa.array(kinds, pa.string()),
                    profile_id=ids[3],
                    other_profile_id=ids[4],
                    edge_key_a=pa.array(self.nodes.keys[ends[0]]),
                    edge_key_b=pa.array(self.nodes.keys[ends[1]]),
                    rule=pa.array(rules, pa.string()),
                    reason=pa.array(reasons, pa.string()),
                ),
            ]
        )

    def _rows(self, about: tuple[Ints, Ints], **known: "pa.Array") -> "pa.Table":
        """Rows about identifiers at times; the columns of `table` that are not known are null."""
        import pyarrow as pa

        nodes, when = about
        size = len(nodes)
        key, text = pa.nulls(size, pa.uint64()), pa.nulls(size, pa.string())
        columns = {
            "kind": text,
            "identifier_key": pa.array(self.nodes.keys[nodes]),
            "component_key": pa.array(self.component_keys[nodes]),
            "changed_at": pa.array(when).cast(pa.timestamp("us", "UTC")),
            "profile_id": text,
            "other_profile_id": pa.nulls(size, pa.dictionary(pa.int32(), pa.string())),
            "is_first": pa.array(np.zeros(size, dtype=np.bool_)),
            "edge_key_a": key,
            "edge_key_b": key,
            "rule": text,
            "reason": text,
        }
        return pa.table(columns | known)

    def _profile_ids(self, firsts: list[Ints]) -> "list[pa.Array]":
        """The ids of profiles given by their first identifiers; null for nobody."""
        import pyarrow as pa

        is_profile = np.zeros(len(self.nodes), dtype=np.bool_)
        for numbers in firsts:
            is_profile[numbers[numbers != NOBODY]] = True
        place = (np.cumsum(is_profile) - 1).astype(np.int32)
        ids = pa.array(_ids(self.nodes.names(np.flatnonzero(is_profile)), self.secret), pa.string())
        found = []
        for numbers in firsts:
            nobody = numbers == NOBODY
            of = place[numbers] if len(place) else numbers.astype(np.int32)
            found.append(pa.DictionaryArray.from_arrays(pa.array(of, mask=nobody), ids))
        return found


def _joined(parts: list[tuple[Ints, ...]], width: int) -> list[Ints]:
    nothing = np.zeros(0, dtype=np.int64)
    return [np.concatenate([nothing, *(part[place] for part in parts)]) for place in range(width)]
