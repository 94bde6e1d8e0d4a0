"""The page's data as a JSON file beside an export's rows."""

from pathlib import Path

from hiptbench.errors import StoreError
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
        StoreError: If there are none, or they are damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{folder} holds no {FILE}: export the store again with `hiptbench results export`.")
    try:
        return ReportData.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}); export the store again.") from error
