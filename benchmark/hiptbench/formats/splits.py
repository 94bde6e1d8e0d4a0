"""Split folders of CLAM and HIPT: one ``splits_{fold}.csv`` per fold.

Written by CLAM's ``create_splits_seq.py``; HIPT's survival splits list cases and have no test part.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hiptbench.errors import FormatError
from hiptbench.formats.folders import slide_id
from hiptbench.formats.tables import read_table, require_columns

_LISTS = re.compile(r"splits_(0|[1-9]\d*)\.csv")
_BOOLS = re.compile(r"splits_(0|[1-9]\d*)_bool\.csv")
_PARTS = ("train", "val", "test")
_REQUIRED = ("train", "val")
_ID_COLUMNS = ("Unnamed: 0", "slide_id")  # CLAM leaves the column of ids without a name


@dataclass(frozen=True)
class SplitLists:
    """The ids of one fold in the file's order, without slide suffixes; slides or cases, whichever it lists.

    Attributes:
        fold: Number of the fold, from 0.
        train: Ids to fit on.
        val: Ids to validate on.
        test: Ids to test on; empty if the file has no such column.
    """

    fold: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]


def read_splits(folder: Path) -> tuple[SplitLists, ...]:
    """Read every fold of a split folder.

    Args:
        folder: Holds ``splits_0.csv``, ``splits_1.csv``, ... with the columns train, val and perhaps test,
            ragged. Of a fold that has only ``splits_{fold}_bool.csv`` (ids by parts, True or False), that is
            read.

    Returns:
        The folds, sorted by number.

    Raises:
        FormatError: If there are no folds, a number is missing, or an id occurs twice in a fold.
    """
    if not folder.is_dir():
        raise FormatError(f"{folder} is not a folder. Point to the folder that holds splits_0.csv, splits_1.csv, ...")
    lists, bools = _by_fold(folder, _LISTS), _by_fold(folder, _BOOLS)
    folds = sorted(lists | bools)
    if not folds:
        raise FormatError(f"{folder} has no splits_0.csv, splits_1.csv, ... Point to the folder that holds them.")
    missing = sorted(set(range(folds[-1] + 1)) - set(folds))
    if missing:
        raise FormatError(f"{folder} lacks the folds {', '.join(map(str, missing))} of 0 to {folds[-1]}. Add them.")
    return tuple(_fold(fold, lists, bools) for fold in folds)


def _by_fold(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    matches = ((pattern.fullmatch(path.name), path) for path in folder.iterdir())
    return {int(match[1]): path for match, path in matches if match}


def _fold(fold: int, lists: Mapping[int, Path], bools: Mapping[int, Path]) -> SplitLists:
    path = lists[fold] if fold in lists else bools[fold]
    parts = _read_lists(path) if fold in lists else _read_bools(path)
    _check_once(fold, path, parts)
    return SplitLists(fold=fold, train=parts["train"], val=parts["val"], test=parts["test"])


def _read_lists(path: Path) -> dict[str, tuple[str, ...]]:
    table = read_table(path, text=_PARTS)
    require_columns(path, _REQUIRED, table.columns)
    return {part: tuple(map(slide_id, table[part].dropna())) if part in table else () for part in _PARTS}


def _read_bools(path: Path) -> dict[str, tuple[str, ...]]:
    table = read_table(path, text=_ID_COLUMNS)
    require_columns(path, _REQUIRED, table.columns)
    parts = [part for part in _PARTS if part in table]
    ids = table.iloc[:, 0]
    if ids.isna().any() or any(table[part].dtype != bool for part in parts):
        raise FormatError(f"{path}: every row needs an id, and True or False for {', '.join(parts)}. Mend the file.")
    return {part: tuple(map(slide_id, ids[table[part]].astype(str))) if part in parts else () for part in _PARTS}


def _check_once(fold: int, path: Path, parts: Mapping[str, tuple[str, ...]]) -> None:
    counts = Counter(name for part in _PARTS for name in parts[part])
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        where = " and ".join(part for part in _PARTS for name in parts[part] if name == repeated[0])
        raise FormatError(
            f"{path}: fold {fold} lists '{repeated[0]}' in {where}, and so {len(repeated)} ids in all. "
            "An id belongs in one part, once."
        )
