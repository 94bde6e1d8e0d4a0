"""The same answer for everybody: each class's share, or the survival curve, of the training units."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags, Fitted, OnEpoch
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival, Target


@dataclass(frozen=True, kw_only=True)
class FittedShares(Fitted):
    """The training units' share of each class."""

    shares: Float64[np.ndarray, " k"]

    def predict(self, bags: Bags) -> Prediction:
        """Predict the shares for every bag."""
        return Prediction(probabilities=np.tile(self.shares, (len(bags), 1)))


@dataclass(frozen=True, kw_only=True)
class FittedKaplanMeier(Fitted):
    """The training units' estimated S(t) at ``times``, every observed time in months."""

    times: Float64[np.ndarray, " t"]
    survival: Float64[np.ndarray, " t"]

    def predict(self, bags: Bags) -> Prediction:
        """Predict risk 0 and the one curve for every bag."""
        curves = np.tile(self.survival, (len(bags), 1))
        return Prediction(risk=np.zeros(len(bags)), survival=curves, times=self.times)


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known of a unit before its slides are looked at; its AUC and c-index are 0.5 by definition."""

    kinds: ClassVar[frozenset[str]] = frozenset({"classification", "survival"})
    stochastic: ClassVar[bool] = False
    reads_features: ClassVar[bool] = False

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedShares | FittedKaplanMeier:
        """Count the classes, or estimate S(t) after Kaplan and Meier; see ``Head.fit``."""
        if not bags:
            raise HeadError("prior needs at least one training bag.")
        return _shares(target) if isinstance(target, Labels) else _curve(target)


def _shares(target: Labels) -> FittedShares:
    return FittedShares(shares=np.bincount(target.values, minlength=len(target.classes)) / len(target))


def _curve(target: Survival) -> FittedKaplanMeier:
    from sksurv.nonparametric import kaplan_meier_estimator

    times, survival = kaplan_meier_estimator(target.event, target.time)
    return FittedKaplanMeier(times=times, survival=survival)
