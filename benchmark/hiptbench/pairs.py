"""A method against another on one task: the draws of patients, the test that a verdict stands on, and the words."""

from collections.abc import Sequence
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
from hiptbench.statistics.wording import sentence
from hiptbench.task_store import load_spec

Drawn = Draws | str
"""The draws of a panel, or why there are none."""

_NO_DATA = "the task's data are not at hand, or the cohort lacks slides"
_NO_SIZES = "the numbers of units trained on are not known without the task's data"

CORRECTED_T, DELONG, BOOTSTRAP = "corrected t over folds", "DeLong", "paired bootstrap"


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


def draw(panel: Panel, joined: Joined, *, draws: int = DRAWS) -> Drawn:
    """Draw the patients of a panel anew, the same for all of its methods.

    Args:
        panel: Runs of one Protocol.
        joined: Results beside the tasks.
        draws: How many draws.

    Returns:
        The draws, or why there are none: values alone are published, data are not at hand, there are too few patients.
    """
    first = panel.runs[0].rows[0]
    if first.predictions_sha256 is None:
        return "only each fold's value is published"
    if not joined.has_task(first):
        return _NO_DATA
    try:
        cases = dict(zip(joined.task(first).units, joined.task(first).cases, strict=True))
        return bootstrap({run.name: run.predictions(joined) for run in panel.runs}, cases, draws=draws)
    except MetricError as error:
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
    result, test = _tested(panel, run, other, difference, joined)
    why = drawn if isinstance(drawn, str) else None
    return TaskComparison(panel.protocol.task, run.name, reference, result, test, difference, why, (run, other))


def _tested(
    panel: Panel, run: Run, other: Run, difference: BootstrapDifference | None, joined: Joined
) -> tuple[Comparison, str]:
    """Return the test that the verdict stands on, and its name."""
    if panel.protocol.folds == 1 and difference is not None:
        task = joined.task(run.rows[0])
        if panel.metric == "auc" and len(task.spec.classes or ()) == 2:
            cases = dict(zip(task.units, task.cases, strict=True))
            return delong(run.predictions(joined), other.predictions(joined), cases), DELONG
        return difference, BOOTSTRAP
    try:
        ratio = ratio_of(panel, joined)
    except (StoreError, TaskError, UnknownNameError):
        return Untested(panel.mean(run) - panel.mean(other), _NO_SIZES), "none"
    return over_folds(panel, run, other, ratio), f"{CORRECTED_T}, {ratio.label}"


def over_folds(panel: Panel, run: Run, other: Run, ratio: Ratio) -> CorrectedT:
    """Return the corrected t of two runs of a panel, fold by fold."""
    first, second = (np.array(list(one.by_fold(panel.metric).values())) for one in (run, other))
    return corrected_t(first, second, ratio)


def ratio_of(panel: Panel, joined: Joined) -> Ratio:
    """Return how much the dependence of a panel's folds adds to the variance of their mean.

    Raises:
        UnknownNameError: If the task is not known here; also TaskError if its data are needed and not at hand, and
            StoreError if they are not those that the rows were made with.
    """
    protocol = panel.protocol
    if protocol.folds == 1:
        return Ratio(0.0, "one fold")
    if load_spec(protocol.task, joined.home).folds.scheme == "partition":
        return Ratio.of_partition(protocol.folds)
    rows = panel.runs[0].repeats[0]
    tested = [len(joined.task(row).evaluated(joined.task(row).split(row.fold))) for row in rows]
    return Ratio.of_repeated_splits(tested, [len(joined.trained_on(row)) for row in rows])


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return methods' names without their features where all have the same ones."""
    features = {name.partition("/")[0] for name in names}
    return tuple(name.partition("/")[2] for name in names) if len(features) == 1 else tuple(names)


def adjusted(raw: Sequence[TaskComparison]) -> tuple[TaskComparison, ...]:
    """Return the comparisons of one family with their p adjusted and said in words."""
    by_holm = holm({(one.task, one.method): one.result.p for one in raw})
    found = []
    for one in raw:
        p = by_holm[one.task, one.method]
        first, second = short_names((one.method, one.reference))
        said = sentence(first, second, one.result, adjusted=p, family=len(raw))
        found.append(replace(one, adjusted=p, sentence=said))
    return tuple(found)
