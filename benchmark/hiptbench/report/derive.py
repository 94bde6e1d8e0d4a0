"""Derive everything that the page shows from results and the tasks' data."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from hiptbench.boards import board_of
from hiptbench.cells import Cell, shown_runs
from hiptbench.export import Export, canonical_order
from hiptbench.files import sha256_lines
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, draw
from hiptbench.panels import Panel, PanelKey, Run, panels
from hiptbench.published_rows import as_results, load_published
from hiptbench.report.data import ReportData
from hiptbench.report.derive_families import families
from hiptbench.report.derive_runs import run_report
from hiptbench.report.derive_tables import table_reports
from hiptbench.report.derive_tasks import suite_report, suites_of, task_reports
from hiptbench.report.run_data import RunReport
from hiptbench.results import FoldResult
from hiptbench.statistics.bootstrap import DRAWS
from hiptbench.statistics.draws import ESTIMAND, Draws
from hiptbench.store import Store

OnPanel = Callable[[int, int], object]


def derive(
    results: Store | Export,
    home: Path | None = None,
    *,
    rows: Sequence[FoldResult] | None = None,
    draws: int = DRAWS,
    on_panel: OnPanel | None = None,
) -> ReportData:
    """Return what the page shows, without ids or labels.

    Intervals, comparisons and curves take the tasks' data; where these are not at hand, the page says so.

    Args:
        results: A store or an export.
        home: The data home with the tasks.
        rows: Those of the results to show; all of them by default.
        draws: Draws of patients.
        on_panel: Called with (panels done, panels in all).
    """
    joined, folds = Joined(results, home), load_published(results.path)
    own = sorted(results.rows() if rows is None else rows, key=canonical_order)
    suites = {row.protocol.suite for row in own}
    every = [*own, *(row for row in as_results(folds) if rows is None or row.protocol.suite in suites)]
    board = board_of(results, rows=own)
    cells = {_place(cell): cell for cell in board.cells}
    found, drawn = panels(every), dict[PanelKey, Drawn]()
    runs: list[RunReport] = []
    for number, panel in enumerate(found, start=1):
        drawn[panel.key] = of = draw(panel, joined, draws=draws)
        runs += [_card(panel, run, cells, joined, of) for run in panel.runs]
        if on_panel:
            on_panel(number, len(found))
    shown = suites_of(every)
    return ReportData(
        rows_sha256=sha256_lines(sorted(row.fingerprint for row in own)),
        version=version("hiptbench"),
        estimand=ESTIMAND,
        suites=tuple(suite_report(one) for one in shown),
        tasks=tuple(task for one in shown for task in task_reports(one, joined)),
        runs=tuple(runs),
        families=families(found, drawn, joined),
        tables=table_reports(board.cells, runs, folds),
        notes=shown_runs(own)[1],
    )


def _card(panel: Panel, run: Run, cells: dict[tuple[str, ...], Cell], joined: Joined, drawn: Drawn) -> RunReport:
    first = run.rows[0]
    cell = cells[panel.kind, panel.id, first.features, first.baseline, run.variant]
    interval = drawn.interval(run.name) if isinstance(drawn, Draws) else drawn
    return run_report(panel, run, cell, joined, interval)


def _place(cell: Cell) -> tuple[str, ...]:
    return cell.kind, cell.protocol, cell.features, cell.baseline, cell.variant
