"""Membership and its history over random days, against a few lines of plain Python.

Segments change, go bad, vanish and come back, profiles merge and disappear, moments repeat and go
back; the warehouse is thrown away after each day, so all that is known of the past is the ledger.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.publication.membership import record_membership
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT

PROFILES = ("p0", "p1", "p2", "p3", "p4")
STAFF = "p4"
SEGMENTS = ("a", "b", "c")  # a and b exclude each other, and a wins
MODELS = (
    ("membership", "segment_definitions"),
    ("membership", "segment_last_members"),
    ("membership", "segment_names"),
    ("membership", "segment_counts"),
    ("membership", "segment_verdicts"),
    ("membership", "segment_excluded_profiles"),
    ("membership", "segment_qualifying"),
    ("membership", "segment_members"),
    ("membership", "segment_changes"),
    ("membership", "segment_versions"),
    ("membership", "segment_stays"),
    ("published", "segment_memberships"),
    ("published", "segment_membership_history"),
    ("published", "segment_catalog"),
)
START = datetime(2026, 1, 1)  # noqa: DTZ001  # stored times are UTC without a zone

Row = tuple[object, ...]


@dataclass(frozen=True)
class Day:
    """One build: its moment, who there is, who means whom, and what each segment returned."""

    moment: datetime
    profiles: frozenset[str]
    aliases: dict[str, str]
    segments: dict[str, tuple[str, tuple[str | None, ...]]]  # definition hash, rows
    failed: frozenset[str]


@st.composite
def days(draw: st.DrawFn) -> Day:
    profiles = draw(st.frozensets(st.sampled_from(PROFILES), min_size=1))
    gone = sorted(set(PROFILES) - profiles)
    aliases = {one: draw(st.sampled_from(sorted(profiles))) for one in gone if draw(st.booleans())}
    good = st.lists(st.sampled_from(sorted(profiles)), unique=True)
    bad = st.lists(st.sampled_from([*PROFILES, None]), max_size=4)
    rows = st.one_of(good, good, good, bad).map(tuple)
    definition = st.tuples(st.sampled_from(("h1", "h1", "h2")), rows)
    segments = draw(st.dictionaries(st.sampled_from(SEGMENTS), definition, min_size=1))
    return Day(
        START + timedelta(days=draw(st.integers(0, 6))),
        profiles,
        aliases,
        segments,
        draw(st.frozensets(st.sampled_from(sorted(segments)), max_size=1)),
    )


@dataclass
class Obvious:
    """The same by hand. `changes` and `definitions` are the ledger."""

    changes: list[dict[str, object]] = field(default_factory=list)
    definitions: list[dict[str, object]] = field(default_factory=list)

    def _past(self, rows: list[dict[str, object]], moment: datetime) -> list[dict[str, object]]:
        return [row for row in rows if row["at"] <= moment]  # type: ignore[operator]

    def build(self, day: Day) -> tuple[set[Row], set[Row], set[Row]]:
        """Members; history: segment, profile, entered, why, left, why; since when each is held."""
        last_definition: dict[str, dict[str, object]] = {}
        for row in self._past(self.definitions, day.moment):
            last_definition[str(row["segment"])] = row
        before: dict[str, set[str]] = {}
        for row in self._past(self.changes, day.moment):
            held = before.setdefault(str(row["segment"]), set())
            (held.add if row["action"] == "enter" else held.discard)(str(row["profile"]))

        def now(profile: str) -> str | None:
            return day.aliases.get(profile, profile if profile in day.profiles else None)

        qualify: dict[str, set[str]] = {}
        for segment, (_, rows) in day.segments.items():
            is_bad = (
                None in rows
                or len(set(rows)) < len(rows)
                or not day.profiles.issuperset(filter(None, rows))
                or segment in day.failed
            )
            old = {called for one in before.get(segment, ()) if (called := now(one))}
            qualify[segment] = old if is_bad else {one for one in rows if one}
            version = last_definition.get(segment, {}).get("hash")
            self_hash = version if is_bad else day.segments[segment][0]
            held_since = last_definition.get(segment, {}).get("held_since") or day.moment
            last_definition[segment] = {
                "held_since": held_since if is_bad else None,
                "at": day.moment,
                "segment": segment,
                "hash": self_hash,
                "old": version,
                "new": day.segments[segment][0],
            }
        members = {
            segment: {
                one
                for one in all_of
                if one != STAFF and not (segment == "b" and one in qualify.get("a", ()))
            }
            for segment, all_of in qualify.items()
        }
        new = []
        for segment in set(members) | set(before):
            has, had = members.get(segment, set()), before.get(segment, set())
            about = last_definition[segment] if segment in day.segments else None
            for one in has - had:
                merged = any(now(other) == one for other in had if other != one)
                new.append((segment, one, "enter", "merged" if merged else self._why(about, True)))
            for one in had - has:
                called = now(one)
                if called is None:
                    why = "gone"
                elif called != one:
                    why = "merged"
                elif one == STAFF and one in qualify.get(segment, ()):
                    why = "excluded"
                elif one in qualify.get(segment, ()):
                    why = "outranked"
                else:
                    why = self._why(about, False)
                new.append((segment, one, "exit", why))
        fresh = [
            {"at": day.moment, "segment": s, "profile": p, "action": a, "why": w}
            for s, p, a, w in new
        ]
        told = self._past(self.changes, day.moment) + fresh
        every = [row["at"] for row in self.changes + self.definitions]
        if not every or day.moment >= max(every):  # type: ignore[type-var]
            self.changes += fresh
            self.definitions += [last_definition[segment] for segment in day.segments]
        held = {(segment, last_definition[segment]["held_since"]) for segment in day.segments}
        return {(s, p) for s, all_of in members.items() for p in all_of}, self._history(told), held

    @staticmethod
    def _why(about: dict[str, object] | None, enters: bool) -> str:
        if about is None:
            return "segment_removed"
        if about["old"] is None:
            return "segment_is_new"
        if about["old"] != about["new"]:
            return "definition_changed"
        return "qualified" if enters else "no_longer_qualifies"

    @staticmethod
    def _history(changes: list[dict[str, object]]) -> set[Row]:
        found, open_ones = set(), {}
        for row in changes:
            pair = (row["segment"], row["profile"])
            if row["action"] == "enter":
                open_ones[pair] = (*pair, row["at"], row["why"])
            else:
                found.add((*open_ones.pop(pair), row["at"], row["why"]))
        return found | {(*one, None, None) for one in open_ones.values()}


def _world(connection: duckdb.DuckDBPyConnection, day: Day, ledger: Path, project: Project) -> None:
    for schema in ("intermediate", "membership", "published", "mappings", "ledger"):
        connection.execute(f"create schema {schema}")
    for source in ("segment_changes", "segment_definitions"):
        columns = ", ".join(
            f"null::{kind} as {name}" for name, kind in _columns(project, source).items()
        )
        files = sorted((ledger / source).glob("*.parquet"))
        more = f"union all by name from read_parquet({[str(file) for file in files]})"
        connection.execute(
            f"create view ledger.{source} as select {columns} where false {more if files else ''}"
        )

    def table(name: str, columns: str, rows: list[Row]) -> None:
        connection.execute(f"create table {name} ({columns})")
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"insert into {name} values ({marks})", rows)

    table("intermediate.int_profiles_found", "profile_id varchar", [(p,) for p in day.profiles])
    aliases = list(day.aliases.items())
    table(
        "intermediate.int_identity_aliases", "alias_profile_id varchar, profile_id varchar", aliases
    )
    table(
        "intermediate.int_identity_map",
        "profile_id varchar, identifier_type varchar, identifier varchar",
        [(p, "email", f"email:{p}@firm.org") for p in day.profiles],
    )
    table(
        "mappings.excluded_identifiers",
        "identifier_type varchar, pattern varchar, why varchar",
        [("email", f"{STAFF}@%", "our own people")],
    )
    table(
        "main.segment_failures",
        "build_id varchar, model varchar, file varchar, is_built boolean, reason varchar, "
        "description varchar, owner varchar",
        [("build", one, f"{one}.sql", True, "a test failed", None, None) for one in day.failed],
    )
    table(
        "membership.segment_candidates",
        "model varchar, segment varchar, profile_id varchar",
        [(s, s, p) for s, (_, rows) in day.segments.items() for p in rows],
    )
    table(
        "defined",
        """model varchar, file varchar, description varchar, owner varchar, definition_hash varchar,
        exclusive_set varchar, priority int, may_be_empty boolean, may_hold_everybody boolean,
        has_tags boolean, wrong_columns varchar""",
        [
            (s, s, "", "", said, "" if s == "c" else "tier", place, False, False, False, "")
            for place, (s, (said, _)) in enumerate(sorted(day.segments.items()))
        ],
    )


def _columns(project: Project, source: str) -> dict[str, str]:
    import yaml

    raw = yaml.safe_load((project.root / "models" / "ledger.yml").read_text())
    (table,) = [one for one in raw["sources"][0]["tables"] if one["name"] == source]
    return {column["name"]: column["data_type"] for column in table["columns"]}


def _build(folder: Path, day: Day, project: Project) -> tuple[set[Row], set[Row], set[Row]]:
    """The real models, on a new warehouse, and the real ledger."""
    warehouse, ledger = folder / "warehouse.duckdb", folder / "ledger"
    warehouse.unlink(missing_ok=True)
    moment = day.moment.isoformat() + "Z"
    with duckdb.connect(str(warehouse)) as connection:
        _world(connection, day, ledger, project)
        renderer = Renderer(project, connection, {"as_of": moment, "build_id": "build"})
        for schema, name in MODELS:
            path = project.root / "models"
            (file,) = path.rglob(f"{name}.sql")
            text = file.read_text().replace("{{ segment_definitions() }}", "select * from defined")
            sql = renderer.render(name, text).sql
            connection.execute(f"create table {schema}.{name} as {sql}")
        members = connection.execute(
            "select segment, profile_id from published.segment_memberships"
        )
        found = set(members.fetchall())
        history = connection.execute(
            """select segment, profile_id, entered_at, entered_reason, exited_at, exited_reason
            from published.segment_membership_history"""
        ).fetchall()
        held = connection.execute("select segment, held_since from published.segment_catalog")
        held_since = set(held.fetchall())
    record_membership(warehouse, ledger, moment)
    return found, set(history), held_since


def _days_of_one_segment(*rows: tuple[str | None, ...]) -> list[Day]:
    return [
        Day(START + timedelta(days=place), frozenset(PROFILES), {}, {"a": ("h1", one)}, frozenset())
        for place, one in enumerate(rows)
    ]


# The build of day 6 changes nothing; that of day 4 looks back all the same and leaves no trace.
@example(
    world=[
        Day(
            START + timedelta(days=place), frozenset(PROFILES), {}, {"a": ("h1", rows)}, frozenset()
        )
        for place, rows in ((1, ("p0",)), (6, ("p0",)), (4, ("p1",)), (5, ("p0",)))
    ]
)
# Held, good again, and held again: since the second time.
@example(world=_days_of_one_segment((None,), ("p0",), (None,), (None,)))
@settings(max_examples=12, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(world=st.lists(days(), min_size=1, max_size=6))
def test_members_and_history_are_those_of_the_obvious_way(
    world: list[Day], tmp_path_factory: object
) -> None:
    folder = tmp_path_factory.mktemp("membership")  # type: ignore[attr-defined]
    obvious = Obvious()
    project = Project(DBT_PROJECT)
    for day in world:
        assert _build(folder, day, project) == obvious.build(day), day
