"""A scratch database over the warehouse, in which models are evaluated as their files are now.

The warehouse is attached read-only and never written. What its files still say is read from it;
what changed since, what is missing, and whatever depends on these is made anew in memory. For a
past moment, that is all that depends on the moment.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.near import did_you_mean
from orchestration.rendering.context import DATABASE
from orchestration.rendering.dependencies import downstream, in_order
from orchestration.rendering.faults import check_sql
from orchestration.rendering.places import FileError
from orchestration.rendering.project import SEGMENTS, Project
from orchestration.rendering.renderer import Rendered, Renderer
from orchestration.rendering.segment_yaml import check_config
from orchestration.resources.settings import Settings
from orchestration.segments.built import attached, newest_as_of, noted_of, relations_of
from orchestration.segments.errors import SegmentError, query_error

if TYPE_CHECKING:
    import duckdb

SCRATCH = "memory"  # what DuckDB calls a database without a file
_LOG = {"int_identity_log": "changed_at"}  # tables of programs that are histories, by their time
_MISSING = "not built yet"
_MOMENT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Moment:
    """At what moment the world is evaluated, in UTC; with `known_at`, as it was known then."""

    as_of: datetime
    known_at: datetime | None = None


@dataclass
class World:
    """Models at one moment, made on demand.

    `parameters` overrides thresholds, `texts` the files of models. `standing` is the SQL of which
    the tables in the scratch database were made; worlds of one connection share it.
    """

    connection: "duckdb.DuckDBPyConnection"
    renderer: Renderer
    built_as_of: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    _anew: set[str] = field(default_factory=set)
    _tables: list[str] = field(default_factory=list)  # made as such by the last `make`, in order
    _put: set[str] = field(default_factory=set)

    @property
    def project(self) -> Project:
        """The files."""
        return self.renderer.project

    def require(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that parameters.yml does not have, and values of another kind."""
        for name, value in parameters.items():
            known = self.project.parameters
            if name not in known:
                raise SegmentError(
                    f"parameters.yml has no parameter '{name}'{did_you_mean(name, known)}"
                )
            usual = known[name]["value"]
            if _kind(value) != _kind(usual):
                unit = f" ({known[name]['unit']})" if known[name].get("unit") else ""
                raise SegmentError(
                    f"{name}={value}: {name} wants {_kind(usual)}, such as {usual}{unit}"
                )

    def at(self, moment: Moment) -> None:
        """Evaluate from now on at this moment."""
        said = {"as_of": f"{moment.as_of:{_MOMENT}}"}
        if moment.known_at:
            said["known_at"] = f"{moment.known_at:%Y-%m-%d %H:%M:%S.%f}+00"
        self.renderer.variables = {**said, **self.parameters}
        if moment.known_at and self.standing.get("known_at") != said["known_at"]:
            self.standing.clear()
            self.standing["known_at"] = said["known_at"]
            self.renderer.call("register_landing")

    def rendered(self, name: str) -> Rendered:
        """A model as it would be evaluated now."""
        return self.renderer.render(name, self.texts.get(name))

    def closure(self, name: str) -> dict[str, tuple[str, ...]]:
        """The model and all that it reads, with their refs; a program's are not followed."""
        found: dict[str, tuple[str, ...]] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in found or one not in self.project.models:
                continue
            is_border = self.project.models[one].is_python or one in self._put
            found[one] = () if is_border else self.rendered(one).refs
            waiting.extend(found[one])
        return found

    def has(self, name: str) -> bool:
        """Whether the warehouse has the table of a model."""
        model = self.project.models.get(name)
        tables = relations_of(self.connection, "tables")
        return model is not None and f"{model.schema}.{name}" in tables

    def changed(self, of: str, refs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """Models that `of` reads and whose tables are not what their files say, with the reason.

        A table that is missing counts only if something that must be made anew reads it.
        """
        there = relations_of(self.connection, "tables") | relations_of(self.connection, "views")
        noted = noted_of(self.connection)
        found = {}
        for name in refs:
            model = self.project.models[name]
            if f"{model.schema}.{name}" not in there:
                found[name] = _MISSING
            elif name in noted and noted[name][0] != model.checksum:
                found[name] = "its file changed"
            elif name in noted and not model.is_python and not self._says(name, noted[name][1]):
                found[name] = "a macro, parameter or moment changed"
        missing = {name for name, why in found.items() if why == _MISSING}
        anew = downstream(refs, set(found) - missing) | {of}
        while needed := {one for one in missing - anew if any(one in refs[by] for by in anew)}:
            anew |= needed
        return {name: why for name, why in found.items() if name in anew}

    def _says(self, name: str, sql_hash: str) -> bool:
        """Whether the model would become that SQL in a build."""
        salt = str(self.renderer.call("behaviour_salt"))
        for is_incremental in (False, True):
            self.renderer.is_incremental = is_incremental
            sql = " ".join(self.rendered(name).sql.replace(salt, "").split())
            self.renderer.is_incremental = False
            if hashlib.md5(sql.encode(), usedforsecurity=False).hexdigest() == sql_hash:
                return True
        return False

    def of_moment(
        self, refs: Mapping[str, tuple[str, ...]], moments: tuple[Moment, Moment]
    ) -> set[str]:
        """Models whose SQL is different at two moments."""
        told = []
        for moment in moments:
            self.at(moment)
            told.append({name: self.rendered(name).sql for name in refs})
        return {name for name in refs if told[0][name] != told[1][name]}

    def put(self, name: str, query: str) -> str:
        """Let a query's rows stand for a model's from now on; the table's name."""
        self._put.add(name)
        schema = f"{SCRATCH}.{self.project.models[name].schema}"
        self.connection.execute(f"create schema if not exists {schema}")
        self.connection.execute(f"create or replace table {schema}.{name} as {query}")
        return f"{schema}.{name}"

    def make(self, name: str, anew: set[str], refs: Mapping[str, tuple[str, ...]]) -> None:
        """Make a model's table in the scratch database, and before it what it needs of `anew`.

        What only one other reads is a view, so that only the columns that matter are computed.

        Raises:
            SegmentError: DuckDB refuses a model, or a segment reads something else than tables; the
                message names its file, line and column.
        """
        self._anew = (downstream(refs, (anew | self._put) & set(refs)) | {name}) - self._put
        programs = [one for one in self._anew if one in refs and self.project.models[one].is_python]
        is_past = "known_at" in self.renderer.variables
        self._anew -= {one for one in programs if one not in _LOG or not is_past}
        self.renderer.databases = self._database
        pinned = self._views_read(refs) if len(self._anew) > 1 else set()
        self._anew |= pinned
        made: set[str] = set()
        self._tables = []
        for one in in_order(refs):
            if one not in self._anew:
                continue
            sql = one if one in _LOG else self.rendered(one).sql
            readers = sum(one in read for of, read in refs.items() if of in self._anew)
            is_table = one == name or readers > 1 or one in pinned
            if is_table:
                self._tables.append(one)
            if self.standing.get(one) != sql or made.intersection(refs[one]):
                self.standing.pop(one, None)
                self._make_one(one, "table" if is_table else "view")
                self.standing[one] = sql
                made.add(one)

    def statements(self, refs: Mapping[str, tuple[str, ...]], of: set[str]) -> list[str]:
        """What makes again the tables of the last `make` that read some of these, in order.

        For a table that is put many times: the statements can be run each time.
        """
        start = "create or replace table"
        return [
            f"{start} {self.renderer.relation(one)} as (\n{self.rendered(one).sql}\n)"
            for one in self._tables
            if one in downstream(refs, of)
        ]

    def _views_read(self, refs: Mapping[str, tuple[str, ...]]) -> set[str]:
        """Views of the warehouse that models made here read: their rows are computed once only."""
        _register_functions(self.connection)
        read = {one for name in self._anew for one in refs.get(name, ())} - self._anew
        views = relations_of(self.connection, "views")
        return {
            one for one in read & set(refs) if f"{self.project.models[one].schema}.{one}" in views
        }

    def _database(self, name: str) -> str:
        is_landing = "." in name and "known_at" in self.renderer.variables
        return SCRATCH if name in self._anew | self._put or is_landing else DATABASE

    def _make_one(self, name: str, kind: str) -> None:
        relation = self.renderer.relation(name)
        self.connection.execute(f"create schema if not exists {SCRATCH}.{relation.schema}")
        for old in ("table", "view"):
            self._drop(old, relation.schema, name)
        if name in _LOG:
            self.connection.execute(
                f"create view {relation} as select * from {DATABASE}.{relation.schema}.{name} "
                f"where {_LOG[name]} <= timestamptz '{self.renderer.variables['known_at']}'"
            )
            return
        rendered = self.rendered(name)
        text = self.texts.get(name, rendered.model.text)
        if rendered.model.folder.startswith(SEGMENTS):
            try:
                check_config(rendered.config, rendered.model.path)
                check_sql(rendered, text)
            except FileError as error:
                raise SegmentError(str(error)) from None
        start = f"create {kind} {relation} as (\n"
        try:
            self.connection.execute(f"{start}{''.join(rendered.pieces)}\n)")
        except Exception as error:
            raise query_error(error, rendered, text, len(start)) from None

    def _drop(self, kind: str, schema: str, name: str) -> None:
        import duckdb

        try:
            self.connection.execute(f'drop {kind} if exists {SCRATCH}.{schema}."{name}"')
        except duckdb.CatalogException:
            return  # it is of the other kind


def _kind(value: object) -> str:
    """What a parameter's value is, in words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number" if math.isfinite(value) else "infinity"
    kinds = {bool: "true or false", str: "a text", dict: "names with values", list: "a list"}
    return kinds.get(type(value), "another value")


def _register_functions(connection: "duckdb.DuckDBPyConnection") -> None:
    """Once: what staging calls and DuckDB lacks. Costs the import of pyarrow, so only if needed."""
    known = "select 1 from duckdb_functions() where function_name = 'mailbox'"
    if not connection.execute(known).fetchone():
        from orchestration.resources.duckdb_functions import register

        register(connection)


def open_world(
    settings: Settings,
    parameters: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    project: Project | None = None,
) -> World:
    """The world of the newest build.

    Raises:
        WarehouseError: there is no warehouse yet, or another process writes it.
        SegmentError: a parameter is not in parameters.yml.
    """
    project = project or Project()
    connection = attached(settings.warehouse, settings.working)
    built = newest_as_of(connection, settings)
    world = World(connection, Renderer(project, connection), built, parameters or {}, texts or {})
    world.require(world.parameters)
    world.at(Moment(built))
    return world


def built_as_of(settings: Settings) -> datetime:
    """The moment of the newest build.

    Raises:
        WarehouseError: there is no warehouse yet, or another process writes it.
    """
    with attached(settings.warehouse, settings.working) as connection:
        return newest_as_of(connection, settings)
