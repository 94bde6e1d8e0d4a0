"""Split files in any layout that users have, read as they are: an id may be listed twice, in one part or in two."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from hiptbench.errors import FormatError, name_some
from hiptbench.formats import slide_id
from hiptbench.formats.tables import read_table, require_columns
from hiptbench.splits import Split
from hiptbench.task_spec import Part

PARTS = get_args(Part)

_CLAM = re.compile(r"splits_(\d+)(_bool)?\.csv")
_PATHO_BENCH = re.compile(r"k=.*\.tsv")
_FOLD_FOLDER = re.compile(r"(.*)_k=(\d+)")
_FOLD_COLUMN = re.compile(r"fold_(\d+)")
_PART_FILES = {"train.csv": "train", "val.csv": "val", "tune.csv": "val", "test.csv": "test"}
_OWN_COLUMNS = ("fold", "part", "unit")
_STAMP, _OWN, _EVA = "splits.json", "splits.csv", "manifest.csv"
_IDS = ("slide_id", "case_id", "unit", "origin", "wsi_id", "Unnamed: 0", *PARTS)

Files = Mapping[str, Path]
Lists = Mapping[str, list[str]]


@dataclass(frozen=True)
class SplitFiles:
    """What a folder of split files says.

    Attributes:
        folds: The folds, sorted by number; ids in the files' order, without slide suffixes.
        cases: Id to case, where the files say so.
        lists_cases: Whether the layout lists patients by definition.
    """

    folds: tuple[Split, ...]
    cases: Mapping[str, str]
    lists_cases: bool = False

    @property
    def ids(self) -> Iterator[str]:
        """Every id, as often as it is listed."""
        return (one for split in self.folds for part in PARTS for one in getattr(split, part))

    @property
    def tested(self) -> Literal["test", "val"]:
        """The part that numbers are computed on: test, or val where no fold has a test part."""
        return "test" if any(split.test for split in self.folds) else "val"


def read_split_files(path: Path) -> SplitFiles:
    """Read split files, whatever their layout.

    Args:
        path: A folder with CLAM's, HIPT's or SurvPath's ``splits_<i>.csv`` or ``splits_<i>_bool.csv``; STAMP's
            ``splits.json``; Patho-Bench's ``k=all.tsv``; eva's ``manifest.csv``; ``splits.csv`` of a task of
            hiptbench (columns fold, part, unit); one fold as ``train.csv``, ``val.csv`` or ``tune.csv``, and
            ``test.csv`` (PANTHER, clemsgrs/hipt); or PANTHER's folders ``<study>_k=<i>`` of such files, also given
            as their common beginning ``.../<study>``. A single file of these may be given itself.

    Raises:
        FormatError: If nothing there is such a file, or one cannot be read.
    """
    found = _fold_folders(path)
    read = _merged([_part_files(_inside(folder), fold) for fold, folder in found.items()]) if found else _read(path)
    if not any(read.ids):
        raise FormatError(f"{path} lists no ids. Each fold needs ids to train on and ids to test.")
    return read


def _read(path: Path) -> SplitFiles:
    files = _inside(path)
    for matches, read in _LAYOUTS:
        if chosen := {name: file for name, file in sorted(files.items()) if matches(name)}:
            return read(chosen)
    raise FormatError(
        f"{path} holds no split files. Expected splits_0.csv, ..., splits.json, splits.csv, k=all.tsv, manifest.csv, "
        f"or train.csv with test.csv; it has {name_some(sorted(files)) or 'nothing'}."
    )


def _inside(path: Path) -> Files:
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise FormatError(f"{path} does not exist. Give a folder of split files.")
    return {file.name: file for file in path.iterdir() if file.is_file()}


def _fold_folders(path: Path) -> dict[int, Path]:
    """Return PANTHER's fold folders of one study: those inside a folder, or those that begin like the path."""
    inside = [one for one in path.iterdir() if one.is_dir()] if path.is_dir() else []
    beside = [] if path.exists() or not path.parent.is_dir() else sorted(path.parent.glob(f"{path.name}_k=*"))
    matches = [(match, one) for one in (*inside, *beside) if (match := _FOLD_FOLDER.fullmatch(one.name))]
    studies = sorted({match[1] for match, _ in matches})
    if len(studies) > 1:
        raise FormatError(f"{path} holds the folds of {name_some(studies)}. Give one of them, as {path / studies[0]}.")
    return {int(match[2]): one for match, one in sorted(matches, key=lambda pair: int(pair[0][2]))}


def _merged(read: list[SplitFiles]) -> SplitFiles:
    cases = {one: case for files in read for one, case in files.cases.items()}
    return SplitFiles(tuple(split for files in read for split in files.folds), cases)


def _split(fold: int, lists: Lists) -> Split:
    train, val, test = (tuple(map(slide_id, lists.get(part, ()))) for part in PARTS)
    return Split(fold, train, val, test)


