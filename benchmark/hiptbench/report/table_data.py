"""What the page is drawn from, of the paper's tables."""

from typing import Literal

import pydantic

from hiptbench.schema import Strict

Column = Literal["recomputed", "ours", "corrected"]


class TableCell(Strict):
    """One cell of a table of the paper; each value is mean and standard deviation.

    ``cards`` names the cards of the values that have one.
    """

    task: str
    method: str
    fraction: float
    printed: tuple[float, float | None] | None
    status: str
    sampled: tuple[float, float | None] | None = None
    recomputed: tuple[float, float | None] | None
    ours: tuple[float, float | None] | None
    corrected: tuple[float, float | None] | None = None
    marks: tuple[str, ...] = ()
    cards: dict[Column, str] = pydantic.Field(default_factory=dict)


class ErratumReport(Strict):
    """An erratum: its mark and its sentence."""

    id: str
    sentence: str


class TableReport(Strict):
    """A table of the paper: as published, recomputed from the authors' folds, ours, and ours on corrected splits."""

    name: str
    title: str
    metric: str
    cells: tuple[TableCell, ...]
    errata: tuple[ErratumReport, ...]
    sources: tuple[str, ...]
