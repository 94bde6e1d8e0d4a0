"""Cox's partial likelihood as an objective of mini-batches, and Breslow's baseline."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.heads.objectives import Curve, Objective, Reading
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival, Target

_LARGEST = 700.0  # exp of more is no float64


class Cox(Objective):
    """Cox's partial likelihood with Efron's ties, on mini-batches of any size, with or without events.

    The risk sets hold the latest outputs of all training units seen so far, of which only those of the batch carry a
    gradient: a batch of one, or one without an event, still learns from the risk sets that it belongs to.

    Args:
        target: The training units.
    """

    reading: ClassVar[Reading] = "log hazard ratio"

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

    def loss(self, logits: Float[Tensor, "b k"], positions: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """Return the negative partial log likelihood per event of all units seen so far."""
        outputs = logits[:, 0]
        self._latest[positions] = outputs.detach()
        self._seen[positions] = True
        seen = self._seen
        if not self._event[seen].any():
            return outputs.sum() * 0.0  # no event seen yet: there is nothing to order
        mixed = self._latest.index_put((positions,), outputs)
        loss = efron_loss(mixed[seen], self._time[seen], self._event[seen])
        # The batch stands for all units seen: the gradient keeps its size whatever the batch, and so does the value.
        return loss.detach() + (loss - loss.detach()) * (seen.sum() / len(positions))

    def of(self, target: Target) -> "Cox":
        """Return the partial likelihood of other units."""
        if not isinstance(target, Survival):
            raise HeadError("Cox needs survival times, not classes.")
        return Cox(target)

    def curve(self, outputs: Callable[[], Float[Tensor, "n k"]]) -> Curve:
        """Return Breslow's baseline of the finished model."""
        return breslow(self._target, outputs()[:, 0].double().numpy())


def read_log_hazard(logits: Float[Tensor, "n k"], curve: Curve) -> Prediction:
    """Return the log hazard ratio as risk, and Breslow's S(t) at the training event times.

    Args:
        logits: One output a unit.
        curve: Times, and the log of the cumulative baseline hazard at them.
    """
    risk = logits[:, 0].double().numpy()
    exponent = np.minimum(risk[:, None] + curve.values, _LARGEST)
    return Prediction(risk=risk, survival=np.exp(-np.exp(exponent)), times=curve.times)


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


def breslow(target: Survival, outputs: Float64[np.ndarray, " n"]) -> Curve:
    """Return the event times and the log of Breslow's cumulative baseline hazard at them.

    Logarithms throughout, so that no output is too large.

    Args:
        target: Times and events.
        outputs: Log hazard ratios of the same units.
    """
    times, events = np.unique(target.time[target.event], return_counts=True)
    at_risk = np.array([np.logaddexp.reduce(outputs[target.time >= time]) for time in times])
    return Curve(times, np.logaddexp.accumulate(np.log(events) - at_risk))
