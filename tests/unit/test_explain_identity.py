"""`muster explain identity`: what it says of people whose history is known."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.explain_tables import print_answer
from orchestration.identity.explain.answer import Answer, NotExplainedError, answer
from orchestration.identity.explain.hidden import Hider
from orchestration.identity.explain.picture import svg
from orchestration.identity.explain.reader import Reader
from orchestration.identity.explain.report import report
from orchestration.identity.explain.scene import scene
from orchestration.identity.increment import RESOLVED, VERSION, Resolved
from orchestration.identity.log import profile_id
from orchestration.identity.rules import IdentityRules, load_rules
from orchestration.resources.settings import Settings
from tests.homes import muster_home
from tests.identity_oracle import Edge, Said, Sight, World
from tests.identity_warehouse import at, build
from tests.unit.test_identity import SECRET

RULES = load_rules()


def of(identifier: str) -> str:
    return profile_id(identifier, SECRET)


class Story:
    """A world told record by record; times are hours."""

    def __init__(self) -> None:
        self.world = World(types=RULES.types, limits={}, most=1000, more_than=1, within=365)

    def record(self, hour: int, source: str, hub: str, *others: str) -> None:
        for name in (hub, *others):
            self.world.nodes.setdefault(name, (hour, hour))
        for other in others:
            self.world.edges.append(Edge(hub, other, hour, hour, source))
            if other.startswith("anonymous_id"):
                self.world.sights.append(Sight(other, hub, hour // 24, hour))

    def said(self, hour: int, name: str, action: str, a: str, b: str = "") -> None:
        self.world.said.append(Said(name, action, a, b, hour))

    @contextmanager
    def told(self, rules: IdentityRules = RULES) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            build(connection, self.world, rules)
            yield connection

    def answer(self, value: str, other: str = "", rules: IdentityRules = RULES) -> Answer:
        with self.told(rules) as connection:
            return answer(connection, rules, value, other)


def chain() -> Story:
    """A device, then a login on it, then the contact with the same address."""
    story = Story()
    story.record(1, "web_events", "anonymous_id:d1")
    story.record(
        2, "crm_contacts", "customer_id:c1", "email:ann@example.com", "phone:+4915112345678"
    )
    story.record(3, "web_events", "user_id:u1", "anonymous_id:d1", "email:ann@example.com")
    return story


def happened(found: Answer) -> list[tuple[object, ...]]:
    return [(one.at, one.kind, one.profile_id, one.other_profile_id) for one in found.events]


def test_a_merge_is_told_with_its_edge_and_the_identifiers_it_brought() -> None:
    found = chain().answer("Ann@Example.com ")
    first, second = of("anonymous_id:d1"), of("customer_id:c1")
    assert found.person.profile_id == first
    assert found.person.since == at(1)
    assert found.person.aliases == ((second, at(3)),)
    assert [one.identifier for one in found.person.identifiers] == [
        "user_id:u1",
        "customer_id:c1",
        "email:ann@example.com",
        "phone:+4915112345678",
        "anonymous_id:d1",
    ]
    assert happened(found) == [
        (at(1), "founded", first, None),
        (at(2), "founded", second, None),
        (at(3), "joined", first, None),
        (at(3), "merged", first, second),
    ]
    merged = found.events[-1]
    assert set(merged.identifiers) == {
        "customer_id:c1",
        "email:ann@example.com",
        "phone:+4915112345678",
    }
    assert merged.rule == "device"
    assert {merged.a, merged.b} == {"user_id:u1", "anonymous_id:d1"}


def test_a_path_is_the_shortest_chain_of_accepted_edges() -> None:
    path = chain().answer("phone:0049 (151) 123 456 78", "d1").path
    assert path is not None and path.steps is not None and path.is_joined
    assert [step.a for step in path.steps] + [path.end] == [
        "phone:+4915112345678",
        "customer_id:c1",
        "email:ann@example.com",
        "user_id:u1",
        "anonymous_id:d1",
    ]
    assert [step.edges[0].source for step in path.steps] == [
        "crm_contacts",
        "crm_contacts",
        "web_events",
        "web_events",
    ]


def test_an_alias_of_an_alias_is_followed_and_said() -> None:
    story = Story()
    for hour, name in enumerate(("a", "b", "c"), start=1):
        story.record(hour, "crm_contacts", f"contact_id:{name}")
    story.record(4, "crm_contacts", "contact_id:b", "contact_id:c")
    story.record(5, "crm_contacts", "contact_id:a", "contact_id:b")
    found = story.answer(of("contact_id:c"))
    assert found.person.profile_id == of("contact_id:a")
    assert found.notes == (
        f"{of('contact_id:c')} is of the past: since 2026-01-01 05:00 (UTC) "
        f"it is {of('contact_id:a')}",
    )
    assert [(one.at, one.other_profile_id) for one in found.events if one.kind == "merged"] == [
        (at(4), of("contact_id:c")),
        (at(5), of("contact_id:b")),
    ]


def family() -> Story:
    story = Story()
    for name in ("ann", "bob"):
        story.record(1, "web_events", f"user_id:{name}", f"email:{name}@example.com")
    story.record(2, "web_events", "user_id:ann", "anonymous_id:tablet")
    story.record(3, "web_events", "user_id:bob", "anonymous_id:tablet")
    story.record(4, "web_events", "user_id:bob", "email:ann@example.com")
    return story


def test_rejections_name_rule_reason_time_and_the_other_side() -> None:
    found = family().answer("user_id:ann")
    assert [
        (one.a, one.b, one.rule, one.reason, one.since, one.other_profile_id, one.sources)
        for one in found.person.rejected
    ] == [
        (
            "user_id:ann",
            "anonymous_id:tablet",
            "shared_device",
            "seen with more than 1 person within 365 days",
            at(3),
            of("anonymous_id:tablet"),
            ("web_events",),
        ),
        (
            "email:ann@example.com",
            "user_id:bob",
            "limit",
            "one profile would have 2 user_id; its limit is 1",
            at(4),
            of("user_id:bob"),
            ("web_events",),
        ),
    ]
    assert (at(3), "split", of("anonymous_id:tablet"), of("user_id:ann")) in happened(found)


def test_a_path_between_two_people_tells_what_keeps_them_apart() -> None:
    path = family().answer("email:ann@example.com", "bob@example.com").path
    assert path is not None and path.steps is not None and not path.is_joined
    assert [(step.b, step.rejected and step.rejected.rule) for step in path.steps] == [
        ("user_id:bob", "limit"),
        ("email:bob@example.com", None),
    ]
    # Over the tablet it is as far, but two edges of it are rejected.
    path = family().answer("user_id:ann", "user_id:bob").path
    assert path is not None and path.steps is not None
    assert [step.b for step in path.steps] == ["email:ann@example.com", "user_id:bob"]
    alone = family()
    alone.record(1, "web_events", "user_id:eve")
    path = alone.answer("user_id:ann", "user_id:eve").path
    assert path is not None and path.steps is None


def test_a_split_is_told_with_who_said_it_and_on_both_sides() -> None:
    story = chain()
    story.said(5, "o1", "split", "user_id:u1", "customer_id:c1")
    one, other = story.answer("u1"), story.answer("c1")
    assert one.person.profile_id != other.person.profile_id
    for found in (one, other):
        (said,) = found.person.overrides
        assert (said.action, said.told_by, said.state) == ("split", "ann", "holds")
        split = next(event for event in found.events if event.kind == "split")
        assert split.at == at(5)
        assert split.rule == "never_link"
        assert split.reason == "override o1, ann: reasons"
        assert {split.profile_id, split.other_profile_id} == {
            one.person.profile_id,
            other.person.profile_id,
        }
    story.record(6, "web_events", "user_id:u1", "anonymous_id:d9")
    assert story.answer("u1").events[-1].at == at(6)
    assert story.answer("c1").events[-1].at == at(5)  # what the other does is no longer its story
    story.said(7, "o1", "undo", "")
    found = story.answer("u1")
    assert [said.state for said in found.person.overrides] == ["taken back"]
    assert found.person.profile_id == story.answer("c1").person.profile_id
    kinds = [event.kind for event in found.events if event.at == at(7)]
    assert sorted(kinds) == ["accepted", "merged"]


def test_a_link_is_an_edge_of_whoever_said_it() -> None:
    story = Story()
    story.record(1, "crm_contacts", "contact_id:a")
    story.record(1, "crm_contacts", "contact_id:b")
    story.said(2, "o1", "link", "contact_id:a", "contact_id:b")
    story.said(2, "o2", "link", "contact_id:a", "contact_id:z")
    found = story.answer("a", "b")
    assert [edge.source for edge in found.person.edges] == ["override"]
    assert found.path is not None and found.path.is_joined
    assert [said.state for said in found.person.overrides] == ["holds", "waits: not seen yet"]


def test_a_link_joins_what_a_rejected_edge_does_not() -> None:
    story = family()
    story.said(5, "o1", "link", "user_id:ann", "anonymous_id:tablet")
    person = story.answer("tablet").person
    assert person.profile_id == of("user_id:ann")
    assert [edge.source for edge in person.edges if edge.b == "anonymous_id:tablet"] == ["override"]
    assert ("user_id:ann", "anonymous_id:tablet", "shared_device") in [
        (one.a, one.b, one.rule) for one in person.rejected
    ]


def test_a_proposal_is_an_edge_with_its_weight() -> None:
    story = Story()
    story.record(1, "probabilistic", "contact_id:a", "contact_id:b")
    (edge,) = story.answer("a").person.edges
    assert (edge.source, edge.weight, edge.record_count) == ("probabilistic", 12.5, 1)


def test_a_value_is_found_as_people_write_it() -> None:
    story = Story()
    story.record(1, "crm_contacts", "email:annlee@gmail.com", "phone:+4915112345678")
    rules = RULES.model_copy(update={"default_country": "DE"})
    assert story.answer("Ann.Lee+shop@GoogleMail.com").asked.identifier == "email:annlee@gmail.com"
    assert story.answer("EMAIL: annlee@gmail.com").asked.identifier == "email:annlee@gmail.com"
    assert story.answer(of("email:annlee@gmail.com").upper()).person.identifiers
    assert story.answer("0151 12345678", rules=rules).asked.identifier == "phone:+4915112345678"
    with pytest.raises(NotExplainedError):
        story.answer("0151 12345678")


def test_a_blocked_identifier_is_nobodys_and_its_profile_of_the_past() -> None:
    story = chain()
    story.said(4, "o1", "block", "anonymous_id:d1")
    found = story.answer("d1")
    assert found.person.profile_id is None
    assert [one.rule for one in found.person.rejected] == ["block"]
    # The override speaks of the device alone, and is told in full to who it was taken from.
    assert [one.reason for one in story.answer("u1").person.rejected] == [
        "override o1, ann: reasons"
    ]
    assert found.events[-2].kind == "nobody's"
    assert story.answer(of("anonymous_id:d1")).notes == (
        f"{of('anonymous_id:d1')} is of the past: anonymous_id:d1, from which it had its id, "
        "is nobody's now",
    )


def test_rules_that_changed_since_the_build_are_told() -> None:
    with chain().told() as connection:
        made_of = Resolved(0, RULES.weighed, "", VERSION, "")
        connection.execute(
            f"""insert into int_identity_log (kind, identifier_key, reason)
            values ('{RESOLVED}', 0, ?)""",
            [json.dumps(asdict(made_of))],
        )
        assert answer(connection, RULES, "u1").notes == ()
        rules = RULES.model_copy(update={"identifiers_per_profile": 7})
        (note,) = answer(connection, rules, "u1").notes
    assert note.startswith("identity_rules.yml changed after the last build")


def test_a_source_that_may_not_link_is_a_rejection() -> None:
    rules = RULES.model_copy(update={"sources": {**RULES.sources, "crm_contacts": False}})
    found = chain().answer("c1", rules=rules)
    assert found.person.edges == ()
    assert [(one.b, one.rule) for one in found.person.rejected] == [
        ("email:ann@example.com", "source"),
        ("phone:+4915112345678", "source"),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ann@exampel.com", "no record that landed carries it; near it: email:ann@example.com"),
        ("p_" + "0" * 20, "no profile has or ever had that id"),
        (
            "-1",
            "as user_id it identifies nobody: tests (blocked by `-1`); 9 records carry it",
        ),
        (
            "eve@x.org",
            "only records in quarantine hold it (1); the first is of web.events: y",
        ),
        ("01511 2345678", "no record that landed carries it; near it: phone:+4915112345678"),
    ],
)
def test_what_is_nobodys_is_said_in_one_line_with_the_reason(value: str, said: str) -> None:
    with chain().told() as connection:
        connection.execute(
            """create table int_identifiers_blocked as select 'user_id' as identifier_type,
                '-1' as identifier_value, '-1' as pattern, 'tests' as reason,
                9::bigint as record_count;
            create schema staging;
            create table staging.quarantine as select 'web_events' as entity, 'y' as reason,
                '{"email": "Eve@x.org"}' as record, now() as _landed_at"""
        )
        with pytest.raises(NotExplainedError) as raised:
            answer(connection, RULES, value)
    assert str(raised.value) == f"{value}: {said}"


def test_no_value_and_a_value_of_ten_thousand_characters_are_short_to_tell() -> None:
    with pytest.raises(NotExplainedError, match=r"^no value; name an identifier or a profile id$"):
        chain().answer(" ")
    with pytest.raises(NotExplainedError, match=r"^x{80}\.\.\. \(10,000 characters\): no record"):
        chain().answer("x" * 10_000)


def test_a_value_of_several_people_lists_them_and_of_one_person_does_not() -> None:
    story = Story()
    story.record(1, "web_events", "user_id:77", "email:a@example.com")
    story.record(2, "crm_contacts", "customer_id:77")
    with pytest.raises(NotExplainedError) as raised:
        story.answer("77")
    assert str(raised.value).splitlines() == [
        "77 is several:",
        f"  user_id:77  of {of('user_id:77')}",
        f"  customer_id:77  of {of('customer_id:77')}",
        'name one with its type: muster explain identity "user_id:77"',
    ]
    story.record(3, "crm_contacts", "customer_id:77", "email:a@example.com")
    assert len(story.answer("77").person.identifiers) == 3


def test_pictures_are_valid_always_the_same_and_never_too_large() -> None:
    story = family()
    for number in range(90):
        story.record(5, "web_events", "user_id:ann", f"anonymous_id:<{number}>&")
    with story.told() as connection:
        reader = Reader(connection)
        person = reader.person(of("user_id:ann"))
        pictures = {svg(scene(reader, person, "user_id:ann"), "Ann & co") for _ in range(2)}
    (picture,) = pictures
    root = ElementTree.fromstring(picture)
    drawn = root.findall(".//{http://www.w3.org/2000/svg}g")
    assert len(drawn) == 60
    texts = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(re.match(r"the nearest \d+ of 92 identifiers", text) for text in texts)
    assert {"limit", "shared device", "rejected, with the rule that forbids it"} <= set(texts)


def test_hidden_values_stand_nowhere() -> None:
    story = family()
    story.said(5, "o1", "split", "user_id:ann", "email:bob@example.com")
    secrets = re.compile("ann|bob|tablet|reasons|example.com")
    with story.told() as connection:
        hider = Hider(b"another secret")
        found = hider.hide(answer(connection, RULES, "ann@example.com", "user_id:bob"))
        told = report(connection, RULES, b"another secret")
        everybody = scene(Reader(connection), Reader(connection).person(of("user_id:ann")), None)
    assert not secrets.search(found.as_json())
    assert not secrets.search(svg(hider.hide(everybody), ""))
    assert not secrets.search(told["identity"])
    assert "| rejected | shared_device | 2 | 2026-01-01 |" in told["identity"]
    assert told["picture"].startswith("![p_")


def test_a_narrow_terminal_breaks_no_identifier_of_an_edge() -> None:
    told = chain().answer("user_id:u1")
    for width in (60, 80, 120):
        console = Console(width=width, record=True, file=StringIO())
        print_answer(console, told)
        lines = console.export_text().splitlines()
        edges = lines[lines.index(next(one for one in lines if one.startswith("Edges"))) :]
        for edge in told.person.edges:
            assert any(f"└ {edge.b}" in line for line in edges), (width, edge.b)


def test_json_tells_all_times_in_utc() -> None:
    (first, *_) = json.loads(family().answer("user_id:ann").as_json())["person"]["identifiers"]
    times = [value for name, value in first.items() if name.endswith("_at")]
    assert len(times) == 3 and all(time.endswith("+00:00") for time in times)


def test_the_command_explains_a_person_of_the_sample(sample_home: Settings, tmp_path: Path) -> None:
    with duckdb.connect(str(sample_home.warehouse), read_only=True) as connection:
        (device, person) = connection.execute(
            """select identifier_b, identifier_a from intermediate.int_identity_changes
            where rule = 'shared_device' and type_b = 'anonymous_id' order by all limit 1"""
        ).fetchall()[0]
    picture = tmp_path / "picture.html"

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["explain", "identity", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    with muster_home(sample_home.home):
        told = json.loads(run(person, "--json", "--picture", str(picture)).partition("\n")[2])
        shown = run(person, "--path", device)
        printed = run(person, "--hash-values")
        unknown = CliRunner().invoke(app, ["explain", "identity", "nobody-knows-this-one"])
    assert any(one["b"] == device for one in told["person"]["rejected"])
    assert "<svg" in picture.read_text()
    assert "shared_device: seen with" in shown
    assert person.split(":")[1] not in printed
    assert unknown.exit_code == 2
    assert "no record that landed carries it" in unknown.output


def test_the_asset_of_the_map_shows_counts_and_a_picture(sample_home: Settings) -> None:
    import dagster as dg

    from orchestration.automation.run import open_instance

    with open_instance(sample_home) as instance:
        key = dg.AssetKey(["intermediate", "int_identity_map"])
        event = instance.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert "| rejected | shared_device |" in str(metadata["identity"].value)
    assert "data:image/svg+xml;base64," in str(metadata["picture"].value)
    assert "unique_id" in metadata  # what dbt tells is still there


def test_without_a_warehouse_or_while_it_is_written_the_command_says_so(tmp_path: Path) -> None:
    with muster_home(tmp_path):
        result = CliRunner().invoke(app, ["explain", "identity", "x"])
        assert result.exit_code == 2
        assert "is not there yet; build it with `muster run`" in result.output
        duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
        result = CliRunner().invoke(app, ["explain", "identity", "x"])
        assert "has no intermediate.int_identity_log yet" in result.output
        hold = f"import duckdb; c = duckdb.connect({str(tmp_path / 'warehouse.duckdb')!r}); "
        command = [sys.executable, "-c", hold + "print('held', flush=True); input()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout and holder.stdout.readline()
            result = CliRunner().invoke(app, ["explain", "identity", "x"])
            holder.communicate(b"\n")
        assert "is being written; try again after the build" in result.output
