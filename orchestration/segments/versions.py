"""Another version of a segment: of a git revision, or with other thresholds."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.rendering.project import Project, parse_yaml
from orchestration.segments.errors import SegmentError


@dataclass(frozen=True)
class Version:
    """What to evaluate instead of the files: parameters by name, models' text by name."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def other_version(
    project: Project, model: str, revision: str, parameters: Mapping[str, Any]
) -> Version | None:
    """The version to compare with, or None if neither a revision nor a parameter is given.

    Of a revision, the segment's file and parameters.yml count, and no other file.

    Raises:
        SegmentError: there is no such revision, or the segment did not exist then.
    """
    said = ", ".join(f"{name}={value}" for name, value in parameters.items())
    if not revision:
        return Version(said, parameters) if parameters else None
    text = _shown(project.root, revision, project.models[model].path)
    said_then = parse_yaml(
        _shown(project.root, revision, project.root / "parameters.yml"), "parameters.yml"
    )
    then = {name: entry["value"] for name, entry in (said_then or {}).items()}
    known = {name: value for name, value in then.items() if name in project.parameters}
    unknown = sorted(set(then) - set(known))
    if any(f"'{name}'" in text for name in unknown):
        raise SegmentError(
            f"at {revision} {model} used {', '.join(unknown)}, which parameters.yml no longer has"
        )
    name = f"{revision}, {said}" if said else revision
    return Version(name, {**known, **parameters}, {model: text})


def _shown(root: Path, revision: str, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    shown = _git(root, "show", "--end-of-options", f"{revision}:./{name}")
    if not shown.returncode:
        return shown.stdout
    if _git(root, "rev-parse", "--git-dir").returncode:
        raise SegmentError(f"--against {revision}: {root} is in no git repository")
    known = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{}}")
    if known.returncode:
        raise SegmentError(
            f"--against {revision}: git knows no such revision; write a commit, branch or tag"
        )
    raise SegmentError(
        f"--against {revision}: {path.name} was not there in that revision, so there is nothing to "
        "compare with"
    )


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603  # git, with a revision that cannot be an option
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SegmentError("--against needs git, which is not installed here") from None
