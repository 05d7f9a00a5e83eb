"""Past midnights at which models are trained and judged; dates only.

A model is judged at the newest cutoff whose outcome is known. It is trained at cutoffs whose
outcomes were known by then, so nothing that is judged was seen before; that parts by time, as
production does, not by chance.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.predictions.definitions import PredictionError, Training

_LONGEST_STEP = 28  # whole weeks, so that cutoffs of a long horizon fall on the same weekday


class TooLittleDataError(PredictionError):
    """A model cannot be trained yet; the message says what it takes."""


@dataclass(frozen=True)
class Cutoffs:
    """Midnights (UTC) as dates: `test` is the newest, `fit` the older ones, the newest first.

    `validation` is the one of `fit` at which the search compares, `search` those that it learns
    from; None and all of `fit` where history is too short to part by time.
    """

    test: date
    fit: tuple[date, ...]
    validation: date | None
    search: tuple[date, ...]


def plan(first_day: date, as_of: date, horizon_days: int, training: Training) -> Cutoffs:
    """The cutoffs of one model.

    Args:
        first_day: first day of which anything is known.
        as_of: up to which midnight outcomes are known.
        horizon_days: how long an outcome takes.
        training: how many cutoffs, and how much history before the oldest.

    Raises:
        TooLittleDataError: there is not enough history for one to learn from and one to judge at.
    """
    horizon = timedelta(days=horizon_days)
    step = timedelta(days=min(horizon_days, _LONGEST_STEP))
    oldest = first_day + timedelta(days=training.history_days)
    test = as_of - horizon
    fit = _back_from(test - horizon, oldest, step, training.most_cutoffs)
    if not fit:
        needed = 2 * horizon_days + training.history_days
        known = (as_of - first_day).days
        raise TooLittleDataError(
            f"it takes {needed} days of history to learn what happens within {horizon_days} days "
            f"and to judge it; there are {known}, since {first_day}"
        )
    search = tuple(one for one in fit[1:] if one + horizon <= fit[0])
    return Cutoffs(test, fit, fit[0] if search else None, search or fit)


def _back_from(newest: date, oldest: date, step: timedelta, most: int) -> tuple[date, ...]:
    found: list[date] = []
    while len(found) < most and newest - len(found) * step >= oldest:
        found.append(newest - len(found) * step)
    return tuple(found)
