"""Cutoffs: whatever is judged was not known to what learnt."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.predictions.cutoffs import TooLittleDataError, plan
from orchestration.predictions.definitions import Training


@given(st.integers(1, 800), st.integers(1, 120), st.integers(1, 60), st.integers(1, 12))
def test_nothing_is_learnt_from_what_is_judged(
    history: int, horizon: int, before: int, most: int
) -> None:
    as_of, first = date(2026, 6, 1), date(2026, 6, 1) - timedelta(days=history)
    training = Training(history_days=before, most_cutoffs=most)
    ahead = timedelta(days=horizon)
    if history < 2 * horizon + before:
        with pytest.raises(TooLittleDataError, match=f"takes {2 * horizon + before} days"):
            plan(first, as_of, horizon, training)
        return
    made = plan(first, as_of, horizon, training)
    assert made.test + ahead == as_of
    assert 1 <= len(made.fit) <= most
    assert all(one + ahead <= made.test for one in made.fit)
    assert min(made.fit) >= first + timedelta(days=before)
    if made.validation:
        assert all(one + ahead <= made.validation for one in made.search)
    else:
        assert made.search == made.fit
