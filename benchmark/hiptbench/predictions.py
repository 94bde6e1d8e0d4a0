"""Prediction: what a fitted head says about a list of bags; the results store's schema follows it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from hiptbench.errors import HeadError, name_some
from hiptbench.targets import Target
from hiptbench.task_spec import Kind


@dataclass(frozen=True, eq=False)
class Prediction:
    """Class probabilities, or risks with optional survival curves, one row a bag.

    Attributes:
        probabilities: P(class); rows sum to one. Classification only.
        risk: Any real number; higher means an earlier event. Survival only.
        survival: S(t) at ``times``, falling from left to right. Survival only, optional.
        times: Months, rising; the grid of ``survival``.
        attention: One weight per instance of each bag, optional.
    """

    probabilities: Float64[np.ndarray, "n k"] | None = None
    risk: Float64[np.ndarray, " n"] | None = None
    survival: Float64[np.ndarray, "n t"] | None = None
    times: Float64[np.ndarray, " t"] | None = None
    attention: tuple[Float[np.ndarray, " _"], ...] | None = None

    @property
    def kind(self) -> Kind:
        """The kind of task that this is a prediction for."""
        return "classification" if self.probabilities is not None else "survival"

    def __len__(self) -> int:
        rows = self.probabilities if self.probabilities is not None else self.risk
        return 0 if rows is None else len(rows)

    def check(self, units: Sequence[str], kind: Kind) -> None:
        """Refuse a prediction that no number may be computed from.

        Args:
            units: The units that were predicted, in order.
            kind: The kind of the task.

        Raises:
            HeadError: If it is for another kind, its shapes do not fit, or a value is not finite; units are named.
        """
        rows = self.probabilities if kind == "classification" else self.risk
        if rows is None:
            raise HeadError(f"The head predicted for a {self.kind} task where the task is {kind}.")
        self._check_curves()
        for name in ("probabilities", "risk", "survival", "attention"):
            values = getattr(self, name)
            if values is not None:
                _check_rows(name, values, units)

    def _check_curves(self) -> None:
        if (self.survival is None) != (self.times is None):
            raise HeadError("A survival curve needs its times, and times need their curve.")
        if self.survival is not None and self.times is not None and self.survival.shape[1:] != self.times.shape:
            raise HeadError(f"Survival curves of shape {self.survival.shape} do not fit {len(self.times)} times.")


Predictions = tuple[tuple[str, ...], Target, Prediction]
"""The units of a fold that were evaluated, what was true of them, and what was predicted."""


def _check_rows(name: str, rows: Sequence[np.ndarray] | np.ndarray, units: Sequence[str]) -> None:
    if len(rows) != len(units):
        raise HeadError(f"The head predicted {len(rows)} rows of {name} for {len(units)} units.")
    broken = [unit for unit, row in zip(units, rows, strict=True) if not np.isfinite(row).all()]
    if broken:
        raise HeadError(f"The head predicted NaN or infinite {name} for {len(broken)} units: {name_some(broken)}.")
