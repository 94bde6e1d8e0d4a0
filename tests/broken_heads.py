"""Heads that break the contract on purpose, one way each, and what ``check_head`` must say about them."""

import sys
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, ClassVar

import numpy as np

from hiptbench.heads.base import Bags, Fitted, Head
from hiptbench.heads.cox import Cox, FittedCox
from hiptbench.heads.knn import KNN, FittedKNN
from hiptbench.heads.pooling import mean_vectors
from hiptbench.predictions import Prediction
from hiptbench.targets import Target

TRUTH: dict[str, int] = {}
FITS = count()


def _peek() -> None:
    frame = sys._getframe()
    while "task" not in frame.f_locals:
        frame = frame.f_back  # type: ignore[assignment]
    task = frame.f_locals["task"]
    TRUTH.update(zip(task.units, map(int, task.target.values), strict=True))


def _one_hot(classes: np.ndarray, n: int) -> Prediction:
    return Prediction(probabilities=np.eye(n)[classes])


@dataclass(frozen=True, kw_only=True)
class FittedBroken(FittedKNN):
    """Predicts as its ``way`` says."""

    way: str
    drift: int = 0

    def predict(self, bags: Bags) -> Prediction:
        prediction = super().predict(bags)
        shares, vectors = prediction.probabilities, mean_vectors(bags)
        assert shares is not None
        match self.way:
            case "peeks":
                return _one_hot(np.array([TRUTH[bag.unit] for bag in bags]), self.n_classes)
            case "looks at other bags":
                return _one_hot(
                    vectors[:, : self.n_classes].argmax(axis=1) * (vectors[:, 0].mean() > 0), self.n_classes
                )
            case "drifts":
                return _one_hot(np.full(len(bags), self.drift % self.n_classes), self.n_classes)
            case "swaps classes":
                return Prediction(probabilities=(1 - shares) / (self.n_classes - 1))
            case "forgets":
                return prediction if self.drift == 0 else _one_hot(np.zeros(len(bags), int), self.n_classes)
            case "does not sum to one":
                return Prediction(probabilities=shares * 2)
            case "loses rows":
                return Prediction(probabilities=shares[1:])
            case "predicts NaN":
                return Prediction(probabilities=shares * np.nan)
        return prediction

    def save(self, folder: Any) -> None:
        Fitted.save(replace(self, drift=1) if self.way == "forgets" else self, folder)


@dataclass(frozen=True, kw_only=True)
class BrokenKNN(KNN):
    way: str

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedBroken:
        drift = 0
        match self.way:
            case "peeks":
                _peek()
            case "drifts":
                drift = next(FITS)
            case "keeps state":
                object.__setattr__(self, "fits", getattr(self, "fits", 0) + 1)
        return FittedBroken(**vars(super().fit(bags, target, **rest)), way=self.way, drift=drift)


@dataclass(frozen=True, kw_only=True)
class UsesSeed(KNN):
    """Draws from its seed and says that it does not."""

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedBroken:
        return FittedBroken(**vars(super().fit(bags, target, **rest)), way="drifts", drift=rest["seed"])


@dataclass(frozen=True, kw_only=True)
class FittedBrokenCox(FittedCox):
    way: str

    def predict(self, bags: Bags) -> Prediction:
        right = super().predict(bags)
        assert right.risk is not None
        assert right.survival is not None
        match self.way:
            case "rising curves":
                return replace(right, survival=right.survival[:, ::-1])
            case "curves against risk":
                return replace(right, survival=np.exp(-np.exp(-right.risk)[:, None] * self.baseline))
            case "risk upside down":
                return Prediction(risk=-right.risk)
            case "falling times":
                return replace(right, times=-self.times)
        return replace(right, survival=right.survival * 2)


@dataclass(frozen=True, kw_only=True)
class BrokenCox(Cox):
    way: str

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedBrokenCox:
        return FittedBrokenCox(**vars(super().fit(bags, target, **rest)), way=self.way)


@dataclass(frozen=True, kw_only=True)
class Regressor(KNN):
    kinds: ClassVar[frozenset[str]] = frozenset({"regression"})


@dataclass(frozen=True, kw_only=True)
class ForNothing(KNN):
    kinds: ClassVar[frozenset[str]] = frozenset()


BROKEN: list[tuple[Head, str]] = [
    (BrokenKNN(way="peeks"), "the evaluated labels reach no prediction"),
    (BrokenKNN(way="looks at other bags"), "a bag's prediction is its own"),
    (BrokenKNN(way="drifts"), "the same seed gives the same prediction"),
    (UsesSeed(), "a head that is not stochastic does not use the seed"),
    (BrokenKNN(way="keeps state"), "a head keeps no state"),
    (BrokenKNN(way="swaps classes"), "predictions say the opposite of the features: auc"),
    (BrokenKNN(way="forgets"), "what was saved predicts the same"),
    (BrokenKNN(way="does not sum to one"), r"outside \[0, 1\]"),
    (BrokenKNN(way="loses rows"), r"predicted 49 rows of probabilities for 50 units"),
    (BrokenKNN(way="predicts NaN"), "predicted NaN or infinite probabilities"),
    (BrokenCox(way="rising curves"), "survival curves do not rise"),
    (BrokenCox(way="curves against risk"), "higher risk means a lower curve"),
    (BrokenCox(way="risk upside down"), "predictions say the opposite of the features: c_index"),
    (BrokenCox(way="falling times"), "times rise"),
    (BrokenCox(way="not a probability"), r"survival lies in \[0, 1\]"),
    (Regressor(), "kinds are among"),
    (ForNothing(), "a head names its kinds"),
]
