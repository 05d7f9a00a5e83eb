"""The dbt project as dbt reads it: all of it, but for segments that keep it from being read at all.

A slip of the pen in one segment, or two files of one name, would stop every build: dbt refuses the
whole project. Such files are left out, by a folder of links that has an ignore list, and named.
What is wrong anywhere else stops the build, as it should.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

SEGMENTS = "models/marts/segments/"
_FILE = re.compile(rf"{SEGMENTS}[\w/.-]*?([\w-]+)\.(?:sql|yml|yaml)")


@dataclass(frozen=True)
class Refused:
    """A segment's file that dbt cannot read: the segment, the file in the project, and why."""

    model: str
    file: str
    reason: str


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
        refused: dict[str, Refused] = {}
        self._write(refused)
        while (wrong := parse(self.folder)) is not None:
            blamed = {found.group(0): found.group(1) for found in _FILE.finditer(wrong)}
            new = {file: stem for file, stem in blamed.items() if file not in refused}
            if not new:
                return wrong
            for file, stem in new.items():
                reason = " ".join(wrong.split())
                refused[file] = Refused(stem.removeprefix("seg_"), file, reason)
            self._write(refused)
        return None

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
        ignored = [f"{Path(file).with_suffix('')}.*" for file in refused]
        (self._links / ".dbtignore").write_text("\n".join([*ignored, ""]))
