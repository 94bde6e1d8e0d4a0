"""What is to be predicted: class labels, or times with events."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64


@dataclass(frozen=True, eq=False)
class Labels:
    """Class labels.

    Attributes:
        values: Class index of each unit.
        classes: Class names; the index is the label.
    """

    values: Int64[np.ndarray, " n"]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: Sequence[int]) -> "Labels":
        """Return the labels at these positions."""
        return Labels(self.values[list(positions)], self.classes)

    def rows(self) -> list[str]:
        """Return each unit's label as text, for hashing."""
        return [self.classes[value] for value in self.values]


@dataclass(frozen=True, eq=False)
class Survival:
    """Times to an event or to censoring.

    Attributes:
        time: Months from diagnosis; positive or zero.
        event: True where the event was seen, False where the time is censored.
    """

    time: Float64[np.ndarray, " n"]
    event: Bool[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, positions: Sequence[int]) -> "Survival":
        """Return the times and events at these positions."""
        return Survival(self.time[list(positions)], self.event[list(positions)])

    def rows(self) -> list[str]:
        """Return each unit's time and event as text, for hashing."""
        return [f"{float(t)!r} {int(e)}" for t, e in zip(self.time, self.event, strict=True)]


Target = Labels | Survival
