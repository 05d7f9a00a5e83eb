"""The table that `muster run` and `muster status` print: what came in, what became of it.

Everything in it is read from the newest snapshot's manifest, landing and the ledger, so it can be
printed at any time and while a build runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.automation.run import Outcome
from orchestration.feeds.definitions import load_feeds
from orchestration.feeds.emitted import ledger_of
from orchestration.publication.snapshot import Manifest, newest
from orchestration.resources.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table


def _stages_table(manifest: Manifest) -> "Table":
    from rich.table import Table

    table = Table(title=f"Snapshot {manifest.snapshot_id}, as of {manifest.as_of}")
    table.add_column("entity")
    for name in ("landed", "staged", "superseded", "quarantined", "bad lines"):
        table.add_column(name, justify="right")
    for entity, counts in manifest.stages.items():
        rejected = counts["quarantined"] - counts["unreadable"]
        superseded = counts["landed"] - counts["staged"] - rejected
        figures = (counts["landed"], counts["staged"], superseded, rejected, counts["unreadable"])
        table.add_row(entity.replace("_", ".", 1), *(f"{figure:,}" for figure in figures))
    return table


def _audience_table(manifest: Manifest, published: Path, ledger: Path) -> "Table":
    from rich.table import Table

    folder = published / "snapshots" / manifest.snapshot_id
    table = Table(title="Audience")
    table.add_column("what")
    table.add_column("rows", justify="right")
    table.add_row("profiles", f"{manifest.tables['profiles'].rows:,}")
    catalog = duckdb.sql(
        f"""select segment, size, is_held, definition_version is not null
        from '{folder}/segment_catalog.parquet' order by segment"""
    ).fetchall()
    empty = sum(not size and not is_held for _, size, is_held, _ in catalog)
    for segment, size, is_held, was_good in catalog:
        if not size and not is_held:
            continue
        held = ""
        if is_held:
            held = (
                " (held: its last good members)"
                if was_good
                else " (not published: no good members yet)"
            )
        table.add_row(f"segment {segment}{held}", f"{size:,}")
    if empty:
        table.add_row("segments that hold nobody", f"{empty:,}")
    triggers = duckdb.sql(
        f"select trigger_name, count(*) from read_parquet('{folder}/trigger_candidates.parquet') "
        "group by 1 order by 1"
    ).fetchall()
    for trigger, size in triggers or [("none", 0)]:
        table.add_row(f"trigger candidates: {trigger}", f"{size:,}")
    for feed in load_feeds().values():
        own = ledger_of(feed, ledger)
        look = own.look()
        if look is None or look.snapshot_id != manifest.snapshot_id:
            table.add_row(f"feed {feed.name}: this snapshot", "not emitted yet")
        else:
            rows = sum(
                one.rows for one in own.emissions() if one.snapshot_id == manifest.snapshot_id
            )
            table.add_row(f"feed {feed.name}: rows of this snapshot", f"{rows:,}")
        table.add_row(f"feed {feed.name}: rows in all", f"{own.last_sequence():,}")
    return table


def print_summary(settings: Settings, outcome: Outcome | None) -> None:
    """Print the tables, the checks, and where to look next."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    manifest = newest(settings.published)
    if manifest is None:
        console.print("Nothing has been published yet.")
    else:
        console.print(_stages_table(manifest))
        console.print(_audience_table(manifest, settings.published, settings.ledger))
    if outcome:
        console.print(
            f"Checks: [green]{outcome.passed} passed[/green], "
            f"[yellow]{len(outcome.warned)} warned[/yellow], "
            f"[red]{len(outcome.failed)} failed[/red]"
        )
        for words in outcome.warned:
            console.print(f"  [yellow]warn[/yellow]  {escape(words)}")
        for words in outcome.failed:
            console.print(f"  [red]fail[/red]  {escape(words)}")
        if outcome.failed and manifest and not outcome.published:
            console.print(f"Nothing was published; readers keep snapshot {manifest.snapshot_id}.")
    if manifest:
        console.print("\nWhere to look next:", soft_wrap=True)
        for label, path in (
            ("published tables", settings.published / "current.duckdb"),
            ("feeds", settings.feeds),
            ("rejected rows", f"{settings.warehouse}, table staging.quarantine"),
            ("validation report", settings.quality / "data_docs" / "index.html"),
        ):
            console.print(f"  {label:18} {path}", soft_wrap=True)
        console.print("  asset graph        make dev, then http://localhost:3000")
        scores = manifest.tables.get("profile_scores")  # an older snapshot has no such table
        if scores is None or not scores.rows:
            console.print(
                "  predictions        none yet: muster model train, then muster run", soft_wrap=True
            )
