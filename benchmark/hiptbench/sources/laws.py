"""The laws that simulated cohorts are drawn from: one definition for the generator and for its oracle.

Regions. A slide has 1 + NB(2) regions: negative binomial with shape 2 and the stated mean, because the number of
4096-pixel regions of the 3,457 slides of the nine real cohorts has mean 38 and standard deviation 27. A region is
N(0, I). With the slide's witness probability it is a witness and lies ``signal`` further along one of a few
orthogonal directions (rows of a Walsh matrix, so that every dimension carries the same part of the signal).

Survival. A case has a burden z ~ N(0, 1), known to nobody. Its log hazard is ``log_hazard_sd`` z, its time of death
exponential with median ``median_months`` at z = 0, and the witness probability of its slides is
2 ``witness_rate`` Phi(z): uniform, with mean ``witness_rate``. Censoring is independent and exponential. Its mean is
the one at which a cohort has exactly the stated number of events: death d comes before censoring ``scale`` v iff
d / v <= ``scale``, so ``scale`` lies between two order statistics of d / v. The oracle uses that very scale.

Every draw has its own stream, seeded by (seed, purpose), so that no draw depends on the order of the others. Values
that a hash covers are rounded (features to float16, months to two decimals) to outlive differences of mathematical
libraries in the last bit.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import ndtr

from hiptbench.errors import TaskError
from hiptbench.targets import Survival
from hiptbench.task_spec import SyntheticData, TaskSpec

Value = TypeVar("Value")

REGION_SHAPE = 2
"""Shape of the negative binomial law of the number of regions."""

LEAST_MONTHS = 0.01
"""The shortest observed time; a time of zero is outside the support of many survival models."""


def settings(spec: TaskSpec) -> SyntheticData:
    """Return a task's generator settings.

    Raises:
        TaskError: If the task is not simulated, or its settings contradict its expected counts.
    """
    data, expected = spec.data, spec.expected
    if not isinstance(data, SyntheticData):
        raise TaskError(f"{spec.name} is not simulated: its data have the origin '{data.origin}', not 'synthetic'.")
    slides = sum(size * cases for size, cases in enumerate(data.slides_per_case, start=1))
    if (sum(data.slides_per_case), slides) != (expected.cases, expected.slides):
        raise TaskError(
            f"slides_per_case of {spec.name} amounts to {sum(data.slides_per_case)} cases with {slides} slides, its "
            f"expected counts say {expected.cases} with {expected.slides}. Mend its task.yaml."
        )
    return data


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator of random numbers for one purpose; different purposes are independent."""
    return np.random.default_rng([seed, *"/".join(map(str, purpose)).encode()])


def region_counts(data: SyntheticData, slides: int, rng: np.random.Generator) -> Int64[np.ndarray, " slides"]:
    """Draw how many regions each slide has, at least one."""
    success = REGION_SHAPE / (REGION_SHAPE + data.regions_mean - 1)
    return 1 + rng.negative_binomial(REGION_SHAPE, success, slides)


def directions(dim: int, count: int) -> Float64[np.ndarray, "count dim"]:
    """Return orthogonal unit vectors: rows 1 to ``count`` of the Walsh matrix.

    Raises:
        TaskError: If ``dim`` is not a power of two above ``count``.
    """
    if dim <= count or dim & (dim - 1):
        raise TaskError(f"dim is {dim}; {count} orthogonal directions need a power of two above {count}.")
    parity = np.bitwise_count(np.arange(1, count + 1)[:, None] & np.arange(dim)) % 2
    return np.where(parity, -1.0, 1.0) / math.sqrt(dim)


@dataclass(frozen=True, eq=False)
class Lives:
    """Simulated cases before anybody observes them.

    Attributes:
        burden: Standard normal; what the hazard and the fraction of witnesses depend on.
        death: Time of the event in months.
        dropout: Time of censoring in units of the censoring scale.
    """

    burden: Float64[np.ndarray, " n"]
    death: Float64[np.ndarray, " n"]
    dropout: Float64[np.ndarray, " n"]

    def censoring_scale(self, events: int) -> float:
        """Return the mean time of censoring, in months, at which exactly ``events`` deaths are seen."""
        edges = np.concatenate([[0.0], np.sort(self.death / self.dropout), [np.inf]])
        return float(edges[events : events + 2].mean())

    def observed(self, scale: float) -> Survival:
        """Return what is seen of these lives under censoring with mean ``scale`` months."""
        seen = np.minimum(self.death, scale * self.dropout)
        return Survival(np.maximum(np.round(seen, 2), LEAST_MONTHS), self.death <= scale * self.dropout)


def draw_lives(spec: TaskSpec, cases: int, rng: np.random.Generator) -> Lives:
    """Draw fresh cases of a survival task."""
    burden = rng.standard_normal(cases)
    at_average = _stated(spec, "median_months", settings(spec).median_months) / math.log(2)
    death = at_average * np.exp(-log_hazard(spec, burden)) * rng.standard_exponential(cases)
    return Lives(burden, death, rng.standard_exponential(cases))


def cohort_lives(spec: TaskSpec) -> tuple[Lives, float]:
    """Return the cases of a survival task's own cohort, and the censoring scale that gives its number of events."""
    lives = draw_lives(spec, spec.expected.cases, stream(settings(spec).seed, "lives"))
    return lives, lives.censoring_scale(_stated(spec, "events", spec.expected.events))


def log_hazard(spec: TaskSpec, burden: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return the log hazard ratio of cases against a case of burden 0."""
    return _stated(spec, "log_hazard_sd", settings(spec).log_hazard_sd) * burden


def witness_probability(data: SyntheticData, burden: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return the probability that a region of a case shows the signal; its mean is ``witness_rate``."""
    rank: np.ndarray = ndtr(burden)
    return 2 * data.witness_rate * rank


def class_sizes(spec: TaskSpec) -> list[int]:
    """Return how many slides each class has, in the order of the classes.

    Raises:
        TaskError: If the task does not state it, or the classes do not add up to its slides.
    """
    per_class = _stated(spec, "per_class", spec.expected.per_class)
    sizes = [per_class.get(name, 0) for name in spec.classes or ()]
    if sum(sizes) != spec.expected.slides:
        raise TaskError(
            f"The classes {list(spec.classes or ())} of {spec.name} have {sum(sizes)} slides by its per_class, but "
            f"it has {spec.expected.slides}. Mend its task.yaml."
        )
    return sizes


def _stated(spec: TaskSpec, name: str, value: Value | None) -> Value:
    if value is None:
        raise TaskError(f"{spec.name} is a simulated {spec.kind} task without {name}. State it in its task.yaml.")
    return value
