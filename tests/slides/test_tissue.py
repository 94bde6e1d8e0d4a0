"""Tissue: H&E is found; glass, pen, specks and the dark are not; holes are filled; and any size of slide works."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.slides.opening import open_slide
from hiptbench.slides.tissue import Tissue, TissueSettings, find_tissue, make_thumbnail
from slide_files import EOSIN, GLASS, HAEMATOXYLIN, WriteSlide

PENS = {"green": (40, 160, 70), "blue": (40, 70, 200), "cyan": (30, 170, 190), "black": (20, 18, 22)}
COARSE = 4  # thumbnail pixels of 8 um are 4 times as wide as the slide's of 2 um

RNG = np.random.default_rng(0)


def painted(*boxes: tuple[slice, slice, tuple[int, int, int]], size: tuple[int, int] = (128, 160)) -> np.ndarray:
    """Return a slide of noisy glass with boxes of colour, given in pixels of the thumbnail."""
    image = np.broadcast_to(np.array(GLASS, float), (*size, 3)).copy()
    for rows, columns, colour in boxes:
        image[rows, columns] = colour
    large = image.repeat(COARSE, 0).repeat(COARSE, 1)
    return (large + RNG.normal(0, 3, large.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture
def found(write_slide: WriteSlide):  # type: ignore[no-untyped-def]
    def find(pixels: np.ndarray, **settings: float) -> Tissue:
        return find_tissue(open_slide(write_slide(pixels, mpp=2.0)), TissueSettings(**settings))

    return find


TISSUE = slice(30, 90), slice(40, 120)


@pytest.mark.parametrize("colour", [EOSIN, HAEMATOXYLIN], ids=["eosin", "haematoxylin"])
def test_tissue_is_found_where_it_is(found, colour: tuple[int, int, int]) -> None:  # type: ignore[no-untyped-def]
    tissue = found(painted((*TISSUE, colour)))
    expected = np.zeros((128, 160), bool)
    expected[TISSUE] = True
    assert tissue.mask.shape == expected.shape
    assert (tissue.mask != expected).mean() < 0.02
    assert tissue.share == pytest.approx(60 * 80 / (128 * 160), rel=0.1)
    assert tissue.scale == COARSE


@pytest.mark.parametrize("pen", PENS)
def test_pen_marks_are_not_tissue(found, pen: str) -> None:  # type: ignore[no-untyped-def]
    tissue = found(painted((*TISSUE, EOSIN), (slice(100, 120), slice(10, 150), PENS[pen])))
    assert not tissue.mask[102:118, 12:148].any()
    assert tissue.mask[35:85, 45:115].all()


def test_a_slide_without_tissue_has_none(found) -> None:  # type: ignore[no-untyped-def]
    assert found(painted()).share == 0


def test_a_slide_full_of_tissue_is_tissue(found) -> None:  # type: ignore[no-untyped-def]
    halves = painted((slice(0, 128), slice(0, 80), EOSIN), (slice(0, 128), slice(80, 160), HAEMATOXYLIN))
    assert found(halves).share > 0.99


def test_an_even_colour_is_no_error(found) -> None:  # type: ignore[no-untyped-def]
    assert found(np.full((512, 512, 3), 255, np.uint8)).share == 0
    assert found(np.full((512, 512, 3), EOSIN, np.uint8)).share == 1


def test_specks_go_and_small_holes_are_filled(found) -> None:  # type: ignore[no-untyped-def]
    """A pixel of the thumbnail is 64 um2, so 0.02 mm2 are 312 of them."""
    speck, hole, lumen = (slice(5, 15), slice(5, 15)), (slice(45, 55), slice(50, 60)), (slice(40, 70), slice(70, 100))
    tissue = found(painted((*TISSUE, EOSIN), (*speck, EOSIN), (*hole, GLASS), (*lumen, GLASS)), close_um=8.0)
    assert not tissue.mask[speck].any()
    assert tissue.mask[hole].all()
    assert not tissue.mask[44:66, 74:96].any()


@given(st.integers(-50, 300), st.integers(-50, 300), st.integers(1, 300), st.integers(1, 300))
def test_the_share_of_a_box_is_the_mean_of_the_mask(x: int, y: int, width: int, height: int) -> None:
    mask = np.random.default_rng(1).random((200, 240)) < 0.3
    tissue = Tissue(np.zeros((200, 240, 3), np.uint8), mask, 0.1, scale=2.0)
    inside = mask[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    share = tissue.share_of(2.0 * x, 2.0 * y, 2.0 * width, 2.0 * height)
    assert share == pytest.approx(inside.sum() / (width * height))


def test_a_thumbnail_read_in_blocks_is_one_picture(write_slide: WriteSlide) -> None:
    ramp = np.linspace(0, 255, 9000).astype(np.uint8)
    pixels = np.stack([np.broadcast_to(ramp, (300, 9000))] * 3, axis=2)
    thumbnail = make_thumbnail(open_slide(write_slide(np.ascontiguousarray(pixels), mpp=0.25)), 4.0)
    assert thumbnail.shape == (19, 563, 3)
    steps = np.diff(thumbnail[5, :-1, 0].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 1


def test_the_real_slide_has_the_tissue_that_is_seen_in_it(real_slide: Path) -> None:
    tissue = find_tissue(open_slide(real_slide), TissueSettings())
    assert tissue.share == pytest.approx(0.37, abs=0.03)
    assert not tissue.mask[:40, :40].any()  # glass in the corner
    assert tissue.mask[100:180, 60:90].all()
