"""Validates the tables of one stage, for the orchestrator and from the command line.

`validate` for one stage, `build_docs` for the pages of all of them, `stages` for their names.
Import is cheap; Great Expectations is loaded on the first call.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from expectations.coverage import stage_suites
from expectations.spec import Result
from expectations.suites import STAGES


def stages() -> tuple[str, ...]:
    """The stages, in the order of the flow."""
    return tuple(stage.name for stage in STAGES)


def validate(stage: str, warehouse: Path, quality: Path) -> list[Result]:
    """Results of every rule of every table of a stage, and of the stage's coverage.

    Args:
        stage: one of `stages()`.
        warehouse: the DuckDB file; it is opened read-only, so no other process may be writing.
        quality: folder that keeps results between stages.

    Raises:
        ValueError: there is no such stage.
        FileNotFoundError: there is no such warehouse.
    """
    wanted = next((known for known in STAGES if known.name == stage), None)
    if wanted is None:
        raise ValueError(f"no stage is called {stage}; there are {', '.join(stages())}")
    if not warehouse.is_file():
        raise FileNotFoundError(warehouse)

    from expectations import engine

    with engine.quiet():
        engine.forget(stage, quality)
        context = engine.open_context(quality)
        source = engine.open_warehouse(context, warehouse)
        try:
            suites, results = stage_suites(wanted, engine.tables_of(source))
            for suite in suites:
                results += engine.run_suite(context, source, suite)
        finally:
            # Both hold the file open, and in this process nobody could write it until they let go.
            source.get_execution_engine().close()
            source.get_engine().dispose()
    return results


def build_docs(quality: Path) -> Path:
    """Data Docs of the last results of all stages; returns the page to open. Takes seconds."""
    from expectations import engine

    with engine.quiet():
        return engine.write_docs(quality)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 if an expectation of severity error failed."""
    parser = argparse.ArgumentParser(prog="expectations", description=validate.__doc__)
    parser.add_argument("stage", choices=stages())
    parser.add_argument("--warehouse", type=Path, required=True)
    parser.add_argument("--quality", type=Path, required=True)
    parser.add_argument("--docs", action="store_true", help="build Data Docs too")
    chosen = parser.parse_args(arguments)
    results = validate(chosen.stage, chosen.warehouse, chosen.quality)
    for result in sorted(results, key=lambda one: (one.passed, one.severity, one.table)):
        mark = "ok" if result.passed else "FAIL"
        rule = f"{result.table:32} {result.expectation:45}"
        print(f"{mark:4} {result.severity:5} {rule} {result.observed}")
    failed = [result for result in results if not result.passed]
    print(f"{len(results)} expectations, {len(failed)} failed")
    if chosen.docs:
        print(build_docs(chosen.quality))
    return int(any(result.severity == "error" for result in failed))


if __name__ == "__main__":
    sys.exit(main())
