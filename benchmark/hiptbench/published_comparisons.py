"""The paper's own claim under its own numbers: HIPT against the best of the baselines it was compared with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hiptbench.joining import Joined
from hiptbench.pairs import ONLY_VALUES, TaskComparison, adjusted, over_folds, tested_over_folds
from hiptbench.panels import Panel, Run
from hiptbench.published import PublishedTable, published_tables
from hiptbench.statistics.corrected_t import CorrectedT, Ratio
from hiptbench.task_spec import Kind

HIPT = "HIPT"
CHOSEN = "the best of the paper's baselines by its mean, chosen after the fact, which favours it"


@dataclass(frozen=True)
class PublishedFamily:
    """HIPT against the best baseline on every task of a kind.

    Attributes:
        fraction: Training fraction.
        task_kind: Kind of the tasks.
        comparisons: One a task; the reference is the best baseline there.
        if_whole: Task to the result if all units of the training lists counted as trained on, where a part was drawn.
    """

    fraction: float
    task_kind: Kind
    comparisons: tuple[TaskComparison, ...]
    if_whole: Mapping[str, CorrectedT]


def published_families(panels: Iterable[Panel], joined: Joined) -> list[PublishedFamily]:
    """Compare HIPT with the best baseline of its own tables, from the authors' folds.

    Args:
        panels: Panels; those of published results count.
        joined: Results beside the tasks, for the units trained on.
    """
    published = [panel for panel in panels if panel.kind == "published" and joined.has_task(panel.runs[0].rows[0])]
    keys = dict.fromkeys((panel.protocol.fraction, panel.protocol.task_kind) for panel in published)
    families = [_family(fraction, kind, published, joined) for fraction, kind in keys]
    return [family for family in families if family.comparisons]


def _family(fraction: float, kind: Kind, panels: Sequence[Panel], joined: Joined) -> PublishedFamily:
    raw: list[TaskComparison] = []
    whole: dict[str, CorrectedT] = {}
    for panel in panels:
        protocol = panel.protocol
        if (protocol.fraction, protocol.task_kind) != (fraction, kind):
            continue
        for names in _tables_with(protocol.task, fraction):
            hipt, best = _contenders(panel, names)
            if hipt is None or best is None:
                continue
            other, runs = names[best.rows[0].baseline], (hipt, best)
            result, test = tested_over_folds(panel, runs, joined)
            raw.append(TaskComparison(protocol.task, HIPT, other, result, test, None, ONLY_VALUES, runs))
            if fraction < 1 and isinstance(result, CorrectedT):
                whole[protocol.task] = over_folds(panel, runs, _whole(panel, joined))
    return PublishedFamily(fraction, kind, adjusted(raw), whole)


def _tables_with(task: str, fraction: float) -> Iterator[dict[str, str]]:
    """Yield the methods of each table that holds HIPT beside baselines on a task: authors' name to printed name."""
    for table in published_tables():
        if _holds(table, task, fraction):
            yield {method.query.model: method.name for method in table.methods if method.query}


def _holds(table: PublishedTable, task: str, fraction: float) -> bool:
    printed = {cell.method for cell in table.cells if (cell.task, cell.fraction) == (task, fraction)}
    return table.name in ("subtyping", "survival") and HIPT in printed


def _contenders(panel: Panel, names: Mapping[str, str]) -> tuple[Run | None, Run | None]:
    """Return HIPT's run and the best of the others; a panel's runs stand best first."""
    there = [run for run in panel.runs if run.rows[0].baseline in names]
    hipt = next((run for run in there if names[run.rows[0].baseline] == HIPT), None)
    return hipt, next((run for run in there if run is not hipt), None)


def _whole(panel: Panel, joined: Joined) -> Ratio:
    task = joined.task(panel.runs[0].rows[0])
    return Ratio.of_repeated_splits(
        [len(task.evaluated(split)) for split in task.splits], [len(split.train) for split in task.splits]
    )
