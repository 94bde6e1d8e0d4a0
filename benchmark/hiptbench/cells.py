"""Leaderboard: folds of one Protocol, one method and one provenance, averaged into a cell; nothing else is averaged."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from hiptbench.results import FoldResult, Protocol, ResultKind
from hiptbench.suites import Suite, load_suite, suite_names

RANKED = {"classification": "auc", "survival": "c_index"}
"""What tasks are ranked by where no suite of the registry says it."""


@dataclass(frozen=True)
class Cell:
    """One number of the leaderboard; the fields are the columns of its CSV.

    Attributes:
        kind: Measured on real data, published by others, or measured on simulated data.
        suite: Name of the suite.
        task: Name of the task.
        features: Name of the features.
        baseline: Name of the method.
        fraction: Fraction of the training part.
        fraction_rule: How it was drawn; None at 1.
        metric: Name of the metric.
        mean: Mean over folds, then over draws and seeds.
        sd_folds: Standard deviation (ddof 1) over folds of the value averaged over draws and seeds.
        sd_seeds: Standard deviation (ddof 1) over seeds of the mean over folds; None for one seed.
        n_folds: Folds.
        n_seeds: Seeds.
        n_units: Distinct units evaluated in any fold.
        n_evaluations: Units evaluated, summed over folds; more than ``n_units`` where folds overlap.
        n_events: Events among the evaluated units, summed over folds; None for classification.
        protocol: Short name of the Protocol with the metric; only equal ones may be compared. It ends in "-incomplete"
            where the cohort lacks slides.
        missing_slides: Slides of the registered cohort that were not run; above 0 the cell is never ranked.
        variant: Short name of the provenance.
        contamination: Whether the features' encoder was trained on the task's slides; see ``hiptbench.contamination``.
        reproduced: Whether the published value that the method claims to reproduce is reproduced, or how many of the
            seeds that the claim needs were run; None where nothing is claimed, and unless the board was asked.
        errata: Marks of the errata that touch a published number; None as above.
    """

    kind: ResultKind
    suite: str
    task: str
    features: str
    baseline: str
    fraction: float
    fraction_rule: str | None
    metric: str
    mean: float
    sd_folds: float | None
    sd_seeds: float | None
    n_folds: int
    n_seeds: int
    n_units: int
    n_evaluations: int | None
    n_events: int | None
    protocol: str
    missing_slides: int
    variant: str
    contamination: str
    reproduced: str | None = None
    errata: str | None = None

    @property
    def method(self) -> str:
        """How people call what was run."""
        return f"{self.features}/{self.baseline}"

    @property
    def score(self) -> str:
        """The mean, with its spread over folds where there is one, as people read it."""
        return f"{self.mean:.3f}" if self.sd_folds is None else f"{self.mean:.3f} ± {self.sd_folds:.3f}"


COLUMNS = tuple(field.name for field in fields(Cell) if field.name not in ("missing_slides", "variant"))


@dataclass(frozen=True)
class Leaderboard:
    """The cells of a store, and what was left out of them.

    Attributes:
        cells: Ordered by suite, task, metric and fraction; complete cohorts first, then best first.
        notes: Incomplete cells, and older variants that newer ones hide.
    """

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def leaderboard(
    rows: Iterable[FoldResult], *, metrics: Sequence[str] | None = None, all_variants: bool = False
) -> Leaderboard:
    """Average folds into cells.

    Only folds of equal Protocol, features, baseline and provenance are averaged. A cell needs every fold of each of its
    seeds, in every draw; one that lacks some is left out and named. Where a method was run in several versions of code
    or libraries, the newest complete one stands on the board; other feature values, another head or other settings
    under one name are another method, and each stands there.

    Args:
        rows: Rows of a store.
        metrics: Metrics to show; the one that each kind of task is ranked by by default.
        all_variants: Whether to show every provenance, not only the newest.
    """
    runs, notes = shown_runs(rows, all_variants=all_variants)
    suites = registered_suites()
    cells = [cell for run in runs for cell in _cells(run, metrics or (ranked_by(run[0].protocol, suites),))]
    return Leaderboard(tuple(sorted(cells, key=_rank(suites))), tuple(sorted(notes)))


def registered_suites() -> dict[str, Suite]:
    """Return the registry's suites by name."""
    return {name: load_suite(name) for name in suite_names()}


