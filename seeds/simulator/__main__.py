"""The command line: `python -m seeds.simulator --people N --days D --seed S --out DIR`."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from seeds.simulator.run import simulate
from seeds.simulator.settings import Settings, parse_end

SOURCES = ("crm", "shop", "web")


def main(arguments: list[str] | None = None) -> int:
    """Run, and print what was written. Exits with a message on bad arguments."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.out is None and (given.inbox is None or given.truth is None):
        parser.error("say where to write: --out DIR, or both --inbox DIR and --truth DIR")
    try:
        settings = Settings(
            people=given.people,
            days=given.days,
            seed=given.seed,
            end_ms=parse_end(given.end),
            inbox=given.inbox or given.out / "inbox",
            truth=given.truth or given.out / "truth",
        )
        _clear(settings, given.replace)
    except (ValueError, FileExistsError) as problem:
        parser.error(str(problem))
    began = time.perf_counter()
    rows = simulate(settings)
    for entity, count in sorted(rows.items()):
        print(f"{entity:<20}{count:>12,}")
    print(f"{'seconds':<20}{time.perf_counter() - began:>12.1f}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seeds.simulator",
        description="Simulate a shop: CRM, web events, transactions, and the truth behind them.",
    )
    parser.add_argument("--people", type=int, default=2_000, help="persons, default 2000")
    parser.add_argument("--days", type=int, default=60, help="days before the end, default 60")
    parser.add_argument("--seed", type=int, default=42, help="random seed, default 42")
    parser.add_argument("--end", default="2026-11-01T00:00:00Z", help="last moment, ISO 8601")
    parser.add_argument("--out", type=Path, help="folder that gets inbox/ and truth/")
    parser.add_argument("--inbox", type=Path, help="folder for the extracts, instead of OUT/inbox")
    parser.add_argument("--truth", type=Path, help="folder for the truth, instead of OUT/truth")
    parser.add_argument("--replace", action="store_true", help="remove an earlier run first")
    return parser


def _clear(settings: Settings, replace: bool) -> None:
    """Files of two runs must not mix: remove the earlier ones if asked to, else refuse."""
    earlier = [settings.inbox / source for source in SOURCES]
    earlier = [folder for folder in earlier if folder.exists()]
    old_truth = sorted(settings.truth.glob("*.parquet"))
    if (earlier or old_truth) and not replace:
        where = earlier[0] if earlier else settings.truth
        raise FileExistsError(f"{where} holds an earlier run; --replace removes it")
    for folder in earlier:
        shutil.rmtree(folder)
    for file in old_truth:
        file.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
