"""The SQL by which dbt judges an event, for use outside dbt: the same macros, rendered."""

from functools import cache

from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.tracking_plan.plan import RawPlan


@cache
def _renderer() -> Renderer:
    return Renderer(Project())


def _rendered(macro: str, *arguments: object) -> str:
    return str(_renderer().call(macro, *arguments)).strip()


def reasons_sql(plan: RawPlan) -> str:
    """An expression over landing columns of web.events: all reasons joined by `; `, or null.

    The connection that runs it must have the time zone UTC.
    """
    return _rendered("broken_rules", plan)


def unreleased_sql(reasons: str, releases: str) -> str:
    """An expression: what is left of the column `reasons` after the list in column `releases`."""
    return _rendered("unreleased", reasons, releases)


def list_of_releases_sql(relation: str) -> str:
    """A scalar subquery: the releases of a relation as the list that `unreleased_sql` wants."""
    return _rendered("list_of_releases", relation)


def fatal_reasons() -> set[str]:
    """Reasons that cannot be released."""
    return {reason.strip().strip("'") for reason in _rendered("fatal_reasons").split(",")}
