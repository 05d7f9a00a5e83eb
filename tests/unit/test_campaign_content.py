"""Content of campaigns: what templates may say, what stands in for what is missing, sizes."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.campaigns.content.declared import Input
from orchestration.campaigns.content.language import TAGS
from orchestration.campaigns.content.renderer import Renderer, load_renderer
from orchestration.campaigns.content.rendering import ContentError, Given, Message, values_of
from orchestration.campaigns.content.samples import PRODUCTS, sample_payload, sample_profile
from orchestration.campaigns.content.sizes import LIMITS, sms_parts
from orchestration.campaigns.content.templates import Templates, load_templates
from orchestration.campaigns.definitions import FOLDER
from orchestration.campaigns.names import CampaignError
from tests.campaign_project import campaign_project

SHIPPED = load_templates(FOLDER / "templates")
DECLARED = """\
description: "For tests."
channel: email
inputs:
  first_name: {from: profile.first_name, fallback: {en: friend, de: du}}
  products: {from: products, required: true, most: 2}
"""
WORDS = """\
subject: For {{ first_name }}
preview: Look
---
{% for product in products %}<i>{{ product.name }}</i>{% endfor %}
"""


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    folder = campaign_project(tmp_path_factory.mktemp("shipped") / "dbt_project")
    return load_renderer(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of templates with one, `mine`, and the shipped blocks and brand."""
    folder = campaign_project(tmp_path / "dbt_project", is_empty=True) / "templates"
    (folder / "mine").mkdir()
    (folder / "mine/template.yml").write_text(DECLARED)
    (folder / "mine/en.liquid").write_text(WORDS)
    return folder


def _error(folder: Path, file: str, text: str) -> str:
    (folder / file).write_text(text)
    templates = load_templates(folder)
    assert set(templates.found) == set(SHIPPED.found), "the others are not touched by it"
    return templates.errors["mine"].removeprefix(f"{folder}/")


def _all(renderer: Renderer) -> list[tuple[str, str | None, str | None]]:
    """Each campaign with each step or variant."""
    return [
        (name, step, variant)
        for name, one in renderer.campaigns.defined.items()
        for step in ([each.name for each in one.campaign.steps or []] or [None])
        for variant in (list(one.campaign.variants or {}) or [None])
    ]


def _rendered(renderer: Renderer, what: tuple[Any, ...], profile: dict[str, Any]) -> Message:
    inputs = renderer.template(*what).file.inputs.values()
    return renderer.render(*what, profile, sample_payload(inputs), PRODUCTS)


# --- shipped ---


def test_the_shipped_templates_are_in_both_languages_and_each_is_used(renderer: Renderer) -> None:
    assert SHIPPED.errors == {}
    assert all(set(one.words) == {"en", "de"} for one in SHIPPED.found.values())
    used = {renderer.template(*what).name for what in _all(renderer)}
    assert used == set(SHIPPED.found)


def test_all_is_rendered_with_nothing_missing_and_with_all_missing_that_may_be(
    renderer: Renderer,
) -> None:
    for what in _all(renderer):
        inputs = renderer.template(*what).file.inputs
        full = sample_profile(inputs.values())
        message = _rendered(renderer, what, full)
        assert message.fallbacks_used == {}
        assert message.locale == "en" and message.size <= LIMITS["email"]
        needed = [one for one in inputs.values() if one.required]
        payload = sample_payload(needed)
        if not any(one.source == "products" for one in needed):
            payload.pop("product_ids")
        message = renderer.render(*what, {"country": "DE"}, payload, PRODUCTS)
        assert set(message.fallbacks_used) == {
            name for name, one in inputs.items() if not one.required
        }
        assert message.locale == "de"
        assert "{{" not in message.body and "{%" not in message.body


