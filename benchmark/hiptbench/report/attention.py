"""Thumbnails of attention: the instances of a bag in their order, the darker the more weight."""

from collections import defaultdict
from math import ceil, sqrt

from hiptbench.report.figure import Figure
from hiptbench.report.run_data import Attention
from hiptbench.report.svg import element, short

_SIDE = 120.0
_LEVELS = 8


def attention_figure(bag: Attention) -> Figure:
    """Return the attention over one bag, in rows that fill a strip three times as wide as high."""
    count, most = len(bag.weights), max(bag.weights) or 1.0
    columns = ceil(sqrt(3 * count))
    rows, side = ceil(count / columns), _SIDE / columns
    levels: dict[int, list[str]] = defaultdict(list)
    for index, weight in enumerate(bag.weights):
        row, column = divmod(index, columns)
        levels[ceil(_LEVELS * weight / most)].append(f"M{short((column + 0.5) * side)} {short((row + 0.5) * side)}h0")
    drawing = element(
        "svg",
        element("title", f"Attention over {bag.name}"),
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
    caption = (
        f"{bag.name.capitalize()}: {count} instances in the order of the bag. The largest weight is "
        f"{most / average:.1f} times the average."
    )
    return Figure(drawing, caption)
