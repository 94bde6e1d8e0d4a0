"""The page of a figure: heading, legend, panels in blocks, caption; all measures in inches, from the top."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hiptbench.figures.content import Panel
from hiptbench.figures.looks import HEADING, INK, PALE, TEXT, TITLE, width_of

_WIDTH, _COLUMNS = 6.9, 3
_NARROWEST, _WIDEST = 1.6, 3.2
_MARGIN, _GAP = 0.1, 0.18
_TITLES, _TICKS, _LINE = 0.36, 0.26, 0.145
_SPACE = 0.08
_HANDLE, _PAD, _COLUMN = 2.0, 0.6, 1.6
"""A legend's line, and the gaps after it and after an entry, in sizes of text."""


@dataclass(frozen=True)
class Block:
    """Panels beside each other, all in one metric.

    Attributes:
        panels: At most three.
        height: Height of their axes.
    """

    panels: tuple[Panel, ...]
    height: float


def rows_of_panels(panels: Sequence[Panel]) -> list[tuple[Panel, ...]]:
    """Return panels in rows, a new one wherever the metric changes."""
    groups = [list(group) for _, group in groupby(panels, key=lambda panel: panel.metric)]
    return [tuple(group[i : i + _COLUMNS]) for group in groups for i in range(0, len(group), _COLUMNS)]


def compose(
    *, heading: str, legend: Sequence[Line2D], blocks: Sequence[Block], caption: str, left: float
) -> tuple[Figure, list[list[Axes]]]:
    """Lay a page out.

    Args:
        heading: What the figure shows.
        legend: A labelled line of each look that needs a word.
        blocks: The panels, from the top.
        caption: What marks and bars are.
        left: Room to the left of each block, for names or tick labels.

    Returns:
        The figure and the empty axes of each block's panels.
    """
    panel = _panel_width(blocks, left)
    columns = max(len(block.panels) for block in blocks)
    width = left + columns * (panel + _GAP) - _GAP
    headings, captions = _wrap(heading, HEADING, width), _wrap(caption, TEXT, width)
    entries = _flow(legend, width)
    lines = len(headings) + len(entries) + len(captions)
    panels = sum(_TITLES + block.height + _TICKS for block in blocks)
    page = _Page(width + 2 * _MARGIN, lines * _LINE + 3 * _SPACE + panels + 2 * _MARGIN)
    page.write(headings, HEADING, INK)
    page.explain(entries)
    axes = [page.place(block, left, panel) for block in blocks]
    page.write(captions, TEXT, PALE)
    return page.figure, axes


def _panel_width(blocks: Sequence[Block], left: float) -> float:
    """Return the width of all panels: what fits the page, but room for every title."""
    columns = max(len(block.panels) for block in blocks)
    panels = [panel for block in blocks for panel in block.panels]
    titles = max(max(width_of(panel.title, TITLE), width_of(panel.subtitle, TEXT)) for panel in panels)
    fits = (_WIDTH - 2 * _MARGIN - left + _GAP) / columns - _GAP
    return max(_NARROWEST, min(fits, _WIDEST), titles)


def _wrap(text: str, size: float, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]


def _flow(legend: Sequence[Line2D], width: float) -> list[list[Line2D]]:
    """Return a legend's entries in lines that fit a width."""
    lines: list[list[Line2D]] = [[]]
    used = 0.0
    for entry in legend:
        own = width_of(str(entry.get_label()), TEXT) + (_HANDLE + _PAD + _COLUMN) * TEXT / 72
        if lines[-1] and used + own > width:
            lines.append([])
            used = 0.0
        lines[-1].append(entry)
        used += own
    return lines


class _Page:
    """A figure that is filled from the top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height, self.top = width, height, _MARGIN
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def write(self, lines: Sequence[str], size: float, colour: str) -> None:
        """Write lines of text."""
        for line in lines:
            self.figure.text(*self._at(_MARGIN, self.top), line, fontsize=size, color=colour, va="top")
            self.top += _LINE
        self.top += _SPACE

    def explain(self, lines: Sequence[Sequence[Line2D]]) -> None:
        """Write the legend."""
        for line in lines:
            self.figure.legend(
                handles=list(line),
                loc="upper left",
                bbox_to_anchor=self._at(_MARGIN, self.top),
                ncols=len(line),
                fontsize=TEXT,
                labelcolor=INK,
                frameon=False,
                borderpad=0,
                borderaxespad=0,
                handlelength=_HANDLE,
                handletextpad=_PAD,
                columnspacing=_COLUMN,
            )
            self.top += _LINE
        self.top += _SPACE

    def place(self, block: Block, left: float, width: float) -> list[Axes]:
        """Add a block's axes, each under its titles."""
        made = []
        for number, panel in enumerate(block.panels):
            x = _MARGIN + left + number * (width + _GAP)
            self.figure.text(*self._at(x, self.top + 0.06), panel.title, fontsize=TITLE, color=INK, va="top")
            self.figure.text(*self._at(x, self.top + 0.205), panel.subtitle, fontsize=TEXT, color=PALE, va="top")
            corner = self._at(x, self.top + _TITLES + block.height)
            made.append(self.figure.add_axes((*corner, width / self.width, block.height / self.height)))
        self.top += _TITLES + block.height + _TICKS
        return made

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x / self.width, 1 - y / self.height
