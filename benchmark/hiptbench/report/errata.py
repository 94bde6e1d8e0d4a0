"""Errata by their ids: what each says, and where it stands among the paper's tables."""

from collections.abc import Iterable
from dataclasses import dataclass

from hiptbench.report.data import ReportData
from hiptbench.report.table_data import TableReport

TABLES_PAGE = "tables.html"
_ORDER = ("subtyping", "survival", "ablation", "knn", "issue25")
"""The paper's tables 1, 2 and 4, then what it reports elsewhere; tables of other names follow."""


@dataclass(frozen=True)
class Erratum:
    """An erratum as marks refer to it.

    Attributes:
        sentence: What it says.
        place: Where it stands, from the site's root.
    """

    sentence: str
    place: str


def tables_in_order(data: ReportData) -> list[TableReport]:
    """Return the paper's tables as the paper numbers them."""
    place = {name: index for index, name in enumerate(_ORDER)}
    return sorted(data.tables, key=lambda table: place.get(table.name, len(_ORDER)))


def errata_of(tables: Iterable[TableReport]) -> dict[str, Erratum]:
    """Return every erratum by its id, each under the first table that it touches."""
    found: dict[str, Erratum] = {}
    for table in tables:
        for one in table.errata:
            found.setdefault(one.id, Erratum(one.sentence, f"{TABLES_PAGE}#{anchor(table.name, one.id)}"))
    return found


def anchor(table: str, erratum: str) -> str:
    """Return the place of an erratum on the page of the tables."""
    return f"erratum-{table}-{erratum}"


def unmarked(mark: str) -> str:
    """Return the id in a mark, of which a question mark says that it is presumed."""
    return mark.removesuffix("?")
