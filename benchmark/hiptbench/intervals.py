"""The interval of a metric that is a mean over folds: patients are drawn anew, once for all folds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from hiptbench import metrics
from hiptbench.errors import MetricError
from hiptbench.predictions import Prediction, Predictions
from hiptbench.targets import Labels, Target

ESTIMAND = "what these fitted models reach on new patients like the tested ones; training was not repeated"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A 95 % bootstrap interval, from percentiles.

    Attributes:
        low: Lower end.
        high: Upper end.
        draws: Draws of patients that it was computed from.
        redrawn: Draws that left a fold without a class, or without a comparable pair, and were drawn again.
    """

    low: float
    high: float
    draws: int
    redrawn: int

    def __str__(self) -> str:
        again = self.redrawn / (self.draws + self.redrawn)
        return f"{self.low:.3f} to {self.high:.3f}" + (f" ({again:.0%} of draws redrawn)" if self.redrawn else "")


def interval(folds: Sequence[Predictions], case_of: Mapping[str, str], *, draws: int = 1000, seed: int = 0) -> Interval:
    """Return the interval of the mean over folds of AUC, or of the c-index.

    A draw gives each patient a number of copies, within their class or event status, and with them all their units in
    all folds; folds are never pooled. Its value is the mean over folds of the metric within each.

    Args:
        folds: Units, truth and prediction of each fold of one method and seed.
        case_of: Patient of each unit.
        draws: How many draws.
        seed: Seed of the draws.

    Raises:
        MetricError: If hardly one draw in ten leaves every fold with a metric.
    """
    rng = np.random.default_rng(seed)
    strata = _strata(folds, case_of)
    positions = [np.array([strata.position[case_of[unit]] for unit in units]) for units, _, _ in folds]
    values: list[float] = []
    redrawn = 0
    while len(values) < draws:
        copies = strata.draw(rng)
        try:
            scores = [
                _score(target, prediction, np.repeat(np.arange(len(where)), copies[where]))
                for (_, target, prediction), where in zip(folds, positions, strict=True)
            ]
            values.append(float(np.mean(scores)))
        except MetricError:
            redrawn += 1
            if redrawn > 100 + 9 * len(values):
                raise
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high), draws, redrawn)


@dataclass(frozen=True)
class _Strata:
    """Patients by class or event status.

    Attributes:
        position: Patient to number.
        groups: Numbers of the patients of each stratum.
    """

    position: Mapping[str, int]
    groups: Sequence[Int64[np.ndarray, " _"]]

    def draw(self, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
        """Return how often each patient is drawn."""
        copies = np.zeros(len(self.position), dtype=np.int64)
        for group in self.groups:
            copies[group] = rng.multinomial(len(group), np.full(len(group), 1 / len(group)))
        return copies


def _strata(folds: Sequence[Predictions], case_of: Mapping[str, str]) -> _Strata:
    of_case: dict[str, int] = {}
    for units, target, _ in folds:
        states = target.values if isinstance(target, Labels) else target.event
        for unit, state in zip(units, states.tolist(), strict=True):
            of_case.setdefault(case_of[unit], int(state))
    position = {case: number for number, case in enumerate(sorted(of_case))}
    groups: dict[int, list[int]] = defaultdict(list)
    for case, number in position.items():
        groups[of_case[case]].append(number)
    return _Strata(position, [np.array(group, dtype=np.int64) for group in groups.values()])


def _score(target: Target, prediction: Prediction, drawn: Int64[np.ndarray, " m"]) -> float:
    if isinstance(target, Labels):
        assert prediction.probabilities is not None
        return metrics.auc(target.values[drawn], prediction.probabilities[drawn])
    assert prediction.risk is not None
    return metrics.c_index(target.time[drawn], target.event[drawn], prediction.risk[drawn])
