"""Ridge Cox regression on principal components of standardised mean-pooled bags."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags, Fitted, OnEpoch
from hiptbench.heads.convergence import refuse_unconverged
from hiptbench.heads.pooling import mean_vectors
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival, Target


@dataclass(frozen=True, kw_only=True)
class FittedCox(Fitted):
    """Standardisation, directions, and the baseline's cumulative hazard at the training times."""

    mean: Float64[np.ndarray, " d"]
    scale: Float64[np.ndarray, " d"]
    directions: Float64[np.ndarray, "c d"]
    coefficients: Float64[np.ndarray, " c"]
    times: Float64[np.ndarray, " t"]
    baseline: Float64[np.ndarray, " t"]

    def predict(self, bags: Bags) -> Prediction:
        """Predict the log hazard ratio as risk, and Breslow's S(t) at the training event times."""
        standard = (mean_vectors(bags) - self.mean) / self.scale
        risk = standard @ self.directions.T @ self.coefficients
        survival = np.exp(-np.exp(risk)[:, None] * self.baseline)
        return Prediction(risk=risk, survival=survival, times=self.times)


@dataclass(frozen=True, kw_only=True)
class Cox:
    """Cox proportional hazards with a ridge penalty, by scikit-survival.

    The penalised objective is the partial log likelihood minus ``alpha``/2 times the squared norm of the coefficients,
    so ``alpha`` is the precision of a normal prior on each coefficient.

    Attributes:
        n_components: Principal components kept.
        alpha: Ridge penalty.
        ties: How tied event times are handled.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"survival"})
    stochastic: ClassVar[bool] = False

    n_components: int = 32
    alpha: float = 100.0
    ties: Literal["efron", "breslow"] = "efron"

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedCox:
        """Standardise, project and fit; see ``Head.fit``."""
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler
        from sksurv.linear_model import CoxPHSurvivalAnalysis
        from sksurv.util import Surv

        if not isinstance(target, Survival):
            raise HeadError("cox predicts survival, not classes.")
        if not target.event.any():
            raise HeadError(f"cox needs at least one event among its {len(bags)} training bags.")
        vectors = mean_vectors(bags)
        scaler = StandardScaler().fit(vectors)
        standard = scaler.transform(vectors)
        pca = PCA(n_components=min(self.n_components, *standard.shape), svd_solver="full").fit(standard)
        model = CoxPHSurvivalAnalysis(alpha=self.alpha, ties=self.ties)
        with refuse_unconverged(self):
            model.fit(pca.transform(standard), Surv.from_arrays(target.event, target.time))
        at_event = np.unique(target.time[target.event])
        return FittedCox(
            mean=scaler.mean_,
            scale=scaler.scale_,
            directions=pca.components_,
            coefficients=model.coef_,
            times=at_event,
            baseline=model.cum_baseline_hazard_(at_event),
        )
