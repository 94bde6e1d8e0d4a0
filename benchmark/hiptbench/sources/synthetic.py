"""Simulated cohorts with the sizes, class balance, event rates and fold schemes of the nine real tasks.

Classification: a slide of class k has witnesses of direction k, each region with probability ``witness_rate``. Every
class has a direction of its own, class 0 too, so no class is merely the absence of another. Slides of one case share
its class and nothing else. Survival: all witnesses share one direction and their fraction grows with the case's
hazard. ``hiptbench.sources.laws`` states the laws.

Slide ids start with SYN, so that no simulated row can be taken for a TCGA barcode.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from jaxtyping import Float16, Float64, Int64

from hiptbench.sources.cohort import Cohort
from hiptbench.sources.laws import (
    class_sizes,
    cohort_lives,
    directions,
    region_counts,
    settings,
    stream,
    witness_probability,
)
from hiptbench.splits import Split
from hiptbench.task_spec import SyntheticData, TaskSpec
from hiptbench.tasks import SlideRow, Task

HELD_OUT = 0.092
"""Share of each class in the val and in the test part of a Monte Carlo fold.

The published folds of breast, lung and kidney hold 81 to 82 % train, 9 to 10 % val and 9 to 10 % test slides.
"""


def simulate(spec: TaskSpec) -> Cohort:
    """Simulate a task's cohort; the same specification gives the same cohort.

    Args:
        spec: A simulated task; its expected counts give the cohort's sizes.

    Returns:
        The task, not yet checked against the registry's hashes, and its features.

    Raises:
        TaskError: If the task is not simulated or its settings contradict each other.
    """
    return _survival_cohort(spec) if spec.kind == "survival" else _classification_cohort(spec)


def _classification_cohort(spec: TaskSpec) -> Cohort:
    data, classes = settings(spec), spec.classes or ()
    sizes = _case_sizes(data)
    of_case = _case_classes(sizes, class_sizes(spec), stream(data.seed, "classes"))
    case_of = np.repeat(np.arange(len(sizes)), sizes)
    ids = _slide_ids(spec, sizes)
    rows = [SlideRow(s, c, label=classes[of_case[i]]) for (s, c), i in zip(ids, case_of, strict=True)]
    probability = np.full(len(rows), data.witness_rate)
    shift = data.signal * directions(data.dim, len(classes))[of_case[case_of]]
    return _cohort(spec, rows, of_case[case_of], probability, shift)


def _survival_cohort(spec: TaskSpec) -> Cohort:
    data = settings(spec)
    lives, scale = cohort_lives(spec)
    sizes = _case_sizes(data)
    seen = lives.observed(scale)
    case_of = np.repeat(np.arange(len(sizes)), sizes)
    rows = [
        SlideRow(slide, case, time=float(seen.time[i]), event=bool(seen.event[i]))
        for (slide, case), i in zip(_slide_ids(spec, sizes), case_of, strict=True)
    ]
    probability = witness_probability(data, lives.burden)[case_of]
    shift = np.tile(data.signal * directions(data.dim, 1), (len(rows), 1))
    return _cohort(spec, rows, seen.event.astype(np.int64), probability, shift)


def _cohort(
    spec: TaskSpec,
    rows: list[SlideRow],
    strata: Int64[np.ndarray, " units"],
    probability: Float64[np.ndarray, " slides"],
    shift: Float64[np.ndarray, "slides dim"],
) -> Cohort:
    data = settings(spec)
    units = list(dict.fromkeys(row.slide if spec.unit == "slide" else row.case for row in rows))
    task = Task.build(spec, rows, _splits(spec, units, strata))
    regions = _regions(data, probability, shift)
    return Cohort(task, {row.slide: part for row, part in zip(rows, regions, strict=True)})


def _regions(
    data: SyntheticData, probability: Float64[np.ndarray, " slides"], shift: Float64[np.ndarray, "slides dim"]
) -> list[Float16[np.ndarray, "_ dim"]]:
    counts = region_counts(data, len(shift), stream(data.seed, "region counts"))
    slide_of = np.repeat(np.arange(len(counts)), counts)
    witness = stream(data.seed, "witnesses").random(len(slide_of)) < probability[slide_of]
    values = stream(data.seed, "regions").standard_normal((len(slide_of), data.dim))
    values[witness] += shift[slide_of[witness]]
    return np.split(values.astype(np.float16), np.cumsum(counts)[:-1])


def _case_sizes(data: SyntheticData) -> Int64[np.ndarray, " cases"]:
    sizes = np.repeat(np.arange(1, len(data.slides_per_case) + 1), data.slides_per_case)
    return stream(data.seed, "case sizes").permutation(sizes)


def _slide_ids(spec: TaskSpec, sizes: Int64[np.ndarray, " cases"]) -> list[tuple[str, str]]:
    prefix = f"SYN-{spec.name.removeprefix('synthetic_').replace('_', '-').upper()}"
    cases = [(f"{prefix}-{number:04}", size) for number, size in enumerate(sizes, start=1)]
    return [(f"{case}-S{slide}", case) for case, size in cases for slide in range(1, size + 1)]


def _case_classes(
    sizes: Int64[np.ndarray, " cases"], slides: Sequence[int], rng: np.random.Generator
) -> Int64[np.ndarray, " cases"]:
    """Give cases classes at random so that class k gets ``slides[k]`` slides; large cases choose first."""
    left = np.array(slides)
    chosen = np.empty(len(sizes), dtype=np.int64)
    for case in np.argsort(-sizes, kind="stable"):
        room = np.where(left >= sizes[case], left, 0)
        chosen[case] = rng.choice(len(left), p=room / room.sum())
        left[chosen[case]] -= sizes[case]
    return chosen


def _splits(spec: TaskSpec, units: Sequence[str], strata: Int64[np.ndarray, " units"]) -> list[Split]:
    seed = settings(spec).seed
    if spec.folds.scheme == "partition":
        return _partition(units, strata, spec.folds.count, stream(seed, "folds"))
    return [_monte_carlo(fold, units, strata, stream(seed, "folds", fold)) for fold in range(spec.folds.count)]


def _partition(
    units: Sequence[str], strata: Int64[np.ndarray, " units"], count: int, rng: np.random.Generator
) -> list[Split]:
    """Deal the units to folds, stratum after stratum; each fold is the val part once."""
    order = rng.permutation(len(units))
    order = order[np.argsort(strata[order], kind="stable")]
    fold_of = np.empty(len(units), dtype=np.int64)
    fold_of[order] = np.arange(len(units)) % count
    return [
        Split(fold, _named(units, fold_of != fold), val=_named(units, fold_of == fold), test=())
        for fold in range(count)
    ]


def _monte_carlo(
    fold: int, units: Sequence[str], strata: Int64[np.ndarray, " units"], rng: np.random.Generator
) -> Split:
    """Draw val and test slides anew from each class, without regard to patients, as the published folds were."""
    part = np.zeros(len(units), dtype=np.int64)
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        held_out = round(HELD_OUT * len(members))
        part[members[:held_out]] = 1
        part[members[held_out : 2 * held_out]] = 2
    return Split(fold, *(_named(units, part == index) for index in range(3)))


def _named(units: Sequence[str], chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(compress(units, chosen))
