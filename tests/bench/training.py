"""Training by the recipe "fast" beside a plain loop: the same model, bags, epochs and cores, in one run."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median

import numpy as np

from .framework import Benchmark, Measurement
from .workspace import Workspace

_PAIRS = 3


@dataclass(frozen=True)
class Cohort:
    """Simulated bags: how many, how long, and of what dimension.

    Attributes:
        bags: Number of bags.
        mean: Mean number of instances.
        spread: Shape of their distribution; None for bags of one length.
        dim: Dimension of an instance.
        epochs: Passes over them.
    """

    bags: int
    mean: int
    spread: int | None
    dim: int
    epochs: int

    def draw(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the bags and their labels."""
        rng = np.random.default_rng(0)
        lengths = np.full(self.bags, self.mean)
        if self.spread:
            lengths = 1 + rng.negative_binomial(self.spread, self.spread / (self.spread + self.mean - 1), self.bags)
        return [rng.standard_normal((n, self.dim), dtype=np.float32) for n in lengths], rng.integers(0, 2, self.bags)


REGIONS = Cohort(bags=715, mean=38, spread=2, dim=192, epochs=1)  # a training part of BRCA subtyping
PATCHES = Cohort(bags=64, mean=2000, spread=None, dim=384, epochs=1)


def plain_seconds(model: str, cohort: Cohort, threads: int) -> float:
    """Return the seconds that a plain loop takes for one fold on so many threads."""
    import torch

    from . import plain

    torch.set_num_threads(threads)
    bags, labels = cohort.draw()
    network = {"hipt_gp": plain.SlideTransformer, "abmil": plain.AttentionMIL}[model](cohort.dim, 2)
    tensors = [torch.from_numpy(bag) for bag in bags]
    plain.train(network, tensors[:20], torch.from_numpy(labels), 1)  # warms up
    begin = time.perf_counter()
    plain.train(network, tensors, torch.from_numpy(labels), cohort.epochs)
    return time.perf_counter() - begin


def fast_seconds(model: str, cohort: Cohort) -> float:
    """Return the seconds that the recipe takes for one fold on one core."""
    from hiptbench.bags import Bag
    from hiptbench.heads.mil import MIL
    from hiptbench.targets import Labels

    arrays, values = cohort.draw()
    bags = [Bag(str(i), array, None, np.zeros(len(array), np.int64)) for i, array in enumerate(arrays)]
    target = Labels(values, ("a", "b"))
    head = MIL(model=model, overrides={"epochs": cohort.epochs}, device="cpu")
    head.fit(bags[:40], target.take(range(40)), val=None, seed=1)  # warms up
    begin = time.perf_counter()
    head.fit(bags, target, val=None, seed=1)
    return time.perf_counter() - begin


def _ratio(model: str, cohort: Cohort, told: str) -> Measurement:
    """Return how many times as many folds a machine trains in the same time, and the same on one core."""
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    whole, alone = [], []
    with ProcessPoolExecutor(cores, context) as workers:
        for _ in range(_PAIRS):
            plain = workers.submit(plain_seconds, model, cohort, cores).result()
            single = workers.submit(plain_seconds, model, cohort, 1).result()
            together = [workers.submit(fast_seconds, model, cohort) for _ in range(cores)]
            whole.append(cores * plain / max(future.result() for future in together))
            alone.append(single / workers.submit(fast_seconds, model, cohort).result())
    steps = cohort.bags * cohort.epochs
    return Measurement(
        median(whole),
        f"{told}; plain: one fold on {cores} threads, one bag a step ({plain / steps * 1e3:.1f} ms); "
        f"fast: {cores} folds, one a core; both on one core alone: {median(alone):.1f} x; median of {_PAIRS} pairs",
    )


def _hipt_gp(_: Workspace) -> Measurement:
    return _ratio("hipt_gp", REGIONS, "715 bags of 38 regions [192] on average")


def _abmil(_: Workspace) -> Measurement:
    return _ratio("abmil", PATCHES, "64 bags of 2,000 patches [384], of which fast sees 1,024 a step")


BENCHMARKS = (
    Benchmark(
        id="train.hipt_gp.fast_over_plain",
        name="Folds of hipt_gp trained by `fast` in the time of a plain loop",
        unit="x",
        better="higher",
        aim=10,
        measure=_hipt_gp,
    ),
    Benchmark(
        id="train.abmil_patch.fast_over_plain",
        name="Folds of abmil on bags of 2,000 patches trained by `fast` in the time of a plain loop",
        unit="x",
        better="higher",
        aim=10,
        measure=_abmil,
    ),
)
