"""From a slide to its heat maps: attention computed once, written as numbers and drawn as pictures."""

from pathlib import Path

from hiptbench.extraction.settings import SIDES, TileSettings, describe
from hiptbench.extraction.tiling import tiles_of
from hiptbench.extractors.hipt import HIPT
from hiptbench.heatmaps.attention import OnRegion, attend
from hiptbench.heatmaps.drawing import draw_overlay
from hiptbench.heatmaps.files import write_values
from hiptbench.heatmaps.head import head_heatmap, load_head
from hiptbench.heatmaps.view import make_view
from hiptbench.slides.opening import open_slide


def draw_heatmaps(
    slide: str | Path,
    extractor: HIPT,
    out: str | Path,
    *,
    model: str | Path | None = None,
    tiles: TileSettings | None = None,
    mpp: float | None = None,
    on_region: OnRegion | None = None,
) -> list[Path]:
    """Draw what HIPT's stages, and a head trained on its features, attend to on a slide.

    What is there is made anew: ``<slide>_attention.h5``, and ``<slide>_<map>.png`` for the maps "cells", "patches",
    "blend" and, with a model, "head".

    Args:
        slide: The slide's file.
        extractor: HIPT with its weights; for a model, those that made the features it was fitted on.
        out: The folder to write to.
        model: The folder of a head that a run kept.
        tiles: How the slide is cut; 0.5 um a pixel by default.
        mpp: Size of a pixel of level 0 in micrometres, for a slide that does not say.
        on_region: Called after each region with (regions done, regions in all).

    Returns:
        The files written, the numbers first.

    Raises:
        SlideError: If the slide cannot be read or has no tissue.
        ExtractorError: If the weights cannot be loaded.
        HeadError: If the model cannot be loaded, has no attention or was fitted on other features.
        StoreError: If the folder cannot be written.
    """
    opened, tiles, out = open_slide(slide, mpp=mpp), tiles or TileSettings(), Path(out)
    grid = tiles_of(opened, tiles, SIDES[extractor.level])
    record = describe(extractor, tiles)
    head = None if model is None else load_head(Path(model), extractor, patches=grid.patches)
    found = attend(opened, grid, extractor, on_region=on_region)
    maps = [*found.heatmaps]
    if head is not None:
        maps.append(head_heatmap(head, opened, grid, found))
    paths = [out / f"{opened.id}_attention.h5"]
    write_values(paths[0], opened, grid, maps, record)
    view = make_view(opened, grid)
    for one in maps:
        paths.append(out / f"{opened.id}_{one.name}.png")
        draw_overlay(one, view, paths[-1], source=extractor.name)
    return paths
