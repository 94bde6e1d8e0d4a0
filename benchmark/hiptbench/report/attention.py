"""Thumbnails of attention: the instances of a bag where they lie on the slide, the darker the more weight."""

from collections import defaultdict
from collections.abc import Sequence
from math import ceil, sqrt

from hiptbench.report.figure import Figure
from hiptbench.report.run_data import Attention
from hiptbench.report.svg import element

_SIDE, _CELL = 180.0, 24.0
"""Most pixels of the longer side, and of a cell."""

_LEVELS = 8


def attention_figure(bag: Attention) -> Figure:
    """Return the attention over one bag: on the grid of its slides, or a strip where that is not known."""
    count, most = len(bag.weights), max(bag.weights) or 1.0
    cells = bag.cells or _strip(count)
    columns, rows = (max(places) + 1 for places in zip(*cells, strict=True))
    scale = min(_CELL, _SIDE / max(columns, rows))
    levels: dict[int, list[str]] = defaultdict(list)
    for (column, row), weight in zip(cells, bag.weights, strict=True):
        levels[ceil(_LEVELS * weight / most)].append(f"M{column}.5 {row}.5h0")
    drawing = element(
        "svg",
        element("title", f"Attention over {bag.name}"),
        *(
            element("path", class_=f"heat-{level}", d="".join(drawn), stroke_width=1)
            for level, drawn in sorted(levels.items())
        ),
        viewBox=f"0 0 {columns} {rows}",
        width=columns * scale,
        height=rows * scale,
        role="img",
        class_="figure heat",
    )
    average = sum(bag.weights) / count or 1.0
    where = "where they lie, slides side by side" if bag.cells else "in the order of the bag"
    caption = (
        f"{bag.name.capitalize()}: {count} instances {where}. The largest weight is "
        f"{most / average:.1f} times the average."
    )
    return Figure(drawing, caption)


def _strip(count: int) -> Sequence[tuple[int, int]]:
    """Return columns and rows that fill a strip three times as wide as high."""
    columns = ceil(sqrt(3 * count))
    return [(index % columns, index // columns) for index in range(count)]
