"""What dbt gives to macros besides its models: `ref` as an object, `config`, `graph`, modules.

Only what this project's macros use; a macro that asks for more fails with the name it asked for.
"""

import datetime as dt
import hashlib
import importlib
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

from orchestration.rendering.jinja import RenderError
from orchestration.rendering.project import Project

DATABASE = "warehouse"  # the name of the warehouse's file, as dbt-duckdb calls it


class Relation(str):
    """A table as SQL names it, with its parts."""

    __slots__ = ("database", "identifier", "schema")

    database: str
    identifier: str
    schema: str

    def __new__(cls, database: str, schema: str, identifier: str) -> "Relation":
        """`"warehouse"."marts"."profile_traits"`."""
        made = super().__new__(cls, f'"{database}"."{schema}"."{identifier}"')
        made.database, made.schema, made.identifier = database, schema, identifier
        return made


class Ref:
    """`ref`, with the list of files that hangs on it in dbt."""

    def __init__(self, called: Callable[..., Relation], project: Project) -> None:
        self._called = called
        files = {
            name: SimpleNamespace(
                path=SimpleNamespace(relative_path=f"{model.folder}/{model.path.name}")
            )
            for name, model in project.models.items()
        }
        self.manifest = SimpleNamespace(files=files)

    def __call__(self, *names: str, **_: object) -> Relation:
        """The table of a model or seed."""
        return self._called(*names)


class Config:
    """`config(...)` at the head of a model, and `config.get` in macros."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, given: Mapping[str, Any] | None = None, **named: object) -> str:
        """Note it; the call stands in the model's text and leaves nothing there."""
        self.values.update({**(given or {}), **named})
        return ""

    def get(self, name: str, default: object = None) -> object:
        """What was configured, by the model or by its folder."""
        return self.values.get(name, default)


class Graph:
    """`graph` as far as macros look into it: what YAML says of models and sources."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def nodes(self) -> dict[str, Any]:
        """Models by their ids."""
        return {
            f"model.{self._project.name}.{name}": {
                "name": name,
                "resource_type": "model",
                "description": str(model.says.get("description", "")),
                "config": {**model.config, "meta": model.meta},
                "raw_code": model.text.strip(),
                "original_file_path": f"models/{model.folder}/{model.path.name}",
                "checksum": {"checksum": model.checksum},
                "columns": {one["name"]: one for one in model.says.get("columns") or []},
            }
            for name, model in self._project.models.items()
        }

    @property
    def sources(self) -> dict[str, Any]:
        """Sources by group and table."""
        return {
            ".".join(key): SimpleNamespace(
                schema=source.schema,
                identifier=source.identifier,
                columns={
                    name: SimpleNamespace(name=name, data_type=kind)
                    for name, kind in source.columns.items()
                },
            )
            for key, source in self._project.sources.items()
        }


def _env_var(name: str, default: str | None = None) -> str:
    found = os.environ.get(name, default)
    if found is None:
        raise RenderError(f"the environment has no {name}")
    return found


def _refuse(message: object, *_: object) -> NoReturn:
    raise RenderError(str(message))


def _to_json(value: object, default: object = None, sort_keys: bool = False) -> str:
    return json.dumps(value, sort_keys=sort_keys)


def _local_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _log(*_: object, **__: object) -> str:
    return ""


class _Modules:
    """`modules`; pytz is imported when a macro asks for it."""

    datetime = dt
    itertools = itertools

    @property
    def pytz(self) -> Any:
        """Time zones."""
        return importlib.import_module("pytz")

    @property
    def re(self) -> Any:
        """Regular expressions."""
        import re

        return re


def _zip(*several: Sequence[object], default: object = None) -> list[tuple[object, ...]]:
    return list(zip(*several, strict=False))


PLAIN: dict[str, Any] = {
    "execute": True,
    "env_var": _env_var,
    "exceptions": SimpleNamespace(raise_compiler_error=_refuse, warn=_log),
    "modules": _Modules(),
    "target": SimpleNamespace(name="duckdb", type="duckdb", schema="main", database=DATABASE),
    "tojson": _to_json,
    "fromjson": json.loads,
    "local_md5": _local_md5,
    "zip": _zip,
    "set": set,
    "log": _log,
    "print": _log,
    "invocation_id": "rendered-without-dbt",
    "flags": SimpleNamespace(FULL_REFRESH=False),
}
