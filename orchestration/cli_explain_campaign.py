"""`muster explain decision` and `muster explain silence`: why a message was sent, or was not."""

from typing import Annotated

import typer

from orchestration.cli_segment_options import Json, campaign_errors, terminal

Profile = Annotated[
    str, typer.Argument(help="A profile id, one of the past, or any identifier.")
]  # fmt: skip


def decision(
    campaign: Annotated[str, typer.Argument(help="The campaign, as its file is called.")],
    profile: Profile,
    as_json: Json = False,
) -> None:
    """What a campaign decided about somebody: each gate with what it saw, caps, and the events."""
    from orchestration.campaigns.definitions import load_campaigns
    from orchestration.campaigns.explain import explain_decision
    from orchestration.resources.settings import load_settings

    with campaign_errors():
        shown = explain_decision(load_settings(), load_campaigns(), campaign, profile)
    if as_json:
        typer.echo(shown.as_json())
        return
    from orchestration.campaigns.show_explain import print_explanation

    print_explanation(terminal(), shown)


def silence(profile: Profile, as_json: Json = False) -> None:
    """Why somebody got nothing: channels and consents, and every campaign's newest reason."""
    from orchestration.campaigns.definitions import load_campaigns
    from orchestration.campaigns.silence import explain_silence
    from orchestration.resources.settings import load_settings

    with campaign_errors():
        shown = explain_silence(load_settings(), load_campaigns(), profile)
    if as_json:
        typer.echo(shown.as_json())
        return
    from orchestration.campaigns.show_explain import print_silence

    print_silence(terminal(), shown)
