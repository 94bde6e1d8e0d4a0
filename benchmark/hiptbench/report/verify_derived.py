"""Derive what an export's page shows again, from the export's rows and predictions alone, and compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hiptbench.export import Export
from hiptbench.report.data import ReportData
from hiptbench.report.derive import OnPanel, derive
from hiptbench.report.stored import read_data

TOLERANCE = 1e-9

_NOT_DERIVED = {"protocol", "provenance", "training", "attention", "seconds", "measures"}  # and measures by name


@dataclass(frozen=True)
class DerivedVerification:
    """What deriving again found.

    Attributes:
        verified: Numbers that were derived again and are equal.
        wrong: Names of those that are not.
        elsewhere: Numbers that an export cannot give: of survival curves, and of the authors' folds.
    """

    verified: int
    wrong: tuple[str, ...]
    elsewhere: int


def verify_derived(export: Export, home: Path | None = None, *, on_panel: OnPanel | None = None) -> DerivedVerification:
    """Derive an export's numbers again and compare them with those beside its rows.

    Args:
        export: The export.
        home: The data home with the tasks.
        on_panel: Called with (panels done, panels in all).

    Raises:
        StoreError: If the derived numbers are missing, damaged or of other rows.
    """
    stored, again = (dict(_numbers(data)) for data in (read_data(export.path), derive(export, home, on_panel=on_panel)))
    shared = stored.keys() & again.keys()
    wrong = sorted(name for name in shared if abs(stored[name] - again[name]) > TOLERANCE)
    lost = sorted(again.keys() - stored.keys())
    return DerivedVerification(len(shared) - len(wrong), (*wrong, *lost), len(stored.keys() - again.keys()))


def _numbers(data: ReportData) -> Iterator[tuple[str, float]]:
    """Yield every number of the runs and comparisons with a name that tells where it stands."""
    for run in data.runs:
        place = f"{run.suite}, {run.task} at {run.fraction:g}, {run.method}, card {run.card}"
        yield from _leaves(place, run.model_dump(exclude=_NOT_DERIVED))
        yield from ((f"{place}, {one.name}", one.value) for one in run.measures if one.value is not None)
    for family in data.families:
        place = f"{family.suite} at {family.fraction:g}, {family.kind}, {family.results}, against {family.reference}"
        yield from _leaves(place, family.model_dump())


def _leaves(place: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int | float):
        yield place, float(value)
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for name, one in items:
        yield from _leaves(f"{place}, {name}", one)
