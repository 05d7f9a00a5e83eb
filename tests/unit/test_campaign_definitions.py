"""Campaign files: what is wrong with one is told with file, line and cure, and costs it alone."""

import json
from pathlib import Path

import pytest

from orchestration.campaigns.as_rows import campaign_files
from orchestration.campaigns.definitions import (
    FOLDER,
    CampaignError,
    Campaigns,
    json_schemas,
    load_campaigns,
)
from tests.campaign_project import TRIGGERS, campaign_project

GOOD = """\
description: A cart was left.
owner: growth
audience: {trigger: cart_abandonment}
channel: email
template: cart_reminder
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Without campaigns, but for one that is good."""
    folder = campaign_project(tmp_path / "dbt_project", is_empty=True)
    (folder / "good.yml").write_text(GOOD)
    return folder


def _fault(folder: Path, text: str) -> str:
    """What is told of a campaign `bad`; the good one beside it is not touched by it."""
    (folder / "bad.yml").write_text(text)
    found = load_campaigns(folder)
    assert list(found.defined) == ["good"]
    (fault,) = found.faults
    assert fault.name == "bad" and fault.path == folder / "bad.yml"
    return fault.message


BAD = {
    "unknown trigger": (
        GOOD.replace("cart_abandonment", "cart_abandonmnt"),
        "line 3: there is no trigger 'cart_abandonmnt'; did you mean 'cart_abandonment'?",
    ),
    "unknown segment": (
        GOOD.replace("{trigger: cart_abandonment}", "{segment: hi_value, every: entry}"),
        "line 3: there is no segment 'hi_value'; did you mean 'high_value'",
    ),
    "unknown excluded segment": (
        f"{GOOD}exclude:\n  - high_value\n  - nobody_at_all\n",
        "line 8: there is no segment 'nobody_at_all'; there are active_buyers, ",
    ),
    "segment with tags": (
        f"{GOOD}exclude: [interested_in]\n",
        "line 6: interested_in has a segment for each tag; name one: interested_in_<tag>",
    ),
    "tag of a segment without tags": (
        f"{GOOD}exclude: [high_value_garden]\n",
        "line 6: there is no segment 'high_value_garden'; did you mean 'high_value'?",
    ),
    "unknown template": (
        GOOD.replace("cart_reminder", "cart_remainder"),
        "line 5: there is no template 'cart_remainder'; did you mean 'cart_reminder'?",
    ),
    "unknown template of a step": (
        f"{GOOD}steps:\n  - {{name: one, after: 15m}}\n  - name: two\n    after: 1h\n"
        "    template: cart_lastcall\n",
        "line 10: there is no template 'cart_lastcall'; did you mean 'cart_last_call'?",
    ),
    "unknown template of a variant": (
        f"{GOOD}variants:\n  a: {{weight: 50}}\n  b: {{weight: 50, template: zzz}}\n",
        "line 8: there is no template 'zzz'; there are ",
    ),
    "template of another channel": (
        GOOD.replace("email", "sms"),
        "line 4: the channel is sms, and template cart_reminder is for email; name another",
    ),
    "unknown event": (
        f"{GOOD}conversion: {{event: purchse, within: 7d}}\n",
        "line 6: there is no event 'purchse'; did you mean 'purchase'?",
    ),
    "fallback of nothing": (
        f"{GOOD}fallbacks: {{fist_name: you}}\n",
        "line 6: no template of the campaign has an input 'fist_name' that may be missing; did you "
        "mean 'first_name'?",
    ),
    "weights": (
        f"{GOOD}# of both\nvariants:\n  a: {{weight: 50}}\n  b: {{weight: 49}}\n",
        "line 7: 'variants' have weights of 99 together; make it 100",
    ),
    "cap below nothing": (
        f"{GOOD}caps:\n  - {{counts: all, limit: 3, within: day}}\n"
        "  - {counts: all, limit: -1, within: day}\n",
        "line 8: caps.1.limit: must be 0 or more",
    ),
    "unknown time zone": (
        f"{GOOD}timezone: Europe/Hamburg\n",
        "line 6: timezone: 'Europe/Hamburg' is no time zone; write one such as Europe/Berlin",
    ),
    "zone of the machine": (
        f"{GOOD}timezone: localtime\n",
        "line 6: timezone: 'localtime' is no time zone; write one such as Europe/Berlin",
    ),
    "end before start": (
        f"{GOOD}# the end of it\nstart: 2026-02-01\nend: 2026-01-31\n",
        "line 8: 'end' is 2026-01-31, not after the start; set a later day",
    ),
    "no day": (
        f"{GOOD}start: 2026-13-01\n",
        "line 6: month must be in 1..12; write a date as 2026-12-31, and text in quotes",
    ),
    "no time": (
        f'{GOOD}schedule: {{at: "25:00"}}\n',
        "line 6: schedule.at: '25:00' is no time of day; write \"08:00\"",
    ),
    "no time, without quotes": (
        f"{GOOD}quiet_hours:\n  from: 25:00\n  to: 08:00\n",
        "line 7: quiet_hours.from: '25:00' is no time of day; write \"08:00\"",
    ),
    "unknown key": (
        f"{GOOD}cool_down: 3d\n",
        "line 6: cool_down: there is no such setting; did you mean 'cooldown'?",
    ),
    "unknown key of a block": (
        f"{GOOD}steps:\n  - {{name: one, after: 15m, at: noon}}\n",
        "line 7: steps.0.at: there is no such setting",
    ),
    "no YAML": (
        GOOD.replace("{trigger: cart_abandonment}", "{trigger: cart_abandonment"),
        "line 4: no YAML: ",
    ),
    "empty": ("", "line 1: not a block of rules, `description:` first of all"),
    "only a remark": ("# later\n", "line 1: not a block of rules, `description:` first of all"),
    "no text": (GOOD.replace("growth", "[growth]"), "line 2: owner: must be text"),
    "control characters": ("description: \x00", "line 1: no YAML: "),
    "unknown channel": (
        GOOD.replace("email", "fax"),
        "line 4: channel: must be 'email', 'sms', 'push' or 'onsite'",
    ),
    "no audience": (
        GOOD.replace("audience: {trigger: cart_abandonment}\n", ""),
        "line 1: audience: is missing",
    ),
    "two audiences": (
        GOOD.replace("cart_abandonment}", "cart_abandonment, segment: vip, every: day}"),
        "line 3: audience: name a trigger or a segment, one of both",
    ),
    "said twice": (f"{GOOD}owner: me\n", "line 6: owner stands there twice; keep one"),
    "no duration": (
        f"{GOOD}cooldown: soon\n",
        "line 6: cooldown: 'soon' is no duration; write 15m, 24h, 7d or 2w",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_told_with_line_and_cure(folder: Path, kind: str) -> None:
    text, told = BAD[kind]
    message = _fault(folder, text)
    assert message.startswith(f"dbt_project/campaigns/bad.yml, {told}"), message


def test_a_template_that_is_wrong_is_told_of_its_campaign(folder: Path) -> None:
    path = folder / "templates/browse_plain/de.liquid"
    path.write_text(path.read_text().replace("products.first.name", "products.first.nmae"))
    message = _fault(folder, GOOD.replace("cart_reminder", "browse_plain"))
    assert message == (
        "dbt_project/campaigns/templates/browse_plain/de.liquid, line 1: products.first.nmae has "
        "no nmae; did you mean 'name'?"
    )


def test_a_name_is_used_once_in_all_folders(folder: Path) -> None:
    for name in ("spring", "autumn"):
        (folder / name).mkdir()
        (folder / name / "sale.yml").write_text(GOOD)
    found = load_campaigns(folder)
    assert list(found.defined) == ["good"]
    assert [fault.message for fault in found.faults] == [
        "dbt_project/campaigns/autumn/sale.yml, line 1: spring/sale.yml has the same name; rename "
        "one",
        "dbt_project/campaigns/spring/sale.yml, line 1: autumn/sale.yml has the same name; rename "
        "one",
    ]


def test_a_file_is_called_as_names_are(folder: Path) -> None:
    (folder / "Spring Sale.yml").write_text(GOOD)
    (fault,) = load_campaigns(folder).faults
    assert "Spring Sale.yml, line 1: a campaign is called as its file" in fault.message


@pytest.mark.parametrize(
    "text", ["models:\n  - name: [\n}", "models: 3\n", "models:\n  - {name: seg_vip, columns: 3}\n"]
)
def test_a_segment_that_cannot_be_read_stops_no_campaign(folder: Path, text: str) -> None:
    (folder.parent / "models" / "marts" / "segments" / "seg_vip.yml").write_text(text)
    (folder / "other.yml").write_text(f"{GOOD}exclude: [vip]\n")
    assert set(load_campaigns(folder).defined) == {"good", "other"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exclude: [nobody_at_all]\n", "line 1: there is no segment 'nobody_at_all'"),
        ("\nquiet_hours: {from: '21:00', to: '24:00'}\n", "line 2: quiet_hours.to: '24:00' is no"),
        ("caps:\n  - {counts: campaign, limit: 1, within: day}\n", "line 1: 'caps' of all campai"),
    ],
)
def test_a_wrong_policy_stops_all_campaigns(folder: Path, text: str, told: str) -> None:
    (folder / "policy.yml").write_text(text)
    with pytest.raises(CampaignError, match=f"^dbt_project/campaigns/policy.yml, {told}"):
        load_campaigns(folder)
    # A build goes on with everything but campaigns.
    (row,) = json.loads(campaign_files(str(folder)))
    assert row["campaign"] == "good" and row["file"] == "dbt_project/campaigns/good.yml"
    assert row["fault"].startswith("dbt_project/campaigns/policy.yml, ")


def test_a_policy_that_is_not_there_lifts_no_cap(folder: Path) -> None:
    (folder / "policy.yml").unlink()
    with pytest.raises(CampaignError, match=r"policy\.yml, line 1: it is not there"):
        load_campaigns(folder)


def test_who_asks_for_a_campaign_is_told_its_fault_or_a_near_name(folder: Path) -> None:
    (folder / "bad.yml").write_text("")
    found = load_campaigns(folder)
    with pytest.raises(CampaignError, match="not a block of rules"):
        found.of("bad")
    with pytest.raises(CampaignError, match="no campaign 'god'; did you mean 'good'"):
        found.of("god")


def test_hours_without_quotes_are_hours(folder: Path) -> None:
    (folder / "good.yml").write_text(f"{GOOD}schedule: {{at: 17:30}}\n")
    schedule = load_campaigns(folder).of("good").campaign.schedule
    assert not isinstance(schedule, str) and schedule.at == "17:30"


@pytest.mark.parametrize(
    "changed",
    ["good.yml", "policy.yml", "templates/cart_reminder/de.liquid", "templates/brand.yml",
     "templates/_blocks/footer.en.liquid"],
)  # fmt: skip
def test_a_version_changes_with_all_that_decides(folder: Path, changed: str) -> None:
    before = load_campaigns(folder).of("good").version
    assert load_campaigns(folder).of("good").version == before
    path = folder / changed
    if changed == "policy.yml":
        path.write_text("caps: [{counts: all, limit: 9, within: day}]\n")
    elif changed == "good.yml":
        path.write_text(f"{GOOD}priority: 51\n")
    else:
        path.write_text(path.read_text().replace("Linde", "Birke").replace("Klick", "Blick")
                        .replace("agreed", "chose"))  # fmt: skip
    assert load_campaigns(folder).of("good").version != before


def test_a_version_does_not_change_with_the_words_of_others(folder: Path) -> None:
    before = load_campaigns(folder).of("good").version
    path = folder / "templates/welcome/en.liquid"
    path.write_text(path.read_text().replace("Welcome", "Hello"))
    assert load_campaigns(folder).of("good").version == before


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Campaigns:
    return load_campaigns(campaign_project(tmp_path_factory.mktemp("shipped") / "dbt_project"))


def test_the_shipped_campaigns_can_be_used(shipped: Campaigns) -> None:
    assert [fault.message for fault in shipped.faults] == []
    audiences = [one.campaign.audience for one in shipped.defined.values()]
    assert {one.trigger for one in audiences if one.trigger} == set(TRIGGERS)
    assert {one.segment for one in audiences if one.segment} == {
        "category_enthusiasts",
        "recent_visitors",
    }


def test_of_the_weekly_group_loyalty_comes_first_and_the_letter_last(shipped: Campaigns) -> None:
    group = {
        one.campaign.priority: name
        for name, one in shipped.defined.items()
        if one.campaign.group == "weekly"
    }
    assert [group[priority] for priority in sorted(group, reverse=True)] == [
        "weekly_loyalty",
        "weekly_recommendation",
        "weekly_general",
    ]


@pytest.mark.parametrize("name", json_schemas())
def test_the_committed_schemas_are_those_of_the_code(name: str) -> None:
    committed = json.loads((FOLDER / name).read_text())
    assert committed == json_schemas()[name], (
        "write it again: orchestration.campaigns.definitions.json_schemas"
    )


def test_each_file_names_its_schema_for_editors() -> None:
    for path in FOLDER.rglob("*.yml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema="), path
        assert (path.parent / first.partition("=")[2]).resolve().parent == FOLDER, path
        assert (path.parent / first.partition("=")[2]).exists(), path
