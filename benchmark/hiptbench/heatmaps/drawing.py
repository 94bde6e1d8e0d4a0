"""Heat maps as pictures: the slide with its regions, and beside it in grey under the map's colours."""

import math
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image

from hiptbench.figures.looks import HEADING, INK, PALE, TEXT, TITLE, width_of
from hiptbench.figures.output import FORMATS, STYLE
from hiptbench.files import write_atomic
from hiptbench.heatmaps.attention import Heatmap
from hiptbench.heatmaps.view import View, lay_out

RANGE = (1, 99)
"""Percentiles of what is shown that the colours reach between."""

CAPTION = "Pale grey is average; the colours reach from the 1st to the 99th percentile. Frames are regions."

_LEAST = 0.01  # how far colours reach from the average at least, so that equal values look equal
_COLOURS, _OPACITY = "coolwarm", 0.6
_THIN, _THICK = 0.6, 2.0  # lines, in points
_DPI = 300
# Inches; the panels' are the most.
_WIDTH, _HEIGHT, _WIDTH_ALONE = 2.85, 5.0, 5.8
_MARGIN, _GAP, _LINE, _SPACE = 0.1, 0.12, 0.15, 0.1
_BAR_WIDTH, _BAR_HEIGHT, _BAR_TEXT = 0.1, 1.6, 0.55
_WIDE = 1.6  # panels this much wider than high stand one below the other


def draw_overlay(heatmap: Heatmap, view: View, path: Path, *, source: str) -> None:
    """Draw a heat map over a slide into a PNG file.

    Args:
        heatmap: The map.
        view: The slide.
        path: The file to be.
        source: What computed the map.

    Raises:
        StoreError: If the file cannot be written.
    """
    with style.context(["default", dict(STYLE)]):
        figure = compose(heatmap, view, source)
        metadata = dict(FORMATS["png"])
        write_atomic(path, lambda part: figure.savefig(part, format="png", dpi=_DPI, metadata=metadata))


def compose(heatmap: Heatmap, view: View, source: str) -> Figure:
    """Return the page: headings, the slide, the map with its colour bar, scale bar and caption."""
    drawn = " (drawn, not scanned)" if view.slide.pixels.synthetic else ""
    headings = (view.slide.id + drawn, HEADING), (heatmap.title, TITLE)
    caption = f"Computed by {source}. {CAPTION}"
    width, height, stacked = _panel(view)
    top = _MARGIN + len(headings) * _LINE + _SPACE
    across, down = (0.0, height + _GAP) if stacked else (width + _GAP, 0.0)
    right, bottom = _MARGIN + across + width, top + down + height
    text = max(width_of(caption, TEXT), *(width_of(words, size) for words, size in headings))
    page = _Page(
        max(_MARGIN + text, right + _SPACE + _BAR_WIDTH + _BAR_TEXT) + _MARGIN,
        bottom + 2 * (_SPACE + _LINE) + _MARGIN,
    )
    for line, (words, size) in enumerate(headings):
        page.write(_MARGIN + line * _LINE, words, size, INK)
    _draw_slide(page.place(_MARGIN, top, width, height), view)
    image = _draw_map(page.place(_MARGIN + across, top + down, width, height), heatmap, view)
    _draw_colours(page.place(right + _SPACE, top + down, _BAR_WIDTH, min(_BAR_HEIGHT, height)), image)
    _draw_scale(page.place(_MARGIN, bottom + _SPACE, width, _LINE), view)
    page.write(bottom + 2 * _SPACE + _LINE, caption, TEXT, PALE)
    return page.figure


def scale_bar(width: float) -> float:
    """Return the length of a scale bar in micrometres: 1, 2 or 5 times a power of ten, at most a third of a width."""
    most = width / 3
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)


class _Page:
    """A figure measured in inches from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def write(self, top: float, text: str, size: float, colour: str) -> None:
        """Write a line of text at the left margin."""
        self.figure.text(_MARGIN / self.width, 1 - top / self.height, text, fontsize=size, color=colour, va="top")

    def place(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes without ticks, in a thin frame."""
        corner = left / self.width, 1 - (top + height) / self.height
        axes = self.figure.add_axes((*corner, width / self.width, height / self.height))
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=PALE, linewidth=_THIN)
        return axes


def _panel(view: View) -> tuple[float, float, bool]:
    """Return the width and height of a slide on the page, and whether two of them stand one below the other."""
    width, height = view.size_um
    stacked = width > _WIDE * height
    shrink = min((_WIDTH_ALONE if stacked else _WIDTH) / width, _HEIGHT / height)
    return width * shrink, height * shrink, stacked


def _extent(view: View) -> tuple[float, float, float, float]:
    """Return a view's borders in micrometres: left, right, bottom, top."""
    width, height = view.size_um
    return 0.0, width, height, 0.0


def _draw_slide(axes: Axes, view: View) -> None:
    """Draw the slide with its regions framed."""
    axes.imshow(view.pixels, extent=_extent(view))
    for left, top, right, bottom in view.boxes * view.scale * view.slide.mpp:
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, color=INK, linewidth=_THIN))


def _draw_map(axes: Axes, heatmap: Heatmap, view: View) -> AxesImage:
    """Draw the slide in grey under the colours of a map."""
    values = lay_out(heatmap, view)
    low, high = np.nanpercentile(values, RANGE)
    norm = TwoSlopeNorm(1, min(low, 1 - _LEAST), max(high, 1 + _LEAST))
    grey = np.asarray(Image.fromarray(view.pixels).convert("L"))
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=_extent(view))
    return axes.imshow(values, cmap=_COLOURS, norm=norm, alpha=_OPACITY, interpolation="nearest", extent=_extent(view))


def _draw_colours(axes: Axes, image: AxesImage) -> None:
    """Draw the legend of the colours."""
    low, high = image.get_clim()
    ticks = [low, (low + 1) / 2, 1, (1 + high) / 2, high]
    decimals = max(0, 1 - math.floor(math.log10(high - low)))
    bar = axes.figure.colorbar(image, cax=axes, extend="both", ticks=ticks, format=f"{{x:.{decimals}f}}")
    bar.ax.tick_params(labelsize=TEXT, labelcolor=INK, color=PALE, length=2, width=_THIN, pad=2)
    bar.set_label("attention / average", fontsize=TEXT, color=INK)
    bar.outline.set(color=PALE, linewidth=_THIN)


def _draw_scale(axes: Axes, view: View) -> None:
    """Draw a scale bar into axes as wide as a panel."""
    width, _ = view.size_um
    length = scale_bar(width)
    label = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    axes.set(xlim=(0, width), ylim=(-1, 1))
    axes.axis("off")
    axes.add_line(Line2D([0, length], [0, 0], color=INK, linewidth=_THICK, solid_capstyle="butt"))
    axes.annotate(label, (length, 0), xytext=(4, 0), textcoords="offset points", va="center", fontsize=TEXT, color=INK)
