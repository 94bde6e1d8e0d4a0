"""A leaderboard as one small Markdown table, methods by tasks, and putting it into a document."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hiptbench.cells import Cell
from hiptbench.errors import StoreError
from hiptbench.files import write_text
from hiptbench.suites import published_draw

BEGIN, END = "<!-- leaderboard:begin -->", "<!-- leaderboard:end -->"


def summary(cells: Sequence[Cell]) -> str:
    """Return a Markdown table: a line a method and training fraction, a column a task.

    Args:
        cells: Cells of one suite; those of incomplete cohorts are left out, as they are never ranked, and those whose
            training part was not drawn by the suite's rule.

    Returns:
        The table.

    Raises:
        StoreError: If two cells claim one place, as two metrics of a task or two variants of a method do.
    """
    cells = [cell for cell in cells if not cell.missing_slides and published_draw(cell.suite, cell.fraction_rule)]
    _refuse_two_in_one_place(cells)
    metrics = {cell.task: cell.metric for cell in cells}
    methods = sorted({_method(cell) for cell in cells}, key=lambda method: (-method[0], method[1:]))
    heads = [f"{task.replace('_', ' ')}, {metric}" for task, metric in metrics.items()]
    lines = [["method", "train", *heads], ["---"] * (len(metrics) + 2)]
    for method in methods:
        fraction, features, baseline, kind = method
        own = {cell.task: cell.score for cell in cells if _method(cell) == method}
        mark = "" if kind == "measured" else f" ({kind})"
        lines.append([f"{features}/{baseline}{mark}", f"{fraction:.0%}", *(own.get(task, "") for task in metrics)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _refuse_two_in_one_place(cells: Sequence[Cell]) -> None:
    places = Counter((cell.task, *_method(cell)) for cell in cells)
    for (task, _, features, baseline, _), count in places.items():
        if count > 1:
            raise StoreError(
                f"{count} numbers claim the place of {features}/{baseline} on {task}: show one metric and one variant."
            )


def put_into(document: Path, text: str) -> None:
    """Replace what stands between a document's two leaderboard markers.

    Raises:
        StoreError: If the document lacks the markers.
    """
    content = document.read_text(encoding="utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise StoreError(f"{document} has no place for a leaderboard: put '{BEGIN}' and '{END}' into it.")
    write_text(document, f"{before}{BEGIN}\n{text}{END}{after}")


def _method(cell: Cell) -> tuple[float, str, str, str]:
    return cell.fraction, cell.features, cell.baseline, cell.kind
