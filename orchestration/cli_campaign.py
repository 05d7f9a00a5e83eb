"""`muster campaign`: campaigns as their files are now, and what they would say to somebody."""

from typing import Annotated

import typer

from orchestration.cli_campaign_simulate import simulate
from orchestration.cli_segment_options import (
    Html,
    campaign_errors,
    check_page,
    terminal,
    write_page,
)

campaign_app = typer.Typer(
    no_args_is_help=True, help="Campaigns: which there are, and what they say to whom."
)


campaign_app.command()(simulate)


@campaign_app.command("list")
def list_campaigns() -> None:
    """All campaigns: audience, channel, version; of those at fault, what is wrong and where."""
    from orchestration.campaigns.definitions import load_campaigns
    from orchestration.campaigns.pauses import paused
    from orchestration.campaigns.show_preview import print_list
    from orchestration.resources.settings import load_settings

    with campaign_errors():
        campaigns = load_campaigns()
        print_list(terminal(), campaigns, paused(load_settings().ledger))
    if campaigns.faults:
        raise typer.Exit(1)


@campaign_app.command()
def preview(
    name: Annotated[str, typer.Argument(help="The campaign, as its file is called.")],
    profile: Annotated[
        str,
        typer.Option(help="A profile id or any identifier; left out, somebody is picked."),
    ] = "",
    locale: Annotated[
        str, typer.Option(help="Such as de; left out, the language of the person's country.")
    ] = "",
    html: Html = None,
) -> None:
    """Subject, preview text and body of each step and variant, to a person of the newest build."""
    from orchestration.campaigns.preview import preview as previewed
    from orchestration.campaigns.show_preview import print_preview
    from orchestration.resources.settings import load_settings

    with campaign_errors():
        check_page(html)
        shown = previewed(load_settings(), name, profile, locale)
        print_preview(terminal(), shown)
        if html:
            from orchestration.campaigns.preview_page import preview_page

            write_page(html, preview_page(shown))
    if any(one.message is None for one in shown.shown):
        raise typer.Exit(1)


Named = Annotated[str, typer.Argument(help="The campaign, as its file is called.")]


@campaign_app.command()
def pause(
    name: Named, reason: Annotated[str, typer.Option(help="Why, for those who ask.")] = ""
) -> None:
    """Hold whatever a campaign would send, also what is about to go out, until it is resumed."""
    _say(name, "pause", reason)
    typer.echo(f"{name} is paused: nothing of it goes out, and runs hold what they decide. Go on: "
               f"muster campaign resume {name}")  # fmt: skip


@campaign_app.command()
def resume(name: Named) -> None:
    """Let a paused campaign go on: what it held passes all gates again in the next run."""
    _say(name, "resume")
    typer.echo(f"{name} goes on with the next run")


def _say(name: str, action: str, reason: str = "") -> None:
    from orchestration.campaigns.definitions import load_campaigns
    from orchestration.campaigns.pauses import paused, say
    from orchestration.resources.settings import load_settings

    with campaign_errors():
        ledger = load_settings().ledger
        # Also one whose file is at fault or gone can go on.
        if action == "pause" or name not in paused(ledger):
            load_campaigns().of(name)
        say(ledger, name, action, reason)
