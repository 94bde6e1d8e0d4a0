"""Extraction of many slides: what is done is skipped, what is broken is reported, nothing is half-written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from hiptbench.errors import ExtractorError, FeatureError, SlideError
from hiptbench.extraction.folder import FeatureFolder
from hiptbench.extraction.reading import Images, read_ahead
from hiptbench.extraction.settings import SIDES, TileSettings, describe
from hiptbench.extraction.tiling import tiles_of
from hiptbench.extractors.base import FeatureExtractor, Staged
from hiptbench.slides.grid import PATCH, Grid
from hiptbench.slides.opening import by_id, open_slide
from hiptbench.slides.slide import Slide

_AT_ONCE = {"patch": 256, "region": 1}  # tiles that are read and handed to an extractor together

Features = Float32[np.ndarray, "n *tail"]


@dataclass(frozen=True)
class Step:
    """How far an extraction is.

    Attributes:
        slides: Slides in all.
        slides_done: Slides done, skipped or broken.
        slide: The slide being worked on; empty after it.
        tiles: Tiles of that slide.
        tiles_done: Tiles of it that are done.
        new_tiles: Tiles that were encoded since the last step.
        new_patches: Patches in them.
    """

    slides: int
    slides_done: int
    slide: str = ""
    tiles: int = 0
    tiles_done: int = 0
    new_tiles: int = 0
    new_patches: int = 0


OnStep = Callable[[Step], object]


@dataclass(frozen=True)
class Report:
    """What became of the slides.

    Attributes:
        done: Slides whose features were made, to the number of their tiles.
        skipped: Slides whose features were there.
        broken: Slides without features, to the reason.
    """

    done: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.done) + len(self.skipped) + len(self.broken)


def extract_slides(
    slides: Sequence[str | Path],
    extractor: FeatureExtractor,
    out: str | Path,
    *,
    patches_out: str | Path | None = None,
    tiles: TileSettings | None = None,
    mpp: float | None = None,
    on_step: OnStep | None = None,
) -> Report:
    """Extract the features of slides: one HDF5 file each, with ``card.yaml`` and ``extraction.yaml`` beside them.

    A slide whose file is there and was made from the same slide in the same way is skipped, so that an extraction that
    was cut off goes on where it was.

    Args:
        slides: Slide files, as ``find_slides`` returns them.
        extractor: The extractor.
        out: The folder of the features.
        patches_out: A folder for the vectors of patches that an extractor with two stages comes through, as its first
            stage alone would write them; None lets them go.
        tiles: How slides are cut; 0.5 um a pixel by default.
        mpp: Size of a pixel of level 0 in micrometres, for slides that do not say.
        on_step: Told of every batch of tiles and of every slide.

    Returns:
        What became of each slide. A slide that is broken costs nothing but itself.

    Raises:
        ExtractorError: If a folder holds features made in another way, or the extractor lacks weights or stages.
        FeatureError: If the extractor returns another shape than it promises.
        SlideError: If two slides have one id.
        StoreError: If a folder cannot be written.
    """
    tiles, report, paths = tiles or TileSettings(), Report(), by_id(map(Path, slides))
    folders = _folders(extractor, tiles, out, patches_out)
    for folder in folders:
        folder.prepare()
    tell = _teller(on_step, len(paths), report)
    for path in paths:
        try:
            slide = open_slide(path, mpp=mpp)
            if all(folder.has(slide) for folder in folders):
                report.skipped.append(slide.id)
            else:
                report.done[slide.id] = _extract(slide, extractor, folders, tiles, tell)
        except SlideError as error:
            report.broken[path.stem] = str(error)
        if on_step:
            on_step(Step(len(paths), len(report)))
    return report


def _folders(
    extractor: FeatureExtractor, tiles: TileSettings, out: str | Path, patches_out: str | Path | None
) -> tuple[FeatureFolder, ...]:
    folder = FeatureFolder(Path(out), describe(extractor, tiles, square=patches_out is not None))
    if patches_out is None:
        return (folder,)
    if not isinstance(extractor, Staged):
        raise ExtractorError(f"'{extractor.name}' does not come through vectors of patches, so none can be kept.")
    return folder, FeatureFolder(Path(patches_out), describe(extractor.patches, tiles))


def _teller(on_step: OnStep | None, slides: int, report: Report) -> Callable[[Slide, Grid, int, int], None]:
    def tell(slide: Slide, grid: Grid, done: int, new: int) -> None:
        if on_step:
            on_step(Step(slides, len(report), slide.id, len(grid), done, new, new * grid.patches))

    return tell


def _extract(
    slide: Slide,
    extractor: FeatureExtractor,
    folders: Sequence[FeatureFolder],
    settings: TileSettings,
    tell: Callable[[Slide, Grid, int, int], None],
) -> int:
    """Make and write one slide's features, and return the number of its tiles."""
    grid = tiles_of(slide, settings, SIDES[extractor.level], square=folders[0].record.square)
    rows: list[Features] = []
    done = 0
    for images in read_ahead(slide, grid, _AT_ONCE[extractor.level]):
        made = _encode(extractor, images, stages=len(folders))
        rows = rows or [np.empty((len(grid), *stage.shape[1:]), np.float32) for stage in made]
        for stage, part in zip(rows, made, strict=True):
            stage[done : done + len(images)] = part
        done += len(images)
        tell(slide, grid, done, len(images))
    for folder, stage in zip(folders, rows, strict=True):
        folder.write(slide, grid, stage)
    return len(grid)


def _encode(extractor: FeatureExtractor, images: Images, *, stages: int) -> tuple[Features, ...]:
    """Return the features of tiles, and behind them those of their patches if two stages are wanted."""
    if stages == 1:
        return (checked(extractor, images),)
    assert isinstance(extractor, Staged)
    patches = checked(extractor.patches, images)
    rows, columns = (side // PATCH for side in images.shape[1:3])
    return extractor.combine(patches.reshape(len(images), rows, columns, -1)), patches


def checked(extractor: FeatureExtractor, images: Images) -> Features:
    """Return the features of images in the shape that was promised.

    Raises:
        FeatureError: If the extractor returns another.
    """
    features = np.asarray(extractor.extract(images), dtype=np.float32)
    if features.ndim not in (2, 3) or (len(features), features.shape[-1]) != (len(images), extractor.dim):
        raise FeatureError(
            f"{extractor.name} returned shape {features.shape} for {len(images)} images; it promises "
            f"({len(images)}, {extractor.dim}), or a third axis of patches between them."
        )
    return features
