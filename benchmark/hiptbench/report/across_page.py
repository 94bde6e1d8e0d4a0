"""What the page across tasks shows of each family of comparisons."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from hiptbench.report.bars import Axis
from hiptbench.report.family_data import Comparison, Family
from hiptbench.report.figure import Figure
from hiptbench.report.ranks import difference_diagram, rank_axis, rank_bar
from hiptbench.report.wording import share


@dataclass(frozen=True)
class Across:
    """A family with its drawings."""

    family: Family

    @property
    def name(self) -> str:
        """The family, told apart from all others."""
        family = self.family
        return f"{family.suite}, {family.kind}, {share(family.fraction, family.fraction_rule)}, {family.results}"

    @property
    def drawn(self) -> bool:
        """Whether any comparison has an interval."""
        return any(one.interval for one in self.family.comparisons)

    @property
    def sensitive(self) -> bool:
        """Whether another choice within a test was tried."""
        return any(one.sensitivity for one in self.family.comparisons)

    @property
    def reasons(self) -> list[str]:
        """Why there are no intervals, where there are none."""
        return list(dict.fromkeys(one.interval_why for one in self.family.comparisons if one.interval_why))

    @property
    def tests(self) -> list[str]:
        """The tests behind its p-values."""
        return list(dict.fromkeys(one.test for one in self.family.comparisons))

    @cached_property
    def axis(self) -> Axis:
        """The axis of the mean ranks."""
        return rank_axis(self.family.ranks)

    @property
    def bars(self) -> list[Markup]:
        """The bar of each rank."""
        return [rank_bar(self.axis, rank, self.family.results) for rank in self.family.ranks]

    @property
    def diagram(self) -> Figure | None:
        """The critical-difference diagram, where the critical difference is known."""
        return difference_diagram(self.family)

    @property
    def methods(self) -> dict[str, dict[str, Comparison]]:
        """Every comparison by method and task; those of complete methods first, by rank."""
        found: dict[str, dict[str, Comparison]] = defaultdict(dict)
        compared = {one.method for one in self.family.comparisons}
        found.update({rank.method: {} for rank in self.family.ranks if rank.method in compared})
        for one in self.family.comparisons:
            found[one.method][one.task] = one
        return dict(found)
