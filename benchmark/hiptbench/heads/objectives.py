"""Objectives: what a MIL model's outputs mean, the loss that trains them, and the prediction they give."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival, Target

Reading = Literal["classes", "hazards", "log hazard ratio"]
_EPSILON = 1e-7  # keeps logarithms finite; the value of the published loss


@dataclass(frozen=True, eq=False)
class Curve:
    """What it takes, beyond a unit's outputs, to know its survival curve; empty for classes.

    Attributes:
        times: Months at which the curve is known.
        values: Log of the cumulative baseline hazard there, where outputs are log hazard ratios; otherwise empty.
    """

    times: Float64[np.ndarray, " t"]
    values: Float64[np.ndarray, " _"]


class Objective(ABC):
    """The loss of some units, whose targets it holds.

    Attributes:
        reading: What the outputs mean.
        n_out: Outputs that the model needs.
        strata: The stratum of each unit, for weighted sampling: class, time bin x censoring, or event.
    """

    reading: ClassVar[Reading]
    n_out: int
    strata: Int64[np.ndarray, " n"]

    @abstractmethod
    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the mean loss of some of the units, given by their positions; logits lie on the CPU."""

    def labels(self, positions: Int[Tensor, " b"]) -> Int[Tensor, " b"] | None:
        """Return the classes of some units, for models with a loss of their own; None where there are no classes."""
        return None

    @abstractmethod
    def of(self, target: Target) -> "Objective":
        """Return the same objective of other units, with what was learnt from these, such as time bins."""

    def curve(self, outputs: Callable[[], Float[Tensor, "n k"]]) -> Curve:
        """Return what predictions need beyond the outputs.

        Args:
            outputs: Gives the finished model's outputs on all units.
        """
        return Curve(np.empty(0), np.empty(0))


class CrossEntropy(Objective):
    """Softmax cross-entropy over classes."""

    reading: ClassVar[Reading] = "classes"

    def __init__(self, target: Labels) -> None:
        self.n_out = len(target.classes)
        self.strata = target.values
        self._labels = torch.from_numpy(target.values)

    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the mean negative log probability of the labels."""
        return F.cross_entropy(logits, self._labels[positions])

    def labels(self, positions: Int[Tensor, " b"]) -> Int[Tensor, " b"]:
        """Return the classes."""
        return self._labels[positions]

    def of(self, target: Target) -> "CrossEntropy":
        """Return the cross-entropy of other units."""
        if not isinstance(target, Labels):
            raise HeadError("Cross-entropy needs classes, not survival times.")
        return CrossEntropy(target)


class Hazards(Objective):
    """Discrete-time hazards: the negative log likelihood of Zadeh and Schmid (2020), as in MCAT with alpha 0.

    Output k is the logit of the hazard in time bin k. A unit with an event in bin k has the likelihood
    h_k * prod_{j<k} (1 - h_j), a censored one prod_{j<=k} (1 - h_j). Risk is minus the sum of S over the bins, as
    published; higher means an earlier event.

    Args:
        target: The training units.
        edges: Edges of the bins in months, rising; see ``quartile_edges``.
    """

    reading: ClassVar[Reading] = "hazards"

    def __init__(self, target: Survival, *, edges: Float64[np.ndarray, " e"]) -> None:
        self.edges = edges
        self.n_out = len(self.edges) - 1
        bins = time_bins(target.time, self.edges)
        self.strata = bins * 2 + (~target.event)
        self._bins = torch.from_numpy(bins)
        self._event = torch.from_numpy(target.event)

    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the mean negative log likelihood."""
        bins, event = self._bins[positions, None], self._event[positions]
        hazards = torch.sigmoid(logits)
        survival = torch.cumprod(1 - hazards, dim=1)
        before = torch.cat([torch.ones_like(survival[:, :1]), survival], dim=1)
        died = torch.log(before.gather(1, bins).clamp_min(_EPSILON)) + torch.log(
            hazards.gather(1, bins).clamp_min(_EPSILON)
        )
        lived = torch.log(before.gather(1, bins + 1).clamp_min(_EPSILON))
        return -torch.where(event, died.squeeze(1), lived.squeeze(1)).mean()

    def of(self, target: Target) -> "Hazards":
        """Return the hazards of other units in the same bins."""
        if not isinstance(target, Survival):
            raise HeadError("Hazards need survival times, not classes.")
        return Hazards(target, edges=self.edges)

    def curve(self, outputs: Callable[[], Float[Tensor, "n k"]]) -> Curve:
        """Return the ends of the bins."""
        return Curve(self.edges[1:], np.empty(0))


def quartile_edges(target: Survival) -> Float64[np.ndarray, " five"]:
    """Return the edges of four time bins: quartiles of the uncensored times, stretched to hold every time.

    Raises:
        HeadError: If there is no event, or ties leave fewer than two bins.
    """
    if not target.event.any():
        raise HeadError(f"Time bins need at least one event among the {len(target)} training units.")
    inner = np.quantile(target.time[target.event], [0.25, 0.5, 0.75])
    edges = np.unique([target.time.min() - 1e-6, *inner, target.time.max() + 1e-6])
    if len(edges) < 3:
        raise HeadError(f"All {int(target.event.sum())} event times of the training units are tied: no time bins.")
    return edges


def time_bins(time: Float64[np.ndarray, " n"], edges: Float64[np.ndarray, " e"]) -> Int64[np.ndarray, " n"]:
    """Return the bin of each time; bins hold their left edge, times outside belong to the outer bins."""
    return np.clip(np.searchsorted(edges, time, side="right") - 1, 0, len(edges) - 2)


def read_classes(logits: Float[Tensor, "n k"]) -> Prediction:
    """Return class probabilities."""
    return Prediction(probabilities=logits.double().softmax(dim=1).numpy())


def read_hazards(logits: Float[Tensor, "n k"], curve: Curve) -> Prediction:
    """Return S(t) at the end of each time bin, and minus the sum of S over the bins as risk."""
    survival = torch.cumprod(1 - torch.sigmoid(logits.double()), dim=1).numpy()
    return Prediction(risk=-survival.sum(axis=1), survival=survival, times=curve.times)
