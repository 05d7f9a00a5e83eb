"""`muster segment preview`: what a segment's file says now, against the newest build."""

from typing import Annotated

import typer

from orchestration.cli_segment_options import (
    Html,
    Json,
    Name,
    Set,
    check_page,
    parameters_of,
    plain_errors,
    terminal,
    write_page,
)


def preview(
    name: Name,
    as_json: Json = False,
    html: Html = None,
    sample: Annotated[int, typer.Option(help="Profiles of the sample.")] = 5,
    parameters: Set = None,
) -> None:
    """What its file says now: size, who enters and leaves, overlap, what is typical of them."""
    from orchestration.resources.settings import load_settings
    from orchestration.segments.errors import SegmentError
    from orchestration.segments.preview import preview as previewed
    from orchestration.segments.world import open_world

    with plain_errors():
        check_page(html)
        if sample < 0:
            raise SegmentError(f"--sample {sample}: write how many profiles, 0 or more")
        settings = load_settings()
        shown = previewed(open_world(settings, parameters_of(parameters)), settings, name, sample)
        if as_json:
            typer.echo(shown.as_json())
        else:
            from orchestration.segments.show_preview import print_preview

            print_preview(terminal(), shown)
        if html:
            from orchestration.segments.preview_page import preview_page

            write_page(html, preview_page(shown))
    if any(problem.severity == "error" for problem in shown.problems):
        raise typer.Exit(1)
