"""Figures of a leaderboard: what one shows, how it is drawn, and how it is written. Importing this draws nothing."""

from hiptbench.figures.content import Content, Method, Panel, content_of
from hiptbench.figures.output import FORMATS, PLOTS, format_of, write_figure
from hiptbench.figures.selection import Selection, published_values, select, values_missing

__all__ = [
    "FORMATS",
    "PLOTS",
    "Content",
    "Method",
    "Panel",
    "Selection",
    "content_of",
    "format_of",
    "published_values",
    "select",
    "values_missing",
    "write_figure",
]
