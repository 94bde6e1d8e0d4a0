"""What HIPT's stages attend to on a slide: computed region by region, in units that compare between regions.

Attention is a distribution, so a cell gets less of it the more cells there are. Here it is the mean over heads, divided
by its mean over the distribution: 1 is average, 2 twice as much, whatever the grid and whatever the CLS token keeps for
itself. It compares cells of one patch, patches of one region, regions of one slide. Beyond, it says how much one stands
out among its own, not that it matters more.

Unlike mahmoodlab/HIPT, HIPT_4K/hipt_heatmap_utils.py: no percentile ranks, which show noise as boldly as signal; no
means with shifted copies of the region, which blur the grid; both levels are multiplied and not averaged.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from einops import repeat
from jaxtyping import Float, Float32

from hiptbench.extraction.reading import read_ahead
from hiptbench.extractors.hipt import HIPT
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide

OnRegion = Callable[[int, int], object]


@dataclass(frozen=True, eq=False, kw_only=True)
class Heatmap:
    """How much attention each box of a grid gets that is laid over every region of a slide.

    Attributes:
        name: What it is called in files.
        by: Who attends.
        to: What the boxes are, in the plural.
        within: What they share the attention of: patch, region or slide.
        values: Attention as a multiple of the average, for each region row by row.
    """

    name: str
    by: str
    to: str
    within: str
    values: Float32[np.ndarray, "regions rows columns"]

    @property
    def title(self) -> str:
        """What it shows, in words."""
        return f"Attention of {self.by} to {self.to}, relative to the average of their {self.within}"


@dataclass(frozen=True, eq=False)
class SlideAttention:
    """What HIPT attends to on a slide, and the vectors that it makes of it; regions are in the order of the grid.

    Attributes:
        cells: ViT_256's attention to each square of 16 x 16 pixels, as a multiple of the average in its patch.
        patches: ViT_4096's attention to each patch, as a multiple of the average in its region.
        patch_vectors: The vectors of each region's patches, row by row.
        vectors: The regions' vectors.
    """

    cells: Float32[np.ndarray, "regions cell_rows cell_columns"]
    patches: Float32[np.ndarray, "regions rows columns"]
    patch_vectors: Float32[np.ndarray, "regions patches d_patch"]
    vectors: Float32[np.ndarray, "regions dim"]

    @property
    def heatmaps(self) -> tuple[Heatmap, ...]:
        """The maps of cells and of patches, and of both."""
        first, second = "ViT256-16", "ViT4096-256"
        return (
            Heatmap(name="cells", by=first, to="cells", within="patch", values=self.cells),
            Heatmap(name="patches", by=second, to="patches", within="region", values=self.patches),
            Heatmap(name="blend", by=f"{second} x {first}", to="cells", within="region", values=self.blend),
        )

    @property
    def blend(self) -> Float32[np.ndarray, "regions cell_rows cell_columns"]:
        """Attention to each cell by way of its patch: the product of both, 1 being the average in the region.

        The distributions of the two levels, multiplied, are one over the cells of the region; the product of their
        means over heads is the mean of the products of all pairs of heads.
        """
        side = self.cells.shape[1] // self.patches.shape[1]
        blend: np.ndarray = self.cells * repeat(self.patches, "n r c -> n (r y) (c x)", y=side, x=side)
        return blend


def attend(slide: Slide, grid: Grid, extractor: HIPT, *, on_region: OnRegion | None = None) -> SlideAttention:
    """Compute what HIPT attends to on a slide.

    Args:
        slide: The slide.
        grid: Its regions; there is at least one.
        extractor: HIPT with its weights.
        on_region: Called after each region with (regions done, regions in all).

    Raises:
        SlideError: If the slide is damaged.
        ExtractorError: If the extractor lacks weights.
    """
    cells, patches, patch_vectors, vectors = [], [], [], []
    for done, (image,) in enumerate(read_ahead(slide, grid, 1), start=1):
        found = extractor.attention(image)
        rows, columns = found.patches.shape[1:]
        cells.append(to_average(found.cells.mean(axis=0), rows, columns))
        patches.append(to_average(found.patches.mean(axis=0), 1, 1))
        patch_vectors.append(found.patch_vectors)
        vectors.append(found.vector)
        if on_region:
            on_region(done, len(grid))
    return SlideAttention(*map(np.stack, (cells, patches, patch_vectors, vectors)))


def to_average(attention: Float[np.ndarray, "y x"], rows: int, columns: int) -> Float[np.ndarray, "y x"]:
    """Return attention as a multiple of its average within each of rows x columns equal boxes."""
    boxes = attention.reshape(rows, len(attention) // rows, columns, -1)
    relative: np.ndarray = boxes / boxes.mean(axis=(1, 3), keepdims=True)
    return relative.reshape(attention.shape)
