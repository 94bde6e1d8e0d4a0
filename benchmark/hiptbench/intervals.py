"""The interval of a metric that is a mean over folds: patients are drawn anew, once for all folds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.errors import MetricError
from hiptbench.predictions import Predictions
from hiptbench.targets import Labels
from hiptbench.weighted import weighted_auc, weighted_c_index

ESTIMAND = "what these fitted models reach on new patients like the tested ones; training was not repeated"
CONFIDENCE = 0.95
MOST_REDRAWN = 9  # draws that are drawn again for each one that counts; beyond, there is no interval


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
        return f"{self.low:.3f} to {self.high:.3f}" + (f" ({again:.1%} of draws redrawn)" if self.redrawn else "")


def interval(folds: Sequence[Predictions], case_of: Mapping[str, str], *, draws: int = 2000, seed: int = 0) -> Interval:
    """Return the interval of the mean over folds of AUC, or of the c-index.

    A draw gives each patient a number of copies, within their class or event status, and with them all their units in
    all folds; folds are never pooled. Its value is the mean over folds of the metric within each.

    Args:
        folds: Units, truth and prediction of each fold of one method and seed.
        case_of: Patient of each unit.
        draws: How many draws.
        seed: Seed of the draws.

    Raises:
        MetricError: If fewer than one draw in ten leaves every fold with a metric.
    """
    rng = np.random.default_rng(seed)
    strata = _strata(folds, case_of)
    positions = [np.array([strata.position[case_of[unit]] for unit in units]) for units, _, _ in folds]
    values = np.empty(0)
    tried = 0
    while len(values) < draws:
        copies = strata.draw(rng, draws)
        mean = np.mean([_score(fold, copies[:, at]) for fold, at in zip(folds, positions, strict=True)], axis=0)
        wanted = np.flatnonzero(~np.isnan(mean))[: draws - len(values)]
        full = len(values) + len(wanted) == draws
        tried += wanted[-1] + 1 if full else draws
        values = np.append(values, mean[wanted])
        if len(values) * MOST_REDRAWN < tried - len(values):
            raise MetricError(
                f"Of {tried} draws of patients only {len(values)} leave every fold with a metric: there are too few "
                f"patients in {len(folds)} folds for an interval."
            )
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high), draws, int(tried - draws))


@dataclass(frozen=True)
class _Strata:
    """Patients by class or event status.

    Attributes:
        position: Patient to number.
        groups: Numbers of the patients of each stratum.
    """

    position: Mapping[str, int]
    groups: Sequence[Int64[np.ndarray, " _"]]

    def draw(self, rng: np.random.Generator, draws: int) -> Float64[np.ndarray, "draws n"]:
        """Return how often each patient is drawn."""
        copies = np.zeros((draws, len(self.position)))
        for group in self.groups:
            copies[:, group] = rng.multinomial(len(group), np.full(len(group), 1 / len(group)), size=draws)
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


def _score(fold: Predictions, weights: Float64[np.ndarray, "draws n"]) -> Float64[np.ndarray, " draws"]:
    _, target, prediction = fold
    if isinstance(target, Labels):
        assert prediction.probabilities is not None
        return weighted_auc(target.values, prediction.probabilities, weights)
    assert prediction.risk is not None
    return weighted_c_index(target.time, target.event, prediction.risk, weights)
