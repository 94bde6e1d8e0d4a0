"""The paper's tables: printed, recomputed from the authors' folds, and ours, with every erratum marked."""

from hiptbench.tables.build import build_table
from hiptbench.tables.model import Mark, OurCell, Row, Summary, Table, Value
from hiptbench.tables.ours import our_cells
from hiptbench.tables.render import to_csv, to_latex, to_markdown, to_text

__all__ = [
    "Mark",
    "OurCell",
    "Row",
    "Summary",
    "Table",
    "Value",
    "build_table",
    "our_cells",
    "to_csv",
    "to_latex",
    "to_markdown",
    "to_text",
]
