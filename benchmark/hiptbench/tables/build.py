"""A table of the literature, rebuilt from what is printed, the authors' folds and our own results."""

from collections.abc import Iterable, Mapping, Sequence

from hiptbench.errors import StoreError
from hiptbench.published import Cell, Erratum, PublishedFold, PublishedTable, read_errata, read_published
from hiptbench.tables.errata import marks_of
from hiptbench.tables.model import OurCell, Row, Table, Value
from hiptbench.tables.recompute import Key, Recomputed, recompute


def build_table(name: str, folds: Sequence[PublishedFold] = (), ours: Sequence[OurCell] = ()) -> Table:
    """Rebuild a published table.

    Where the authors published per-fold files, the table's difference is recomputed - printed, elsewhere it
    is ours - printed. A value printed for another fraction than its heading claims stands apart and has no
    difference.

    Args:
        name: Name or alias of the table.
        folds: The authors' folds, as imported; without them the recomputed columns are empty.
        ours: Our own results; only those over as many folds as the table's are shown.

    Raises:
        UnknownNameError: If there is no such table.
        SourceError: If the authors' folds are ambiguous or lack the table's metric.
        StoreError: If two of our results claim the same cell.
    """
    table, errata = read_published(name), read_errata()
    recomputed = recompute(table, folds)
    rows = tuple(_row(table, cell, errata, recomputed, ours) for cell in table.cells)
    marked = {mark.id for row in rows for mark in row.marks}
    return Table(
        name=table.name,
        title=table.title,
        metric=table.metric,
        difference="recomputed - printed" if table.column else "ours - printed",
        sampled=table.sampled,
        rows=rows,
        errata=tuple(erratum for erratum in errata if erratum.id in marked),
        sources=tuple(table.sources.values()),
    )


def _row(
    table: PublishedTable,
    cell: Cell,
    errata: Iterable[Erratum],
    recomputed: Mapping[Key, Recomputed],
    ours: Sequence[OurCell],
) -> Row:
    run = recomputed.get((cell.task, cell.method, cell.fraction))
    again = run.value if run else None
    own = _our_value(table, cell, ours)
    stated = None if cell.mean is None else Value(cell.mean, cell.sd)
    printed = None if cell.sampled else stated
    compared = again if table.column else own
    return Row(
        task=cell.task,
        method=cell.method,
        fraction=cell.fraction,
        printed=printed,
        status=cell.status,
        sampled=stated if cell.sampled else None,
        recomputed=again,
        ours=own,
        difference=compared.mean - printed.mean if compared and printed else None,
        marks=marks_of(table.name, cell, errata, recomputed),
    )


def _our_value(table: PublishedTable, cell: Cell, ours: Sequence[OurCell]) -> Value | None:
    same = next(method.ours for method in table.methods if method.name == cell.method)
    if same is None:
        return None
    wanted = (same.features, same.baseline, cell.task, cell.fraction, table.metric, table.folds)
    found = [o for o in ours if (o.features, o.baseline, o.task, o.fraction, o.metric, o.n_folds) == wanted]
    if len(found) > 1:
        means = ", ".join(f"{o.mean:.4f}" for o in found)
        raise StoreError(
            f"Table {table.name}: {len(found)} results are {same.features}/{same.baseline} on {cell.task} at "
            f"{cell.fraction}, with means {means}. Offer one result a cell."
        )
    return Value(found[0].mean, found[0].sd_folds) if found else None
