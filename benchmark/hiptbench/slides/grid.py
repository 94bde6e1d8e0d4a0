"""The grid of regions or patches that a slide is cut into."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, UInt8

from hiptbench.slides.slide import Slide
from hiptbench.slides.tissue import Tissue

PATCH = 256
"""Side of a patch in pixels."""

REGION = 4096
"""Side of a region in pixels: 16 x 16 patches."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Tiles of one size that cover a slide's tissue.

    Attributes:
        mpp: Pixel size of the tiles in micrometres.
        width: Width of a tile in pixels of that size.
        height: Height of a tile.
        scale: Pixels of level 0 in one of a tile's pixels.
        coords: Each tile's left and upper border in pixels of level 0, row by row.
        tissue: Share of each tile that is tissue.
    """

    mpp: float
    width: int
    height: int
    scale: float
    coords: Int64[np.ndarray, "n 2"]
    tissue: Float[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.coords)

    @property
    def patches(self) -> int:
        """How many patches a tile has."""
        return (self.width // PATCH) * (self.height // PATCH)

    def read(self, slide: Slide, index: int) -> UInt8[np.ndarray, "height width 3"]:
        """Return a tile's pixels.

        Raises:
            SlideError: If the slide is damaged there.
        """
        x, y = map(int, self.coords[index])
        return slide.read(x, y, self.width, self.height, self.mpp)


def make_grid(
    slide: Slide, tissue: Tissue, *, side: int, mpp: float, least_tissue: float, square: bool = False
) -> Grid:
    """Return the tiles of a slide that hold enough tissue.

    Tiles lie side by side from the upper left corner on; the last of a row or column may stick out of the slide and
    is white there. On a slide smaller than one tile, tiles shrink to the next whole number of patches, so that no more
    than the rest of a patch is white.

    Args:
        slide: The slide.
        tissue: Its tissue.
        side: Largest side of a tile in pixels, a multiple of ``PATCH``.
        mpp: Pixel size in micrometres.
        square: Whether tiles stay square where they shrink, at the price of more white.
        least_tissue: Least share of a tile that is tissue, 0 to 1; a tile without any is never kept.

    Raises:
        SlideError: If the slide is too coarse.
    """
    scale = slide.scale(mpp)
    whole_width, whole_height = slide.size_at(mpp)
    longest = max(whole_width, whole_height)
    lengths = (longest, longest) if square else (whole_width, whole_height)
    width, height = (min(side, -(-length // PATCH) * PATCH) for length in lengths)
    corners = [(x, y) for y in range(0, whole_height, height) for x in range(0, whole_width, width)]
    coords = np.array([(round(x * scale), round(y * scale)) for x, y in corners], dtype=np.int64)
    shares = np.array([tissue.share_of(x, y, width * scale, height * scale) for x, y in coords.astype(float)])
    kept = (shares >= least_tissue) & (shares > 0)
    return Grid(mpp, width, height, scale, coords[kept], shares[kept])
