"""A rebuilt table, as values; how it looks is in ``render``."""

from dataclasses import dataclass
from typing import Literal

from hiptbench.published import Erratum, Status

ROUNDING = 5e-4
"""Half a unit of the third decimal: a printed value agrees with one that is nearer than this."""


@dataclass(frozen=True)
class OurCell:
    """A result of our own runs, as offered to a table.

    Attributes:
        task: The registry's name of the task.
        fraction: Share of the training units, in (0, 1].
        features: Name of the features.
        baseline: Name of the baseline.
        metric: What the values are.
        mean: Mean over folds.
        sd_folds: Sample standard deviation (ddof=1) over folds.
        n_folds: Number of folds.
    """

    task: str
    fraction: float
    features: str
    baseline: str
    metric: Literal["auc", "c_index"]
    mean: float
    sd_folds: float
    n_folds: int


@dataclass(frozen=True)
class Mark:
    """An erratum on a row.

    Attributes:
        id: The erratum.
        state: ``stated`` if the erratum names the row and has no test; ``witnessed`` if the imported values
            prove it; ``presumed`` if it has a test and there is no value to try it on.
    """

    id: str
    state: Literal["stated", "witnessed", "presumed"]

    def __str__(self) -> str:
        return f"{self.id}?" if self.state == "presumed" else self.id


@dataclass(frozen=True)
class Value:
    """A mean over folds and its sample standard deviation (ddof=1), None where it is not known."""

    mean: float
    sd: float | None


@dataclass(frozen=True)
class Row:
    """One cell of the printed table, beside what else is known of it; None where there is no value.

    Attributes:
        task: The registry's name of the task.
        method: The row's name as printed.
        fraction: Share of the training slides that the table's heading claims.
        printed: Printed value at this fraction.
        status: How the printed value is known.
        sampled: Printed value, where another share than the heading claims was drawn.
        recomputed: Value from the authors' per-fold files.
        ours: Our value.
        difference: The table's difference, positive if the printed value is the smaller one.
        marks: Its errata.
    """

    task: str
    method: str
    fraction: float
    printed: Value | None
    status: Status
    sampled: Value | None
    recomputed: Value | None
    ours: Value | None
    difference: float | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Summary:
    """Counts over the rows of a table.

    Attributes:
        cells: All rows.
        established: Rows whose printed value is known, at first or second hand.
        missing: Rows whose printed value is not known.
        recomputed: Rows with a value from the authors' per-fold files.
        agreeing: Rows whose difference is within the rounding of the printed value.
        witnesses: Rows on which the imported values prove an erratum.
    """

    cells: int
    established: int
    missing: int
    recomputed: int
    agreeing: int
    witnesses: int


@dataclass(frozen=True)
class Table:
    """A table of the literature, rebuilt.

    Attributes:
        name: Its name.
        title: Its heading.
        metric: What its values are.
        difference: What its difference is: our value or the recomputed one, less the printed one.
        sampled: The fraction really drawn for rows whose heading claims another one, if there are such rows.
        rows: Its rows.
        errata: The errata marked on at least one row.
        sources: Where its values are printed.
    """

    name: str
    title: str
    metric: Literal["auc", "c_index"]
    difference: Literal["recomputed - printed", "ours - printed"]
    sampled: float | None
    rows: tuple[Row, ...]
    errata: tuple[Erratum, ...]
    sources: tuple[str, ...]

    @property
    def summary(self) -> Summary:
        """Counts over the rows."""
        established = sum(row.status != "not established" for row in self.rows)
        return Summary(
            cells=len(self.rows),
            established=established,
            missing=len(self.rows) - established,
            recomputed=sum(row.recomputed is not None for row in self.rows),
            agreeing=sum(row.difference is not None and abs(row.difference) < ROUNDING for row in self.rows),
            witnesses=sum(any(mark.state == "witnessed" for mark in row.marks) for row in self.rows),
        )
