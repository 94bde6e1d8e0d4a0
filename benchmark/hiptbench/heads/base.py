"""The contract of heads: a frozen Head is fitted on bags and targets and gives a Fitted, which predicts."""

import dataclasses
import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from hiptbench.bags import Bag
from hiptbench.errors import HeadError
from hiptbench.files import write_atomic, write_text
from hiptbench.predictions import Prediction
from hiptbench.targets import Target
from hiptbench.task_spec import TaskSpec

Bags = Sequence[Bag]
History = tuple[Mapping[str, float], ...]
FITTED = "fitted.json"  # written last
OnEpoch = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """A fitted predictor. Subclasses are frozen dataclasses, so that all can be saved.

    Their fields are arrays, dictionaries of arrays, and what JSON can hold.

    Attributes:
        history: One mapping per epoch of what training measured; empty where nothing is iterated.
    """

    history: History = field(default=())

    @abstractmethod
    def predict(self, bags: Bags) -> Prediction:
        """Predict for each bag, independently of the others."""

    def save(self, folder: Path) -> None:
        """Write the predictor as ``fitted.safetensors`` (arrays) and ``fitted.json`` (the rest); no pickle."""
        from safetensors.numpy import save_file

        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        arrays = {name: np.ascontiguousarray(value) for name, value in _arrays(values)}
        rest = {name: value for name, value in values.items() if not _holds_arrays(value)}
        write_atomic(folder / "fitted.safetensors", lambda part: save_file(arrays, part))
        kind = f"{type(self).__module__}:{type(self).__qualname__}"
        write_text(folder / FITTED, json.dumps({"class": kind, "values": rest}, indent=1))


def load_fitted(folder: Path) -> Fitted:
    """Load a predictor that ``Fitted.save`` wrote.

    Raises:
        HeadError: If the folder holds none, it is damaged, or its class is gone or has changed.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        saved = json.loads((folder / FITTED).read_text(encoding="utf-8"))
        module, _, name = saved["class"].partition(":")
        fitted_class = getattr(importlib.import_module(module), name)
        if not issubclass(fitted_class, Fitted):  # a file must not choose what else is called
            raise TypeError(f"{saved['class']} is no Fitted")
        values = saved["values"] | _nested(load_file(folder / "fitted.safetensors"))
        fitted: Fitted = fitted_class(**values | {"history": tuple(values["history"])})
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        raise HeadError(f"{folder} holds no fitted head that can be loaded ({error}).") from error
    return fitted


def _holds_arrays(value: object) -> bool:
    return isinstance(value, np.ndarray) or (
        isinstance(value, dict) and bool(value) and all(isinstance(item, np.ndarray) for item in value.values())
    )


def _arrays(values: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every array by its field's name; those of a dictionary as ``field/key``."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif _holds_arrays(value):
            yield from ((f"{name}/{key}", array) for key, array in value.items())


def _nested(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Undo ``_arrays``."""
    values: dict[str, Any] = {}
    for path, array in arrays.items():
        name, slash, key = path.partition("/")
        if slash:
            values.setdefault(name, {})[key] = array
        else:
            values[name] = array
    return values


@runtime_checkable
class Head(Protocol):
    """What every head is: a frozen, keyword-only dataclass of settings that keeps no state.

    Attributes:
        kinds: The kinds of task that it can be fitted on: "classification", "survival" or both.
        stochastic: Whether ``seed`` changes the result; if not, one seed is run whatever was asked for.
    """

    kinds: ClassVar[frozenset[str]]
    stochastic: ClassVar[bool]

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> Fitted:
        """Fit on training bags.

        Args:
            bags: One bag a training unit.
            target: Labels or survival times of the same units.
            val: Units that may guide selection; never the evaluated ones, and None where there are none.
            seed: Makes everything random in the fit.
            on_epoch: Called after each epoch with what was measured.
        """


@runtime_checkable
class TrainedHead(Head, Protocol):
    """A head whose training depends on the task or the machine, and says how before it begins."""

    @property
    def device(self) -> str:
        """Class of device, "auto" until it is resolved."""

    @property
    def precision(self) -> str:
        """Floating-point precision of the training, "auto" until it is resolved."""

    @property
    def selection(self) -> Literal["none", "inner val"]:
        """What chooses the epoch: nothing, or patients held out of the training part."""

    @property
    def inner_val(self) -> float:
        """Share of the training patients that are held out and reach ``fit`` as ``val``; 0 for none."""

    @property
    def epoch_rule(self) -> str:
        """Which epoch's model is evaluated, in words."""

    @property
    def files(self) -> Sequence[Path]:
        """Files whose content decides numbers, such as a checkpoint to begin with."""

    @property
    def sources(self) -> Sequence[str]:
        """Modules that decide numbers but that the head's module does not import."""

    def misfit(self, instance: tuple[int, ...]) -> str | None:
        """Return why the head cannot read instances of a shape, or None if it can.

        Args:
            instance: Shape of one instance: (d,), or (patches, d) in hierarchical features.
        """

    def resolved(self, spec: TaskSpec) -> "TrainedHead":
        """Return the same head with nothing left to choose: device, precision and every setting for this task.

        Args:
            spec: The task.
        """


def resolve(head: Head, spec: TaskSpec) -> Head:
    """Return a head with nothing left to choose; most heads are so already."""
    return head.resolved(spec) if isinstance(head, TrainedHead) else head
