"""Logistic regression on standardised mean-pooled bags."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags, Fitted, OnEpoch
from hiptbench.heads.convergence import refuse_unconverged
from hiptbench.heads.pooling import mean_vectors
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Target


@dataclass(frozen=True, kw_only=True)
class FittedLogistic(Fitted):
    """Standardisation and coefficients; ``present`` are the classes that the training bags had."""

    mean: Float64[np.ndarray, " d"]
    scale: Float64[np.ndarray, " d"]
    coefficients: Float64[np.ndarray, "rows d"]
    intercept: Float64[np.ndarray, " rows"]
    present: Int64[np.ndarray, " present"]
    n_classes: int

    def predict(self, bags: Bags) -> Prediction:
        """Predict class probabilities: sigmoid for two classes, softmax for more."""
        from scipy.special import expit, softmax

        scores = (mean_vectors(bags) - self.mean) / self.scale @ self.coefficients.T + self.intercept
        shares = np.hstack([1 - expit(scores), expit(scores)]) if scores.shape[1] == 1 else softmax(scores, axis=1)
        probabilities = np.zeros((len(bags), self.n_classes))
        probabilities[:, self.present] = shares
        return Prediction(probabilities=probabilities)


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """L2-regularised (multinomial) logistic regression with scikit-learn's lbfgs solver.

    Attributes:
        c: Inverse of the regularisation strength, scikit-learn's ``C``.
        max_iter: Most iterations; not converging is an error, not a warning.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"classification"})
    stochastic: ClassVar[bool] = False

    c: float = 1.0
    max_iter: int = 1000

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedLogistic:
        """Standardise and fit; see ``Head.fit``."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        if not isinstance(target, Labels):
            raise HeadError("logistic predicts classes, not survival.")
        if len(np.unique(target.values)) < 2:
            raise HeadError(f"logistic needs two classes among its {len(bags)} training bags.")
        vectors = mean_vectors(bags)
        scaler = StandardScaler().fit(vectors)
        model = LogisticRegression(C=self.c, max_iter=self.max_iter)
        with refuse_unconverged(self):
            model.fit(scaler.transform(vectors), target.values)
        return FittedLogistic(
            mean=scaler.mean_,
            scale=scaler.scale_,
            coefficients=model.coef_,
            intercept=model.intercept_,
            present=model.classes_,
            n_classes=len(target.classes),
        )
