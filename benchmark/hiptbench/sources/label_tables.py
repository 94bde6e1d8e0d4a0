"""Reading a label table: every cell filled, numbers and flags refused by name where they are none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hiptbench.errors import TaskError, name_some
from hiptbench.formats.tables import read_table

_FLAGS = {"0": False, "0.0": False, "False": False, "1": True, "1.0": True, "True": True}


def read_labels(path: Path, *, slide: str, columns: Sequence[str], text: Sequence[str]) -> pd.DataFrame:
    """Read columns of a label table and refuse empty cells in them.

    Args:
        path: CSV or TSV, perhaps zipped.
        slide: The column of slide ids; names the rows in messages.
        columns: The columns to read besides; repeated ones are read once.
        text: Columns whose values stay strings, as ids and classes must.

    Raises:
        FormatError: If the file cannot be read or lacks a column.
        TaskError: If a cell is empty.
    """
    table = read_table(path, columns=list(dict.fromkeys((slide, *columns))), text=text)
    incomplete = np.flatnonzero(table.isna().any(axis=1))
    if len(incomplete):
        rows = name_some([f"row {i + 1} (slide {table[slide].iloc[i]})" for i in incomplete])
        raise TaskError(
            f"{path} has {len(incomplete)} rows with an empty cell (or NA, null and the like) in the columns "
            f"{', '.join(map(str, table))}: {rows}. Fill them or take the rows out."
        )
    return table


def number(value: object, place: str) -> float:
    """Return a cell as a number.

    Raises:
        TaskError: If it is none.
    """
    try:
        return float(str(value))
    except ValueError as error:
        raise TaskError(f"{place} holds '{value}', not a number.") from error


def flag(value: object, place: str, meaning: str) -> bool:
    """Return a cell of 0 and 1 (or False and True) as a bool.

    Raises:
        TaskError: If it is neither; ``meaning`` says what the two stand for.
    """
    if str(value) not in _FLAGS:
        raise TaskError(f"{place} holds '{value}'; {meaning}.")
    return _FLAGS[str(value)]
