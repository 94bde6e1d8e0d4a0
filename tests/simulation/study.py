"""How often each arm is run, from which seed, and running them in processes."""

import multiprocessing
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
from threadpoolctl import threadpool_limits

from .cohorts import Kind
from .report import Arm
from .runs import ARMS, Run

SEED = 20260501  # fixed before the first run
CHUNK = 20  # runs that a process does at a time
RUNS: dict[tuple[str, Kind], int] = {
    ("single split", "classification"): 2000,
    ("single split", "survival"): 2000,
    ("partition", "classification"): 500,
    ("Monte Carlo", "classification"): 500,
    ("partition", "survival"): 500,
    ("Monte Carlo", "survival"): 500,
}


def simulate(runs: Mapping[tuple[str, Kind], int], processes: int) -> list[Arm]:
    """Do so many runs of each arm; the outcome does not depend on the number of processes."""
    arms = []
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for (arm, kind), count in runs.items():
            starts = range(0, count, CHUNK)
            jobs = [pool.submit(chunk, arm, kind, start, min(start + CHUNK, count)) for start in starts]
            for done, _ in enumerate(as_completed(jobs), start=1):
                told = f"{arm}, {kind}: {min(done * CHUNK, count)} of {count} runs"
                print(f"\r{told}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            arms.append(Arm(arm, kind, [run for job in jobs for run in job.result()]))
    return arms


def chunk(arm: str, kind: Kind, start: int, stop: int) -> list[Run]:
    """Do the runs of these numbers; each has a seed of its own."""
    place = [*RUNS].index((arm, kind))
    with threadpool_limits(1):
        return [ARMS[arm](kind, np.random.default_rng([SEED, place, number])) for number in range(start, stop)]
