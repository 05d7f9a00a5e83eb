"""Identity told as records that arrive in loads, for tests that read like what happened."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from orchestration.identity.log import profile_id
from orchestration.identity.resolver import Evidence, resolve
from orchestration.identity.rules import IdentityRules, load_rules

SECRET = b"a secret"
START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", "UTC")
KEY = pa.uint64()


@dataclass(frozen=True)
class Row:
    """A row of the log, in words."""

    kind: str
    load: int
    about: str
    profile: str | None
    other: str | None
    edge: frozenset[str]
    rule: str | None
    reason: str | None


@dataclass
class Story:
    """Records as `record(load, "user_id:u", "email:e", day=3)`.

    Profiles are named by the identifier that their id is made of.
    """

    rules: IdentityRules = field(default_factory=load_rules)
    records: list[tuple[int, int, str, tuple[str, ...]]] = field(default_factory=list)
    said: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def record(
        self, load: int, *identifiers: str, day: int = 0, source: str = "web_events"
    ) -> None:
        """One record; its strongest identifier is joined to the others, as the models do."""
        self.records.append((load, day, source, identifiers))

    def override(
        self, load: int, action: str, one: str = "", other: str = "", name: str = ""
    ) -> str:
        """What somebody said; its name."""
        name = name or f"o{len(self.said)}"
        self.said.append((load, name, action, one, other))
        return name

    def log(self) -> list[Row]:
        """Everything that ever changed."""
        evidence, names = self._evidence()
        of = {profile_id(name, SECRET): name for name in names}
        rows = []
        for row in resolve(evidence, self.rules, SECRET).to_pylist():
            ends = [row[end] for end in ("edge_key_a", "edge_key_b") if row[end] is not None]
            rows.append(
                Row(
                    row["kind"],
                    round((row["changed_at"] - START) / timedelta(hours=1)),
                    names[row["identifier_key"]],
                    of.get(row["profile_id"]),
                    of.get(row["other_profile_id"]),
                    frozenset(names[end] for end in ends),
                    row["rule"],
                    row["reason"],
                )
            )
        return rows

    def who(self, load: int = 99) -> dict[str, str | None]:
        """Each identifier's profile when that load was known."""
        found: dict[str, str | None] = {}
        for row in sorted(self.log(), key=lambda row: row.load):
            if row.kind == "assigned" and row.load <= load:
                found[row.about] = row.profile
        return found

    def rows(self, *kinds: str) -> list[Row]:
        """The rows of some kinds, in the order of loads."""
        return sorted((r for r in self.log() if r.kind in kinds), key=lambda row: row.load)

    def _evidence(self) -> tuple[Evidence, list[str]]:
        weakness = {name: place for place, name in enumerate(self.rules.types)}

        def strength(identifier: str) -> int:
            return weakness[identifier.split(":", maxsplit=1)[0]]

        first: dict[str, tuple[int, int]] = {}
        edges: dict[tuple[str, str, str], tuple[int, int]] = {}
        sightings: dict[tuple[str, str, int], int] = {}
        for load, day, source, identifiers in sorted(self.records):
            hub = min(identifiers, key=strength)
            for name in identifiers:
                first[name] = min(first.get(name, (load, day)), (load, day))
                if name != hub:
                    edge = (hub, name, source)
                    edges[edge] = min(edges.get(edge, (load, day)), (load, day))
                    if name.startswith("anonymous_id:"):
                        seen = (name, hub, day)
                        sightings[seen] = min(sightings.get(seen, load), load)
        names = sorted(first)
        keys = {name: number for number, name in enumerate(names)}
        return Evidence(
            _identifiers(first, keys),
            _edges(edges, keys),
            _sightings(sightings, keys),
            _overrides(self.said, keys),
        ), names


def _hours(loads: list[int]) -> pa.Array:
    return pa.array([START + timedelta(hours=load) for load in loads], MOMENT)


def _days(days: list[int]) -> pa.Array:
    return pa.array([START + timedelta(days=day) for day in days], MOMENT)


def _identifiers(first: dict[str, tuple[int, int]], keys: dict[str, int]) -> pa.Table:
    return pa.table(
        {
            "identifier_key": pa.array(keys.values(), KEY),
            "identifier_type": [name.split(":", maxsplit=1)[0] for name in keys],
            "identifier": list(keys),
            "first_landed_at": _hours([first[name][0] for name in keys]),
            "first_occurred_at": _days([first[name][1] for name in keys]),
        }
    )


def _edges(edges: dict[tuple[str, str, str], tuple[int, int]], keys: dict[str, int]) -> pa.Table:
    return pa.table(
        {
            "key_a": pa.array([keys[one] for one, _, _ in edges], KEY),
            "key_b": pa.array([keys[other] for _, other, _ in edges], KEY),
            "source": pa.array([source for _, _, source in edges], pa.string()),
            "first_landed_at": _hours([load for load, _ in edges.values()]),
            "first_occurred_at": _days([day for _, day in edges.values()]),
        }
    )


def _sightings(seen: dict[tuple[str, str, int], int], keys: dict[str, int]) -> pa.Table:
    return pa.table(
        {
            "device_key": pa.array([keys[device] for device, _, _ in seen], KEY),
            "person_key": pa.array([keys[person] for _, person, _ in seen], KEY),
            "day": pa.array([day for _, _, day in seen], pa.int32()).cast(pa.date32()),
            "first_landed_at": _hours(list(seen.values())),
        }
    )


def _overrides(said: list[tuple[int, str, str, str, str]], keys: dict[str, int]) -> pa.Table:
    return pa.table(
        {
            "override_id": pa.array([name for _, name, _, _, _ in said], pa.string()),
            "action": pa.array([action for _, _, action, _, _ in said], pa.string()),
            "key_a": pa.array([keys.get(one) for _, _, _, one, _ in said], KEY),
            "key_b": pa.array([keys.get(other) for _, _, _, _, other in said], KEY),
            "first_landed_at": _hours([load for load, _, _, _, _ in said]),
        }
    )
