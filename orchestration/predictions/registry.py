"""Models as files under `MUSTER_HOME/models`: versions, which of them is current, and its history.

```
models/<name>/v3/model.joblib   what scores; loaded only if it is the file that its entry names
              v3/model.json     what is known of it
              v3/card.md        the same for people, with pictures beside it
models/<name>/current           the version in use, by its number; absent: none
models/<name>/history.jsonl     who became current when, and why
```
A version appears whole or not at all, and is never changed.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.predictions.definitions import PredictionError

_MODEL, _ENTRY, _CURRENT, _HISTORY = "model.joblib", "model.json", "current", "history.jsonl"


class RegistryError(PredictionError):
    """A version is not there, or cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Version:
    """One version: its folder and its entry (model.json)."""

    name: str
    number: int
    folder: Path
    entry: Mapping[str, Any]

    @property
    def refused(self) -> str:
        """Why it must not be used; empty if it may."""
        return str(self.entry["refused"])

    def load(self) -> Any:
        """The model itself.

        Raises:
            RegistryError: the file is not the one that was written, or of other packages.
        """
        import joblib
        import sklearn

        path = self.folder / _MODEL
        cure = f"train it again: muster model train {self.name}"
        if self.entry["scikit_learn"] != sklearn.__version__:
            raise RegistryError(
                f"{self.name} v{self.number} was made by scikit-learn "
                f"{self.entry['scikit_learn']}, this is {sklearn.__version__}; {cure}"
            )
        if not path.exists() or _sha256(path) != self.entry["sha256"]:
            raise RegistryError(f"{path} is not the file that was trained; {cure}")
        return joblib.load(path)


class Registry:
    """The models of one MUSTER_HOME.

    Args:
        folder: `MUSTER_HOME/models`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Models that have a version, sorted."""
        return sorted({path.parent.parent.name for path in self.folder.glob(f"*/v*/{_ENTRY}")})

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, the oldest first."""
        found = []
        for path in (self.folder / name).glob(f"v*/{_ENTRY}"):
            number = int(path.parent.name.removeprefix("v"))
            found.append(Version(name, number, path.parent, json.loads(path.read_text())))
        return sorted(found, key=lambda one: one.number)

    def version(self, name: str, number: int) -> Version:
        """One version.

        Raises:
            RegistryError: there is no such version.
        """
        there = self.versions(name)
        for one in there:
            if one.number == number:
                return one
        known = ", ".join(f"v{one.number}" for one in there) or "none yet"
        raise RegistryError(f"{name} has no v{number}; there are {known}")

    def current(self, name: str) -> Version | None:
        """The version in use; None if there is none."""
        path = self.folder / name / _CURRENT
        return self.version(name, int(path.read_text())) if path.exists() else None

    @contextmanager
    def adding(self, name: str) -> Iterator[tuple[int, Path]]:
        """The next number and a folder to fill; it becomes a version when all went well."""
        self._clear(name)
        number = max((one.number for one in self.versions(name)), default=0) + 1
        filling = self.folder / name / f".v{number}"
        filling.mkdir(parents=True)
        yield number, filling
        filling.rename(self.folder / name / f"v{number}")

    def write(self, folder: Path, model: object, entry: Mapping[str, Any]) -> None:
        """Put a model and its entry into the folder that `adding` gave."""
        import joblib
        import sklearn

        joblib.dump(model, folder / _MODEL)
        told = {
            **entry,
            "scikit_learn": sklearn.__version__,
            "sha256": _sha256(folder / _MODEL),
        }
        (folder / _ENTRY).write_text(json.dumps(told, indent=2) + "\n")

    def promote(self, name: str, number: int, why: str, is_forced: bool = False) -> Version:
        """Make a version current.

        Raises:
            RegistryError: there is no such version, or it was refused and is not forced.
        """
        chosen = self.version(name, number)
        if chosen.refused and not is_forced:
            raise RegistryError(f"{name} v{number} was refused: {chosen.refused}; --force uses it")
        self._note(name, number, why)
        path = self.folder / name / _CURRENT
        beside = path.with_name(f".{_CURRENT}")
        beside.write_text(f"{number}\n")
        beside.replace(path)
        return chosen

    def rollback(self, name: str) -> Version | None:
        """Make current what was so before; None if nothing was, and then nothing is.

        Raises:
            RegistryError: no version is current.
        """
        now = self.current(name)
        if now is None:
            raise RegistryError(f"{name} has no current version to roll back")
        before = _one_before([int(line["version"]) for line in self.history(name)])
        if before is None:
            self._note(name, 0, f"rolled back from v{now.number}")
            (self.folder / name / _CURRENT).unlink()
            return None
        return self.promote(name, before, f"rolled back from v{now.number}", is_forced=True)

    def history(self, name: str) -> list[Mapping[str, Any]]:
        """Who became current when and why, in order; version 0 is none."""
        path = self.folder / name / _HISTORY
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]  # a torn line is no line

    def _note(self, name: str, number: int, why: str) -> None:
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        with (self.folder / name / _HISTORY).open("a") as file:
            file.write(json.dumps({"at": at, "version": number, "why": why}) + "\n")

    def _clear(self, name: str) -> None:
        for left in (self.folder / name).glob(".v*"):  # of a training that was killed
            shutil.rmtree(left)


def _one_before(promoted: list[int]) -> int | None:
    """The version before the current one, as if each step back undid a step forward."""
    stack: list[int] = []
    for number in promoted:
        if number == 0:
            stack.clear()
        elif len(stack) > 1 and stack[-2] == number:
            stack.pop()
        else:
            stack.append(number)
    return stack[-2] if len(stack) > 1 else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
