"""Models on the sample, as a user has them: trained, in a build, in segments, and taken back."""

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.automation.run import run_full_build
from orchestration.cli import app
from orchestration.resources.settings import Settings
from tests.homes import SAMPLE_END, muster_home

pytestmark = pytest.mark.builds(2)


def _said(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["model", *words], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def _published(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.published / "current.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_models_are_trained_used_and_taken_back(sample_copy: Settings) -> None:
    settings = sample_copy
    with muster_home(settings.home):
        assert "not trained yet" in _said("list")
        assert "has no current version; train it" in _said("show", "behaviour_cluster", code=2)
        told = _said("train", "churn_probability_7d", "churn_probability_90d", "behaviour_cluster")
        assert "churn_probability_7d v1: " in told
        assert "churn_probability_90d: not trained: it takes 208 days of history" in told
        assert "clusters by " in told
        assert "ROC-AUC" in _said("show", "churn_probability_7d")
        outcome = run_full_build(settings, SAMPLE_END, full_refresh=False)
        assert outcome.success, outcome.failed
        scored = _published(
            settings,
            """select count(*), min(score), max(score), min(len(reasons)), max(len(reasons)),
                count(distinct prediction) from profile_scores where cluster_name is null""",
        )
        ((rows, least, most, fewest, many, kinds),) = scored
        assert rows > 1000  # type: ignore[operator]
        assert 0 <= least < most <= 1  # type: ignore[operator]
        assert (fewest, many, kinds) == (3, 3, 1)
        expected = _published(
            settings, "select profile_id from profiles where churn_probability_7d > 0.7 order by 1"
        )
        members = _published(
            settings,
            """select profile_id from segment_memberships where segment = 'likely_to_churn'
            order by 1""",
        )
        assert members == expected
        assert len(members) > 20
        named = _published(
            settings,
            """select segment, count(*) from segment_memberships
            where segment in (select behaviour_cluster from profiles) group by 1""",
        )
        assert sum(count for _, count in named) > 500  # type: ignore[misc]
        _said("rollback", "churn_probability_7d")
        assert "churn_probability_7d v1 is current" in _said(
            "promote", "churn_probability_7d", "v1"
        )
        assert "has no v9; there are v1" in _said("compare", "churn_probability_7d", "v9", code=2)


def test_without_models_nobody_is_scored(sample_home: Settings) -> None:
    assert _published(sample_home, "select count(*) from profile_scores") == [(0,)]
    assert _published(
        sample_home,
        """select count(churn_probability_7d), count(behaviour_cluster), count(scored_at)
        from profiles""",
    ) == [(0, 0, 0)]
