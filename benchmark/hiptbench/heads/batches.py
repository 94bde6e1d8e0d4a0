"""Which bags a training step sees, and how they become one padded tensor."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from hiptbench.recipes import Recipe

_BUCKET = 16  # so many steps' bags are sorted by length together


def epoch_batches(
    lengths: Int64[np.ndarray, " n"], strata: Int64[np.ndarray, " n"], recipe: Recipe, rng: np.random.Generator
) -> list[Int64[np.ndarray, " _"]]:
    """Return the positions of the bags of each step of one epoch.

    Args:
        lengths: Instances of each training bag.
        strata: Stratum of each training unit.
        recipe: Says how to sample and how many bags a step has.
        rng: Makes the draw.
    """
    order = _weighted(strata, rng) if recipe.sampling == "weighted" else rng.permutation(len(lengths))
    size = recipe.bags_per_step
    if not recipe.bucketed:
        return _steps(order, size)
    buckets = [bucket[np.argsort(lengths[bucket], kind="stable")] for bucket in _steps(order, _BUCKET * size)]
    steps = [step for bucket in buckets for step in _steps(bucket, size)]
    return [steps[i] for i in rng.permutation(len(steps))]


def _steps(order: Int64[np.ndarray, " n"], size: int) -> list[Int64[np.ndarray, " _"]]:
    return [order[i : i + size] for i in range(0, len(order), size)]


def _weighted(strata: Int64[np.ndarray, " n"], rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """Draw as many units as there are, with replacement, each stratum that exists equally often."""
    _, inverse, counts = np.unique(strata, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[inverse]
    return rng.choice(len(strata), size=len(strata), p=weights / weights.sum())


def thin(bag: Float[Tensor, "n *d"], most: int | None, rng: np.random.Generator) -> Float[Tensor, "m *d"]:
    """Return a bag, or a random subset of its instances where it has more than ``most``."""
    if most is None or len(bag) <= most:
        return bag
    return bag[torch.from_numpy(rng.choice(len(bag), size=most, replace=False, shuffle=False)).to(bag.device)]


def pad(bags: Sequence[Float[Tensor, "_ *d"]]) -> tuple[Float[Tensor, "b m *d"], Bool[Tensor, "b m"]]:
    """Stack bags of different lengths, zeros behind the shorter ones, with the mask of what is real."""
    lengths = torch.tensor([len(bag) for bag in bags])
    padded = bags[0][None] if len(bags) == 1 else torch.nn.utils.rnn.pad_sequence(list(bags), batch_first=True)
    mask = torch.arange(padded.shape[1]) < lengths[:, None]
    return padded, mask.to(padded.device)
