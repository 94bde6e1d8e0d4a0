"""The oracle of a simulated task: what a method that knows the model reaches on fresh bags.

Classification: the posterior of the classes, from the bag's log-likelihood ratios under the true densities and the
cohort's class balance. In a bag of class k a region x has the density ratio against N(0, I) of
1 - w + w exp(s x_k - s^2 / 2), where x_k is its coordinate along direction k, s the signal and w the witness rate; so
only these coordinates need to be drawn. Survival: the true log hazard, under the cohort's censoring law.

No method beats the posterior in expected AUC. Harrell's c of the true hazard is a reference of another kind: no bag
shows the hazard exactly, so methods stay below it.

``python -m hiptbench.sources.oracle [TASK...]`` measures it on a million bags and prints it for the registry.
"""

import math
import sys
from collections.abc import Callable, Sequence

import numpy as np
import yaml
from jaxtyping import Float64, Int64
from scipy.special import softmax

from hiptbench.errors import TaskError
from hiptbench.metrics import auc, c_index
from hiptbench.sources.laws import class_sizes, cohort_lives, draw_lives, log_hazard, region_counts, settings, stream
from hiptbench.task_spec import Oracle, SyntheticData, TaskSpec
from hiptbench.task_store import load_spec, registered

BLOCK = 1_000
"""Bags over which the metric is computed at once; the oracle is the mean over blocks."""

POSTERIOR = "auc of the true posterior (bag log-likelihood ratios and class balance)"
HAZARD = "c_index of the true log hazard under the cohort's law of censoring"


def oracle(spec: TaskSpec, *, n_bags: int = 1_000_000, seed: int = 0) -> Oracle:
    """Measure the oracle of a simulated task on fresh bags.

    Args:
        spec: A simulated task.
        n_bags: Number of fresh bags (slides or cases), a multiple of ``BLOCK`` and at least two blocks.
        seed: Seed of the fresh bags.

    Returns:
        The mean over blocks, its standard error (from the spread between blocks), and how to measure it again.

    Raises:
        TaskError: If the task is not simulated, or ``n_bags`` is not a number of whole blocks.
        MetricError: If a block lacks a class or a comparable pair.
    """
    if n_bags < 2 * BLOCK or n_bags % BLOCK:
        raise TaskError(f"An oracle takes whole blocks of {BLOCK} bags, at least two of them, not {n_bags} bags.")
    measure = _survival_block(spec) if spec.kind == "survival" else _classification_block(spec)
    values = [measure(stream(seed, "oracle", spec.name, block)) for block in range(n_bags // BLOCK)]
    return Oracle(
        value=round(float(np.mean(values)), 5),
        standard_error=round(float(np.std(values, ddof=1)) / math.sqrt(len(values)), 5),
        bags=n_bags,
        definition=f"{HAZARD if spec.kind == 'survival' else POSTERIOR}, mean over blocks of {BLOCK:,} fresh bags",
        command=f"python -m hiptbench.sources.oracle {spec.name}",
    )


def log_likelihood_ratios(
    data: SyntheticData, along: Float64[np.ndarray, "regions k"], counts: Int64[np.ndarray, " bags"]
) -> Float64[np.ndarray, "bags k"]:
    """Return each bag's log-likelihood ratio of class k against bags without witnesses.

    Args:
        data: The generator's settings.
        along: Coordinate of each region along the direction of class k; bag after bag.
        counts: Number of regions in each bag.
    """
    ratio = 1 - data.witness_rate + data.witness_rate * np.exp(data.signal * along - data.signal**2 / 2)
    return np.add.reduceat(np.log(ratio), np.concatenate([[0], np.cumsum(counts)[:-1]]))


def _classification_block(spec: TaskSpec) -> Callable[[np.random.Generator], float]:
    data = settings(spec)
    balance = np.array(class_sizes(spec)) / spec.expected.slides

    def measure(rng: np.random.Generator) -> float:
        labels = rng.choice(len(balance), BLOCK, p=balance)
        counts = region_counts(data, BLOCK, rng)
        of_region = np.repeat(labels, counts)
        along = rng.standard_normal((len(of_region), len(balance)))
        witnesses = np.flatnonzero(rng.random(len(of_region)) < data.witness_rate)
        along[witnesses, of_region[witnesses]] += data.signal
        evidence = np.log(balance) + log_likelihood_ratios(data, along, counts)
        return auc(labels, softmax(evidence, axis=1))

    return measure


def _survival_block(spec: TaskSpec) -> Callable[[np.random.Generator], float]:
    _, scale = cohort_lives(spec)

    def measure(rng: np.random.Generator) -> float:
        lives = draw_lives(spec, BLOCK, rng)
        seen = lives.observed(scale)
        return c_index(seen.time, seen.event, log_hazard(spec, lives.burden))

    return measure


def main(names: Sequence[str]) -> None:
    """Print the oracle as YAML, of the named tasks or of all that are simulated."""
    for name in names or [name for name in registered() if load_spec(name).synthetic]:
        entry = {"oracle": oracle(load_spec(name)).model_dump()}
        print(f"# {name}\n{yaml.safe_dump(entry, sort_keys=False, width=100)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
