"""The dbt project as dbt reads it: all of it, but for segments that keep it from being read at all.

A slip of the pen in one segment, or two files of one name, would stop every build: dbt refuses the
whole project. Such files are left out, by a folder of links that has an ignore list, and named.
What is wrong anywhere else stops the build, as it should.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.rendering.faults import fault_of
from orchestration.rendering.places import FileError
from orchestration.rendering.project import SEGMENTS, Model
from orchestration.rendering.project import Project as Files
from orchestration.rendering.renderer import Renderer
from orchestration.rendering.segment_yaml import check_yaml
from orchestration.resources.dbt_words import LONGEST, plain

FOLDER, PREFIX = SEGMENTS, "seg_"
_FILE = re.compile(rf"({FOLDER}/[\w/.-]*?[\w-]+)\.(sql|yml|yaml)")


@dataclass(frozen=True)
class Refused:
    """A segment that dbt cannot read: its name, the file below `models/` without its ending, the
    place (`dbt_project/models/.../seg_x.sql:3`), and why.

    `description` and `owner` are its YAML's; None if that cannot be read.
    """

    model: str
    stem: str
    place: str
    reason: str
    description: str | None = None
    owner: str | None = None


class Project:
    """Where dbt reads the project from.

    Args:
        source: the project's folder; never written to.
        working: a folder for the links and the list of what is left out.
    """

    def __init__(self, source: Path, working: Path) -> None:
        self.source = source
        self._links = working / "project" / source.name
        self._list = working / "refused.json"

    @property
    def folder(self) -> Path:
        """The folder to hand to dbt."""
        return self._links if self.refused() else self.source

    def refused(self) -> list[Refused]:
        """What the last `read` left out."""
        if not self._list.exists():
            return []
        return [Refused(**entry) for entry in json.loads(self._list.read_text())]

    def read(self, parse: Callable[[Path], str | None]) -> str | None:
        """Leave out segments until the project can be read.

        Args:
            parse: parses the project in a folder; returns what is wrong with it, or None.

        Returns:
            what is wrong beside segments, or None.
        """
        files = Files(self.source)
        models = {_stem(model): model for model in files.files if _is_segment(model)}
        faults = self._faults(files, models)
        refused = {
            stem: _refused(stem, models.get(stem), fault)
            for stem, fault in faults.items()
            if fault.is_certain
        }
        self._write(refused)
        while (wrong := parse(self.folder)) is not None:
            blamed = {
                found[1]: self.source / "models" / found[0] for found in _FILE.finditer(wrong)
            }
            new = {stem: file for stem, file in blamed.items() if stem not in refused}
            words = plain(wrong)[:LONGEST]
            if not new:
                new = self._found_out(parse, wrong, models, refused)
                words = f"dbt cannot read it: {words}"
            if not new:
                self._write(refused)
                return wrong
            for stem, file in new.items():
                fault = faults.get(stem) or FileError(words, file)
                refused[stem] = _refused(stem, models.get(stem), fault)
            self._write(refused)
        return None

    def _faults(self, files: Files, models: dict[str, Model]) -> dict[str, FileError]:
        """What is wrong with the files of segments, as far as it shows without dbt."""
        try:
            renderer = Renderer(files)
        except FileError:
            return {}  # a macro, which dbt will name
        found = {stem: fault_of(renderer, model) for stem, model in models.items()}
        faults = {stem: fault for stem, fault in found.items() if fault}
        folder = self.source / "models"
        for file in sorted((folder / FOLDER).rglob("*.y*ml")):
            stem = file.relative_to(folder).with_suffix("").as_posix()
            if stem not in models:  # beside no segment
                try:
                    check_yaml(files, file)
                except FileError as error:
                    faults[stem] = error
        return faults

    def _found_out(
        self,
        parse: Callable[[Path], str | None],
        wrong: str,
        models: Mapping[str, Model],
        refused: Mapping[str, Refused],
    ) -> dict[str, Path]:
        """The segment for which dbt says what is wrong without naming a file: that without which
        it does not say so, found by halves; none if it says so without any segment, too.
        """
        left = sorted(set(models) - set(refused))
        nothing = FileError("")
        known = wrong.replace(str(self._links), str(self.source))

        def stays(without: list[str]) -> bool:
            more = {stem: _refused(stem, None, nothing) for stem in without}
            self._write({**refused, **more})
            # dbt may name the folder, which is that of links as soon as a segment is left out.
            told = parse(self.folder) or ""
            return told.replace(str(self._links), str(self.source)) == known

        if not left or stays(left):
            return {}
        kept, gone = 0, len(left)  # without so many, from the first on, it says so, and does not
        while gone - kept > 1:
            middle = (kept + gone) // 2
            kept, gone = (middle, gone) if stays(left[:middle]) else (kept, middle)
        found = left[kept]
        return {} if stays([found]) else {found: models[found].path}

    def _write(self, refused: dict[str, Refused]) -> None:
        self._list.parent.mkdir(parents=True, exist_ok=True)
        self._list.write_text(json.dumps([asdict(entry) for entry in refused.values()]))
        if not refused:
            return
        self._links.mkdir(parents=True, exist_ok=True)
        for link in [*self._links.iterdir(), self._links.parent / "seeds"]:
            link.unlink(missing_ok=True)
        for path in self.source.iterdir():
            if path.name not in {"target", "logs", ".dbtignore"}:
                (self._links / path.name).symlink_to(path)
        (self._links.parent / "seeds").symlink_to(self.source.parent / "seeds")
        ignored = [f"models/{stem}.*" for stem in refused]
        (self._links / ".dbtignore").write_text("\n".join([*ignored, ""]))


def _is_segment(model: Model) -> bool:
    return model.folder.startswith(FOLDER) and model.name.startswith(PREFIX)


def _stem(model: Model) -> str:
    return f"{model.folder}/{model.name}"


def _refused(stem: str, model: Model | None, fault: FileError) -> Refused:
    name = Path(stem).name.removeprefix(PREFIX)
    description = owner = None
    try:
        if model:
            description = model.description or None
            owner = str(model.meta["owner"]) if model.meta.get("owner") else None
    except FileError:
        pass  # what was published last is told
    return Refused(name, stem, fault.place, fault.words, description, owner)
