"""A picture of what is taken from a slide: the thumbnail, and beside it the tissue and the grid."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from hiptbench.files import write_atomic
from hiptbench.slides.grid import Grid
from hiptbench.slides.image_pixels import PICTURE
from hiptbench.slides.tissue import Tissue

_LONGEST = 1200  # pixels of the longer side of each half
_GLASS, _LINE, _GAP = (90, 90, 90), (0, 110, 60), 12


def draw_qc(tissue: Tissue, grid: Grid, path: Path) -> None:
    """Write the picture as PNG: left the slide, right what counts as tissue in colour, with the grid in green.

    Args:
        tissue: The tissue, with the thumbnail.
        grid: The tiles.
        path: The file to be.

    Raises:
        StoreError: If it cannot be written.
    """
    slide = Image.fromarray(tissue.thumbnail)
    shrink = min(4.0, _LONGEST / max(slide.size))
    size = max(1, round(slide.width * shrink)), max(1, round(slide.height * shrink))
    shown = np.where(tissue.mask[..., None], tissue.thumbnail, _faded(tissue.thumbnail))
    marked = Image.fromarray(shown).resize(size, Image.Resampling.BOX)
    _draw_grid(marked, grid, shrink / tissue.scale)
    whole = Image.new("RGB", (2 * size[0] + _GAP, size[1]), "white")
    said = PngImagePlugin.PngInfo()
    said.add_text("Software", PICTURE)
    whole.paste(slide.resize(size, Image.Resampling.BOX), (0, 0))
    whole.paste(marked, (size[0] + _GAP, 0))
    write_atomic(path, lambda part: whole.save(part, format="PNG", pnginfo=said))


def _faded(image: np.ndarray) -> np.ndarray:
    return (image * 0.3 + np.array(_GLASS) * 0.7).astype(np.uint8)


def _draw_grid(image: Image.Image, grid: Grid, scale: float) -> None:
    draw = ImageDraw.Draw(image)
    width, height = grid.width * grid.scale * scale, grid.height * grid.scale * scale
    for x, y in grid.coords * scale:
        draw.rectangle((x, y, x + width, y + height), outline=_LINE, width=2 if width > 40 else 1)
