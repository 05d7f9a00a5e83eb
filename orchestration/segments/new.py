"""Makes the files of a new segment: SQL, YAML and a unit test that fails until it is filled in."""

import re
from pathlib import Path

from orchestration.near import did_you_mean
from orchestration.rendering.project import Project, parse_yaml
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.segments.errors import SegmentError

_LONGEST = 50
_FILL_IN = "fill_in_who_belongs"

_SQL = """\
-- Grain: one row per profile that belongs to the segment.
select profile_id
from {{ ref('profile_traits') }}
where 1 = 0  -- fill in: who belongs?
"""

_YAML = """\
version: 2

models:
  - name: seg_NAME
    description: "Fill in: who belongs to it, by which thresholds of parameters.yml."
    config:
      meta: {owner: OWNER}
    columns:
      - name: profile_id
        description: "Member of the segment."
        data_tests:
          - unique
          - not_null

unit_tests:
  - name: NAME_holds_who_belongs_and_nobody_else
    description: "Fill in: the limits, such as exactly the threshold and a little more."
    model: seg_NAME
    overrides:
      vars: {as_of: '2026-01-31 12:00:00'}
    given:
      - input: ref('profile_traits')
        rows:
          - {profile_id: FILL_IN}
          - {profile_id: fill_in_who_does_not}
    expect:
      rows:
        - {profile_id: FILL_IN}
"""


def new_segment(project: Project, name: str, owner: str, other: str = "") -> list[Path]:
    """Write the files; they pass lint and dbt can read them. Returns their paths.

    Args:
        project: where they belong.
        name: of the segment, without `seg_`.
        owner: the team that answers for it.
        other: a segment to begin with, instead of the bare form.

    Raises:
        SegmentError: the name is bad or taken, or there is no such other segment.
    """
    name = name.removeprefix(PREFIX)
    _check(project, name, owner)
    sql, text = _SQL, _YAML.replace("OWNER", owner).replace("NAME", name)
    if other:
        sql, text = _like(project, name, other.removeprefix(PREFIX))
    file = project.root / "models" / FOLDER / f"{PREFIX}{name}.sql"
    beside = file.with_suffix(".yml")
    for path, content in ((file, sql), (beside, text.replace("FILL_IN", _FILL_IN))):
        with path.open("x", encoding="utf-8") as stream:  # never over a file
            stream.write(content)
    return [file, beside]


def _check(project: Project, name: str, owner: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > _LONGEST:
        raise SegmentError(
            f"'{name}' cannot be a segment's name: lower case letters, digits and single "
            f"underscores, a letter first, at most {_LONGEST}"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", owner):
        raise SegmentError(f"--owner {owner}: a team's name in lower case, such as growth")
    if f"{PREFIX}{name}" in project.models:
        place = project.models[f"{PREFIX}{name}"].path
        raise SegmentError(f"there is a segment '{name}' already: {place}")
    for path in (project.root / "models").rglob(f"{PREFIX}{name}.yml"):
        raise SegmentError(f"{path} is there already")
    for known, model in project.named(FOLDER, PREFIX).items():
        if name.startswith(f"{known}_") and re.search(r"\btag\b", model.text):
            tag = name.removeprefix(f"{known}_")
            raise SegmentError(f"'{name}' would also be the segment of {model.name}'s tag '{tag}'")


def _like(project: Project, name: str, other: str) -> tuple[str, str]:
    """The files of another segment under the new name, with one expectation that is not met."""
    segments = project.named(FOLDER, PREFIX)
    if other not in segments:
        there = f"; there are: {', '.join(segments)}"
        raise SegmentError(f"there is no segment '{other}'{did_you_mean(other, segments, there)}")
    model = segments[other]
    beside = model.path.with_suffix(".yml")
    if not beside.exists():
        raise SegmentError(f"{beside} is missing, so that there is nothing to begin with")
    text = re.sub(rf"\b{PREFIX}{other}\b", f"{PREFIX}{name}", beside.read_text(encoding="utf-8"))
    tests = (parse_yaml(text, beside) or {}).get("unit_tests") or []
    for test in tests:  # names of tests are of the whole project
        text = re.sub(rf"(- name: ){test['name']}$", rf"\1{test['name']}_of_{name}", text,
                      flags=re.MULTILINE)  # fmt: skip
    lines = text.rstrip().splitlines()
    last = re.match(r"( *)- \{", lines[-1])
    if tests and last:
        tag = ", tag: fill_in" if re.search(r"\btag:", lines[-1]) else ""
        lines.append(f"{last[1]}- {{profile_id: FILL_IN{tag}}}")
    return model.text, "\n".join([*lines, ""])
