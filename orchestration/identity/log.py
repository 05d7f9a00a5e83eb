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
    Bools,
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
    hashed = hashlib.blake2b
    return [
        "p_" + hashed(name.encode(), key=key, digest_size=10).hexdigest() for name in identifiers
    ]


@dataclass
class Log:
    """Collects changes by number, and writes them with keys and profile ids."""

    nodes: Nodes
    edges: Edges
    overrides: list[Override]
    labels: Ints
    secret: bytes
    assigned: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)
    rows: list[tuple[str, int, int, int, int, tuple[int, int], str, str]] = field(
        default_factory=list
    )

    def assign(self, nodes: Ints, when: Ints, profiles: Ints) -> None:
        """Identifiers that are of profiles from then on."""
        self.assigned.append((nodes, when, profiles))

    def merge(self, absorbed: Ints, when: Ints, survivors: Ints, edges: Ints) -> None:
        """Profiles taken into others, by edges of records or devices."""
        ends = zip(self.edges.a[edges].tolist(), self.edges.b[edges].tolist(), strict=True)
        stages = self.edges.stage[edges].tolist()
        moved = zip(absorbed.tolist(), when.tolist(), survivors.tolist(), strict=True)
        for (node, moment, survivor), pair, stage in zip(moved, ends, stages, strict=True):
            self.rows.append(("merged", node, moment, survivor, node, pair, _RULES[stage], ""))

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

        return pa.concat_tables([self._assigned_table(), self._others_table()])

    def _assigned_table(self) -> "pa.Table":
        parts = zip(*self.assigned, strict=True) if self.assigned else ([], [], [])
        nodes, when, roots = (
            np.concatenate([np.zeros(0, dtype=np.int64), *part]) for part in parts
        )
        nothing = np.full(len(nodes), NOBODY)
        return self._rows("assigned", nodes, when, (roots, nothing), nodes == roots)

    def _others_table(self) -> "pa.Table":
        import pyarrow as pa

        kinds, nodes, when, ones, others, pairs, rules, reasons = (
            list(part) for part in (zip(*self.rows, strict=True) if self.rows else [[]] * 8)
        )
        whole = np.array([nodes, when, ones, others], dtype=np.int64).reshape(4, -1)
        nobody_first = np.zeros(len(kinds), dtype=np.bool_)
        table = self._rows("", whole[0], whole[1], (whole[2], whole[3]), nobody_first)
        ends = self.nodes.keys[np.array(pairs, dtype=np.int64).reshape(-1, 2)]
        for name, values in {
            "kind": pa.array(kinds, pa.string()),
            "edge_key_a": pa.array(ends[:, 0]),
            "edge_key_b": pa.array(ends[:, 1]),
            "rule": pa.array(rules, pa.string()),
            "reason": pa.array(reasons, pa.string()),
        }.items():
            table = table.set_column(table.schema.get_field_index(name), name, values)
        return table

    def _rows(
        self,
        kind: str,
        nodes: Ints,
        when: Ints,
        profiles: tuple[Ints, Ints],
        is_first: Bools,
    ) -> "pa.Table":
        """Rows of one kind, without an edge."""
        import pyarrow as pa

        size = len(nodes)
        no_key = pa.nulls(size, pa.uint64())
        no_text = pa.nulls(size, pa.string())
        return pa.table(
            {
                "kind": pa.repeat(pa.scalar(kind), size),
                "identifier_key": pa.array(self.nodes.keys[nodes]),
                "component_key": pa.array(self._component_keys()[self.labels[nodes]]),
                "changed_at": pa.array(when).cast(pa.timestamp("us", "UTC")),
                "profile_id": self._profile_ids(profiles[0]),
                "other_profile_id": self._profile_ids(profiles[1]),
                "is_first": pa.array(is_first, pa.bool_()),
                "edge_key_a": no_key,
                "edge_key_b": no_key,
                "rule": no_text,
                "reason": no_text,
            }
        )

    def _component_keys(self) -> Keys:
        """The key of each group's first identifier."""
        found = np.zeros(int(self.labels.max(initial=-1)) + 1, dtype=np.uint64)
        found[self.labels[::-1]] = self.nodes.keys[::-1]
        return found

    def _profile_ids(self, firsts: Ints) -> "pa.Array":
        """The ids of profiles given by their first identifiers; null for nobody."""
        import pyarrow as pa

        is_profile = np.zeros(len(self.nodes), dtype=np.bool_)
        is_profile[firsts[firsts != NOBODY]] = True
        place = np.cumsum(is_profile) - 1
        ids = pa.array(_ids(self.nodes.names(np.flatnonzero(is_profile)), self.secret), pa.string())
        nobody = firsts == NOBODY
        return ids.take(pa.array(np.where(nobody, 0, place[firsts]), mask=nobody))
