"""A method against another on one task: the draws of patients, the test that a verdict stands on, and the words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiptbench.errors import MetricError, StoreError, TaskError, UnknownNameError
from hiptbench.joining import Joined
from hiptbench.panels import Panel, Run
from hiptbench.statistics.bootstrap import DRAWS, bootstrap
from hiptbench.statistics.comparison import Comparison
from hiptbench.statistics.corrected_t import CorrectedT, Ratio, corrected_t
from hiptbench.statistics.delong import delong
from hiptbench.statistics.draws import BootstrapDifference, Draws
from hiptbench.statistics.holm import holm
from hiptbench.statistics.wording import p_value, sentence

Drawn = Draws | str
"""The draws of a panel, or why there are none."""

ONLY_VALUES = "only each fold's value is published"
_NO_DATA = "the task's data are not at hand, or the cohort lacks slides"
_NO_SIZES = "the numbers of units trained on are not known"

CORRECTED_T, DELONG, BOOTSTRAP = "corrected t over folds", "DeLong", "paired bootstrap"
CLUSTERED = f"{DELONG} with Obuchowski's variance, clustered by patient"
NO_TEST = "none"
_MISSING = (StoreError, TaskError, UnknownNameError)


@dataclass(frozen=True)
class Untested:
    """A difference that nothing is known of but its size.

    Attributes:
        effect: Metric of the first method less that of the second.
        note: Why there is no test.
    """

    effect: float
    note: str
    low: None = None
    high: None = None
    p: None = None


@dataclass(frozen=True)
class TaskComparison:
    """A method against the reference on one task.

    Attributes:
        task: Name of the task.
        method: Name of the method.
        reference: Name of the reference.
        result: Effect, interval and p: of the corrected t over folds, which is about training too; of DeLong's test or
            the bootstrap where there is one split.
        test: Name of the test, with what is heuristic about it.
        bootstrap: The paired bootstrap: these fitted models on new patients; None where ``why`` says so.
        why: Why there is no bootstrap.
        runs: The runs of method and reference.
        adjusted: The p after Holm within the family.
        sentence: The comparison in words.
        sensitivity: What p would be under another ratio; None where there is no such question.
    """

    task: str
    method: str
    reference: str
    result: Comparison
    test: str
    bootstrap: BootstrapDifference | None
    why: str | None
    runs: tuple[Run, Run]
    adjusted: float | None = None
    sentence: str = ""
    sensitivity: str | None = None


def draw(panel: Panel, joined: Joined, *, draws: int = DRAWS, names: Collection[str] | None = None) -> Drawn:
    """Draw the patients of a panel anew, the same for all of its methods.

    Args:
        panel: Runs of one Protocol.
        joined: Results beside the tasks.
        draws: How many draws.
        names: Names of the runs to draw for; all of them by default.

    Returns:
        The draws, or why there are none: values alone are published, data are not at hand or not those of the rows,
        there are too few patients.
    """
    first = panel.runs[0].rows[0]
    if first.predictions_sha256 is None:
        return ONLY_VALUES
    if not joined.has_task(first):
        return _NO_DATA
    try:
        chosen = [run for run in panel.runs if names is None or run.name in names]
        return bootstrap({run.name: run.predictions(joined) for run in chosen}, joined.cases(first), draws=draws)
    except (MetricError, StoreError, TaskError) as error:
        return str(error)


def compare_pair(panel: Panel, run: Run, reference: str, drawn: Drawn, joined: Joined) -> TaskComparison:
    """Compare a run of a panel with the reference there.

    Args:
        panel: Where both stand.
        run: The run.
        reference: Name of the reference.
        drawn: The panel's draws.
        joined: Results beside the tasks.
    """
    difference = drawn.difference(run.name, reference) if isinstance(drawn, Draws) else None
    other = panel.run(reference)
    assert other is not None
    result, test = _tested(panel, (run, other), drawn, difference, joined)
    return TaskComparison(
        task=panel.protocol.task,
        method=run.name,
        reference=reference,
        result=result,
        test=test,
        bootstrap=difference,
        why=drawn if isinstance(drawn, str) else None,
        runs=(run, other),
        sensitivity=_sensitivity(panel, (run, other), joined),
    )


def _tested(
    panel: Panel, runs: tuple[Run, Run], drawn: Drawn, difference: BootstrapDifference | None, joined: Joined
) -> tuple[Comparison, str]:
    """Return the test that the verdict stands on, and its name."""
    if panel.protocol.folds > 1:
        return tested_over_folds(panel, runs, joined)
    if difference is None:
        return untested(panel, runs, str(drawn)), NO_TEST
    first = runs[0].rows[0]
    if panel.metric != "auc" or len(joined.task(first).spec.classes or ()) != 2:
        return difference, BOOTSTRAP
    found = delong(runs[0].predictions(joined), runs[1].predictions(joined), joined.cases(first))
    return found, CLUSTERED if found.clustered else DELONG


def tested_over_folds(panel: Panel, runs: tuple[Run, Run], joined: Joined) -> tuple[CorrectedT | Untested, str]:
    """Return the corrected t of two runs of a panel, and its name with the ratio; or why it cannot be computed."""
    try:
        ratio = ratio_of(panel, runs, joined)
    except _MISSING as error:
        return untested(panel, runs, f"{_NO_SIZES}: {error}"), NO_TEST
    return over_folds(panel, runs, ratio), f"{CORRECTED_T}, {ratio.label}"


def untested(panel: Panel, runs: tuple[Run, Run], why: str) -> Untested:
    """Return the difference of two runs of a panel with the reason why there is no test."""
    return Untested(panel.mean(runs[0]) - panel.mean(runs[1]), why)


def over_folds(panel: Panel, runs: tuple[Run, Run], ratio: Ratio) -> CorrectedT:
    """Return the corrected t of two runs of a panel, fold by fold."""
    first, second = (np.array(list(one.by_fold(panel.metric).values())) for one in runs)
    return corrected_t(first, second, ratio)


def ratio_of(panel: Panel, runs: tuple[Run, Run], joined: Joined) -> Ratio:
    """Return how much the dependence of a panel's folds adds to the variance of the mean difference of two runs.

    Raises:
        UnknownNameError: If the task is not known here; also TaskError if its data are needed and not at hand, and
            StoreError if they are not those that the rows were made with.
    """
    if _is_partition(panel, joined):
        return Ratio.of_partition(panel.protocol.folds)
    return _of_counts(runs, joined)


def _is_partition(panel: Panel, joined: Joined) -> bool:
    return joined.spec(panel.protocol.task).folds.scheme == "partition"


def _of_counts(runs: tuple[Run, Run], joined: Joined) -> Ratio:
    """Return evaluated over trained units; of two runs that hold out other numbers, those of the smaller mean."""
    tested = [len(joined.evaluated(row)) for row in runs[0].repeats[0]]
    trained = [[len(joined.trained_on(row)) for row in run.repeats[0]] for run in runs]
    ratio = Ratio.of_repeated_splits(tested, min(trained, key=sum))
    if sum(trained[0]) == sum(trained[1]):
        return ratio
    return replace(ratio, label=f"{ratio.label}, the smaller n_train of the two methods")


def _sensitivity(panel: Panel, runs: tuple[Run, Run], joined: Joined) -> str | None:
    """Return what p would be with the units really trained on, where a partition's training parts are drawn from."""
    if panel.protocol.folds == 1 or panel.protocol.fraction == 1:
        return None
    try:
        if not _is_partition(panel, joined):
            return None
        ratio = _of_counts(runs, joined)
    except _MISSING:
        return None
    p = over_folds(panel, runs, ratio).p
    return None if p is None else f"with {ratio.label}, p would be {p_value(p)}"


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return methods' names without their features where all have the same ones."""
    features = {name.partition("/")[0] for name in names}
    return tuple(name.partition("/")[2] for name in names) if len(features) == 1 else tuple(names)


def adjusted(raw: Sequence[TaskComparison]) -> tuple[TaskComparison, ...]:
    """Return the comparisons of one family with their p adjusted and said in words."""
    by_holm = holm({(one.task, one.method): one.result.p for one in raw})
    names = list(dict.fromkeys(name for one in raw for name in (one.method, one.reference)))
    short = dict(zip(names, short_names(names), strict=True))
    found = []
    for one in raw:
        p = by_holm[one.task, one.method]
        said = sentence(short[one.method], short[one.reference], one.result, adjusted=p, family=len(raw))
        found.append(replace(one, adjusted=p, sentence=said))
    return tuple(found)
