"""The `muster` command: words of a user to calls of the rooms; no logic of its own."""

import os
from typing import Annotated

import typer

from orchestration.cli_campaign import campaign_app
from orchestration.cli_explain import explain_app
from orchestration.cli_feed import feed_app
from orchestration.cli_identity import identity_app
from orchestration.cli_model import model_app
from orchestration.cli_plan import plan_app
from orchestration.cli_published import published_app
from orchestration.cli_receive import receive
from orchestration.cli_segment import segment_app
from orchestration.cli_sources import app as sources_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    # Tables heed NO_COLOR by themselves, what Click echoes does not.
    context_settings={"color": False if os.environ.get("NO_COLOR") else None},
    help="Muster, an audience warehouse: profiles, segments, triggers and feeds.",
)
app.add_typer(published_app, name="published")
app.add_typer(plan_app, name="plan")
app.add_typer(identity_app, name="identity")
app.add_typer(explain_app, name="explain")
app.add_typer(segment_app, name="segment")
app.add_typer(campaign_app, name="campaign")
app.add_typer(model_app, name="model")
app.add_typer(feed_app, name="feed")
app.add_typer(sources_app, name="sources")
landing_app = typer.Typer(no_args_is_help=True, help="Landing, the Parquet files as delivered.")
app.add_typer(landing_app, name="landing")
app.command()(receive)


def _fail(message: str) -> typer.Exit:
    typer.secho(message, err=True, fg="red")
    return typer.Exit(2)


@app.command()
def run(
    as_of: Annotated[
        str, typer.Option(help="Evaluate the world at this UTC time instead of now.")
    ] = "",
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild every model from zero.")
    ] = False,
) -> None:
    """Load, build, validate, publish and emit; exit 0 only if every blocking check passed."""
    from orchestration.automation.run import run_full_build
    from orchestration.identity.rules import load_rules
    from orchestration.resources.build import parse_moment
    from orchestration.resources.dbt import DbtError
    from orchestration.resources.settings import load_settings
    from orchestration.summary import print_summary
    from orchestration.tracking_plan.plan import load_plan

    try:
        if as_of:
            parse_moment(as_of)
        load_plan()  # dbt would tell less plainly what is wrong with these two
        load_rules()
        settings = load_settings()
        typer.echo("Loading the project (some seconds more after a change) ...", err=True)
        outcome = run_full_build(settings, as_of, full_refresh)
    except (ValueError, DbtError) as error:
        raise _fail(str(error)) from None
    print_summary(settings, outcome)
    if not outcome.success:
        raise typer.Exit(1)


@app.command()
def status() -> None:
    """Print the summary of the newest snapshot and the checks of the last run again."""
    from orchestration.automation.run import open_instance, outcome_of
    from orchestration.resources.settings import load_settings
    from orchestration.summary import print_summary

    settings = load_settings()
    outcome = None
    if (settings.dagster / "dagster.yaml").exists():
        import dagster as dg

        with open_instance(settings) as instance:
            runs = instance.get_run_ids(filters=dg.RunsFilter(job_name="full_build"), limit=1)
            outcome = outcome_of(instance, runs[0]) if runs else None
    try:
        print_summary(settings, outcome)
    except ValueError as error:
        raise _fail(str(error)) from None


@landing_app.command("compact")
def landing_compact() -> None:
    """Join the small files of frequent loads; readers notice nothing."""
    from orchestration.connectors.compaction import compact
    from orchestration.resources.settings import load_settings

    settings = load_settings()
    if not compact(settings.landing, settings.dlt, tell=typer.echo):
        typer.echo("nothing to join")


if __name__ == "__main__":
    app()
