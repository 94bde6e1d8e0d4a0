"""A look at slides before features are made: coordinates of the tiles, and a picture of each slide with its grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hiptbench.errors import SlideError
from hiptbench.extraction.files import write_coords
from hiptbench.extraction.settings import TileSettings
from hiptbench.slides.grid import Grid, make_grid
from hiptbench.slides.opening import open_slide
from hiptbench.slides.qc import draw_qc
from hiptbench.slides.slide import Slide
from hiptbench.slides.tissue import Tissue, find_tissue


@dataclass(frozen=True)
class TilingReport:
    """What was found on the slides.

    Attributes:
        done: Slide to the number of its tiles and the share of it that is tissue.
        broken: Slides that cannot be read, to the reason.
    """

    done: dict[str, tuple[int, float]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def tile_slides(
    slides: Sequence[Path],
    out: Path,
    *,
    side: int,
    tiles: TileSettings,
    mpp: float | None = None,
    on_slide: Callable[[int, int], object] | None = None,
) -> TilingReport:
    """Write ``<slide>_patches.h5``, as TRIDENT does, and ``<slide>.png`` for each slide.

    Args:
        slides: Slide files, each with an id of its own.
        out: The folder; what is there is made anew.
        side: Largest side of a tile in pixels.
        tiles: How slides are cut.
        mpp: Size of a pixel of level 0 in micrometres, for slides that do not say.
        on_slide: Called after each slide with (slides done, slides in all).

    Raises:
        StoreError: If the folder cannot be written.
    """
    report = TilingReport()
    for done, path in enumerate(slides, start=1):
        try:
            slide = open_slide(path, mpp=mpp)
            tissue, grid = tissue_and_tiles(slide, tiles, side)
            write_coords(out / f"{slide.id}_patches.h5", slide, grid)
            draw_qc(tissue, grid, out / f"{slide.id}.png")
            report.done[slide.id] = len(grid), tissue.share
        except SlideError as error:
            report.broken[path.stem] = str(error)
        if on_slide:
            on_slide(done, len(slides))
    return report


def tiles_of(slide: Slide, settings: TileSettings, side: int, *, square: bool = False) -> Grid:
    """Return the tiles of a slide.

    Args:
        slide: The slide.
        settings: How it is cut.
        side: Largest side of a tile in pixels.
        square: Whether tiles stay square on a slide that is smaller than one.

    Raises:
        SlideError: If it has none, is damaged or too coarse.
    """
    tissue, grid = tissue_and_tiles(slide, settings, side, square=square)
    if not len(grid):
        raise SlideError(
            f"{slide.path} has no tile of which {settings.least_tissue:.0%} is tissue ({tissue.share:.1%} of the slide "
            "is). Look at it with `hiptbench tile`; --least-tissue lowers the limit."
        )
    return grid


def tissue_and_tiles(slide: Slide, settings: TileSettings, side: int, *, square: bool = False) -> tuple[Tissue, Grid]:
    """Return the tissue of a slide and its tiles, which may be none; arguments and errors as of ``tiles_of``."""
    tissue, least = find_tissue(slide, settings.tissue), settings.least_tissue
    return tissue, make_grid(slide, tissue, side=side, mpp=settings.mpp, least_tissue=least, square=square)
