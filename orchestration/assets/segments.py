"""What becomes of a segment that cannot be built or whose tests fail: it alone is held.

Its members of this build do not count, and the last good ones are kept; the models of
`marts/membership/` see to that. Here is only which segments these are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import dagster as dg
import duckdb

from orchestration.rendering.faults import fault_of, placed
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.dbt import Failed, project
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.resources.dbt_words import LONGEST
from orchestration.resources.settings import DBT_PROJECT, load_settings, shown


@dataclass(frozen=True)
class Held:
    """A segment's failure as `main.segment_failures` has it; `file` with the line, if it is known.

    `description` and `owner` only of one that dbt could not read, which is no model of the build.
    """

    model: str
    file: str
    is_built: bool
    reason: str
    description: str | None = None
    owner: str | None = None


class SegmentFailures:
    """The failures of one dbt command that are of segments.

    Args:
        parsed: dbt's manifest.
        key_of: asset keys by unique id of the model.
    """

    def __init__(self, parsed: Mapping[str, Any], key_of: Mapping[str, dg.AssetKey]) -> None:
        self._nodes = {**parsed["nodes"], **parsed.get("unit_tests", {})}
        self._keys = {
            unique_id: key_of[unique_id]
            for unique_id, node in parsed["nodes"].items()
            if unique_id in key_of and str(node["path"]).startswith(f"{FOLDER}/")
        }
        self._failed: dict[str, str] = {}  # unique id of the model: why
        self._built: set[str] = set()  # names of outputs

    def begin(self) -> None:
        """Forget what an earlier run of this process noted, should it have died."""
        self._failed.clear()
        self._built.clear()

    def mild(self, event: Any) -> Any:  # any event of Dagster's
        """A failed test of a segment as a warning: it holds the segment and stops nothing."""
        if isinstance(event, dg.Output):
            self._built.add(event.output_name)
        if not isinstance(event, dg.AssetCheckResult) or event.passed:
            return event
        if event.asset_key not in self._keys.values():
            return event
        return dg.AssetCheckResult(
            asset_key=event.asset_key,
            check_name=event.check_name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=event.metadata,
            description=event.description or "failed; the segment keeps its last good members",
        )

    def take(self, failures: Sequence[Failed]) -> str:
        """Note what is of segments; returns what is not, in words."""
        others = []
        for failed in failures:
            model = self._segment_of(failed.unique_id)
            if model is None:
                others.append(f"{failed.name}: {failed.reason}")
            elif failed.unique_id == model:
                self._failed[model] = failed.reason
            else:
                self._failed.setdefault(model, f"its test {failed.name} failed: {failed.reason}")
        return "; ".join(others)

    def _segment_of(self, unique_id: str) -> str | None:
        """The model that a failure is of, if that is a segment."""
        node = self._nodes.get(unique_id, {})
        above = node.get("attached_node") or next(
            iter(node.get("depends_on", {}).get("nodes", [])), None
        )
        model = unique_id if unique_id.startswith("model.") else above
        return model if model in self._keys else None

    def keep_the_last_good(
        self, context: dg.AssetExecutionContext
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Write down which segments are held, and let the build go on without them."""
        held = {
            one.model: Held(one.model, one.place, False, one.reason, one.description, one.owner)
            for one in reversed(project().refused())  # of two files of one name, the first
        }
        renderer = Renderer(Project())
        for model, key in self._keys.items():
            # One whose unit test fails is not built either.
            is_built = key.to_python_identifier() in self._built
            if key not in context.selected_asset_keys or (is_built and model not in self._failed):
                continue
            one = self._held(renderer, model, is_built)
            held[one.model] = one
            if not is_built:
                yield dg.MaterializeResult(
                    asset_key=key, metadata={"not built": f"{one.file}: {one.reason}"}
                )
        with duckdb.connect(str(load_settings().warehouse)) as connection:
            connection.execute("delete from main.segment_failures")
            for one in held.values():
                context.log.warning(f"{one.file}: {one.reason}")
                connection.execute(
                    """insert into main.segment_failures
                    (build_id, model, file, is_built, reason, description, owner)
                    values (?, ?, ?, ?, ?, ?, ?)""",
                    [context.run.run_id, *astuple(one)],
                )

    def _held(self, renderer: Renderer, unique_id: str, is_built: bool) -> Held:
        """A segment that dbt read and that failed; said by its own file, if that shows what."""
        node, reason = self._nodes[unique_id], self._failed.get(unique_id, "it was not built")
        name = str(node["name"])
        bare = name.removeprefix(PREFIX)
        model = renderer.project.models.get(name)
        if model is None:
            file = shown(DBT_PROJECT / str(node["original_file_path"]))
            return Held(bare, file, is_built, reason[:LONGEST])
        fault = fault_of(renderer, model)
        told = fault if fault and fault.words in reason else placed(renderer, model, reason)
        return Held(bare, told.place, is_built, told.words[:LONGEST])
