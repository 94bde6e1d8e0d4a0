"""Methods across tasks: mean ranks with intervals, and differences from one named reference, from the same draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from jaxtyping import Float64
from scipy.stats import rankdata

from hiptbench.errors import MetricError, UnknownNameError, name_some
from hiptbench.statistics.comparison import DECIMALS
from hiptbench.statistics.draws import BootstrapDifference, Draws, Interval, paired_difference, percentile_interval


@dataclass(frozen=True)
class MeanRank:
    """A method's place over tasks.

    Attributes:
        method: Its name.
        rank: Mean over tasks of its rank within each; 1 is the best, ties share ranks.
        interval: The 2.5 and 97.5 % percentiles of its rank, taken within each task of each draw of patients. It is no
            confidence interval: ranks are bounded and draws add noise of their own, so that the best method's rank is
            worse in most draws than on the patients themselves, and the interval covers less often than 95 %.
    """

    method: str
    rank: float
    interval: Interval


@dataclass(frozen=True)
class Ranks:
    """The places of the methods that every chosen task has.

    Attributes:
        tasks: The tasks.
        methods: The methods, best first.
        left_out: Method that is not ranked, to the tasks that it lacks.
        shared_patients: Two tasks to the number of their common patients, where there are any: their draws are
            independent, their results are not.
    """

    tasks: tuple[str, ...]
    methods: tuple[MeanRank, ...]
    left_out: Mapping[str, tuple[str, ...]]
    shared_patients: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class AcrossTasks:
    """A method against the reference, over tasks.

    Attributes:
        method: Name of the method.
        reference: Name of the reference.
        difference: Mean over tasks of the method's metric less the reference's, with its interval and test.
        wins: Tasks on which the method's metric is higher.
        ties: Tasks on which they are equal.
        losses: Tasks on which it is lower.
        adjusted: The difference's p after Holm within the family.
    """

    method: str
    reference: str
    difference: BootstrapDifference
    wins: int
    ties: int
    losses: int
    adjusted: float | None = None


def complete_methods(tasks: Mapping[str, Draws]) -> tuple[str, ...]:
    """Return the methods that every task has, in the order of the first task."""
    first, *others = tasks.values()
    return tuple(name for name in first.methods if all(name in other.methods for other in others))


def nested_tasks(tasks: Mapping[str, Draws]) -> dict[str, str]:
    """Return each task all of whose patients are another's, to that other.

    Its draws would be taken as independent of the other's, though no patient of it is new: over tasks the same patients
    would count twice. Of two tasks with the same patients the later one is nested.
    """
    found: dict[str, str] = {}
    sets = {task: {*draws.patients} for task, draws in tasks.items()}
    places = list(tasks)
    for inner, outer in permutations(tasks, 2):
        twin_first = sets[inner] == sets[outer] and places.index(inner) < places.index(outer)
        if inner not in found and sets[inner] <= sets[outer] and not twin_first:
            found[inner] = outer
    return found


def mean_ranks(tasks: Mapping[str, Draws]) -> Ranks:
    """Rank the methods that every task has.

    Args:
        tasks: Task to the draws of its methods; of one kind of task, since metrics are not mixed.

    Raises:
        MetricError: If there is no task, no method that all have, or tasks have other numbers of draws.
    """
    methods = _complete(tasks)
    estimates, values = _stacked(tasks, methods)
    ranks, drawn = ranks_within(estimates).mean(axis=0), ranks_within(values).mean(axis=0)
    found = [
        MeanRank(m, float(ranks[i]), percentile_interval(drawn[i], _redrawn(tasks))) for i, m in enumerate(methods)
    ]
    every = {name for draws in tasks.values() for name in draws.methods}
    left_out = {m: tuple(t for t, draws in tasks.items() if m not in draws.methods) for m in sorted(every - {*methods})}
    return Ranks(tuple(tasks), tuple(sorted(found, key=lambda one: one.rank)), left_out, _shared(tasks))


def against(reference: str, tasks: Mapping[str, Draws]) -> tuple[AcrossTasks, ...]:
    """Compare every other method that all tasks have with one named reference.

    Args:
        reference: Name of the method to compare with, chosen before the results were seen.
        tasks: As for ``mean_ranks``.

    Returns:
        One comparison a method, in the order of the first task. Their p are one family for Holm.

    Raises:
        MetricError: As ``mean_ranks`` does.
        UnknownNameError: If not all tasks have the reference.
    """
    methods = _complete(tasks)
    if reference not in methods:
        raise UnknownNameError("method on all these tasks", reference, methods)
    estimates, values = _stacked(tasks, methods)
    at, found = methods.index(reference), []
    for row, method in enumerate(methods):
        if row != at:
            by_task = np.round(estimates[:, row] - estimates[:, at], DECIMALS)
            drawn = (values[:, row] - values[:, at]).mean(axis=0)
            wins, losses = int((by_task > 0).sum()), int((by_task < 0).sum())
            difference = paired_difference(float(by_task.mean()), drawn, _redrawn(tasks))
            found.append(AcrossTasks(method, reference, difference, wins, len(tasks) - wins - losses, losses))
    return tuple(found)


def ranks_within(values: Float64[np.ndarray, "tasks methods ..."]) -> Float64[np.ndarray, "tasks methods ..."]:
    """Return the methods' ranks within each task, and each draw: 1 for the highest; ties share the mean of theirs.

    Args:
        values: Metric of each method on each task; values that differ by rounding only are tied.
    """
    ranks: np.ndarray = rankdata(-np.round(values, DECIMALS), axis=1)
    return ranks


def _complete(tasks: Mapping[str, Draws]) -> tuple[str, ...]:
    if not tasks:
        raise MetricError("There is no task to rank on. Name one at least.")
    counts = {task: draws.values.shape[1] for task, draws in tasks.items()}
    if len(set(counts.values())) > 1:
        listing = ", ".join(f"{task} {count}" for task, count in counts.items())
        raise MetricError(f"Tasks have other numbers of draws: {listing}. Draw the same number for each.")
    methods = complete_methods(tasks)
    if not methods:
        raise MetricError(f"No method is complete on all {len(tasks)} tasks: {name_some(list(tasks))}.")
    return methods


def _stacked(
    tasks: Mapping[str, Draws], methods: Sequence[str]
) -> tuple[Float64[np.ndarray, "tasks methods"], Float64[np.ndarray, "tasks methods draws"]]:
    rows = [(draws, [draws.methods.index(method) for method in methods]) for draws in tasks.values()]
    estimates = np.array([draws.estimates[chosen] for draws, chosen in rows])
    return estimates, np.array([draws.values[chosen] for draws, chosen in rows])


def _redrawn(tasks: Mapping[str, Draws]) -> int:
    """Return how many draws were drawn again on the task where it happened most."""
    return max(draws.redrawn for draws in tasks.values())


def _shared(tasks: Mapping[str, Draws]) -> dict[tuple[str, str], int]:
    pairs = {(a, b): len({*tasks[a].patients} & {*tasks[b].patients}) for a, b in combinations(tasks, 2)}
    return {pair: count for pair, count in pairs.items() if count}