def _clam(files: Files) -> SplitFiles:
    """Read one file a fold; lists are taken before bools, which say the same."""
    chosen: dict[int, Path] = {}
    for name, file in sorted(files.items(), key=lambda item: "_bool" in item[0]):
        match = _CLAM.fullmatch(name)
        assert match is not None
        chosen.setdefault(int(match[1]), file)
    return SplitFiles(tuple(_split(fold, _clam_lists(file)) for fold, file in sorted(chosen.items())), {})


def _clam_lists(file: Path) -> Lists:
    table = read_table(file, text=_IDS if "_bool" not in file.name else ("Unnamed: 0", "slide_id"))
    require_columns(file, ("train", "val"), table.columns)
    parts = [part for part in PARTS if part in table]
    if "_bool" not in file.name:
        return {part: list(table[part].dropna()) for part in parts}
    if any(table[part].dtype != bool for part in parts):
        raise FormatError(f"{file}: every row needs True or False for {', '.join(parts)}. Mend the file.")
    return {part: list(table.iloc[:, 0][table[part]].astype(str)) for part in parts}


def _stamp(files: Files) -> SplitFiles:
    file = files[_STAMP]
    try:
        folds = [
            Split(fold, tuple(split["train_patients"]), (), tuple(split["test_patients"]))
            for fold, split in enumerate(json.loads(file.read_text(encoding="utf-8"))["splits"])
        ]
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise FormatError(f"{file} is not STAMP's splits.json ({error!r}). Write it again.") from error
    return SplitFiles(tuple(folds), {}, lists_cases=True)


def _own(files: Files) -> SplitFiles:
    file = files[_OWN]
    folds: dict[int, dict[str, list[str]]] = {}
    for fold, part, unit in _table(file, _OWN_COLUMNS)[list(_OWN_COLUMNS)].itertuples(index=False):
        place = folds.setdefault(_whole(fold, file), {part: [] for part in PARTS})
        if part not in place:
            raise FormatError(f"{file} has the part '{part}' for {unit}; parts are {', '.join(PARTS)}.")
        place[part].append(unit)
    return SplitFiles(tuple(_split(fold, lists) for fold, lists in sorted(folds.items())), {})


def _whole(fold: object, file: Path) -> int:
    try:
        return int(str(fold))
    except ValueError as error:
        raise FormatError(f"{file} has the fold '{fold}', which is no whole number.") from error


def _patho_bench(files: Files) -> SplitFiles:
    if len(files) > 1 and "k=all.tsv" not in files:
        raise FormatError(f"There are several split files: {name_some(sorted(files))}. Give one of them.")
    file = files.get("k=all.tsv") or next(iter(files.values()))
    table = _table(file, ("case_id", "slide_id"))
    columns = {int(match[1]): name for name in table if (match := _FOLD_COLUMN.fullmatch(str(name)))}
    if not columns:
        raise FormatError(f"{file} has no columns fold_0, fold_1, ... Each says train, val or test.")
    folds = [
        _split(fold, {part: list(table["slide_id"][table[columns[fold]] == part]) for part in PARTS})
        for fold in sorted(columns)
    ]
    return SplitFiles(tuple(folds), _cases(table))


def _eva(files: Files) -> SplitFiles:
    table = _table(files[_EVA], ("origin", "split"))
    names = table["wsi_id" if "wsi_id" in table else "origin"].map(lambda name: Path(str(name)).name)
    # A slide has a row for each of its embeddings files.
    return SplitFiles((_split(0, {part: list(names[table["split"] == part].unique()) for part in PARTS}),), {})


def _part_files(files: Files, fold: int = 0) -> SplitFiles:
    tables = {_PART_FILES[name]: _table(file, ("slide_id",)) for name, file in files.items() if name in _PART_FILES}
    if "train" not in tables or len(tables) == 1:
        raise FormatError(f"Fold {fold} needs train.csv and test.csv or val.csv; there is {name_some(sorted(files))}.")
    cases = {one: case for table in tables.values() for one, case in _cases(table).items()}
    return SplitFiles((_split(fold, {part: list(table["slide_id"]) for part, table in tables.items()}),), cases)


def _table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    table = read_table(file, text=_IDS)
    require_columns(file, columns, table.columns)
    return table.dropna(subset=list(columns))


def _cases(table: pd.DataFrame) -> dict[str, str]:
    if "case_id" not in table:
        return {}
    known = table.dropna(subset=["case_id"])
    return dict(zip(map(slide_id, known["slide_id"]), known["case_id"], strict=True))


_LAYOUTS: tuple[tuple[Callable[[str], object], Callable[[Files], SplitFiles]], ...] = (
    (_CLAM.fullmatch, _clam),
    (lambda name: name == _STAMP, _stamp),
    (lambda name: name == _OWN, _own),
    (_PATHO_BENCH.fullmatch, _patho_bench),
    (lambda name: name == _EVA, _eva),
    (_PART_FILES.__contains__, _part_files),
)
