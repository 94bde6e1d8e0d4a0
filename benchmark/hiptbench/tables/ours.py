"""Our own numbers as the paper's tables take them."""

from collections.abc import Iterable

from hiptbench.cells import Cell
from hiptbench.suites import published_draw
from hiptbench.tables.model import OurCell

PUBLISHED, CORRECTED = "hipt-2022", "hipt-2022-corrected"


def our_cells(cells: Iterable[Cell], suite: str = PUBLISHED) -> list[OurCell]:
    """Return the measured cells of a suite on complete cohorts, under the names of the published tasks.

    Args:
        cells: Cells of a leaderboard.
        suite: The published suite, or the corrected one, each of whose tasks has a published counterpart but for IDC.
    """
    return [
        OurCell(
            task=cell.task.removesuffix("_corrected"),
            fraction=cell.fraction,
            features=cell.features,
            baseline=cell.baseline,
            metric=cell.metric,  # type: ignore[arg-type]
            mean=cell.mean,
            sd_folds=cell.sd_folds,
            n_folds=cell.n_folds,
        )
        for cell in cells
        if (cell.suite, cell.kind) == (suite, "measured")
        and not cell.missing_slides
        and cell.sd_folds is not None
        and published_draw(cell.suite, cell.fraction_rule)
    ]
