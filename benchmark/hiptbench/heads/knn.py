"""K nearest neighbours on mean-pooled bags: the probe of HIPT's slide-level evaluation."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags, Fitted, OnEpoch
from hiptbench.heads.pooling import mean_vectors
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Target


@dataclass(frozen=True, kw_only=True)
class FittedKNN(Fitted):
    """The training vectors and their classes."""

    vectors: Float64[np.ndarray, "n d"]
    labels: Int64[np.ndarray, " n"]
    n_classes: int
    n_neighbors: int
    weights: str
    metric: str

    def predict(self, bags: Bags) -> Prediction:
        """Predict the share of each class among the nearest training bags."""
        from sklearn.neighbors import KNeighborsClassifier

        knn = KNeighborsClassifier(n_neighbors=self.n_neighbors, weights=self.weights, metric=self.metric)
        knn.fit(self.vectors, self.labels)
        probabilities = np.zeros((len(bags), self.n_classes))
        probabilities[:, knn.classes_] = knn.predict_proba(mean_vectors(bags))
        return Prediction(probabilities=probabilities)


@dataclass(frozen=True, kw_only=True)
class KNN:
    """K nearest neighbours with scikit-learn; no scaling, no normalisation.

    Source: mahmoodlab/HIPT, 3-Self-Supervised-Eval/slide_evaluation_utils.py, which takes scikit-learn's defaults.

    Attributes:
        n_neighbors: Number of neighbours.
        weights: "uniform", or "distance" for weights 1/distance.
        metric: Distance between mean vectors.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"classification"})
    stochastic: ClassVar[bool] = False

    n_neighbors: int = 5
    weights: Literal["uniform", "distance"] = "uniform"
    metric: str = "euclidean"

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedKNN:
        """Keep the training vectors; see ``Head.fit``."""
        if not isinstance(target, Labels):
            raise HeadError("knn predicts classes, not survival.")
        if len(bags) < self.n_neighbors:
            raise HeadError(f"knn needs at least n_neighbors={self.n_neighbors} training bags, got {len(bags)}.")
        return FittedKNN(
            vectors=mean_vectors(bags),
            labels=target.values,
            n_classes=len(target.classes),
            n_neighbors=self.n_neighbors,
            weights=self.weights,
            metric=self.metric,
        )