class _Tags(HTMLParser):
    """The tags of a page with their attributes' names, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


NASTY = st.text("<>&\"'`/={}%|\\ \n\tascript\u2028é", max_size=40)


@settings(max_examples=60, deadline=None)
@given(name=NASTY, product=NASTY, cart=NASTY)
def test_no_value_becomes_markup_or_liquid(name: str, product: str, cart: str) -> None:
    """Whatever a name holds, the page has the tags that it has with a harmless one."""
    renderer = _shared()
    for what in [("cart_reminder", "last_call", None), ("browse_reminder", "first", "helpful")]:
        products = {"x": {"name": f"a{product}", "price": 1, "currency": "EUR", "url": product}}
        payload = {"product_ids": ["x"], "cart_id": f"c{cart}"}
        profile = {"profile_id": f"p{cart}", "first_name": f"J{name}"}
        made = renderer.render(*what, profile, payload, products)
        harmless = renderer.render(
            *what,
            {"profile_id": "p", "first_name": "J"},
            {"product_ids": ["x"], "cart_id": "c"},
            {"x": {"name": "a", "price": 1, "currency": "EUR"}},
        )
        assert _Tags(made.body).tags == _Tags(harmless.body).tags
        assert " ".join(f"J{name}".split()) in "".join(_Tags(made.body).text)
        assert made.subject is not None and "\n" not in made.subject


@cache
def _shared() -> Renderer:
    """One for all examples, as hypothesis makes them within one call of a fixture."""
    with TemporaryDirectory() as folder:
        project = campaign_project(Path(folder) / "dbt_project")
        return load_renderer(project)


def test_text_channels_are_not_escaped(renderer: Renderer) -> None:
    products = {"x": {"name": "Salt & <Pepper>", "price": 3, "currency": "GBP"}}
    message = renderer.render(
        "repeat_view_push", None, None, {"country": "AT"}, '{"product_ids": ["x"]}', products
    )
    assert message.subject == "Salt & <Pepper>"
    assert message.body == "Es lässt dich nicht los? Es ist vorrätig, 3,00\xa0£."


def test_a_link_leads_to_the_web_or_to_the_brand(renderer: Renderer) -> None:
    def link(url: str | None) -> str:
        products = {"a b": {"name": "Rake", "url": url}}
        payload = {"product_ids": ["a b"]}
        made = renderer.render("browse_reminder", "first", "plain", {}, payload, products)
        return made.body

    assert 'href="https://other.shop/rake"' in link("https://other.shop/rake")
    for url in (None, "", "javascript:alert(1)", "data:text/html,x"):
        assert 'href="https://shop.example.com/products/a%20b"' in link(url)
        assert "javascript" not in link(url)


# --- languages, fallbacks, steps and variants ---


def test_an_unknown_language_is_english_and_noted(renderer: Renderer) -> None:
    message = renderer.render("welcome", "welcome", None, {"first_name": "Zoé"}, {}, {}, "fr")
    assert message.locale == "en" and message.fallbacks_used == {"locale": "en"}


def test_a_campaign_may_say_another_fallback(tmp_path: Path) -> None:
    folder = campaign_project(tmp_path / "dbt_project")
    path = folder / "welcome.yml"
    path.write_text(f"{path.read_text()}fallbacks: {{top_category: everything}}\n")
    made = load_renderer(folder).render("welcome", "favourites", None, {}, None, {})
    assert made.fallbacks_used == {"first_name": "", "top_category": "everything"}
    assert "A good place to begin is everything." in made.body


def test_steps_and_variants_choose_the_template(renderer: Renderer) -> None:
    assert renderer.template("cart_reminder", "reminder", None).name == "cart_reminder"
    assert renderer.template("cart_reminder", "last_call", None).name == "cart_last_call"
    assert renderer.template("browse_reminder", "second", "helpful").name == "browse_helpful"
    with pytest.raises(CampaignError, match="cart_reminder has no step 'third'; there are remi"):
        renderer.template("cart_reminder", "third", None)
    with pytest.raises(CampaignError, match="cart_reminder has no variant 'b'; there are none"):
        renderer.template("cart_reminder", None, "b")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({}, "products is required, and none of the payload's product_ids is a product with a"),
        ({"product_ids": ["gone"]}, "products is required"),
        ({"product_ids": ["nameless"]}, "products is required"),
        ("[]", "the payload is no JSON object"),
        ("{", "the payload is no JSON"),
    ],
)
def test_what_is_required_and_missing_is_told(renderer: Renderer, payload: Any, told: str) -> None:
    products = {"nameless": {"name": " ", "price": 3}}
    with pytest.raises(ContentError, match=told):
        renderer.render("browse_reminder", "first", "plain", {}, payload, products)


SOURCES = ["profile.a", "profile.b", "payload.a", "payload.b.c", "payload.d"]
VALUES = st.sampled_from([None, "", " ", "\n", "x", 0, 0.5, False, [], ["x", "y", "z"]])


@settings(deadline=None)
@given(
    sources=st.dictionaries(st.sampled_from("vwxyz"), st.sampled_from(SOURCES)),
    drawn=st.tuples(VALUES, VALUES, VALUES, VALUES),
    overridden=st.sets(st.sampled_from("vwxyz")),
)
def test_each_fallback_is_used_where_nothing_is_and_noted(
    sources: dict[str, str], drawn: tuple[Any, Any, Any, Any], overridden: set[str]
) -> None:
    inputs = {
        name: Input.model_validate({"from": source, "fallback": {"en": f"{name}!", "de": "da"}})
        for name, source in sources.items()
    }
    a, b, c, d = drawn
    given_all = Given({"a": a, "b": b}, {"a": c, "b": {"c": d}, "d": a}, {})
    said = dict.fromkeys(overridden & set(inputs), "said")
    values, used = values_of(inputs, said, "fr", given_all)
    there = dict(zip(SOURCES, [a, b, c, d, a], strict=True))
    for name, source in sources.items():
        value = there[source]
        is_missing = value is None or value == [] or (isinstance(value, str) and not value.strip())
        assert (name in used) == is_missing
        assert values[name] == ((said.get(name) or f"{name}!") if is_missing else value)


# --- sizes ---


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ä" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # € begins the second part; 2 + 152 are one too many
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 69 + "я", 1),
        ("a" * 70 + "я", 2),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("🙂" * 66, 2),  # 33 to a part, as none is parted
        ("🙂" * 67, 3),
    ],
)
def test_parts_of_an_sms(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


def test_a_message_that_is_too_large_is_told(renderer: Renderer) -> None:
    payload = {"cart_id": "k" * 200}
    with pytest.raises(ContentError, match="the message has 3 parts, more than 1 part; shorten"):
        renderer.render("checkout_reminder", None, None, {}, payload, {})


def test_a_template_that_is_too_large_is_a_fault(folder: Path) -> None:
    told = _error(folder, "mine/en.liquid", WORDS + "x" * 100_000)
    assert told.startswith("mine/en.liquid: the message has 10") and "shorten it" in told


# --- faults ---

SPLIT = "subject: A\npreview: B\n---\n{{ first_name }}{{ products.size }}\n\n"
FAULTS = {
    "undeclared name": (
        "mine/en.liquid",
        SPLIT + "{{ firstname }}",
        "line 6: firstname is no input of mine/template.yml; did you mean 'first_name'?",
    ),
    "undeclared name of a head": (
        "mine/en.liquid",
        WORDS.replace("Look", "{{ city }}"),
        "line 2: city is no input of mine/template.yml; there are brand, first_name, locale, prod",
    ),
    "undeclared name in a block": (
        "mine/en.liquid",
        SPLIT + "{% render 'button', label: 'Go' %}",
        "_blocks/button.liquid, line 1: url is no input of mine/template.yml; there are ",
    ),
    "field of nothing": (
        "mine/en.liquid",
        SPLIT + "{% for one in products %}{{ one.prize }}{% endfor %}",
        "line 6: one.prize has no prize; did you mean 'price' or 'size'?",
    ),
    "field of the brand": (
        "mine/en.liquid",
        SPLIT + "{{ brand.locales }}",
        "line 6: brand.locales has no locales; there are name, address, url, ",
    ),
    "unknown tag": (
        "mine/en.liquid",
        SPLIT + "{% fro x in products %}",
        "line 6: there is no tag 'fro'; did you mean 'for'",
    ),
    "include": (
        "mine/en.liquid",
        SPLIT + "{% include 'footer' %}",
        f"line 6: there is no tag 'include'; there are {', '.join(TAGS)}",
    ),
    "unknown filter": (
        "mine/en.liquid",
        SPLIT + "{{ first_name | upcaes }}",
        "line 6: there is no filter 'upcaes'; did you mean 'upcase'",
    ),
    "filter that reads the clock": (
        "mine/en.liquid",
        SPLIT + "{{ 'now' | date: '%Y' }}",
        "line 6: there is no filter 'date'; there are append, ",
    ),
    "filter that does not escape": (
        "mine/en.liquid",
        SPLIT + "{{ first_name | safe }}",
        "line 6: there is no filter 'safe'; ",
    ),
    "unknown block": (
        "mine/en.liquid",
        SPLIT + "{% render 'foter' %}",
        "line 6: there is no block 'foter' of en in _blocks/; did you mean 'footer'?",
    ),
    "block by a path": (
        "mine/en.liquid",
        SPLIT + "{% render '../mine/template.yml' %}",
        "line 6: there is no block '../mine/template.yml' of en in _blocks/; there are ",
    ),
    "block of another language": (
        "mine/fr.liquid",
        SPLIT + "{% render 'footer' %}",
        "mine/fr.liquid, line 6: there is no block 'footer' of fr in _blocks/; there are ",
    ),
    "open block": (
        "mine/en.liquid",
        SPLIT + "{% if first_name %}{% if products %}{% endif %}\n\n\n",
        "line 6: expected tag endif, found nothing more",
    ),
    "half an expression": ("mine/en.liquid", SPLIT + "\n{{ first_name | }}\n", "line 7: expected "),
    "open expression": ("mine/en.liquid", SPLIT + "{{ first_name", "line 6: expected '}}'"),
    "no head": (
        "mine/en.liquid",
        "preview: B\n---\nx",
        "line 1: email needs `subject: ...` above a line `---`, then the body",
    ),
    "unknown head": (
        "mine/en.liquid",
        "subject: A\ntitle: B\n---\nx",
        "line 2: before `---` each line is a head, once; of email there are `subject: ...`, `prev",
    ),
    "no body": ("mine/en.liquid", "subject: A\npreview: B\n---\n", "line 4: there is no body; "),
    "input that is not used": (
        "mine/en.liquid",
        "subject: A\npreview: B\n---\n{{ products.size }}",
        "first_name is an input of mine/template.yml and stands nowhere here; use it or take it",
    ),
    "filter that cannot": (
        "mine/en.liquid",
        SPLIT + "{{ first_name | money }}",
        "line 6: money: 'Alex' is no number",
    ),
    "unknown trait": (
        "mine/template.yml",
        DECLARED.replace("profile.first_name", "profile.firstname"),
        "line 4: profiles have no trait 'firstname'; did you mean 'first_name'?",
    ),
    "source of nothing": (
        "mine/template.yml",
        DECLARED.replace("profile.first_name", "environment.HOME"),
        "line 4: inputs.first_name.from: String should match pattern ",
    ),
    "neither required nor fallback": (
        "mine/template.yml",
        DECLARED.replace(", required: true", ""),
        'line 5: inputs.products: say `required: true`, or a `fallback` (may be ""), one of both',
    ),
    "too large for its channel": (
        "mine/template.yml",
        DECLARED + "max_size: 200000\n",
        "line 6: 'max_size' of email is 100,000 bytes at most",
    ),
    "fallback without English": (
        "mine/template.yml",
        DECLARED.replace("en: friend", "fr: ami"),
        "line 4: inputs.first_name: the fallback has no `en`, which stands in for all other",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_wrong_with_a_template_is_told_with_line_and_cure(folder: Path, kind: str) -> None:
    file, text, told = FAULTS[kind]
    message = _error(folder, file, text)
    where = "" if told.startswith(("_blocks/", "mine/")) else f"{file}, "
    where = f"{file}: " if kind == "input that is not used" else where
    assert message.startswith(where + told), message


def test_a_template_without_english_or_declarations_is_a_fault(folder: Path) -> None:
    (folder / "mine/en.liquid").rename(folder / "mine/de.liquid")
    assert "there is no en.liquid" in load_templates(folder).errors["mine"]
    (folder / "mine/template.yml").unlink()
    assert "template.yml: No such file" in load_templates(folder).errors["mine"]


def test_without_a_brand_no_template_can_be_used(folder: Path) -> None:
    (folder / "brand.yml").write_text("name: Only a name\n")
    templates = load_templates(folder)
    assert not templates.found and "brand.yml, line 1: address: is missing" in str(
        templates.errors["mine"]
    )


def test_endless_loops_end(folder: Path) -> None:
    (folder / "mine/en.liquid").write_text(SPLIT + "{% for i in (1..99999999) %}x{% endfor %}")
    assert "loop iteration limit" in load_templates(folder).errors["mine"]


def test_there_may_be_no_templates(tmp_path: Path) -> None:
    assert load_templates(tmp_path / "none") == Templates({}, {})
