"""The page's data as a JSON file beside an export's rows."""

from pathlib import Path

from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.exported_rows import hash_of_rows
from hiptbench.files import write_text
from hiptbench.report.data import ReportData

FILE = "derived.json"


def write_data(folder: Path, data: ReportData) -> None:
    """Write the derived data of an export.

    Raises:
        StoreError: If the folder cannot be written.
    """
    write_text(folder / FILE, data.model_dump_json(exclude_defaults=True, indent=None) + "\n")


def read_data(folder: Path) -> ReportData:
    """Read the derived data of an export.

    Raises:
        StoreError: If there are none, they are damaged, or they were derived from other rows.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{folder} holds no {FILE}: export the store again with `hiptbench results export`.")
    try:
        data = ReportData.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}); export the store again.") from error
    if data.rows_sha256 != hash_of_rows(folder):
        raise StoreError(f"{path} was derived from other rows than lie beside it; export the store again.")
    return data


def only(data: ReportData, suite: str) -> ReportData:
    """Return what is about one suite; the paper's tables are about several.

    Raises:
        UnknownNameError: If nothing is about it.
    """
    names = [one.name for one in data.suites]
    if suite not in names:
        raise UnknownNameError("suite in these results", suite, names)
    return data.model_copy(
        update={
            "suites": tuple(one for one in data.suites if one.name == suite),
            "tasks": tuple(one for one in data.tasks if one.suite == suite),
            "runs": tuple(one for one in data.runs if one.suite == suite),
            "families": tuple(one for one in data.families if one.suite == suite),
            "tables": (),
        }
    )
