"""Writing a figure: the same content gives the same bytes. matplotlib is imported when something is drawn."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from hiptbench.errors import UnknownNameError
from hiptbench.figures.content import Content
from hiptbench.files import write_atomic

Plot = Literal["board", "efficiency"]
PLOTS: tuple[Plot, ...] = ("board", "efficiency")

FORMATS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "svg": {"Creator": "hiptbench", "Date": None},
        "pdf": {"Creator": "hiptbench", "Producer": None, "CreationDate": None},
        "png": {"Software": "hiptbench"},
    }
)
"""Each format's metadata, without the dates and versions that would change a file when no number does."""

STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that text has one width on every machine
        "text.parse_math": False,  # names are shown as they are
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "hiptbench",
        "pdf.fonttype": 42,
    }
)


def format_of(path: Path) -> str:
    """Return the format that a file's suffix names.

    Raises:
        UnknownNameError: If it names none.
    """
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise UnknownNameError("figure format", form, FORMATS)
    return form


def write_figure(content: Content, path: Path, plot: Plot = "board") -> None:
    """Draw a figure into a file.

    Args:
        content: What it shows.
        path: The file; its suffix is one of ``FORMATS``.
        plot: "board", or "efficiency" for lines over training fractions.

    Raises:
        UnknownNameError: If the suffix names no format.
        StoreError: If there is nothing to draw in that plot, or the file cannot be written.
    """
    form = format_of(path)
    from matplotlib import style

    from hiptbench.figures.board import draw_board
    from hiptbench.figures.efficiency import draw_efficiency

    with style.context(["default", dict(STYLE)]):
        figure = {"board": draw_board, "efficiency": draw_efficiency}[plot](content)
        metadata = dict(FORMATS[form])
        write_atomic(path, lambda part: figure.savefig(part, format=form, dpi=200, metadata=metadata))
