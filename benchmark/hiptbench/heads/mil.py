"""MIL: any model of ``heads.models``, times an objective, times a recipe."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags, Fitted, OnEpoch
from hiptbench.heads.devices import Device, is_there, resolve_device, resolve_precision, seeded
from hiptbench.heads.models.base import MILModel
from hiptbench.heads.models.factory import full_settings, make_model, model_class
from hiptbench.heads.objectives import (
    CrossEntropy,
    Curve,
    Hazards,
    Objective,
    Reading,
    quartile_edges,
    read_classes,
    read_hazards,
)
from hiptbench.heads.partial_likelihood import Cox, read_log_hazard
from hiptbench.heads.training import Part, outputs, train
from hiptbench.predictions import Prediction
from hiptbench.recipes import Recipe, RecipeName, make_recipe
from hiptbench.targets import Labels, Target
from hiptbench.task_spec import Kind, TaskSpec


@dataclass(frozen=True, kw_only=True)
class FittedMIL(Fitted):
    """A trained model, and what its outputs mean.

    Attributes:
        model: Its name, see ``heads.models.factory.model_class``.
        model_settings: Every setting of the model.
        d_in: Dimension of an instance.
        n_out: Number of outputs.
        weights: Its parameters and buffers.
        reading: What the outputs mean.
        curve_times: See ``Curve``.
        curve_values: See ``Curve``.
        device: Where it was trained.
    """

    model: str
    model_settings: Mapping[str, Any]
    d_in: int
    n_out: int
    weights: dict[str, np.ndarray]
    reading: Reading
    curve_times: Float64[np.ndarray, " t"]
    curve_values: Float64[np.ndarray, " _"]
    device: Device

    @cached_property
    def network(self) -> MILModel:
        """The model with its weights."""
        at_start = model_class(self.model).only_at_start
        settings = {name: value for name, value in self.model_settings.items() if name not in at_start}
        with seeded(0, self._here):
            network = make_model(self.model, d_in=self.d_in, n_out=self.n_out, settings=settings)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in self.weights.items()})
        return network.to(self._here)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: the weights, without the network made from them."""
        return {name: value for name, value in vars(self).items() if name != "network"}

    @property
    def _here(self) -> Device:
        """The device that it was trained on, or the CPU of a machine that has no such device."""
        return self.device if is_there(self.device) else "cpu"

    def predict(self, bags: Bags) -> Prediction:
        """Predict bag by bag, with attention where the model has it."""
        with seeded(0, self._here):
            network = self.network
            logits, attention = outputs(network, _tensors(bags, network, self._here))
        weights = tuple(one.numpy() for one in attention if one is not None)
        prediction = self._read(logits)
        return dataclasses.replace(prediction, attention=weights if len(weights) == len(bags) else None)

    def _read(self, logits: Tensor) -> Prediction:
        curve = Curve(self.curve_times, self.curve_values)
        if self.reading == "classes":
            return read_classes(logits)
        return read_hazards(logits, curve) if self.reading == "hazards" else read_log_hazard(logits, curve)


