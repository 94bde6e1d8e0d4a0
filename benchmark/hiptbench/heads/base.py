"""The contract of heads: a frozen Head is fitted on bags and targets and gives a Fitted, which predicts."""

import dataclasses
import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable
from zipfile import BadZipFile

import numpy as np

from hiptbench.bags import Bag
from hiptbench.errors import HeadError
from hiptbench.files import write_atomic, write_text
from hiptbench.predictions import Prediction
from hiptbench.targets import Target

Bags = Sequence[Bag]
History = tuple[Mapping[str, float], ...]
OnEpoch = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """A fitted predictor. Subclasses are frozen dataclasses of arrays, numbers and strings, so that all can be saved.

    Attributes:
        history: One mapping per epoch of what training measured; empty where nothing is iterated.
    """

    history: History = field(default=())

    @abstractmethod
    def predict(self, bags: Bags) -> Prediction:
        """Predict for each bag, independently of the others."""

    def save(self, folder: Path) -> None:
        """Write the predictor as ``fitted.npz`` (arrays) and ``fitted.json`` (the rest); no pickle."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in values.items() if name not in arrays}
        write_atomic(folder / "fitted.npz", lambda part: _save_npz(part, arrays))
        kind = f"{type(self).__module__}:{type(self).__qualname__}"
        write_text(folder / "fitted.json", json.dumps({"class": kind, "values": rest}, indent=1))


def load_fitted(folder: Path) -> Fitted:
    """Load a predictor that ``Fitted.save`` wrote.

    Raises:
        HeadError: If the folder holds none, it is damaged, or its class is gone or has changed.
    """
    try:
        saved = json.loads((folder / "fitted.json").read_text(encoding="utf-8"))
        module, _, name = saved["class"].partition(":")
        fitted_class = getattr(importlib.import_module(module), name)
        if not issubclass(fitted_class, Fitted):  # a file must not choose what else is called
            raise TypeError(f"{saved['class']} is no Fitted")
        with (folder / "fitted.npz").open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            values = saved["values"] | {key: arrays[key] for key in arrays.files}
        fitted: Fitted = fitted_class(**values | {"history": tuple(values["history"])})
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        raise HeadError(f"{folder} holds no fitted head that can be loaded ({error}).") from error
    return fitted


def _save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as handle:
        np.savez(handle, **arrays)  # type: ignore[arg-type]


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
