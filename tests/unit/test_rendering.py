"""Models rendered without dbt: the same SQL as dbt's, and its refusals with their place."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.rendering.context import DATABASE
from orchestration.rendering.dependencies import downstream, in_order
from orchestration.rendering.jinja import RenderError
from orchestration.rendering.places import place_in_file
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.duckdb_functions import register
from orchestration.resources.settings import Settings
from tests.homes import SAMPLE_END, muster_home


@pytest.fixture(scope="module")
def renderer(sample_home: Settings) -> Iterator[Renderer]:
    """As in the build of the sample: on its warehouse, at its moment."""
    with muster_home(sample_home.home), duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{sample_home.warehouse}' as {DATABASE} (read_only)")
        connection.execute(f"use {DATABASE}")
        # The build's own id, by which models look up what it noted.
        ((build_id,),) = connection.execute(
            "select max_by(build_id, number) from main.dbt_builds"
        ).fetchall()
        variables = {"as_of": SAMPLE_END, "build_id": build_id}
        yield Renderer(Project(), connection, variables)


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def test_every_model_is_rendered_as_dbt_compiles_it(
    renderer: Renderer, sample_home: Settings
) -> None:
    compiled = sample_home.working / "dbt" / "compiled" / renderer.project.name / "models"
    compared = set()
    for name, model in renderer.project.models.items():
        if model.is_python:
            continue
        by_dbt = (compiled / model.folder / f"{name}.sql").read_text()
        assert _plain(renderer.render(name).sql) == _plain(by_dbt), name
        compared.add(name)
    assert len(compared) > 60


# Joined with a few dozen rules, two channels, or one row of counts.
_COMPARED_WITH_ALL = {
    "base_web__events", "stg_web__events", "int_channels", "int_profile_channels", "segment_counts",
}  # fmt: skip


def test_no_model_compares_all_rows_with_all(renderer: Renderer) -> None:
    """An outer join whose condition says `or`, or calls a function of both sides, does so."""
    connection = renderer._connection
    assert connection is not None
    register(connection)
    dear = ("BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN", "CROSS_PRODUCT")
    found = set()
    for name, model in renderer.project.models.items():
        if not model.is_python:
            plan = connection.execute(f"explain {renderer.render(name).sql}").fetchall()
            if any(join in told for _, told in plan for join in dear):
                found.add(name)
    assert found == _COMPARED_WITH_ALL


def test_a_build_notes_what_its_tables_were_made_of(
    renderer: Renderer, sample_home: Settings
) -> None:
    with duckdb.connect(str(sample_home.warehouse), read_only=True) as connection:
        noted = dict(
            connection.execute("select name, file_hash from main.dbt_built_models").fetchall()
        )
    assert noted == {name: model.checksum for name, model in renderer.project.models.items()}


def test_refs_and_schemas_are_dbts(renderer: Renderer) -> None:
    rendered = renderer.render("seg_high_value")
    assert rendered.refs == ("profile_traits",)
    assert rendered.variables == {"high_value_spend"}
    assert renderer.relation("seg_high_value") == '"warehouse"."segments"."seg_high_value"'
    assert renderer.relation("country_names") == '"warehouse"."mappings"."country_names"'
    program = renderer.render("int_identity_log")
    assert "int_identifiers" in program.refs and program.pieces == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("select 1\nfrom {{ ref('nobody') }}", ":2: there is no model or seed 'nobody'"),
        ("select\n\n{{ nothing }}", ":3: 'nothing' is undefined"),
        ("select {{ oh", ":1: unexpected"),
        ("\n{{ parameter('nix') }}", ":2: parameters.yml has no parameter 'nix'"),
    ],
)
def test_a_refusal_names_the_line(renderer: Renderer, text: str, place: str) -> None:
    with pytest.raises(RenderError) as refused:
        renderer.render("seg_high_value", text)
    assert f"seg_high_value.sql{place}" in str(refused.value)


def test_a_place_in_sql_is_found_in_the_file(renderer: Renderer) -> None:
    text = "select a,\n{% for one in ['x', 'y'] %}\n  {{ one }},\n{% endfor %}\n  wrong\nfrom t"
    pieces = renderer.render("seg_high_value", text).pieces
    offset = "".join(pieces).index("wrong")
    assert place_in_file(pieces, text, offset) == (5, 3)
    assert place_in_file(pieces, text, "".join(pieces).index("x"))[0] in (2, 3)


def test_an_order_puts_each_after_what_it_reads() -> None:
    refs = {"c": ("b", "seed"), "b": ("a",), "a": (), "d": ("a",)}
    order = in_order(refs)
    assert order.index("a") < order.index("b") < order.index("c")
    assert downstream(refs, {"b"}) == {"b", "c"}


def test_a_macro_returns_values_not_text(tmp_path: Path) -> None:
    (tmp_path / "macros").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: small\n")
    (tmp_path / "macros" / "some.sql").write_text(
        "{% macro several() %}{{ return([1, inner() + 1]) }}{% endmacro %}"
        "{% macro inner() %}{% if true %}{{ return(41) }}{% endif %}text{% endmacro %}"
        "{% macro duckdb__which() %}duck{% endmacro %}{% macro default__which() %}any{% endmacro %}"
    )
    (tmp_path / "models" / "one.sql").write_text(
        "{{ config(materialized='view') }}{{ several() | sum }} {{ adapter.dispatch('which')() }}"
        " {{ var('x', 3) }} {{ this }} {{ is_incremental() }}"
    )
    rendered = Renderer(Project(tmp_path), variables={"x": 4}).render("one")
    assert rendered.sql == '43 duck 4 "warehouse"."main"."one" False'
    assert rendered.config["materialized"] == "view"
