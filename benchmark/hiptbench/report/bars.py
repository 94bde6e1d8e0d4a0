"""Small drawings inside a table: an interval with its mean, the values of folds, and the axis they share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hiptbench.report.run_data import Bounds, RunReport
from hiptbench.report.svg import Number, Scale, element, roomy, round_text, short
from hiptbench.report.wording import chance
from hiptbench.results import ResultKind

WIDTH, HEIGHT, INSET = 210, 18, 6
MARKS: Mapping[ResultKind, str] = {
    "measured": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "published": "m-5 0l5-5l5 5l-5 5Z",
    "synthetic": "m-5 4h10l-5-9Z",
}
"""The outline of each kind's mark, from its middle."""

_MIDDLE = HEIGHT // 2


@dataclass(frozen=True)
class Axis:
    """The one axis of a table's bars.

    Attributes:
        low: Value at the left.
        high: Value at the right.
        neutral: Value that stands for no skill or no difference; None where there is none.
        width: Pixels.
    """

    low: Number
    high: Number
    neutral: Number | None = None
    width: int = WIDTH

    @property
    def scale(self) -> Scale:
        """Values to pixels."""
        return Scale(self.low, self.high, INSET, self.width - INSET)

    @property
    def ticks(self) -> list[Number]:
        """Round values whose texts have room."""
        return [
            tick for tick in self.scale.ticks(max(4, self.width // 42)) if 14 <= self.scale(tick) <= self.width - 14
        ]

    def draw(self) -> Markup:
        """Return the axis with its ticks, for the head of a column."""
        ticks = self.ticks
        marks = element(
            "path", class_="axis", d="".join(f"M{short(self.scale(tick))} {HEIGHT - 4}v4" for tick in ticks)
        )
        texts = (element("text", round_text(tick), x=self.scale(tick), y=HEIGHT - 6, class_="tick") for tick in ticks)
        return self._bar(marks, *texts)

    def interval(self, mean: Number, bounds: Bounds | None, kind: ResultKind) -> Markup:
        """Return a mean, shaped by its kind, with its interval where there is one."""
        marks = [*self._neutral()]
        if bounds:
            span = f"M{short(self.scale(bounds.low))} {_MIDDLE}H{short(self.scale(bounds.high))}"
            marks.append(element("path", class_="span", d=span))
        mark = f"M{short(self.scale(mean))} {_MIDDLE}{MARKS[kind]}"
        return self._bar(*marks, element("path", class_=f"mark {kind}", d=mark))

    def values(self, values: Iterable[Number]) -> Markup:
        """Return a tick for each value, as of folds."""
        ticks = "".join(f"M{short(self.scale(value))} 4v{HEIGHT - 8}" for value in values)
        return self._bar(*self._neutral(), element("path", class_="fold", d=ticks))

    def _neutral(self) -> list[Markup]:
        if self.neutral is None or not self.low <= self.neutral <= self.high:
            return []
        return [element("path", class_="neutral", d=f"M{short(self.scale(self.neutral))} 0v{HEIGHT}")]

    def _bar(self, *marks: Markup) -> Markup:
        """Return a drawing that says no more than the numbers beside it, and is hidden from those who hear the page."""
        size = {"viewBox": f"0 0 {self.width} {HEIGHT}", "width": str(self.width), "height": str(HEIGHT)}
        return element("svg", *marks, class_="bar", aria_hidden="true", **size)


def interval_axis(runs: Sequence[RunReport], *, width: int = WIDTH) -> Axis:
    """Return an axis that holds the means and intervals of some runs of one metric."""
    ends = [run.mean for run in runs]
    ends += [end for run in runs if run.interval for end in (run.interval.low, run.interval.high)]
    return Axis(*roomy(ends), neutral=chance(runs[0].metric), width=width)


def fold_axis(runs: Sequence[RunReport]) -> Axis:
    """Return an axis that holds the values of the folds of some runs of one metric."""
    return Axis(*roomy([fold.value for run in runs for fold in run.folds]), neutral=chance(runs[0].metric))
