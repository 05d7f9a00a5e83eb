"""All segments: those of the files, and those that readers see."""

from dataclasses import dataclass

from orchestration.rendering.faults import fault_of
from orchestration.rendering.places import FileError
from orchestration.rendering.project import Model, Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.resources.settings import Settings
from orchestration.segments.published import newest_published


@dataclass(frozen=True)
class Listed:
    """A segment. `size` is None if it was never published; `state` is empty if all is well."""

    segment: str
    size: int | None
    owner: str
    description: str
    state: str


def listed(project: Project, settings: Settings) -> list[Listed]:
    """Sorted by name; reads published files only, so a build disturbs nothing."""
    import duckdb

    files = project.named(FOLDER, PREFIX)
    found: dict[str, Listed] = {}
    published = newest_published(settings)
    if published:
        rows = duckdb.sql(f"select * from {published.catalog}")
        names = rows.columns
        for row in rows.fetchall():
            says = dict(zip(names, row, strict=True))
            name = str(says["segment"])
            model = next((one for one in _models(name) if one in files), "")
            held = says.get("held_because") or ""
            was_good = says["definition_version"] is not None
            words = "held" if was_good else "not published yet"
            state = f"{words}: {held}" if held else "" if model else "its file is gone"
            owner, about = str(says["owner"] or ""), str(says["description"] or "")
            found[name] = Listed(name, int(says["size"]), owner, about, state)
    seen = {one for name in found for one in _models(name)}
    unseen = {name: file for name, file in files.items() if name not in seen}
    if unseen:
        renderer = Renderer(project)
        found |= {name: _unpublished(name, file, renderer) for name, file in unseen.items()}
    return [found[name] for name in sorted(found)]


def _unpublished(name: str, file: Model, renderer: Renderer) -> Listed:
    """Told with what a build would hold it for, as far as its files show that."""
    fault = fault_of(renderer, file)
    state = f"not published yet: {fault}" if fault else "not published yet"
    try:
        return Listed(name, None, str(file.meta.get("owner", "")), file.description, state)
    except FileError:
        return Listed(name, None, "", "", state)


def _models(segment: str) -> list[str]:
    """The names of models that a segment may be of, itself or one with tags, the longest first."""
    parts = segment.split("_")
    return ["_".join(parts[:size]) for size in range(len(parts), 0, -1)]
