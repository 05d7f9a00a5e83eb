"""A model of dbt to the SQL that dbt would run, in milliseconds: macros, refs and variables.

What differs from dbt: `execute` is always true, `is_incremental()` is what the caller says (by
default False, which gives the whole table), and hooks are not run. Queries that macros make go to
the connection that was given. One test compares all of it with dbt's own.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from orchestration.rendering.context import DATABASE, PLAIN, Config, Graph, Ref, Relation
from orchestration.rendering.dependencies import python_refs
from orchestration.rendering.jinja import Macros, RenderError, Result
from orchestration.rendering.project import Model, Project, parse_yaml

if TYPE_CHECKING:
    import duckdb

Databases = Callable[[str], str]  # a model's name to the database in which its table stands


@dataclass(frozen=True)
class Rendered:
    """A model as SQL.

    `pieces` are the parts of the SQL in order, from which a place in the file can be found;
    `variables` are the names of the dbt variables that were asked for.
    """

    model: Model
    pieces: tuple[str, ...]
    refs: tuple[str, ...]
    sources: tuple[str, ...]
    variables: frozenset[str]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The whole query."""
        return "".join(self.pieces).strip()


class Renderer:
    """Renders the models of one project at one moment.

    Args:
        project: the files.
        connection: answers what macros ask while they are rendered; None: a scratch one.
        variables: dbt's, `as_of` among them.
        databases: where a model's table stands; by default all in the warehouse.
        is_incremental: what macros are told, for models that are.
    """

    def __init__(
        self,
        project: Project,
        connection: "duckdb.DuckDBPyConnection | None" = None,
        variables: Mapping[str, Any] | None = None,
        databases: Databases = lambda name: DATABASE,
        is_incremental: bool = False,
    ) -> None:
        self.project = project
        self.variables = {**(project.settings.get("vars") or {}), **(variables or {})}
        self._connection = connection
        self.databases = databases
        self.is_incremental = is_incremental
        self._answers: dict[str, Result] = {}
        self._documents: dict[str, Any] = {}
        self._read: dict[str, tuple[str, ...]] = {}
        self._refs: list[str] = []
        self._sources: list[str] = []
        self._asked: set[str] = set()
        self._config = Config()
        self._macros = Macros(project.root / "macros")
        self._macros.namespace.update(self._globals())

    def render(self, name: str, text: str | None = None) -> Rendered:
        """A model's SQL; `text` stands for the file, should another version be wanted.

        Raises:
            RenderError: there is no such model, it is a program, or its Jinja fails.
        """
        model = self._model(name)
        if model.is_python:
            return Rendered(model, (), python_refs(model), (), frozenset())
        self._refs, self._sources, self._asked = [], [], set()
        self._config.values = dict(model.config)
        self._macros.namespace["this"] = self.relation(name)
        pieces = self._macros.chunks(model.text if text is None else text, model.path)
        refs, sources = (tuple(dict.fromkeys(found)) for found in (self._refs, self._sources))
        asked = frozenset(self._asked)
        return Rendered(model, tuple(pieces), refs, sources, asked, self._config.values)

    def reads(self, name: str) -> tuple[str, ...]:
        """What a model reads, as dbt finds it when it parses: no table is asked for anything.

        Raises:
            RenderError: as `render`.
        """
        if name not in self._read:
            self._macros.namespace["execute"] = False
            try:
                self._read[name] = self.render(name).refs
            finally:
                self._macros.namespace["execute"] = True
        return self._read[name]

    def call(self, macro: str, *arguments: object, **named: object) -> Any:
        """What a macro gives for these arguments."""
        return self._macros.call(macro, *arguments, **named)

    def relation(self, name: str) -> Relation:
        """The table of a model or seed.

        Raises:
            RenderError: there is neither.
        """
        if name in self.project.seeds:
            return Relation(DATABASE, self.project.seeds[name], name)
        return Relation(self.databases(name), self._model(name).schema, name)

    def _model(self, name: str) -> Model:
        try:
            return self.project.models[name]
        except KeyError:
            raise RenderError(f"there is no model or seed '{name}'") from None

    def _globals(self) -> dict[str, Any]:
        return {
            **PLAIN,
            "ref": Ref(self._ref, self.project),
            "source": self._source,
            "var": self._var,
            "config": self._config,
            "is_incremental": lambda: self.is_incremental,
            "adapter": SimpleNamespace(
                dispatch=self._dispatch, get_columns_in_relation=self._columns
            ),
            "load_relation": lambda relation: relation if self._columns(relation) else None,
            "run_query": self._run_query,
            "fromyaml": self._fromyaml,
            "project_name": self.project.name,
            "invocation_args_dict": {"project_dir": str(self.project.root)},
            "run_started_at": dt.datetime.now(dt.UTC),
            "graph": Graph(self.project),
        }

    def _ref(self, *names: str) -> Relation:
        self._refs.append(names[-1])
        return self.relation(names[-1])

    def _source(self, group: str, table: str) -> Relation:
        found = self.project.sources.get((group, table))
        if found is None:
            raise RenderError(f"there is no source '{group}.{table}'")
        self._sources.append(f"{group}.{table}")
        return Relation(self.databases(f"{group}.{table}"), found.schema, found.identifier)

    def _var(self, name: str, default: object = None) -> object:
        self._asked.add(name)
        return self.variables.get(name, default)

    def _dispatch(self, name: str, package: str | None = None) -> Any:
        for candidate in (f"duckdb__{name}", f"default__{name}", name):
            if candidate in self._macros.names:
                return self._macros.namespace[candidate]
        raise RenderError(f"there is no macro '{name}'")

    def _run_query(self, sql: str) -> Result:
        """A question is asked once: nearly all are for the content of the same few files."""
        is_question = sql.lstrip().lower().startswith("select")
        if sql in self._answers and is_question:
            return self._answers[sql]
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect()
            self._connection.execute("set timezone = 'UTC'")
        asked = self._connection.execute(sql)
        names = [column[0] for column in asked.description or []]
        self._answers[sql] = Result(names, asked.fetchall())
        return self._answers[sql]

    def _columns(self, relation: Relation) -> list[SimpleNamespace]:
        """Names of a table's columns in the connection; none if there is no such table."""
        found = self._run_query(
            f"""select column_name from duckdb_columns()
            where database_name = '{relation.database}' and schema_name = '{relation.schema}'
                and table_name = '{relation.identifier}' order by column_index"""
        )
        return [SimpleNamespace(name=row[0]) for row in found]

    def _fromyaml(self, text: str, default: object = None) -> Any:
        if text not in self._documents:
            self._documents[text] = parse_yaml(text)
        return self._documents[text]
