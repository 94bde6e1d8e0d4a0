"""What a trained head attends to on a slide: its regions, or all their patches."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from hiptbench.bags import Bag
from hiptbench.errors import HeadError
from hiptbench.extractors.hipt import HIPT
from hiptbench.heads.base import FITTED, Fitted, load_fitted
from hiptbench.heatmaps.attention import Heatmap, SlideAttention, to_average
from hiptbench.kept import KeptFold
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide


def load_head(folder: Path, extractor: HIPT, *, patches: int) -> Fitted:
    """Load a head, and see that it tells attention over HIPT's vectors before these are made.

    Args:
        folder: What a run kept of a fold, or the folder ``model`` in it.
        extractor: The extractor whose vectors it will read.
        patches: How many patches a region has.

    Raises:
        HeadError: If the folder holds no head, or one that has no attention or reads other vectors.
    """
    fitted = load_fitted(folder) if (folder / FITTED).exists() else KeptFold(folder).model()
    regions = np.zeros((1, extractor.dim), np.float32)
    vectors = _read_by(fitted, regions, np.zeros((1, patches, extractor.patches.dim), np.float32))
    _attention(fitted, Bag("probe", vectors, None, np.zeros(1, np.int64)))
    return fitted


def head_heatmap(fitted: Fitted, slide: Slide, grid: Grid, found: SlideAttention) -> Heatmap:
    """Return what a head attends to, as a multiple of the average over the slide.

    The head reads the regions' vectors or those of their patches, whichever it was fitted on; its attention is over
    patches if it reads them one by one.

    Args:
        fitted: The head, as ``load_head`` returns it.
        slide: The slide.
        grid: Its regions.
        found: HIPT's vectors of them.

    Raises:
        HeadError: If the head fails on these vectors.
    """
    vectors = _read_by(fitted, found.vectors, found.patch_vectors)
    weights = _attention(fitted, Bag(slide.id, vectors, grid.coords, np.zeros(len(grid), np.int64)))
    over_regions = len(weights) == len(grid)
    boxes = (1, 1) if over_regions else found.patches.shape[1:]
    values = to_average(weights[None], 1, 1).reshape(len(grid), *boxes)
    to = "regions" if over_regions else "patches"
    return Heatmap(name="head", by=_name(fitted), to=to, within="slide", values=values)


def _read_by(
    fitted: Fitted, regions: Float32[np.ndarray, "n d_region"], patches: Float32[np.ndarray, "n patches d_patch"]
) -> Float32[np.ndarray, "n *tail"]:
    """Return those vectors that a head was fitted on, the regions' or their patches'."""
    dim = getattr(fitted, "d_in", None)
    if dim is None:
        raise HeadError(f"{_name(fitted)} has no attention: it is no model of instances. Take one such as abmil.")
    for vectors in (regions, patches):
        if vectors.shape[-1] == dim:
            return vectors
    raise HeadError(
        f"{_name(fitted)} was fitted on vectors of {dim} numbers. Heat maps are of HIPT: take a head that was fitted "
        f"on features of the extractor hipt ({regions.shape[-1]} numbers) or vit256 ({patches.shape[-1]})."
    )


def _attention(fitted: Fitted, bag: Bag) -> Float32[np.ndarray, " instances"]:
    """Return a head's attention on a bag: one weight a region, or one a patch."""
    (weights,) = fitted.predict([bag]).attention or (None,)
    if weights is None:
        raise HeadError(f"{_name(fitted)} has no attention. Take a head that has some, such as abmil or hipt_gp.")
    patches = int(np.prod(bag.features.shape[:-1]))
    if len(weights) not in (len(bag), patches):
        raise HeadError(f"{_name(fitted)} gave {len(weights)} weights for {len(bag)} regions of {patches} patches.")
    return weights.astype(np.float32)


def _name(fitted: Fitted) -> str:
    return str(getattr(fitted, "model", type(fitted).__name__))
