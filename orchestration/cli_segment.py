"""`muster segment`: what an analyst asks of a segment, in seconds, without a build."""

import typer

from orchestration.cli_segment_backtest import backtest
from orchestration.cli_segment_explain import explain
from orchestration.cli_segment_files import list_segments, new, test
from orchestration.cli_segment_preview import preview

segment_app = typer.Typer(
    no_args_is_help=True,
    help="A segment before it is built: make, preview, explain, backtest, test.",
)
segment_app.command()(new)
segment_app.command("list")(list_segments)
segment_app.command()(preview)
segment_app.command()(explain)
segment_app.command()(backtest)
segment_app.command()(test)
