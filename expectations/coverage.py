"""Which suites a stage runs: a table without a suite fails, and so does a suite without a table."""

from collections.abc import Iterable

from expectations.spec import Result, Suite
from expectations.suites import Stage


def stage_suites(stage: Stage, tables: Iterable[str]) -> tuple[list[Suite], list[Result]]:
    """Suites to run over `tables` (every `schema.table` there is), and failures of coverage."""
    existing = set(tables)
    suites = {suite.table: suite for suite in stage.suites}
    failures = [
        _failure(stage, suite.table, suite.owner, "SuiteHasTable", "the table is missing")
        for suite in stage.suites
        if suite.table not in existing
    ]
    for table in sorted(existing - set(suites)):
        schema, name = table.split(".", 1)
        if schema not in stage.complete or (stage.internal and name.startswith(stage.internal)):
            continue
        family = next(
            (f for f in stage.families if f.schema == schema and name.startswith(f.prefix)), None
        )
        if family is None:
            failures.append(_failure(stage, table, "data", "TableHasSuite", "no suite covers it"))
        else:
            suites[table] = family.suite_of(table)
    return [suite for table, suite in suites.items() if table in existing], failures


def _failure(stage: Stage, table: str, owner: str, name: str, observed: str) -> Result:
    return Result(
        stage=stage.name,
        table=table,
        expectation=name,
        severity="error",
        passed=False,
        observed=observed,
        description="Each table of the stage has a suite, and each suite its table.",
        owner=owner,
    )