def shown_runs(
    rows: Iterable[FoldResult], *, all_variants: bool = False
) -> tuple[list[list[FoldResult]], tuple[str, ...]]:
    """Group rows into what the leaderboard shows, before anything is averaged.

    Args:
        rows: Rows of a store.
        all_variants: Whether to show every provenance, not only the newest.

    Returns:
        The rows of each cell, newest cell first, and notes on what was left out.
    """
    groups: dict[tuple[str, ...], list[FoldResult]] = defaultdict(list)
    for row in rows:
        groups[row.kind, row.protocol.model_dump_json(), row.features, row.baseline, row.provenance.variant].append(row)
    notes: list[str] = []
    newest: dict[tuple[str, ...], list[list[FoldResult]]] = defaultdict(list)
    for key, group in groups.items():
        complete = _complete(group)
        if len(complete) < len(group):
            notes.append(_incomplete(group, len(complete)))
        if complete:
            newest[*key[:-1], group[0].provenance.method].append(complete)
    runs: list[list[FoldResult]] = []
    for variants in newest.values():
        variants.sort(key=_date, reverse=True)
        shown = variants if all_variants else variants[:1]
        if len(variants) > len(shown):
            notes.append(f"{_name(variants[0][0])}: {len(variants) - 1} older variant(s) not shown (--all-variants).")
        runs += shown
    return sorted(runs, key=_date, reverse=True), tuple(notes)


def _complete(group: Sequence[FoldResult]) -> list[FoldResult]:
    """Return the rows of those seeds that have every fold of every draw."""
    runs: dict[int, list[FoldResult]] = defaultdict(list)
    for row in group:
        runs[row.seed].append(row)
    wanted = _run_length(group[0].protocol)
    return [row for run in runs.values() if len({(row.draw, row.fold) for row in run}) == wanted for row in run]


def _run_length(protocol: Protocol) -> int:
    return protocol.folds * protocol.draws


def ranked_by(protocol: Protocol, suites: Mapping[str, Suite]) -> str:
    """Return the metric that a task is ranked by.

    Args:
        protocol: Protocol of a row of the task.
        suites: The registry's suites; of a suite of one's own the kind of task decides.
    """
    stated = suites[protocol.suite].metrics if protocol.suite in suites else {}
    return stated.get(protocol.task_kind, RANKED[protocol.task_kind])


def _cells(group: Sequence[FoldResult], metrics: Sequence[str]) -> list[Cell]:
    return [_cell(group, metric) for metric in metrics if all(metric in row.metrics for row in group)]


def _cell(group: Sequence[FoldResult], metric: str) -> Cell:
    first, protocol = group[0], group[0].protocol
    folds, seeds = sorted({row.fold for row in group}), sorted({row.seed for row in group})
    by_fold = [_mean(row.metrics[metric] for row in group if row.fold == fold) for fold in folds]
    by_seed = [_mean(row.metrics[metric] for row in group if row.seed == seed) for seed in seeds]
    one_run = [row for row in group if (row.seed, row.draw) == (first.seed, first.draw)]
    return Cell(
        kind=first.kind,
        suite=protocol.suite,
        task=protocol.task,
        features=first.features,
        baseline=first.baseline,
        fraction=protocol.fraction,
        fraction_rule=protocol.fraction_rule,
        metric=metric,
        mean=_mean(by_fold),
        sd_folds=_sd(by_fold),
        sd_seeds=_sd(by_seed),
        n_folds=len(folds),
        n_seeds=len(seeds),
        n_units=protocol.evaluated_units,
        n_evaluations=_total([row.n for row in one_run]),
        n_events=_total([row.events for row in one_run]),
        protocol=protocol_id(first, metric),
        missing_slides=protocol.missing_slides,
        variant=first.provenance.variant,
        contamination=str(first.contamination),
    )


def protocol_id(row: FoldResult, metric: str) -> str:
    """Return the short name of a row's Protocol with one of its metrics, as a cell shows it."""
    name = row.protocol.id_for(metric, row.definitions[metric])
    return f"{name}-incomplete" if row.protocol.missing_slides else name


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _sd(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _date(group: Sequence[FoldResult]) -> str:
    return max((row.timing.date for row in group if row.timing), default="")


def _name(row: FoldResult) -> str:
    return f"{row.protocol.task} at {row.protocol.fraction:.0%}, {row.features}/{row.baseline}"


def _incomplete(group: Sequence[FoldResult], complete: int) -> str:
    first = group[0]
    runs = len({row.seed for row in group})
    return (
        f"{_name(first)} is incomplete: {len(group) - complete} folds belong to runs that lack some of their "
        f"{_run_length(first.protocol)} folds ({runs} runs in all). Run the same command again to finish it."
    )


def _rank(suites: Mapping[str, Suite]) -> Callable[[Cell], tuple[object, ...]]:
    order = {task: i for suite in suites.values() for i, task in enumerate(suite.tasks)}
    return lambda cell: (
        cell.suite,
        order.get(cell.task, len(order)),
        cell.task,
        cell.metric,
        -cell.fraction,
        cell.missing_slides > 0,
        -cell.mean,
        cell.kind,
        cell.features,
        cell.baseline,
        cell.variant,
    )
