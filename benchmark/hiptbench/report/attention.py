"""Thumbnails of attention: a grid where the instances' positions are known, else a strip in their order."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, sqrt

from hiptbench.report.data import Attention
from hiptbench.report.figure import Figure
from hiptbench.report.svg import Number, Point, element, short

_SIDE = 120.0
_LEVELS = 8


def attention_figure(bag: Attention) -> Figure:
    """Return the attention over one bag: the darker a cell, the more weight its instance has."""
    count = len(bag.weights)
    places, columns, rows = _grid(bag.coords) if bag.coords else _strip(count)
    side, most = _SIDE / max(columns, rows), max(bag.weights) or 1.0
    levels: dict[int, list[str]] = defaultdict(list)
    for (column, row), weight in zip(places, bag.weights, strict=True):
        levels[ceil(_LEVELS * weight / most)].append(f"M{short((column + 0.5) * side)} {short((row + 0.5) * side)}h0")
    drawing = element(
        "svg",
        element("title", f"Attention over bag {bag.name}"),
        *(
            element("path", class_=f"heat-{level}", d="".join(cells), stroke_width=side)
            for level, cells in sorted(levels.items())
        ),
        viewBox=f"-1 -1 {short(columns * side + 2)} {short(rows * side + 2)}",
        width=columns * side + 2,
        height=rows * side + 2,
        role="img",
        class_="figure heat",
    )
    average = sum(bag.weights) / count or 1.0
    order = "at their places on the slide" if bag.coords else "in the order of the bag"
    caption = (
        f"Bag {bag.name}: {count} instances {order}. The largest weight is {most / average:.1f} times the average."
    )
    return Figure(drawing, caption)


def _grid(coords: Sequence[tuple[int, int]]) -> tuple[list[Point], Number, Number]:
    """Return each instance's cell, and how many columns and rows there are; one cell is the least distance of two."""
    step = min(filter(None, (_least([place[axis] for place in coords]) for axis in (0, 1))), default=1)
    left, top = (min(place[axis] for place in coords) for axis in (0, 1))
    cells = [((x - left) / step, (y - top) / step) for x, y in coords]
    return cells, max(x for x, _ in cells) + 1, max(y for _, y in cells) + 1


def _least(values: Sequence[int]) -> int | None:
    """Return the least difference of two distinct values; None if there is but one."""
    rising = sorted(set(values))
    return min((b - a for a, b in pairwise(rising)), default=None)


def _strip(count: int) -> tuple[list[Point], Number, Number]:
    """Return cells that fill rows of a strip three times as wide as high."""
    columns = max(1, ceil(sqrt(3 * count)))
    return [(index % columns, index // columns) for index in range(count)], columns, ceil(count / columns)
