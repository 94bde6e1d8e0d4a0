"""Predictions to compare: small classification and survival folds, drawn with a seed."""

import numpy as np

from hiptbench.predictions import Prediction, Predictions
from hiptbench.targets import Labels, Survival


def labelled(values: np.ndarray, scores: np.ndarray, units: tuple[str, ...] | None = None) -> Predictions:
    """A fold of two classes."""
    names = units or tuple(f"u{i:03}" for i in range(len(values)))
    probabilities = np.column_stack([1 - scores, scores])
    return names, Labels(values, ("a", "b")), Prediction(probabilities=probabilities)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def drawn(n: int, *, seed: int = 0, signal: float = 1.2, truth: int = 0) -> Predictions:
    """A fold whose truth depends on ``truth`` alone, so that two seeds are two methods on the same units."""
    values = np.random.default_rng([9, truth]).permutation(np.arange(n) % 2)
    return labelled(values, sigmoid(np.random.default_rng(seed).normal(values * signal, 1)))


def survival(n: int, *, seed: int = 0, signal: float = 1.0) -> Predictions:
    """A fold of survival times."""
    lives = np.random.default_rng(9)
    hazard = lives.normal(size=n)
    target = Survival(lives.exponential(np.exp(-hazard)) + 0.01, lives.random(n) < 0.6)
    risk = signal * hazard + np.random.default_rng(seed).normal(size=n)
    return tuple(f"u{i:03}" for i in range(n)), target, Prediction(risk=risk)


def alone(*folds: Predictions) -> dict[str, str]:
    """Every unit its own patient."""
    return {unit: unit for units, _, _ in folds for unit in units}