@dataclass(frozen=True, kw_only=True)
class MIL:
    """Multiple instance learning: bags of instances in, one prediction a bag out.

    Attributes:
        model: A name in ``heads.models.MODELS``, or "package.module:Class" for anybody's own.
        model_settings: The model's own settings; the rest keep their defaults.
        survival: Objective on survival tasks: "nll" of discrete-time hazards, or "cox". Classification takes
            cross-entropy.
        recipe: How to train: a recipe's name, or every setting of one.
        overrides: Values that replace those of a recipe that is given by name.
        device: Where to train.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"classification", "survival"})
    stochastic: ClassVar[bool] = True

    model: str = "abmil"
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    survival: Literal["nll", "cox"] = "nll"
    recipe: RecipeName | Recipe = "fast"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    device: Device = "auto"

    def __post_init__(self) -> None:
        full_settings(self.model, self.model_settings)
        self.recipe_for("classification")

    @property
    def precision(self) -> str:
        """Precision of the training."""
        return self.recipe_for("classification").precision

    @property
    def inner_val(self) -> float:
        """Share of the training patients held out to choose the epoch."""
        return self.recipe_for("classification").inner_val

    @property
    def selection(self) -> Literal["none", "inner val"]:
        """What chooses the epoch."""
        return "inner val" if self.inner_val else "none"

    @property
    def epoch_rule(self) -> str:
        """Which epoch's model is evaluated."""
        epochs = self.recipe_for("classification").epochs
        return f"lowest inner-validation loss of {epochs}" if self.inner_val else f"last of {epochs}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that training begins with: checkpoints that the model's settings name."""
        at_start = model_class(self.model).only_at_start
        named = [value for name, value in self.model_settings.items() if name in at_start and isinstance(value, str)]
        return tuple(Path(name) for name in named)

    @property
    def sources(self) -> tuple[str, ...]:
        """Modules that decide numbers but that are named by strings: the model's."""
        return (model_class(self.model).__module__,)

    def recipe_for(self, kind: Kind) -> Recipe:
        """Return the recipe for a kind of task.

        Raises:
            UnknownNameError: If an override names no setting of a recipe.
            HeadError: If its value is refused, or a recipe that is given in full is overridden.
        """
        if not isinstance(self.recipe, Recipe):
            return make_recipe(self.recipe, kind, self.overrides)
        if self.overrides:
            raise HeadError("Give overrides with a recipe's name, not with a whole recipe.")
        return self.recipe

    def misfit(self, instance: tuple[int, ...]) -> str | None:
        """Return why the model cannot read such instances; a model of vectors reads hierarchical ones patch by patch.

        Args:
            instance: Shape of one instance.
        """
        if model_class(self.model).hierarchical and len(instance) < 2:
            return f"{self.model} reads regions of patches [patches, d], and these instances are vectors {[*instance]}"
        return None

    def resolved(self, spec: TaskSpec) -> "MIL":
        """Return the head with every setting filled in; see ``TrainedHead.resolved``."""
        published = spec.published_time_bins
        return self._resolved(spec.kind, None if published is None else published.edges)

    def _resolved(self, kind: Kind, edges: tuple[float, ...] | None) -> "MIL":
        recipe, device = self.recipe_for(kind), resolve_device(self.device)
        if recipe.time_bins == "published" and kind == "survival":
            recipe = dataclasses.replace(recipe, time_edges=edges or recipe.time_edges)
        return dataclasses.replace(
            self,
            model_settings=full_settings(self.model, self.model_settings),
            recipe=dataclasses.replace(recipe, precision=resolve_precision(recipe.precision, device)),
            overrides={},
            device=device,
        )

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedMIL:
        """Train; see ``Head.fit``. ``val`` chooses the epoch if the recipe holds patients out, else it is not used."""
        head = self._resolved("classification" if isinstance(target, Labels) else "survival", None)
        recipe = head.recipe_for("classification")
        objective = head._objective(target, recipe.time_edges)
        d_in = _dimension(bags)
        with seeded(seed, head.device):
            network = make_model(head.model, d_in=d_in, n_out=objective.n_out, settings=head.model_settings)
            network.to(head.device)
            part = Part(_tensors(bags, network, head.device), [bag.unit for bag in bags], objective)
            held_out = _held_out(val, objective, network, head.device) if recipe.inner_val else None
            history = train(network, part, recipe, seed=seed, val=held_out, on_epoch=on_epoch)
            curve = objective.curve(lambda: outputs(network, part.bags)[0])
        return FittedMIL(
            model=head.model,
            model_settings=head.model_settings,
            d_in=d_in,
            n_out=objective.n_out,
            weights={name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()},
            reading=objective.reading,
            curve_times=curve.times,
            curve_values=curve.values,
            device=head.device,
            history=history,
        )

    def _objective(self, target: Target, edges: tuple[float, ...] | None) -> Objective:
        if isinstance(target, Labels):
            return CrossEntropy(target)
        if self.survival == "cox":
            return Cox(target)
        return Hazards(target, edges=quartile_edges(target) if edges is None else np.array(edges))


def _held_out(val: tuple[Bags, Target] | None, objective: Objective, network: MILModel, device: Device) -> Part:
    if val is None:
        raise HeadError("The recipe chooses the epoch on held-out patients (inner_val), but none were passed to fit.")
    bags, target = val
    return Part(_tensors(bags, network, device), [bag.unit for bag in bags], objective.of(target))


def _dimension(bags: Bags) -> int:
    found = {bag.features.shape[-1] for bag in bags}
    if len(found) != 1:
        raise HeadError(f"Training bags need one dimension of their instances, got {sorted(found) or 'no bags'}.")
    return int(found.pop())


def _tensors(bags: Bags, network: MILModel, device: Device) -> list[Tensor]:
    """Return the bags' instances; a model of vectors gets the patches of hierarchical bags as its instances."""
    arrays = [x if network.hierarchical else x.reshape(-1, x.shape[-1]) for x in (bag.features for bag in bags)]
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) != 1:
        raise HeadError(f"Bags need instances of one shape, got {sorted(shapes) or 'no bags'}.")
    # PyTorch takes no array that is read-only, as memory-mapped ones are.
    return [torch.from_numpy(array if array.flags.writeable else array.copy()).to(device) for array in arrays]
