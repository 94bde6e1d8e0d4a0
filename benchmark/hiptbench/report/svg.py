"""Drawing as SVG: elements, scales, paths, and a frame with two axes; the style sheet colours all of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from markupsafe import Markup, escape

Number = int | float
Point = tuple[Number, Number]


def element(name: str, *children: str, **attributes: str | Number | None) -> Markup:
    """Return an SVG element; what is not Markup is escaped.

    Args:
        name: Its tag.
        *children: Texts and elements inside it.
        **attributes: Its attributes; a trailing underscore is dropped, others become hyphens, None leaves one out.
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{named}>{''.join(map(escape, children))}</{name}>")


def short(value: Number) -> str:
    """Return a coordinate in tenths of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def round_text(value: Number) -> str:
    """Return the text of a round value, with a true minus sign."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def path(points: Iterable[Point], *, closed: bool = False) -> str:
    """Return the path data of straight lines through points, those in the middle of a straight run left out."""
    drawn = "L".join(f"{short(x)} {short(y)}" for x, y in _corners(list(points)))
    return f"M{drawn}Z" if closed else f"M{drawn}"


def _corners(points: Sequence[Point]) -> list[Point]:
    kept = [points[0]]
    for here, after in pairwise(points[1:]):
        (x0, y0), (x1, y1), (x2, y2) = kept[-1], here, after
        off = abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
        if off > 0.1 * (abs(x2 - x0) + abs(y2 - y0)):  # a tenth of a pixel from the straight line, or more
            kept.append(here)
    return kept if len(points) == 1 else [*kept, points[-1]]


def steps(points: Sequence[Point]) -> list[Point]:
    """Return the points of a step function that keeps each value until the next abscissa."""
    corners = [points[0]]
    for (_, before), (x, y) in pairwise(points):
        corners += [(x, before), (x, y)]
    return corners


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixels.
        end: Pixels.
    """

    low: Number
    high: Number
    start: Number
    end: Number

    def __call__(self, value: Number) -> Number:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[Number]:
        """Return at most so many round values inside the scale."""
        least = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * size for size in (1, 2, 5, 10, 20) if self._inside(power * size) <= most)
        first = math.ceil(round(self.low / step, 6))
        return [round(step * (first + index), 10) for index in range(self._inside(step))]

    def _inside(self, step: float) -> int:
        first, last = math.ceil(round(self.low / step, 6)), math.floor(round(self.high / step, 6))
        return last - first + 1


def roomy(values: Iterable[Number]) -> tuple[Number, Number]:
    """Return the limits of an axis that shows some values, with a little room."""
    values = list(values)
    room = 0.05 * (max(values) - min(values)) or 0.05
    return min(values) - room, max(values) + room


_WIDTH = 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 8, 40
PLOT = _WIDTH - _LEFT - _RIGHT
"""Width in pixels of what lies between a frame's axes."""


@dataclass(frozen=True)
class Frame:
    """Two axes around marks.

    Attributes:
        x: Limits of the abscissa.
        y: Limits of the ordinate.
        x_label: What the abscissa is, with its unit.
        y_label: What the ordinate is.
        x_ticks: Values with a tick and its text; round ones where None.
        height: Height of the figure in pixels, without its foot.
        foot: Pixels below the name of the abscissa.
    """

    x: tuple[Number, Number]
    y: tuple[Number, Number]
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[Number, str], ...] | None = None
    height: int = 250
    foot: int = 0

    @cached_property
    def across(self) -> Scale:
        """The abscissa's scale."""
        return Scale(*self.x, _LEFT, _WIDTH - _RIGHT)

    @cached_property
    def up(self) -> Scale:
        """The ordinate's scale."""
        return Scale(*self.y, self.height - _BOTTOM, _TOP)

    def points(self, x: Sequence[Number], y: Sequence[Number]) -> list[Point]:
        """Return the pixels of a line."""
        return [(self.across(a), self.up(b)) for a, b in zip(x, y, strict=True)]

    def draw(self, title: str, *marks: Markup) -> Markup:
        """Return the figure with its marks; the title names it for those who do not see it."""
        return element(
            "svg",
            element("title", title),
            *self._axes(),
            *marks,
            viewBox=f"0 0 {_WIDTH} {self.height + self.foot}",
            width=_WIDTH,
            height=self.height + self.foot,
            role="img",
            class_="figure",
        )

    def _axes(self) -> list[Markup]:
        bottom, right = self.height - _BOTTOM, _WIDTH - _RIGHT
        x_ticks = self.x_ticks or tuple((value, round_text(value)) for value in self.across.ticks())
        drawn = [
            element("path", class_="grid", d="".join(f"M{_LEFT} {short(y)}H{right}" for y in map(self.up, self._y))),
            element("path", class_="axis", d=f"M{_LEFT} {bottom}H{right}"),
            element("path", class_="axis", d="".join(f"M{short(self.across(x))} {bottom}v4" for x, _ in x_ticks)),
            element("text", self.x_label, x=(_LEFT + right) / 2, y=self.height - 6, class_="label"),
            element("text", self.y_label, x=-(_TOP + bottom) / 2, y=12, class_="label", transform="rotate(-90)"),
        ]
        drawn += [element("text", text, x=self.across(x), y=bottom + 17, class_="tick") for x, text in x_ticks]
        drawn += [element("text", round_text(y), x=_LEFT - 6, y=self.up(y) + 4, class_="tick-y") for y in self._y]
        return drawn

    @property
    def _y(self) -> list[Number]:
        return self.up.ticks(6)
