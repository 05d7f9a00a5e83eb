"""Every trait is defined where it is described, and docs/traits.md says what the YAML says."""

import re

import pytest
import yaml

from orchestration.resources.settings import DBT_PROJECT
from orchestration.traits_page import DEFINED, PAGE, columns, definition, page

TRAITS = {column["name"]: column for column in columns()}
PUBLISHED = DBT_PROJECT / "models" / "published" / "profiles.yml"


@pytest.mark.parametrize("name", TRAITS)
def test_a_trait_has_formula_window_unit_and_source(name: str) -> None:
    meta = definition(TRAITS[name])
    missing = [key for key in DEFINED if not str(meta.get(key) or "").strip()]
    assert not missing, f"profile_traits.yml: {name} lacks {missing} under config: meta:"


@pytest.mark.parametrize("name", TRAITS)
def test_the_source_of_a_trait_is_a_model(name: str) -> None:
    for source in re.split(r", *", definition(TRAITS[name])["source"]):
        assert list((DBT_PROJECT / "models").rglob(f"{source}.sql")), source


@pytest.mark.parametrize("name", TRAITS)
def test_the_window_in_a_name_is_the_window_of_the_definition(name: str) -> None:
    found = re.search(r"_(\d+)d$", name)
    if found:
        days = "1 day" if found[1] == "1" else f"{found[1]} days"
        window = definition(TRAITS[name])["window"]
        assert window in {days, f"next {days}"}, "the last days, or of a prediction the next"


def test_all_traits_are_published_under_the_same_words() -> None:
    (model,) = yaml.safe_load(PUBLISHED.read_text())["models"]
    published = {column["name"]: column["description"] for column in model["columns"]}
    assert published.pop("as_of")
    assert published == {name: column["description"] for name, column in TRAITS.items()}


def test_the_page_of_traits_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m orchestration.traits_page"
