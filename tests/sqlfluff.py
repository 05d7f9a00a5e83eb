"""Lints all SQL of the dbt project: `python -m tests.sqlfluff` from the project's root.

sqlfluff renders each model through dbt, and a few macros ask the engine while they render, so the
lint runs against a scratch MUSTER_HOME with nothing in it: never the real warehouse, which another
process may be writing. sqlfluff leaves macros out, being no SQL before they are called; their lines
are only measured here.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "dbt_project"
MAX_LINE_LENGTH = 100


def long_lines(folders: list[Path]) -> list[str]:
    """Lines of SQL files that are longer than the limit, as `path:line`."""
    return [
        f"{path.relative_to(ROOT)}:{number}: longer than {MAX_LINE_LENGTH} characters"
        for folder in folders
        for path in sorted(folder.rglob("*.sql"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > MAX_LINE_LENGTH
    ]


def lint(home: Path) -> int:
    """Run sqlfluff with `home` as MUSTER_HOME; its exit code."""
    environment = os.environ | {
        "MUSTER_HOME": str(home),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "sqlfluff", "lint", "--disable-progress-bar"]
    folders = [str(PROJECT / "models"), str(PROJECT / "tests" / "singular")]
    return subprocess.run(  # paths and options are all our own
        [*command, "--processes", "2", *folders], cwd=ROOT, env=environment, check=False
    ).returncode


def main() -> int:
    """Print what is wrong; 0 where nothing is."""
    problems = long_lines([PROJECT / "macros", PROJECT / "tests" / "generic"])
    print("\n".join(problems), end="\n" if problems else "")
    with tempfile.TemporaryDirectory(prefix="muster_sqlfluff_") as home:
        code = lint(Path(home))
    return code or int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
