"""How text, marks and axes look; colours are Okabe and Ito's, which colour-blind readers tell apart."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from hiptbench.results import ResultKind

TEXT, TITLE, HEADING = 7.0, 8.0, 9.0
"""Sizes of text in points."""

INK, PALE, FAINT, GRID, STRIPE = "#222222", "#555555", "#BBBBBB", "#D9D9D9", "#F3F3F3"
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PALETTE = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
KINDS: Mapping[ResultKind, str] = MappingProxyType({"measured": BLUE, "published": VERMILION, "synthetic": GREEN})


def percent(fraction: float) -> str:
    """Return a fraction as people read it."""
    return f"{100 * fraction:g}%"


def width_of(text: str, size: float) -> float:
    """Return the width in inches of a text set in the figures' font."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width) / 72


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """Return a colour thinned with white; 1 is the colour itself, 0 is white."""
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def roomy(values: Sequence[float]) -> tuple[float, float]:
    """Return the limits of an axis that shows some values, with a little room."""
    room = 0.04 * (max(values) - min(values)) or 0.05
    return min(values) - room, max(values) + room


def bare(axes: Axes) -> None:
    """Leave of an axes' frame only the bottom, with small ticks."""
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(PALE)
        spine.set_linewidth(0.6)
    axes.tick_params(labelsize=TEXT, labelcolor=INK, color=PALE, length=2, width=0.6, pad=2)
    axes.tick_params(axis="y", length=0)
