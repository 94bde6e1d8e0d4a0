"""CSV and TSV tables, plain or zipped: labels, clinical data, split lists."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from hiptbench.errors import FormatError, name_some
from hiptbench.formats.checks import check_file

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # the latter is an archive without members
_TAB_SUFFIXES = (".tsv", ".txt")
_ENCODING = "utf-8-sig"  # UTF-8 with or without the mark that Excel puts first


def read_table(path: Path, *, columns: Sequence[str] | None = None, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV or TSV file, or the one such file in a zip archive.

    An archive's member is read in memory and never extracted: HIPT's are called
    ``../tcga_brca_subset.csv.zip``, which leads out of the folder, and hold plain CSV.

    Args:
        path: The file: UTF-8, one header line, separated by commas, or by tabs if it is called ``.tsv`` or
            ``.txt``, each with or without ``.zip`` behind.
        columns: The columns to read, in the order wanted; all by default. Wide tables are read faster by few.
        text: Columns whose values stay strings, as ids must: 007 does not become 7. Names that the file lacks
            are ignored.

    Returns:
        One row per line, numbered from 0; missing values are NaN. A column without a name is called
        ``Unnamed: <position>``.

    Raises:
        FormatError: If the file is missing, a Git LFS pointer, damaged, not such a table, or lacks a column.
    """
    check_file(path)
    data = _data(path)
    separator = "\t" if _bare_suffix(path) in _TAB_SUFFIXES else ","
    header = _checked_header(path, data, separator)
    if columns is not None:
        require_columns(path, columns, header)
    try:
        table = pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            encoding=_ENCODING,
            usecols=None if columns is None else list(columns),
            dtype=dict.fromkeys(text, str),
            low_memory=False,  # in pieces, a column could get two dtypes
        )
    except pd.errors.ParserError as error:
        raise FormatError(f"{path} is not a table that can be read: {error}") from error
    return table if columns is None else table[list(columns)]


def _bare_suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".zip")).suffix


def _data(path: Path) -> bytes:
    """Return a table's text; the bytes tell a zip archive: HIPT's members are called .zip and are none."""
    data = path.read_bytes()
    if not data.startswith(_ZIP_STARTS):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(_only_member(path, archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FormatError(
            f"{path} is a zip archive that cannot be read ({error}). Copy it again, without a password."
        ) from error


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members) or "none"
        raise FormatError(f"{path} must hold one table, but its files are: {names}. Zip the one that is meant.")
    return members[0]


def _is_hidden(name: str) -> bool:
    """Tell .DS_Store and macOS's __MACOSX/ from tables; names may lead out of the folder with '..'."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)


def _checked_header(path: Path, data: bytes, separator: str) -> list[str]:
    """Return the column names, once no row is longer: pandas would drop or shift such values silently."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding=_ENCODING, newline=""), delimiter=separator)
    try:
        header = next(filter(None, lines), [])
        for row in lines:
            if len(row) > len(header):
                raise FormatError(
                    f"{path}, line {lines.line_num}: {len(row)} fields, but the header has {len(header)}. "
                    "Quote the values that contain the separator."
                )
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise FormatError(f"{path}, line {lines.line_num}: not a table that can be read: {error}.") from error
    if not header:
        raise FormatError(f"{path} has no header line. The first line must name the columns.")
    return header


def require_columns(path: Path, columns: Iterable[str], header: Iterable[str]) -> None:
    """Check that a table has the columns.

    Args:
        path: The table's file, for the message.
        columns: The columns needed.
        header: The columns that exist.

    Raises:
        FormatError: If one is missing; all that are missing and what exists are named.
    """
    existing = list(header)
    missing = [column for column in columns if column not in existing]
    if missing:
        raise FormatError(
            f"{path} has no column {', '.join(map(repr, missing))}. "
            f"What exists: {name_some([repr(column) for column in existing], most=20)}."
        )
