"""The dbt project as files: models, seeds, sources and what their YAML says. Nothing is rendered.

Reads what dbt would read, as far as this project uses it: folder configuration of
`dbt_project.yml`, one YAML file beside each model, sources in `models/`, seeds as CSV.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from orchestration.rendering.places import FileError
from orchestration.resources.settings import DBT_PROJECT

SEGMENTS = "marts/segments"  # the folder of those; they read models alone, and declare no sources

Yaml = Mapping[str, Any]
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ProjectError(FileError):
    """A file of the project is not what it should be; the message names it."""


def parse_yaml(text: str, file: Path | str = "YAML") -> Any:
    """YAML as plain values, by the fast parser where there is one.

    Raises:
        ProjectError: it is no YAML; the file and the line are told.
    """
    try:
        return yaml.load(text, Loader=_FAST_LOADER)  # noqa: S506  # a safe loader either way
    except yaml.MarkedYAMLError as error:
        # What has no end is to be mended where it begins.
        is_open = "end of stream" in str(error.problem)
        mark = (error.context_mark if is_open else None) or error.problem_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        line = min(mark.line + 1, len(text.splitlines())) if mark else None
        raise ProjectError(f"no YAML: {words}", file, line) from None
    except yaml.YAMLError as error:
        raise ProjectError(f"no YAML: {' '.join(str(error).split())}", file) from None
    except ValueError as error:  # what looks like a date, and is none
        words = f"no YAML: {error}; write a date as 2026-12-31, and text in quotes"
        raise ProjectError(words, file) from None


def read_yaml(file: Path) -> Any:
    """A YAML file as plain values.

    Raises:
        ProjectError: it is no text or no YAML.
    """
    try:
        return parse_yaml(file.read_text(encoding="utf-8"), file)
    except UnicodeDecodeError:
        raise ProjectError("no text in UTF-8", file) from None


@dataclass(frozen=True)
class Model:
    """A model: where its file is, and where its table stands.

    `folder` is below `models/`, such as `marts/segments`.
    """

    name: str
    path: Path
    folder: str
    config: Yaml

    @property
    def schema(self) -> str:
        """The schema that its folder says."""
        return str(self.config.get("schema", "main"))

    @property
    def is_python(self) -> bool:
        """Whether it is a program, which cannot be rendered."""
        return self.path.suffix == ".py"

    @cached_property
    def text(self) -> str:
        """The file as it is now.

        Raises:
            ProjectError: it is no text.
        """
        try:
            return self.path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ProjectError("no text in UTF-8", self.path) from None

    @property
    def checksum(self) -> str:
        """SHA-256 of the file without surrounding blanks, as dbt takes it."""
        return hashlib.sha256(self.text.strip().encode()).hexdigest()

    @property
    def yaml(self) -> Path | None:
        """The YAML file beside it, if there is one."""
        beside = (self.path.with_suffix(ending) for ending in (".yml", ".yaml"))
        return next((path for path in beside if path.exists()), None)

    @cached_property
    def says(self) -> Yaml:
        """The model's entry in the YAML file beside it; empty if there is none.

        Raises:
            ProjectError: the file cannot be read.
        """
        said = read_yaml(self.yaml) if self.yaml else None
        entries = said.get("models") if isinstance(said, Mapping) else None
        entries = entries if isinstance(entries, list) else []  # dbt says what it should be
        named = [one for one in entries if isinstance(one, Mapping)]
        return next((one for one in named if one.get("name") == self.name), {})

    @property
    def description(self) -> str:
        """What its YAML says it is, in one line."""
        return " ".join(str(self.says.get("description", "")).split())

    @property
    def meta(self) -> Yaml:
        """`config.meta` of its YAML."""
        config = self.says.get("config")
        found = config.get("meta") if isinstance(config, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def column(self, name: str) -> Yaml:
        """What its YAML says of a column."""
        columns = self.says.get("columns")
        said = (
            [one for one in columns if isinstance(one, Mapping)]
            if isinstance(columns, list)
            else []
        )
        return next((one for one in said if one.get("name") == name), {})


@dataclass(frozen=True)
class Source:
    """A table that models read and none makes; `columns` are names and types."""

    schema: str
    identifier: str
    columns: Mapping[str, str]


@dataclass
class Project:
    """All of it, read anew for each object."""

    root: Path = DBT_PROJECT
    models: dict[str, Model] = field(init=False)
    files: list[Model] = field(init=False)  # also the twins, of whom `models` has one

    def __post_init__(self) -> None:
        folder = self.root / "models"
        found = [*folder.rglob("*.sql"), *folder.rglob("*.py")]
        self.files = [self._model(path, folder) for path in sorted(found)]
        self.models = {model.name: model for model in self.files}

    def _model(self, path: Path, folder: Path) -> Model:
        place = path.parent.relative_to(folder)
        return Model(path.stem, path, place.as_posix(), _configured(self._folders, place.parts))

    @cached_property
    def settings(self) -> Yaml:
        """`dbt_project.yml`."""
        file = self.root / "dbt_project.yml"
        return parse_yaml(file.read_text(encoding="utf-8"), file)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The project's name, which dbt puts into the ids of nodes."""
        return str(self.settings["name"])

    @property
    def _folders(self) -> Yaml:
        return (self.settings.get("models") or {}).get(self.name) or {}

    @cached_property
    def seeds(self) -> dict[str, str]:
        """Names of seeds, and their schema."""
        says = (self.settings.get("seeds") or {}).get(self.name) or {}
        schema = str(says.get("+schema", "main"))
        folders = [self.root / path for path in self.settings.get("seed-paths") or []]
        return {path.stem: schema for folder in folders for path in folder.glob("*.csv")}

    @cached_property
    def sources(self) -> dict[tuple[str, str], Source]:
        """Sources by their name and that of the table."""
        found = {}
        for path in sorted((self.root / "models").rglob("*.yml")):
            # Whatever is wrong with a segment's YAML must not trouble others.
            if path.is_relative_to(self.root / "models" / SEGMENTS):
                continue
            text = path.read_text(encoding="utf-8")
            if "\nsources:" not in text:
                continue
            for group in parse_yaml(text, path)["sources"]:
                for table in group["tables"]:
                    columns = {
                        column["name"]: str(column.get("data_type") or "varchar")
                        for column in table.get("columns") or []
                    }
                    found[group["name"], table["name"]] = Source(
                        str(group.get("schema") or group["name"]),
                        str(table.get("identifier") or table["name"]),
                        columns,
                    )
        return found

    @cached_property
    def parameters(self) -> dict[str, Yaml]:
        """The thresholds of `parameters.yml`: value, unit and meaning of each."""
        file = self.root / "parameters.yml"
        return parse_yaml(file.read_text(encoding="utf-8"), file) or {}

    def named(self, folder: str, prefix: str) -> dict[str, Model]:
        """The models of a folder whose names begin with a prefix, by what follows it."""
        return {
            name.removeprefix(prefix): model
            for name, model in self.models.items()
            if model.folder.startswith(folder) and name.startswith(prefix)
        }


def _configured(folders: Yaml, parts: tuple[str, ...]) -> dict[str, Any]:
    """What `dbt_project.yml` says of a folder: the nearer one wins."""
    found: dict[str, Any] = {}
    level: Yaml | None = folders
    for part in (*parts, ""):
        if not isinstance(level, Mapping):
            break
        found |= {key[1:]: value for key, value in level.items() if key.startswith("+")}
        level = level.get(part)
    return found
