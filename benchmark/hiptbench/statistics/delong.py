"""DeLong's test of two AUCs on the same units of one split, with Obuchowski's variance where patients have several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.stats import norm, rankdata

from hiptbench.errors import MetricError
from hiptbench.statistics.comparison import DECIMALS
from hiptbench.statistics.draws import CONFIDENCE
from hiptbench.statistics.paired import Fold, Method, align
from hiptbench.targets import Labels

_NO_VARIANCE_BELOW = 1e-14  # the least that a pair of units adds to a variance is far above
_ALIKE = "both rank every unit against the other class alike"
_NO_VARIANCE = "the variance of the difference is zero, as where a method separates the classes, so it has no test"


@dataclass(frozen=True)
class DeLong:
    """The comparison of two AUCs.

    Attributes:
        effect: AUC of the first method less that of the second.
        low: Lower end of the 95 % interval, by the normal distribution; None without a variance.
        high: Its upper end.
        se: Standard error of the effect.
        z: Effect over its standard error; None without a variance.
        p: Two-sided; None where the variance is zero and the effect is not.
        units: Number of units.
        patients: Number of patients.
        note: Why there is no test, or what to know of it; empty if there is nothing.
    """

    effect: float
    low: float | None
    high: float | None
    se: float
    z: float | None
    p: float | None
    units: int
    patients: int
    note: str = ""

    @property
    def clustered(self) -> bool:
        """Whether a patient has several units, so that Obuchowski's variance is not DeLong's."""
        return self.patients < self.units


def delong(first: Method, second: Method, case_of: Mapping[str, str]) -> DeLong:
    """Compare the AUCs of two methods on one split; those of several seeds are averaged.

    The variance is of the AUC over patients; the models are taken as they were fitted.

    Args:
        first: Seeds of a method, each with the one fold.
        second: Seeds of the other.
        case_of: Patient of each unit.

    Raises:
        MetricError: If there are several folds, more or fewer than two classes, fewer than two patients of a class, or
            the methods are not of the same units (see ``align``).

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845; Obuchowski, Biometrics 53 (1997) 567-578.
    """
    sample = align({"the first method": first, "the second method": second}, case_of)
    if len(sample.folds) != 1:
        raise MetricError(
            f"DeLong's test is for one split; here are {len(sample.folds)} folds, whose AUCs share training units. "
            "Take the paired bootstrap or the corrected t."
        )
    fold = sample.folds[0]
    positive = _positive(fold)
    scores = [[seed[:, 1] for seed in seeds] for seeds in fold.scores.values()]
    areas, covariance = auc_covariance(positive, scores, fold.patients)
    contrast = np.array([1.0, -1.0])
    effect, variance = float(contrast @ areas), float(contrast @ covariance @ contrast)
    return _tested(effect, variance, len(fold.units), len(sample.patients))


def auc_covariance(
    positive: Bool[np.ndarray, " n"],
    scores: Sequence[Sequence[Float64[np.ndarray, " n"]]],
    patients: Int64[np.ndarray, " n"],
) -> tuple[Float64[np.ndarray, " methods"], Float64[np.ndarray, "methods methods"]]:
    """Return the AUC of each method, a mean over seeds, and their covariance over patients.

    A unit's component is the share of the other class's units on its right side, ties counting one half. Components
    less the AUC are summed within patients; where each patient has one unit the covariance is DeLong's.

    Args:
        positive: Whether a unit is of the class.
        scores: What each seed of each method says; higher means more of the class.
        patients: Number of each unit's patient.

    Raises:
        MetricError: If fewer than two patients have a positive unit, or a negative one.
    """
    for name, chosen in (("the positive", positive), ("the negative", ~positive)):
        if len(np.unique(patients[chosen])) < 2:
            raise MetricError(f"The variance of an AUC takes two patients of each class; {name} class has fewer.")
    components = np.array([np.mean([_components(positive, one) for one in seeds], axis=0) for seeds in scores])
    areas = components[:, positive].mean(axis=1)
    centred = components - areas[:, None]
    cases, controls = (_patient_sums(centred * chosen, patients) for chosen in (positive, ~positive))
    m, n, mixed = positive.sum(), (~positive).sum(), cases.T @ controls
    covariance = (
        _correction(patients[positive]) * cases.T @ cases / m**2
        + _correction(patients[~positive]) * controls.T @ controls / n**2
        + _correction(patients) * (mixed + mixed.T) / (m * n)
    )
    return areas, covariance


def _components(positive: Bool[np.ndarray, " n"], scores: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return of each unit the share of the other class's units on its right side."""
    below, overall = np.empty(len(scores)), rankdata(scores)
    for chosen in (positive, ~positive):
        below[chosen] = (overall[chosen] - rankdata(scores[chosen])) / (~chosen).sum()
    return np.where(positive, below, 1 - below)


def _patient_sums(
    values: Float64[np.ndarray, "methods n"], patients: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, "patients methods"]:
    sums = np.zeros((patients.max() + 1, len(values)))
    np.add.at(sums, patients, values.T)
    return sums


def _correction(patients: Int64[np.ndarray, " n"]) -> float:
    """Return I / (I - 1) of I patients, which makes the variance unbiased."""
    count = len(np.unique(patients))
    return count / (count - 1)


def _positive(fold: Fold) -> Bool[np.ndarray, " n"]:
    if not isinstance(fold.target, Labels) or len(fold.target.classes) != 2:
        what = f"{len(fold.target.classes)} classes" if isinstance(fold.target, Labels) else "a survival task"
        raise MetricError(f"DeLong's test is for two classes, not for {what}. Take the paired bootstrap.")
    positive: np.ndarray = fold.target.values == 1
    return positive


def _tested(effect: float, variance: float, units: int, patients: int) -> DeLong:
    if variance > _NO_VARIANCE_BELOW:
        se = variance**0.5
        half, z = float(norm.ppf((1 + CONFIDENCE) / 2)) * se, effect / se
        return DeLong(effect, effect - half, effect + half, se, z, float(2 * norm.sf(abs(z))), units, patients)
    if abs(effect) > 10.0**-DECIMALS:
        return DeLong(effect, None, None, 0.0, None, None, units, patients, _NO_VARIANCE)
    return DeLong(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, units, patients, _ALIKE)
