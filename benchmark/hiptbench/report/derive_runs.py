"""What the page says of one run: its card."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from statistics import fmean

from hiptbench.cells import Cell
from hiptbench.fractions import BY_PATIENTS
from hiptbench.joining import Joined
from hiptbench.panels import Panel, Run
from hiptbench.published import published_tables
from hiptbench.report.derive_assessment import assessed, plain
from hiptbench.report.derive_attention import attention_of
from hiptbench.report.run_data import Bounds, FoldValue, RunReport
from hiptbench.results import FoldResult
from hiptbench.statistics.draws import Interval


def run_report(panel: Panel, run: Run, cell: Cell, joined: Joined, interval: Interval | str) -> RunReport:
    """Return the card of one run.

    Args:
        panel: Where it stands.
        run: The run.
        cell: Its cell of the leaderboard.
        joined: Results beside the tasks.
        interval: Its interval, or why there is none.
    """
    first = run.rows[0]
    return RunReport(
        card=run.card,
        kind=panel.kind,
        suite=panel.protocol.suite,
        task=panel.protocol.task,
        features=first.features,
        baseline=first.baseline,
        printed=_printed().get(first.baseline) if panel.kind == "published" else None,
        fraction=panel.protocol.fraction,
        metric=panel.metric,
        mean=cell.mean,
        sd_folds=cell.sd_folds,
        sd_seeds=cell.sd_seeds,
        n_seeds=cell.n_seeds,
        n_draws=panel.protocol.draws,
        n_units=cell.n_units,
        n_evaluations=cell.n_evaluations,
        n_events=cell.n_events,
        folds=tuple(_fold(run, fold, value) for fold, value in run.by_fold(panel.metric).items()),
        interval=None if isinstance(interval, str) else bounds(interval),
        interval_why=interval if isinstance(interval, str) else None,
        contamination=cell.contamination,
        reproduced=cell.reproduced,
        errata=cell.errata,
        of_repeat=_repeat(panel, run),
        **assessed(panel, run, joined),
        attention=attention_of(run, joined),
        training=_training(run.rows),
        protocol=panel.protocol,
        protocol_id=panel.id,
        metric_definition=first.definitions[panel.metric],
        provenance=first.provenance,
        dates=_dates(run.rows),
        seconds=sum(row.timing.seconds for row in run.rows if row.timing) or None,
        remake=() if panel.kind == "published" else _remake(panel, run),
    )


def bounds(interval: Interval) -> Bounds:
    """Return an interval as the page keeps it."""
    return Bounds(low=interval.low, high=interval.high, draws=interval.draws, redrawn=interval.redrawn)


def _fold(run: Run, fold: int, value: float) -> FoldValue:
    row = next(row for row in run.rows if row.fold == fold)
    return FoldValue(fold=fold, value=value, n=row.n, events=row.events)


def _training(rows: Iterable[FoldResult]) -> dict[str, tuple[float, ...]]:
    """Return the mean over the folds of what was measured in each epoch that all of them had."""
    histories = [row.history for row in rows]
    shared = min((len(history) for history in histories), default=0)
    names = list(histories[0][0]) if shared else []
    return {
        name: plain(fmean(history[epoch][name] for history in histories) for epoch in range(shared))
        for name in names
        if all(name in epoch for history in histories for epoch in history[:shared])
    }


def _dates(rows: Sequence[FoldResult]) -> tuple[str, str] | None:
    dates = sorted(row.timing.date[:10] for row in rows if row.timing)
    return (dates[0], dates[-1]) if dates else None


def _repeat(panel: Panel, run: Run) -> str | None:
    """Return in words which of several seeds and draws is shown where only one can be."""
    first, draws = run.repeats[0][0], panel.protocol.draws
    seeds = len({row.seed for row in run.rows})
    said = [f"seed {first.seed} (of {seeds})"] if seeds > 1 else []
    return ", ".join([*said, *([f"draw {first.draw + 1} (of {draws})"] if draws > 1 else [])]) or None


@cache
def _printed() -> Mapping[str, str]:
    """Return the names under which the paper prints what its authors' folders call otherwise."""
    tables = sorted(published_tables(), key=lambda table: table.name != "ablation")  # it has names of its own for HIPT
    return {method.query.model: method.name for table in tables for method in table.methods if method.query}


def _remake(panel: Panel, run: Run) -> tuple[str, ...]:
    protocol, first = panel.protocol, run.rows[0]
    suite = "" if protocol.suite.startswith("own:") else f" --suite {protocol.suite}"
    seeds = "".join(f" --seed {seed}" for seed in sorted({row.seed for row in run.rows}))
    fraction = "" if protocol.fraction == 1 else f" --fraction {protocol.fraction:g}"
    rule = " --fraction-rule patients" if protocol.fraction_rule == BY_PATIENTS.stated else ""
    command = f"hiptbench run{suite} --task {protocol.task} --features {first.features} --baseline {first.baseline}"
    return f"{command}{fraction}{rule}{seeds}", "hiptbench results verify"
