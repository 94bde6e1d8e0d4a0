"""A leaderboard for people: one block a Protocol, best first, the long names last so that every column lines up."""

from collections import Counter
from collections.abc import Sequence

from hiptbench.cells import Cell

EMPTY = "There are no complete results to show. `hiptbench run` makes some, and finishes a run that was cut off.\n"
_SEEN, _UNKNOWN = "*", "?"
FLAGS = {
    _SEEN: f"{_SEEN} the encoder was trained on slides of the task's own collection or programme.",
    _UNKNOWN: f"{_UNKNOWN} it is not known whether it was.",
}
LEGEND = "Mean ± sd over folds, best first. Numbers of two blocks stand on different protocols and do not compare.\n"


def board_text(cells: Sequence[Cell]) -> str:
    """Return cells as text; only numbers of one Protocol stand in one block, and only complete ones are ranked.

    Args:
        cells: In the leaderboard's order.
    """
    blocks: dict[str, list[Cell]] = {}
    for cell in cells:
        blocks.setdefault(cell.protocol, []).append(cell)
    if not blocks:
        return EMPTY
    flags = {_flag(cell) for cell in cells}
    legend = LEGEND + "".join(f"{text}\n" for flag, text in FLAGS.items() if flag in flags)
    return "\n".join([legend, *(_block(block) for block in blocks.values())])


def _block(cells: Sequence[Cell]) -> str:
    methods = Counter(cell.method for cell in cells)
    lines = [_heading(cells)]
    for rank, cell in enumerate(cells, start=1):
        place = "-" if cell.missing_slides else str(rank)
        variant = f" (variant {cell.variant})" if methods[cell.method] > 1 else ""
        lines.append(f"  {place:>3}  {cell.score:13}  {cell.kind:9}  {cell.method}{_flag(cell)}{_seeds(cell)}{variant}")
    return "\n".join(lines) + "\n"


def _flag(cell: Cell) -> str:
    """Return the mark of an encoder that has, or may have, seen the task's slides."""
    state = cell.contamination.partition(":")[0]
    return {"yes": _SEEN, "same programme": _SEEN, "unknown": _UNKNOWN}.get(state, "")


def _heading(cells: Sequence[Cell]) -> str:
    one = cells[0]
    events = next((f", {cell.n_events} events" for cell in cells if cell.n_events is not None), "")
    missing = f" | {one.missing_slides} slides MISSING: not ranked" if one.missing_slides else ""
    return (
        f"{one.suite} | {one.task} at {one.fraction:.0%} | {one.metric}, {one.n_folds} folds | "
        f"{one.n_units} units{events} | protocol {one.protocol}{missing}"
    )


def _seeds(cell: Cell) -> str:
    return "" if cell.sd_seeds is None else f" (sd {cell.sd_seeds:.3f} over {cell.n_seeds} seeds)"
