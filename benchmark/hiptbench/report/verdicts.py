"""What the comparisons say of each card."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hiptbench.report.data import ReportData
from hiptbench.report.family_data import Comparison, Family
from hiptbench.report.run_data import RunReport

REFERENCE = "reference"


@dataclass(frozen=True)
class Against:
    """A number held against the reference of its family.

    Attributes:
        reference: The reference's run.
        comparison: The comparison.
        comparisons: How many comparisons its p is adjusted among.
    """

    reference: RunReport
    comparison: Comparison
    comparisons: int


@dataclass(frozen=True)
class Held:
    """The comparisons that a card takes part in.

    Attributes:
        against: Those in which it is held against a reference.
        referred: Number of those in which it is the reference.
    """

    against: tuple[Against, ...] = ()
    referred: int = 0


def held_of(data: ReportData) -> Mapping[str, Held]:
    """Return the comparisons of each card that takes part in any."""
    runs = {run.card: run for run in data.runs}
    against: dict[str, list[Against]] = defaultdict(list)
    referred: dict[str, int] = defaultdict(int)
    for family in data.families:
        for one in family.comparisons:
            referred[one.reference_card] += 1
            if one.reference_card in runs:
                against[one.card].append(Against(runs[one.reference_card], one, len(family.comparisons)))
    return {card: Held(tuple(against.get(card, ())), referred.get(card, 0)) for card in {**against, **referred}}


def verdicts_of(families: Iterable[Family]) -> dict[str, str]:
    """Return the verdict on each card that is held against a reference, and on the references that they are."""
    verdicts = {}
    for comparison in (one for family in families for one in family.comparisons):
        verdicts[comparison.card] = comparison.verdict
        verdicts.setdefault(comparison.reference_card, REFERENCE)
    return verdicts
