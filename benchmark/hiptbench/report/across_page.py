"""What the page across tasks shows of each family of comparisons."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from hiptbench.report.bars import Axis
from hiptbench.report.data import Comparison, Family
from hiptbench.report.figure import Figure
from hiptbench.report.ranks import difference_diagram, rank_axis, rank_bar
from hiptbench.report.wording import percent


@dataclass(frozen=True)
class Across:
    """A family with its drawings."""

    family: Family

    @property
    def name(self) -> str:
        """The family, told apart from all others."""
        family = self.family
        return f"{family.suite}, {family.kind}, {percent(family.fraction)}, {family.results}"

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
