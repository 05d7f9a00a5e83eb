"""Unit tests of dbt run again where what they test may have changed, and nowhere else."""

from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.assets.dbt import STEPS, folders_up_to
from orchestration.resources import dbt
from orchestration.resources.settings import DBT_PROJECT
from tests.homes import muster_home


def test_each_model_is_of_a_step_and_steps_hold_those_before_them() -> None:
    models = DBT_PROJECT / "models"
    steps = [set(folders_up_to(step)) for step in STEPS]
    assert all(before < after for before, after in pairwise(steps))
    for path in models.rglob("*.sql"):
        above = {str(one) for one in path.relative_to(models).parents}
        assert above & steps[-1], path


@pytest.mark.parametrize(
    ("changed", "passed"),
    [
        ("models/marts/segments/seg_vip.sql", ["staging", "features", "profiles"]),
        ("models/intermediate/traits/int_traits.sql", ["staging"]),
        ("models/staging/stg.yml", []),
        ("macros/tier.sql", []),
        ("dbt_project.yml", []),
    ],
)
def test_a_change_asks_for_the_tests_of_its_step_and_of_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, passed: list[str]
) -> None:
    project = tmp_path / "dbt_project"
    for name in ("models/marts/segments/seg_vip.sql", "models/intermediate/traits/int_traits.sql",
                 "models/staging/stg.yml", "macros/tier.sql", "dbt_project.yml"):  # fmt: skip
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("one")
    monkeypatch.setattr(dbt, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    monkeypatch.setattr(dbt, "_MODELS", project / "models")
    monkeypatch.setattr(dbt, "_SHARED", (project / "macros",))

    def tests() -> dict[str, dbt.UnitTests]:
        return {step: dbt.UnitTests(step, folders_up_to(step)) for step in STEPS}

    with muster_home(tmp_path / "home") as home:
        (home / "tmp" / "dbt").mkdir(parents=True)
        assert not any(one.passed for one in tests().values())
        for one in tests().values():
            one.note()
        assert all(one.passed for one in tests().values())
        (project / changed).write_text("other")
        assert [step for step, one in tests().items() if one.passed] == passed
