"""Equivalent? Two of our own methods held against each other, fold by fold, by a margin fixed before they were run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from hiptbench.cells import shown_runs
from hiptbench.claims import Equivalence, Reproduction
from hiptbench.published_rows import published_protocol
from hiptbench.results import FoldResult

CONFIDENCE = 0.95
EQUIVALENT, NOT_EQUIVALENT = "equivalent", "not shown to be equivalent"

Scores = Mapping[tuple[str, int], Mapping[int, float]]
"""Task and seed to fold to value."""


@dataclass(frozen=True)
class Comparison:
    """An equivalence, and what was measured of it.

    Attributes:
        stated: What is expected.
        wanted: The seeds fixed in advance.
        seeds: Those of them that both methods ran on every task.
        differences: Task to fold to method less reference, each a mean over the seeds.
    """

    stated: Equivalence
    wanted: tuple[int, ...]
    seeds: tuple[int, ...]
    differences: Mapping[str, Mapping[int, float]]

    @property
    def by_task(self) -> dict[str, float]:
        """Task to the mean difference of its folds."""
        return {task: fmean(folds.values()) for task, folds in self.differences.items()}

    @property
    def mean(self) -> float | None:
        """Mean difference over the tasks, each the mean over its folds."""
        return fmean(self.by_task.values()) if self.seeds else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % t interval of the mean difference, every fold of every task counting as one draw.

        The folds of a task share training patients, so that an interval for new patients would be wider; this one is
        about the two recipes on these folds.
        """
        from scipy.stats import t

        values = [value for folds in self.differences.values() for value in folds.values()]
        if self.mean is None or len(values) < 2:
            return None
        half = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stdev(values) / sqrt(len(values))
        return self.mean - half, self.mean + half

    @property
    def verdict(self) -> str:
        """Whether the whole interval lies inside the margin, or how many seeds there are to say it with."""
        if self.seeds != self.wanted or self.interval is None:
            return f"{len(self.seeds)} of {len(self.wanted)} seeds"
        low, high = self.interval
        return EQUIVALENT if -self.stated.margin < low and high < self.stated.margin else NOT_EQUIVALENT


def compare(stated: Reproduction, rows: Sequence[FoldResult]) -> tuple[Comparison, ...]:
    """Hold our methods against each other.

    Args:
        stated: What was fixed in advance.
        rows: Rows of a store or an export; measured ones under the published Protocol count, of several runs of a
            method the newest.
    """
    runs, _ = shown_runs([row for row in rows if row.kind == "measured"])
    return tuple(_compare(one, stated.seeds, runs) for one in stated.equivalences)


def _compare(stated: Equivalence, wanted: tuple[int, ...], runs: Sequence[Sequence[FoldResult]]) -> Comparison:
    ours, theirs = (_scores(runs, stated, baseline) for baseline in (stated.baseline, stated.reference))
    seeds = tuple(seed for seed in wanted if all((task, seed) in ours.keys() & theirs.keys() for task in stated.tasks))
    differences = {
        task: {
            fold: fmean(ours[task, seed][fold] - theirs[task, seed][fold] for seed in seeds)
            for fold in ours[task, seeds[0]]
        }
        for task in (stated.tasks if seeds else ())
    }
    return Comparison(stated, wanted, seeds, differences)


def _scores(runs: Sequence[Sequence[FoldResult]], stated: Equivalence, baseline: str) -> Scores:
    """Return the values of one method under the published Protocol of each task, of its newest run there."""
    protocols = {task: published_protocol(task, stated.fraction) for task in stated.tasks}
    scores: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    seen = set()
    for run in runs:  # the newest first
        row = run[0]
        task = row.protocol.task
        same = (row.features, row.baseline) == (stated.features, baseline)
        if not same or task in seen or protocols.get(task) != row.protocol:
            continue
        seen.add(task)
        for row in run:
            scores[task, row.seed][row.fold] = row.metrics[stated.metric]
    return scores
