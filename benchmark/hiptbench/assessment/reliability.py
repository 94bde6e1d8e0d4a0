"""Calibration of class probabilities: reliability curves and the expected calibration error."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.errors import MetricError
from hiptbench.metrics import accuracy
from hiptbench.targets import Labels

CURVE_BINS = 10
ECE_BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """Units whose probability of a class lies in one bin.

    Attributes:
        low: Lower edge, not in the bin unless it is 0.
        high: Upper edge, in the bin.
        probability: Mean predicted probability of its units.
        share: Share of its units that have the class.
        n: Number of its units.
    """

    low: float
    high: float
    probability: float
    share: float
    n: int


def reliability_curve(
    target: Labels, probabilities: Float64[np.ndarray, "n k"], of_class: int
) -> tuple[ReliabilityBin, ...]:
    """Return the predicted probability of a class against how often it is true, in ten bins of equal width.

    Args:
        target: Labels; of a partition, all folds together.
        probabilities: Probability of each class for the same units.
        of_class: Index of the class.

    Returns:
        The bins that hold units, in order.

    Raises:
        MetricError: If the arrays are not labels and probabilities, are empty, or there is no such class.
    """
    accuracy(target.values, probabilities)  # refuses what is no label or no probability
    if not 0 <= of_class < probabilities.shape[1]:
        raise MetricError(f"There is no class {of_class}: indices go from 0 to {probabilities.shape[1] - 1}.")
    chosen, true = probabilities[:, of_class], target.values == of_class
    bins, edges = _bins(chosen, CURVE_BINS), np.linspace(0, 1, CURVE_BINS + 1)
    return tuple(
        ReliabilityBin(
            low=float(edges[number]),
            high=float(edges[number + 1]),
            probability=float(chosen[bins == number].mean()),
            share=float(true[bins == number].mean()),
            n=int((bins == number).sum()),
        )
        for number in np.unique(bins)
    )


def expected_calibration_error(labels: Int64[np.ndarray, " n"], probabilities: Float64[np.ndarray, "n k"]) -> float:
    """Return the mean gap between confidence and accuracy of the most probable class; see ``MEASURES["ece"]``.

    Args:
        labels: Class index of each unit; n >= 1.
        probabilities: Probability of each class.

    Returns:
        A number in [0, 1]; lower is better.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == labels) - confidence
    return float(np.abs(np.bincount(_bins(confidence, ECE_BINS), weights=gap)).sum() / len(labels))


def _bins(values: Float64[np.ndarray, " n"], number: int) -> Int64[np.ndarray, " n"]:
    """Return the bin of each probability; bins hold their upper edge, the first one 0 too."""
    inner = np.linspace(0, 1, number + 1)[1:-1]
    return np.searchsorted(inner, values, side="left")
