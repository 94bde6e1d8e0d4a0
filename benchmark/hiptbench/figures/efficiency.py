"""The figure of label efficiency: one panel a task, one line a method, over training fractions."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from hiptbench.cells import Cell
from hiptbench.errors import StoreError
from hiptbench.figures.content import Content, Method, Panel
from hiptbench.figures.frame import Block, compose, rows_of_panels
from hiptbench.figures.looks import FAINT, GRID, PALETTE, bare, percent, roomy

CAPTION = (
    "Points are means over folds, draws and seeds at the share of the training part below them (log scale); bands, "
    "where there are several seeds, reach one standard deviation over seeds to either side, and since folds share "
    "units they are no confidence intervals."
)
FEWEST = 3
"""Fractions that a line needs."""

OTHERS = "other methods"

Curve = tuple[Cell, ...]
"""A method's cells on one task, by rising fraction."""

Look = Mapping[str, Any]
"""A line's properties."""

_HEIGHT, _LEFT = 1.7, 0.3
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_OTHER: Look = MappingProxyType({"color": FAINT, "linewidth": 1.0, "markersize": 3.5, "zorder": 2.5})


def draw_efficiency(content: Content) -> Figure:
    """Draw the mean of every method over the fractions of the training part.

    Args:
        content: What to show; methods with fewer than three fractions on a task are left out there.

    Raises:
        StoreError: If no method has three fractions on a task.
    """
    panels = [panel for panel in content.panels if _curves(panel)]
    if not panels:
        raise StoreError(
            f"Label efficiency needs a method at {FEWEST} training fractions of a task; there are results at "
            f"{', '.join(map(percent, content.fractions))}. `hiptbench run --fraction 0.1,0.25,0.5,1` makes some."
        )
    looks = _looks(content, {method for panel in panels for method in _curves(panel)})
    rows = rows_of_panels(panels)
    figure, axes = compose(
        heading=f"Label efficiency on {content.subject}",
        legend=_legend(content, looks),
        blocks=[Block(row, _HEIGHT) for row in rows],
        caption=CAPTION,
        left=_LEFT,
    )
    for row, own in zip(rows, axes, strict=True):
        for panel, ax in zip(row, own, strict=True):
            _draw_panel(ax, panel, looks)
            ax.set_ylim(_limits(panels, panel.metric))
            ax.tick_params(labelleft=ax is own[0])
    return figure


def _curves(panel: Panel) -> Mapping[Method, Curve]:
    """Return the lines of a task."""
    found: dict[Method, list[Cell]] = defaultdict(list)
    for (method, _), cell in panel.cells.items():
        found[method].append(cell)
    return {
        method: tuple(sorted(cells, key=lambda cell: cell.fraction))
        for method, cells in found.items()
        if len(cells) >= FEWEST
    }


def _looks(content: Content, drawn: Collection[Method]) -> Mapping[Method, Look]:
    """Return the look of each line: as many of the best as there are colours have one, and a mark; others are grey."""
    best = zip([method for method in content.methods if method in drawn], PALETTE, _MARKS, strict=False)
    own = {method: {"color": colour, "marker": mark, "zorder": 3} for method, colour, mark in best}
    return {method: {**_OTHER, **own.get(method, {})} for method in content.methods if method in drawn}


def _legend(content: Content, looks: Mapping[Method, Look]) -> list[Line2D]:
    entries = [(content.labels[method], look) for method, look in looks.items() if "marker" in look]
    if len(entries) < len(looks):
        entries.append((OTHERS, _OTHER))
    return [Line2D([], [], label=label, **look) for label, look in entries]


def _draw_panel(ax: Axes, panel: Panel, looks: Mapping[Method, Look]) -> None:
    bare(ax)
    ax.set_xscale("log")
    curves = _curves(panel)
    for method, curve in curves.items():
        _draw_curve(ax, curve, looks[method])
    fractions = sorted({cell.fraction for curve in curves.values() for cell in curve})
    ax.xaxis.set_major_locator(FixedLocator(fractions))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(fractions, [percent(fraction) for fraction in fractions])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.grid(axis="y", color=GRID, linewidth=0.5)


def _draw_curve(ax: Axes, curve: Curve, look: Look) -> None:
    x = [cell.fraction for cell in curve]
    ax.plot(x, [cell.mean for cell in curve], label=curve[0].method, **look)
    if "marker" in look and any(cell.sd_seeds for cell in curve):  # bands of grey lines would hide each other
        low, high = ([cell.mean + side * (cell.sd_seeds or 0) for cell in curve] for side in (-1, 1))
        ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)


def _limits(panels: Sequence[Panel], metric: str) -> tuple[float, float]:
    """Return the range of a metric over all tasks, so that panels compare at a glance."""
    curves = [curve for panel in panels if panel.metric == metric for curve in _curves(panel).values()]
    cells = [cell for curve in curves for cell in curve]
    values = [cell.mean + side * (cell.sd_seeds or 0) for cell in cells for side in (-1, 1)]
    return roomy(values)
