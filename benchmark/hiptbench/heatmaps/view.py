"""A slide as it is shown, and a heat map's values in its pixels."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from PIL import Image

from hiptbench.heatmaps.attention import Heatmap
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide
from hiptbench.slides.tissue import make_thumbnail

LONGEST = 1200
"""Pixels of the longer side of a slide as it is shown."""


@dataclass(frozen=True, eq=False)
class View:
    """A whole slide, shrunk.

    Attributes:
        slide: The slide.
        grid: Its regions.
        pixels: What is shown.
        scale: Pixels of level 0 in one of these pixels.
    """

    slide: Slide
    grid: Grid
    pixels: UInt8[np.ndarray, "h w 3"]
    scale: float

    @property
    def size_um(self) -> tuple[float, float]:
        """Width and height in micrometres."""
        height, width = self.pixels.shape[:2]
        um = self.scale * self.slide.mpp
        return width * um, height * um

    @property
    def boxes(self) -> Float64[np.ndarray, "regions 4"]:
        """Left, upper, right and lower border of each region in pixels."""
        size = self.grid.width * self.grid.scale, self.grid.height * self.grid.scale
        boxes: np.ndarray = np.hstack([self.grid.coords, self.grid.coords + size]) / self.scale
        return boxes


def make_view(slide: Slide, grid: Grid) -> View:
    """Return a slide as it is shown.

    Raises:
        SlideError: If the slide is damaged.
    """
    mpp = max(grid.mpp, max(slide.size) * slide.mpp / LONGEST)
    return View(slide, grid, make_thumbnail(slide, mpp), slide.scale(mpp))


def lay_out(heatmap: Heatmap, view: View) -> Float32[np.ndarray, "h w"]:
    """Return the value to show in each pixel: the mean where several boxes share one, NaN where no region is."""
    canvas = np.full(view.pixels.shape[:2], np.nan, np.float32)
    for values, (left, top, right, bottom) in zip(heatmap.values, view.boxes.tolist(), strict=True):
        x, y = round(left), round(top)
        size = math.ceil(right) - x, math.ceil(bottom) - y  # rounded up, so that there is no gap between neighbours
        shown = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX))
        part = canvas[y : y + size[1], x : x + size[0]]
        part[:] = shown[: part.shape[0], : part.shape[1]]
    return canvas
