"""`muster campaign`: what campaigns would say to people of the sample."""

import json
import re
from html import unescape
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestration.campaigns.content.renderer import load_renderer
from orchestration.campaigns.definitions import CampaignError
from orchestration.campaigns.preview import Preview, combinations, preview
from orchestration.campaigns.preview_page import preview_page
from orchestration.campaigns.show_preview import print_preview
from orchestration.cli import app
from orchestration.resources.settings import Settings
from tests.campaign_project import campaign_project


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign_project(tmp_path_factory.mktemp("campaigns") / "dbt_project")


@pytest.fixture(scope="module")
def warehouse(sample_home: Settings) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(sample_home.warehouse), read_only=True)


def _printed(shown: Preview) -> str:
    console = Console(width=100, record=True, highlight=False)
    print_preview(console, shown)
    return console.export_text()


def test_somebody_with_a_candidate_is_picked_and_the_payload_is_real(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    shown = preview(sample_home, "cart_reminder", folder=folder)
    row = warehouse.execute(
        "select payload from published.trigger_candidates where profile_id = ? "
        "and trigger_name = 'cart_abandonment' order by available_at desc, occurrence_key limit 1",
        [shown.profile_id],
    ).fetchone()
    assert row is not None
    payload = json.loads(row[0])
    assert "picked here: the candidate of cart_abandonment" in shown.about[0]
    assert [one.title for one in shown.shown] == [
        "step reminder, after 15m",
        "step last_call, after 24h",
    ]
    names = warehouse.execute(
        "select name from staging.stg_shop__products where list_contains(?::varchar[], product_id)",
        [payload["product_ids"]],
    ).fetchall()
    assert names
    for one in shown.shown:
        assert one.message is not None
        assert payload["cart_id"] in one.message.body
        assert all(name in unescape(one.message.body) for (name,) in names)


def test_what_words_take_from_a_payload_is_in_one(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """A field by another name than the trigger's would be missing for everybody."""
    renderer = load_renderer(folder)
    looked_at = 0
    for name, one in renderer.campaigns.defined.items():
        payloads = warehouse.execute(
            "select distinct payload from published.trigger_candidates where trigger_name = ?",
            [one.campaign.audience.trigger],
        ).fetchall()
        keys = {key for (payload,) in payloads for key in json.loads(payload)}
        for step, variant in combinations(one) if payloads else ():
            for field in renderer.template(name, step, variant).file.inputs.values():
                source = "payload.product_ids" if field.source == "products" else field.source
                kind, *path = source.split(".")
                assert kind != "payload" or path[0] in keys, f"{name}: no payload has {path[0]}"
                looked_at += kind == "payload"
    assert looked_at


def test_without_a_candidate_the_payload_is_said_to_be_made_up(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    row = warehouse.execute(
        """select profile_id, top_category from marts.profile_traits
        where top_category is not null and profile_id not in
            (select profile_id from published.trigger_candidates)
        order by profile_id limit 1"""
    ).fetchone()
    assert row is not None
    shown = preview(sample_home, "browse_reminder", row[0], "de", folder)
    assert shown.profile_id == row[0]
    assert any("made up" in words for words in shown.about)
    assert [one.title for one in shown.shown][:2] == [
        "step first, after 24h; variant plain, 50%",
        "step first, after 24h; variant helpful, 50%",
    ]
    (product,) = {
        one.message.subject.removeprefix("Noch interessiert an ").rstrip("?")
        for one in shown.shown
        if one.message and one.message.subject and one.message.subject.startswith("Noch")
    }
    found = warehouse.execute(
        "select category from staging.stg_shop__products where name = ?", [product]
    ).fetchall()
    assert (row[1],) in found, "a product of the favourite category"


def test_of_a_segment_a_member_is_picked(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    shown = preview(sample_home, "weekly_general", folder=folder)
    assert "picked here: one of recent_visitors" in shown.about[0]
    assert warehouse.execute(
        "select count(*) from published.segment_memberships "
        "where segment = 'recent_visitors' and profile_id = ?",
        [shown.profile_id],
    ).fetchone() == (1,)


def test_an_identifier_names_a_person_whose_traits_are_used(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    row = warehouse.execute(
        """select profile_id, email, first_name from intermediate.int_golden_records
        where country = 'DE' and first_name is not null and email is not null
        order by profile_id limit 1"""
    ).fetchone()
    assert row is not None
    shown = preview(sample_home, "welcome", row[1], "", folder)
    assert shown.profile_id == row[0]
    message = shown.shown[0].message
    assert message is not None and message.locale == "de"
    assert f"<p>Hallo {row[2]},</p>" in unescape(message.body)
    assert "first_name" not in message.fallbacks_used


def test_what_stood_in_is_noted_in_the_terminal_and_on_the_page(
    sample_home: Settings, folder: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    row = warehouse.execute(
        """select traits.profile_id from marts.profile_traits as traits
        left join intermediate.int_golden_records as golden using (profile_id)
        where top_category is null and first_name is null order by 1 limit 1"""
    ).fetchone()
    assert row is not None
    shown = preview(sample_home, "welcome", row[0], "en", folder)
    page, printed = preview_page(shown), _printed(shown)
    for note in (
        "first_name is missing; nothing stood in",
        "top_category is missing; 'our latest range' stood in",
    ):
        assert note in printed
        assert note in unescape(page)


def test_the_page_shows_each_message_in_two_frames_that_run_no_script(
    sample_home: Settings, folder: Path
) -> None:
    shown = preview(sample_home, "cart_reminder", folder=folder)
    page = preview_page(shown)
    frames = re.findall(
        r'<iframe sandbox="allow-same-origin" title="[^"]*" srcdoc="([^"]*)">', page
    )
    bodies = [one.message.body for one in shown.shown if one.message]
    assert [unescape(frame) for frame in frames] == [body for body in bodies for _ in range(2)]
    assert page.count("<iframe") == 4
    assert not re.search(r'(src|href)="?https?:', re.sub(r'srcdoc="[^"]*"', "", page))


def test_a_message_that_cannot_be_made_says_why(sample_home: Settings, folder: Path) -> None:
    """A text of two parts, where one is allowed."""
    words = folder / "templates/checkout_sms/en.liquid"
    before = words.read_text()
    try:
        words.write_text(before.replace("your cart", "{{ cart_id | append: 'x' }} your cart" * 9))
        with pytest.raises(CampaignError, match="more than 1 part; shorten it"):
            preview(sample_home, "checkout_reminder", locale="en", folder=folder)
    finally:
        words.write_text(before)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["cart_remindr"], "there is no campaign 'cart_remindr'; did you mean 'cart_reminder'?"),
        (["cart_reminder", "--profile", "nobody@nowhere.example"], "nobody@nowhere.example: no r"),
        (
            ["cart_reminder", "--locale", "fr"],
            "cart_reminder has no words in 'fr'; there are de, en",
        ),
        (["cart_reminder", "--html", "page.txt"], "--html page.txt: a page is a file, FILE.html"),
    ],
)
def test_errors_are_one_plain_line(sample_copy: Settings, said: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["campaign", "preview", *said])
    assert done.exit_code == 2
    assert told in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_command_prints_and_writes_a_page(sample_copy: Settings, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["campaign", "preview", "cart_reminder", "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert "step last_call, after 24h (template cart_last_call)" in done.stdout
    assert page.read_text().count("<iframe") == 4


def test_the_list_has_all_campaigns() -> None:
    done = CliRunner().invoke(app, ["campaign", "list"])
    assert done.exit_code == 0, done.output
    assert "weekly_general" in done.stdout and "segment recent_visitors" in done.stdout


def test_without_a_build_the_command_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["campaign", "preview", "cart_reminder"], env={"MUSTER_HOME": str(tmp_path)}
    )
    assert done.exit_code == 2
    assert "is not there yet; build it with `muster run`" in done.stderr
