"""The SQL by which dbt judges an event, for use outside dbt: the same macro files, rendered.

Only macros that need no dbt can be rendered here; those that judge are kept so.
"""

from functools import cache

import jinja2

from orchestration.resources.settings import DBT_PROJECT
from orchestration.tracking_plan.plan import RawPlan

_FILES = ("engine/casts.sql", "engine/judgement.sql", "tracking_plan.sql")


@cache
def _environment() -> jinja2.Environment:
    # What is rendered is SQL, where HTML's escapes would be wrong.
    return jinja2.Environment(  # noqa: S701
        extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined
    )


def _rendered(call: str, **values: object) -> str:
    macros = "".join((DBT_PROJECT / "macros" / name).read_text() for name in _FILES)
    return _environment().from_string(macros + "{{ " + call + " }}").render(**values).strip()


def reasons_sql(plan: RawPlan) -> str:
    """An expression over landing columns of web.events: all reasons joined by `; `, or null.

    The connection that runs it must have the time zone UTC.
    """
    return _rendered("broken_rules(plan)", plan=plan)


def unreleased_sql(reasons: str, releases: str) -> str:
    """An expression: what is left of the column `reasons` after the list in column `releases`."""
    return _rendered("unreleased(reasons, releases)", reasons=reasons, releases=releases)


def list_of_releases_sql(relation: str) -> str:
    """A scalar subquery: the releases of a relation as the list that `unreleased_sql` wants."""
    return _rendered("list_of_releases(relation)", relation=relation)


def fatal_reasons() -> set[str]:
    """Reasons that cannot be released."""
    return {reason.strip().strip("'") for reason in _rendered("fatal_reasons()").split(",")}
