"""Objectives: what a MIL model's outputs mean, the loss that trains them, and the prediction they give."""

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from jaxtyping import Bool, Float, Float64, Int, Int64
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival, Target

SurvivalObjective = Literal["nll", "cox"]
_EPSILON = 1e-7  # keeps logarithms finite; the value of the published loss


class Objective(ABC):
    """One objective on one training part.

    Attributes:
        n_out: Outputs that the model needs.
        strata: The stratum of each training unit, for weighted sampling: class, or time bin x event.
    """

    n_out: int
    strata: Int64[np.ndarray, " n"]

    @abstractmethod
    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the mean loss of some training units, given by their positions in the training part."""

    @abstractmethod
    def predict(self, logits: Float[Tensor, "b k"]) -> Prediction:
        """Return what the outputs say."""

    def calibrate(self, logits: Float[Tensor, "n k"]) -> None:  # noqa: B027 - most objectives need nothing more
        """Learn from the finished model's outputs on all training units what ``predict`` needs beyond them."""

    def state(self) -> dict[str, np.ndarray]:
        """Return the arrays that ``predict`` needs, for saving."""
        return {}


class CrossEntropy(Objective):
    """Softmax cross-entropy over classes."""

    def __init__(self, target: Labels) -> None:
        self.n_out = len(target.classes)
        self.strata = target.values
        self._labels = torch.from_numpy(target.values)

    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the mean negative log probability of the labels."""
        return F.cross_entropy(logits, self._labels[positions])

    def labels(self, positions: Int[Tensor, " b"]) -> Int[Tensor, " b"]:
        """Return the class labels of training units, for models with a loss of their own."""
        return self._labels[positions]

    def predict(self, logits: Float[Tensor, "b k"]) -> Prediction:
        """Return class probabilities."""
        return Prediction(probabilities=logits.double().softmax(dim=1).numpy())


class Hazards(Objective):
    """Discrete-time hazards: the negative log likelihood of Zadeh and Schmid (2020), as in MCAT with alpha 0.

    Output k is the logit of the hazard in time bin k. A unit with an event in bin k has the likelihood
    h_k * prod_{j<k} (1 - h_j), a censored one prod_{j<=k} (1 - h_j). Risk is minus the sum of S over the bins, as
    published; higher means an earlier event.

    Args:
        target: The training units.
        edges: Edges of the bins in months; None takes the quartiles of the uncensored training times.
    """

    def __init__(self, target: Survival, *, edges: Float64[np.ndarray, " e"] | None = None) -> None:
        self.edges = quartile_edges(target) if edges is None else edges
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

    def predict(self, logits: Float[Tensor, "b k"]) -> Prediction:
        """Return risk, and S(t) at the end of each bin."""
        survival = torch.cumprod(1 - torch.sigmoid(logits.double()), dim=1).numpy()
        return Prediction(risk=-survival.sum(axis=1), survival=survival, times=self.edges[1:])

    def state(self) -> dict[str, np.ndarray]:
        """Return the edges of the bins."""
        return {"edges": self.edges}


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


class Cox(Objective):
    """Cox's partial likelihood with Efron's ties, on mini-batches of any size, with or without events.

    The risk sets hold the latest outputs of all training units seen so far, of which only those of the batch carry a
    gradient: a batch of one, or one without an event, still learns from the risk sets that it belongs to.

    Args:
        target: The training units.
    """

    def __init__(self, target: Survival) -> None:
        if not target.event.any():
            raise HeadError(f"Cox needs at least one event among the {len(target)} training units.")
        self.n_out = 1
        self.strata = target.event.astype(np.int64)
        self._target = target
        self._time = torch.from_numpy(target.time)
        self._event = torch.from_numpy(target.event)
        self._latest = torch.zeros(len(target))
        self._seen = torch.zeros(len(target), dtype=torch.bool)
        self._baseline: tuple[np.ndarray, np.ndarray] | None = None

    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the negative partial log likelihood per event of all units seen so far."""
        outputs = logits[:, 0]
        self._latest[positions] = outputs.detach()
        self._seen[positions] = True
        seen = self._seen
        if not self._event[seen].any():
            return outputs.sum() * 0.0  # no event seen yet: there is nothing to order
        mixed = self._latest.index_put((positions,), outputs)
        # The batch stands for all units seen: the gradient keeps its size whatever the batch.
        return efron_loss(mixed[seen], self._time[seen], self._event[seen]) * (seen.sum() / len(positions))

    def calibrate(self, logits: Float[Tensor, "n k"]) -> None:
        """Estimate Breslow's baseline hazard from the finished model's outputs."""
        self._baseline = breslow(self._target, logits[:, 0].double().numpy())

    def predict(self, logits: Float[Tensor, "b k"]) -> Prediction:
        """Return the log hazard ratio as risk, and Breslow's S(t) at the training event times."""
        risk = logits[:, 0].double().numpy()
        if self._baseline is None:
            return Prediction(risk=risk)
        times, hazard = self._baseline
        return Prediction(risk=risk, survival=np.exp(-np.exp(risk)[:, None] * hazard), times=times)

    def state(self) -> dict[str, np.ndarray]:
        """Return the baseline's times and cumulative hazard."""
        return {} if self._baseline is None else dict(zip(("times", "hazard"), self._baseline, strict=True))


def efron_loss(outputs: Float[Tensor, " n"], time: Float[Tensor, " n"], event: Bool[Tensor, " n"]) -> Float[Tensor, ""]:
    """Return the negative log partial likelihood with Efron's ties (1977), divided by the number of events.

    Args:
        outputs: Log hazard ratios.
        time: Months.
        event: Whether the event was seen; at least one.
    """
    _, group = torch.unique(time, return_inverse=True)
    relative = torch.exp((outputs - outputs.max()).double())
    zeros = relative.new_zeros(int(group.max()) + 1)
    at_risk = zeros.index_add(0, group, relative).flip(0).cumsum(0).flip(0)
    tied = zeros.index_add(0, group[event], relative[event])
    count = zeros.index_add(0, group[event], torch.ones_like(relative[event]))
    order = _rank_in_group(group[event])
    share = order / count[group[event]]
    logs = torch.log(at_risk[group[event]] - share * tied[group[event]])
    return -((outputs[event].double() - outputs.max()) - logs).mean().to(outputs.dtype)


def _rank_in_group(group: Int[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Return for each element how many elements of its group stand before it."""
    order = torch.argsort(group, stable=True)
    ordered = group[order]
    first = torch.searchsorted(ordered, ordered, right=False)
    ranks = torch.empty(len(group), dtype=torch.float64)
    ranks[order] = (torch.arange(len(group)) - first).double()
    return ranks


def breslow(
    target: Survival, outputs: Float64[np.ndarray, " n"]
) -> tuple[Float64[np.ndarray, " t"], Float64[np.ndarray, " t"]]:
    """Return the event times and Breslow's cumulative baseline hazard at them.

    Args:
        target: Times and events.
        outputs: Log hazard ratios of the same units.
    """
    times, events = np.unique(target.time[target.event], return_counts=True)
    at_risk = np.array([np.exp(outputs[target.time >= t]).sum() for t in times])
    return times, np.cumsum(events / at_risk)


def make_objective(
    target: Target, *, survival: SurvivalObjective, edges: Float64[np.ndarray, " e"] | None = None
) -> Objective:
    """Return the objective of a training part: cross-entropy for labels, otherwise what ``survival`` says."""
    if isinstance(target, Labels):
        return CrossEntropy(target)
    return Cox(target) if survival == "cox" else Hazards(target, edges=edges)
