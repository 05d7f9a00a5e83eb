"""What a terminal shows while a run works: one line for each step, and what the step says.

`dagster dev` keeps Dagster's own log; this one is for `muster run`.
"""

import logging
import time

import dagster as dg


class _ProgressHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Print steps as they start, and what their code logs."""
        from rich.console import Console
        from rich.markup import escape

        meta = getattr(record, "dagster_meta", {}) or {}
        event = meta.get("dagster_event") if isinstance(meta, dict) else None
        console = Console(stderr=True, highlight=False)
        seconds = f"[dim]{time.monotonic() - self.started:5.0f} s[/dim]"
        if event is None and record.levelno < logging.INFO:
            return
        if event is None and str(meta.get("orig_message", "")).startswith("Dependencies for step"):
            return  # said in one line when the step is skipped, below
        if event is None:
            message = escape(str(meta.get("orig_message") or record.getMessage()))
            style = "yellow" if record.levelno >= logging.WARNING else "dim"
            console.print(f"{seconds}   [{style}]{message}[/{style}]", soft_wrap=True)
        elif event.event_type_value == "STEP_START":
            console.print(f"{seconds} [bold]{event.step_key}[/bold]")
        elif event.event_type_value == "STEP_FAILURE":
            console.print(f"{seconds} [bold red]{event.step_key} failed[/bold red]")
        elif event.event_type_value == "STEP_SKIPPED":
            console.print(f"{seconds} [yellow]{event.step_key} skipped[/yellow]")


@dg.logger
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """A logger that prints to standard error."""
    logger = logging.Logger("muster", logging.DEBUG)
    logger.addHandler(_ProgressHandler())
    return logger
