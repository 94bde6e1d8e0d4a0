"""The figure of a leaderboard: one panel a task, one row a method, a dot a number with its spreads."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hiptbench.cells import Cell
from hiptbench.figures.content import Content, Method, Panel
from hiptbench.figures.frame import Block, compose, rows_of_panels
from hiptbench.figures.looks import GRID, INK, KINDS, STRIPE, TEXT, VERMILION, bare, percent, roomy, tint, width_of

CAPTION = (
    "Dots are means over folds, draws and seeds, in the order of the methods' mean rank over tasks and training "
    "fractions; bars reach one standard deviation (sd) to either side, and since folds share units they are no "
    "confidence intervals."
)
FOLDS, SEEDS, PUBLISHED = "sd over folds", "sd over seeds", "published value"

_ROW, _LANE = 0.13, 0.066
_DOT, _TICK, _THIN, _THICK = 3.8, 6.5, 0.8, 2.6


def draw_board(content: Content) -> Figure:
    """Draw the mean of every method on every task, with its spread over folds and seeds.

    Args:
        content: What to show.
    """
    rows = [(panels, _methods(content, panels)) for panels in rows_of_panels(content.panels)]
    figure, axes = compose(
        heading=f"Leaderboard of {content.subject}",
        legend=_legend(content),
        blocks=[Block(panels, len(methods) * _pitch(panels)) for panels, methods in rows],
        caption=CAPTION,
        left=max(width_of(label, TEXT) for label in content.labels.values()) + 0.06,
    )
    for (panels, methods), drawn in zip(rows, axes, strict=True):
        for panel, ax in zip(panels, drawn, strict=True):
            _draw_panel(ax, content, panel, methods, _lanes(panels))
        drawn[0].set_yticks(range(len(methods)), [content.labels[method] for method in methods])
        drawn[0].tick_params(labelleft=True)
    return figure


def _methods(content: Content, panels: Sequence[Panel]) -> list[Method]:
    """Return the methods of which a row of panels has any number, in the order of all."""
    return [method for method in content.methods if any(method in panel.methods for panel in panels)]


def _fractions(panels: Sequence[Panel]) -> list[float]:
    return sorted({fraction for panel in panels for _, fraction in panel.cells}, reverse=True)


def _pitch(panels: Sequence[Panel]) -> float:
    """Return the height of a row, in inches."""
    return max(_ROW, _LANE * (len(_fractions(panels)) + 0.4))


def _lanes(panels: Sequence[Panel]) -> Mapping[float, float]:
    """Return how far below the middle of a row each fraction's marks stand, in rows; the largest is on top."""
    fractions = _fractions(panels)
    middle = (len(fractions) - 1) / 2
    return {fraction: (i - middle) * _LANE / _pitch(panels) for i, fraction in enumerate(fractions)}


def _draw_panel(
    ax: Axes, content: Content, panel: Panel, methods: Sequence[Method], lanes: Mapping[float, float]
) -> None:
    bare(ax)
    for row in range(0, len(methods), 2):
        ax.axhspan(row - 0.5, row + 0.5, color=STRIPE, linewidth=0, zorder=0)
    fills = _fills(content)
    for (method, fraction), cell in panel.cells.items():
        height = methods.index(method) + lanes[fraction]
        _draw_cell(ax, cell, height, fills[fraction])
        if (value := content.reference(cell)) is not None:
            ax.add_line(_tick([value], [height]))
    ax.set_ylim(len(methods) - 0.5, -0.5)
    ax.set_xlim(_limits(content, panel.metric))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.grid(axis="x", color=GRID, linewidth=0.5)
    ax.tick_params(labelleft=False)


def _draw_cell(ax: Axes, cell: Cell, height: float, fill: float) -> None:
    colour = KINDS[cell.kind]
    for spread, width, label in ((cell.sd_folds, _THIN, FOLDS), (cell.sd_seeds, _THICK, SEEDS)):
        if spread is not None:
            ax.add_line(_bar([cell.mean - spread, cell.mean + spread], [height, height], colour, width, label))
    ax.add_line(_dot([cell.mean], [height], colour, fill, percent(cell.fraction)))


def _dot(x: Sequence[float], y: Sequence[float], colour: str, fill: float, label: str) -> Line2D:
    return Line2D(
        x,
        y,
        linestyle="none",
        marker="o",
        markersize=_DOT,
        markerfacecolor=tint(colour, fill),
        markeredgecolor=colour,
        markeredgewidth=0.8,
        label=label,
        zorder=4,
    )


def _bar(x: Sequence[float], y: Sequence[float], colour: str, width: float, label: str) -> Line2D:
    return Line2D(x, y, color=colour, linewidth=width, solid_capstyle="butt", label=label, zorder=3)


def _tick(x: Sequence[float], y: Sequence[float]) -> Line2D:
    return Line2D(
        x,
        y,
        linestyle="none",
        marker="|",
        markersize=_TICK,
        markeredgecolor=VERMILION,
        markeredgewidth=1.4,
        label=PUBLISHED,
        zorder=5,
    )


def _fills(content: Content) -> Mapping[float, float]:
    """Return how full each fraction's dot is: 1 for the whole training part, less for less, 0 for the least."""
    fractions = content.fractions
    return {fraction: 1.0 if fraction == 1 else i / len(fractions) for i, fraction in enumerate(fractions)}


def _limits(content: Content, metric: str) -> tuple[float, float]:
    """Return the range of a metric over all tasks, so that panels compare at a glance."""
    cells = [cell for panel in content.panels if panel.metric == metric for cell in panel.cells.values()]
    spreads = [(cell.mean, max(cell.sd_folds or 0, cell.sd_seeds or 0)) for cell in cells]
    values = [mean + side * spread for mean, spread in spreads for side in (-1, 1)]
    values += [value for cell in cells if (value := content.reference(cell)) is not None]
    return roomy(values)


def _legend(content: Content) -> list[Line2D]:
    cells = [cell for panel in content.panels for cell in panel.cells.values()]
    colour = KINDS[content.kinds[0]] if len(content.kinds) == 1 else INK
    fills = _fills(content)
    entries = [
        _dot([], [], colour, fills[fraction], f"{percent(fraction)} of training part")
        for fraction in reversed(content.fractions)
    ]
    if len(content.kinds) > 1:
        entries += [_dot([], [], KINDS[kind], 1.0, kind) for kind in content.kinds]
    if any(cell.sd_folds is not None for cell in cells):
        entries.append(_bar([], [], colour, _THIN, FOLDS))
    if any(cell.sd_seeds is not None for cell in cells):
        entries.append(_bar([], [], colour, _THICK, SEEDS))
    if any(content.reference(cell) is not None for cell in cells):
        entries.append(_tick([], []))
    return entries
