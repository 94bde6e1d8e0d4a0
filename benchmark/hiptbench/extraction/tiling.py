"""A look at slides before features are made: coordinates of the tiles, and a picture of each slide with its grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hiptbench.errors import SlideError
from hiptbench.extraction.files import write_coords
from hiptbench.extraction.settings import TileSettings
from hiptbench.slides.grid import make_grid
from hiptbench.slides.opening import open_slide
from hiptbench.slides.qc import draw_qc
from hiptbench.slides.tissue import find_tissue


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
            tissue = find_tissue(slide, tiles.tissue)
            grid = make_grid(slide, tissue, side=side, mpp=tiles.mpp, least_tissue=tiles.least_tissue)
            write_coords(out / f"{slide.id}_patches.h5", slide, grid)
            draw_qc(tissue, grid, out / f"{slide.id}.png")
            report.done[slide.id] = len(grid), tissue.share
        except SlideError as error:
            report.broken[path.stem] = str(error)
        if on_slide:
            on_slide(done, len(slides))
    return report
