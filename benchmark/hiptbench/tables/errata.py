"""Which errata a cell bears, and whether the imported values prove them."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from hiptbench.published import Cell, Erratum
from hiptbench.tables.model import ROUNDING, Mark
from hiptbench.tables.recompute import Key, Recomputed

Verdict = Literal["witnessed", "presumed", "refuted"]


def marks_of(
    table: str, cell: Cell, errata: Iterable[Erratum], recomputed: Mapping[Key, Recomputed]
) -> tuple[Mark, ...]:
    """Return the marks of a cell: every erratum that selects it and that the values do not refute.

    Args:
        table: Name of the cell's table.
        cell: The cell.
        errata: All errata.
        recomputed: The recomputed values of the table.
    """
    verdicts = [(e.id, _verdict(e, cell, recomputed)) for e in errata if e.selects(table, cell)]
    return tuple(Mark(name, verdict) for name, verdict in verdicts if verdict != "refuted")


def _verdict(erratum: Erratum, cell: Cell, recomputed: Mapping[Key, Recomputed]) -> Literal["stated"] | Verdict:
    own = recomputed.get((cell.task, cell.method, cell.fraction))
    if erratum.settings is not None:
        return _same_settings(erratum.settings, own)
    if erratum.swapped is not None:
        first, second = erratum.swapped
        partner = second if cell.method == first else first
        return _swapped(cell.mean, own, recomputed.get((cell.task, partner, cell.fraction)))
    return "stated"


def _same_settings(expected: Mapping[str, Any], own: Recomputed | None) -> Verdict:
    if own is None:
        return "presumed"
    same = all(own.settings.get(name) == value for name, value in expected.items())
    return "witnessed" if same else "refuted"


def _swapped(printed: float | None, own: Recomputed | None, partner: Recomputed | None) -> Verdict:
    if printed is None or own is None or partner is None:
        return "presumed"
    of_partner = abs(printed - partner.value.mean) < ROUNDING and abs(printed - own.value.mean) >= ROUNDING
    return "witnessed" if of_partner else "refuted"
