"""Predicted survival curves between and beyond the times at which they are stored.

A curve is 1 before its first time, right-continuous in steps, and not known beyond its last time. Where a reader wants
the curve there, the horizon is to be restricted; nothing is extrapolated.
"""

import numpy as np
from jaxtyping import Bool, Float64

from hiptbench.errors import MetricError
from hiptbench.metrics import PROBABILITY_TOLERANCE


def check_curves(survival: Float64[np.ndarray, "n t"], times: Float64[np.ndarray, " t"]) -> None:
    """Refuse arrays that are no survival curves.

    Args:
        survival: S(t) of each unit at ``times``.
        times: Months.

    Raises:
        MetricError: If there is no time, times are negative or do not rise, or S(t) leaves [0, 1] or rises.
    """
    if not len(times):
        raise MetricError("A survival curve has no times. Give S(t) at one time at least.")
    if times[0] < 0 or (np.diff(times) <= 0).any() or not np.isfinite(times).all():
        raise MetricError(f"The times of survival curves must rise from 0 or later; they are {times.tolist()}.")
    outside = (survival < -PROBABILITY_TOLERANCE) | (survival > 1 + PROBABILITY_TOLERANCE) | ~np.isfinite(survival)
    _refuse(survival, outside, "outside [0, 1]; give survival probabilities, not risks or hazards")
    rising = np.diff(survival, axis=1, prepend=1.0) > PROBABILITY_TOLERANCE
    _refuse(survival, rising, "above the value before it; S(t) cannot rise")


def step_at(
    survival: Float64[np.ndarray, "n t"], times: Float64[np.ndarray, " t"], at: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, "n m"]:
    """Return right-continuous step curves at arbitrary times.

    Args:
        survival: S(t) of each unit at ``times``.
        times: Months, rising.
        at: Months, in any order, none beyond the last of ``times``.

    Returns:
        S of each unit at each of ``at``: the value at the latest time that is not later, 1 before the first.

    Raises:
        MetricError: If a time lies beyond the end of the curves.
    """
    if len(at) and at.max() > times[-1]:
        raise MetricError(
            f"Survival curves end at {times[-1]:g} months and are not known at {at.max():g}. Restrict the horizon."
        )
    whole = np.column_stack([np.ones(len(survival)), survival])
    return whole[:, np.searchsorted(times, at, side="right")]


def step_around(
    survival: Float64[np.ndarray, "n t"],
    times: Float64[np.ndarray, " t"],
    time: Float64[np.ndarray, " n"],
    event: Bool[np.ndarray, " n"],
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Return the range in which each unit's survival probability at its own event time lies.

    What a curve says of an event after one of its times and not after the next is that it lies in that step. A unit
    that is censored, or still followed beyond the end of its curve, has its event somewhere below the curve's last
    known value.

    Args:
        survival: S(t) of each unit at ``times``.
        times: Months, rising.
        time: Each unit's own time, months.
        event: Whether the event was seen.

    Returns:
        The lower and the upper end for each unit, 0 <= lower <= upper <= 1.
    """
    rows = np.arange(len(survival))
    whole = np.clip(np.column_stack([np.ones(len(survival)), survival]), 0, 1)
    whole = np.minimum.accumulate(whole, axis=1)
    inside = event & (time <= times[-1])
    before = np.searchsorted(times, time, side="left")  # number of times earlier than the unit's own
    passed = np.searchsorted(times, time, side="right")
    lower = np.where(inside, whole[rows, np.minimum(before + 1, len(times))], 0.0)
    return lower, np.where(inside, whole[rows, before], whole[rows, passed])


def _refuse(survival: Float64[np.ndarray, "n t"], broken: Bool[np.ndarray, "n t"], why: str) -> None:
    if broken.any():
        row, column = np.argwhere(broken)[0].tolist()
        raise MetricError(f"survival[{row}, {column}] is {survival[row, column].item()!r}, {why}.")
