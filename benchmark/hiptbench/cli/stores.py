"""Opening the results that a verb reads or writes, and refusing what they do not hold."""

from collections.abc import Sequence
from pathlib import Path

from hiptbench import rooms
from hiptbench.boards import board_of
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.export import Export, open_results
from hiptbench.metrics import definition_of
from hiptbench.store import Store


def open_store(store: Path | None, home: Path | None, *, make: bool = False) -> Store:
    """Return the results store that a verb writes to or sends from.

    Args:
        store: The folder, as given.
        home: The data home, as given.
        make: Whether it need not exist yet.

    Raises:
        StoreError: If it does not exist, or is an export, which holds neither ids nor labels.
    """
    path = rooms.store(store, home_path=home)
    opened = Store(path) if make and not path.exists() else open_results(path)
    if isinstance(opened, Export):
        raise StoreError(
            f"{path} is an export: `leaderboard` and `results verify` read it, but this verb needs a store. "
            "Name the one it was made from with --store."
        )
    return opened


def refuse_unknown(results: Store | Export, suite: str | None, metrics: Sequence[str]) -> None:
    """Refuse the names that leave nothing of some results because they do not exist.

    Raises:
        UnknownNameError: If there are results, but none of that suite, or a metric is not one.
    """
    for metric in metrics:
        definition_of(metric)
    suites = {cell.suite for cell in board_of(results).cells}
    if suite and suites and suite not in suites:
        raise UnknownNameError("suite in these results", suite, suites)
