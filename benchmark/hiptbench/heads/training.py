"""The one training loop of all MIL models."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from hiptbench.errors import HeadError, name_some
from hiptbench.heads.base import History, OnEpoch
from hiptbench.heads.batches import epoch_batches, pad, thin
from hiptbench.heads.devices import products_in
from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.objectives import Objective
from hiptbench.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the units, as the loop sees it.

    Attributes:
        bags: Instances of each unit, on the model's device.
        units: Their names, for error messages.
        objective: The loss of these units.
    """

    bags: Sequence[Float[Tensor, "_ *d"]]
    units: Sequence[str]
    objective: Objective


def train(
    model: MILModel, part: Part, recipe: Recipe, *, seed: int, val: Part | None = None, on_epoch: OnEpoch | None = None
) -> History:
    """Train a model in place.

    Args:
        model: The model, on its device.
        part: The training units.
        recipe: Every setting.
        seed: Draws the batches; what the model itself draws comes from PyTorch's generator.
        val: Held-out units; their loss chooses the epoch. None takes the last one.
        on_epoch: Called after each epoch with what was measured, and with how many epochs there will be.

    Returns:
        One mapping an epoch: epoch (from 1), loss, and val_loss where there are held-out units.

    Raises:
        HeadError: If a loss becomes NaN or infinite; epoch, step and units are named.
    """
    rng = np.random.default_rng(seed)
    stepper = _Stepper(model, recipe, len(part.bags))
    best = _Best()
    history = []
    for epoch in range(1, recipe.epochs + 1):
        measured = {"epoch": float(epoch), "loss": _run_epoch(model, part, recipe, rng, stepper, epoch)}
        if val is not None:
            measured["val_loss"] = _val_loss(model, val)
            best.see(measured["val_loss"], model)
        history.append(measured)
        if on_epoch:
            on_epoch(measured | {"epochs": float(recipe.epochs)})
    best.restore(model)
    return tuple(history)


@torch.inference_mode()
def outputs(
    model: MILModel, bags: Sequence[Float[Tensor, "_ *d"]]
) -> tuple[Float[Tensor, "n k"], list[Float[Tensor, " _"] | None]]:
    """Return each bag's logits and attention in evaluation mode, in float32, one bag at a time: none sees another."""
    model.eval()
    found = [model(bag[None], torch.ones(1, len(bag), dtype=torch.bool, device=bag.device)) for bag in bags]
    attention = [None if output.attention is None else output.attention[0].cpu() for output in found]
    return torch.cat([output.logits for output in found]).cpu(), attention


def _run_epoch(
    model: MILModel, part: Part, recipe: Recipe, rng: np.random.Generator, stepper: "_Stepper", epoch: int
) -> float:
    """Train one epoch and return the mean loss of its steps."""
    model.train()
    lengths = np.array([len(bag) for bag in part.bags])
    losses = []
    for step, positions in enumerate(epoch_batches(lengths, part.objective.strata, recipe, rng), start=1):
        loss = _loss(model, part, positions, recipe, rng)
        value = loss.item()
        if not math.isfinite(value):
            units = name_some([part.units[i] for i in positions])
            raise HeadError(
                f"the loss became {value} in epoch {epoch}, step {step}, on {units}. Look at the features of these "
                "units, or lower the learning rate."
            )
        losses.append(value)
        stepper.backward(loss / recipe.loss_divisor, last_of_update=step % recipe.steps_per_update == 0)
    return float(np.mean(losses))


def _loss(
    model: MILModel, part: Part, positions: Int64[np.ndarray, " b"], recipe: Recipe, rng: np.random.Generator
) -> Float[Tensor, ""]:
    padded, mask = pad([thin(part.bags[i], recipe.most_instances, rng) for i in positions])
    if recipe.feature_noise:
        padded = padded + recipe.feature_noise * torch.randn_like(padded)
    where = torch.from_numpy(positions)
    labels = part.objective.labels(where)
    with products_in(recipe.precision, padded.device.type):
        output: Output = model(padded, mask, None if labels is None else labels.to(padded.device))
    return output.total_loss(part.objective.loss(output.logits.float().cpu(), where))


@torch.inference_mode()
def _val_loss(model: MILModel, val: Part) -> float:
    logits, _ = outputs(model, val.bags)
    loss = float(val.objective.loss(logits, torch.arange(len(val.bags))))
    if not math.isfinite(loss):
        raise HeadError(f"the held-out loss became {loss} on {name_some(list(val.units))}. Look at their features.")
    return loss


class _Stepper:
    """Adam with the recipe's schedule, moving the weights after as many backward passes as the recipe says.

    Args:
        model: Whose weights to move.
        recipe: The settings.
        units: How many units an epoch draws.
    """

    def __init__(self, model: MILModel, recipe: Recipe, units: int) -> None:
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.clip_norm = recipe.clip_norm
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        steps = math.ceil(units / recipe.bags_per_step)
        if steps < recipe.steps_per_update:
            raise HeadError(
                f"the weights would never move: an epoch of {units} training units has {steps} steps, and the recipe "
                f"moves them once in {recipe.steps_per_update}. Take another recipe or a smaller steps_per_update."
            )
        updates = recipe.epochs * (steps // recipe.steps_per_update)
        factor = _one_cycle(updates) if recipe.schedule == "one cycle" else _constant
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor)

    def backward(self, loss: Float[Tensor, ""], *, last_of_update: bool) -> None:
        """Add a loss's gradients, and move the weights if it is the last of an update."""
        loss.backward()  # type: ignore[no-untyped-call]
        if not last_of_update:
            return
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()


def _constant(update: int) -> float:
    return 1.0


def _one_cycle(updates: int) -> Callable[[int], float]:
    """Return the factor of the learning rate at each update: up over the first tenth, then a cosine down to 0."""
    warm = max(1, updates // 10)
    rest = max(1, updates - warm)

    def factor(update: int) -> float:
        if update < warm:
            return (update + 1) / warm
        return (1 + math.cos(math.pi * min(1.0, (update - warm) / rest))) / 2

    return factor


@dataclass
class _Best:
    """The weights of the epoch with the lowest held-out loss so far."""

    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)

    def see(self, loss: float, model: MILModel) -> None:
        if loss < self.loss:
            self.loss, self.weights = loss, copy.deepcopy(model.state_dict())

    def restore(self, model: MILModel) -> None:
        if self.weights:
            model.load_state_dict(self.weights)
