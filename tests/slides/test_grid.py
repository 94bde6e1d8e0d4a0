"""The grid: it covers the tissue once, tiles sticking out are white there, and small slides get small tiles."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.slides.grid import PATCH, REGION, Grid, make_grid
from hiptbench.slides.opening import open_slide
from hiptbench.slides.qc import draw_qc
from hiptbench.slides.slide import Slide
from hiptbench.slides.tissue import Tissue, TissueSettings, find_tissue
from slide_files import WriteSlide


class Blank:
    """A slide of some size without pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.sizes = ((width, height),)

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        raise AssertionError("a grid reads no pixels")

    synthetic = False

    identity = "blank"


def everywhere(width: int, height: int, *, scale: float = 16.0) -> Tissue:
    mask = np.ones((math.ceil(height / scale), math.ceil(width / scale)), bool)
    return Tissue(np.zeros((*mask.shape, 3), np.uint8), mask, 0.1, scale)


def grid_of(width: int, height: int, *, side: int = REGION, mpp: float = 0.5, least: float = 0.0) -> Grid:
    slide = Slide(Path("a.svs"), 0.5, Blank(width, height))
    return make_grid(slide, everywhere(width, height), side=side, mpp=mpp, least_tissue=least)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([PATCH * 4, REGION]))
def test_tiles_cover_the_slide_once(width: int, height: int, side: int) -> None:
    grid = grid_of(width, height, side=side)
    assert grid.width % PATCH == grid.height % PATCH == 0
    assert max(grid.width, grid.height) <= side
    assert (grid.coords % [grid.width, grid.height] == 0).all()
    assert len(np.unique(grid.coords, axis=0)) == len(grid) == -(-width // grid.width) * -(-height // grid.height)
    assert (grid.coords < [width, height]).all()


@pytest.mark.parametrize(
    ("size", "tile"),
    [
        ((8192, 8192), (4096, 4096)),
        ((2048, 2048), (2048, 2048)),
        ((2220, 2967), (2304, 3072)),
        ((3000, 9000), (3072, 4096)),
        ((1, 1), (256, 256)),
    ],
)
def test_on_a_slide_smaller_than_a_region_regions_shrink_to_whole_patches(
    size: tuple[int, int], tile: tuple[int, int]
) -> None:
    grid = grid_of(*size)
    assert (grid.width, grid.height) == tile
    assert grid.patches == tile[0] * tile[1] // PATCH**2


def test_square_tiles_stay_square_and_lie_on_the_slide() -> None:
    slide = Slide(Path("a.svs"), 0.5, Blank(2220, 900))
    grid = make_grid(slide, everywhere(2220, 900), side=REGION, mpp=0.5, least_tissue=0.0, square=True)
    assert (grid.width, grid.height, grid.coords.tolist()) == (2304, 2304, [[0, 0]])


def test_coordinates_are_of_level_0_whatever_the_pixel_size() -> None:
    slide = Slide(Path("a.svs"), 0.25, Blank(16_384, 8192))
    grid = make_grid(slide, everywhere(16_384, 8192), side=REGION, mpp=0.5, least_tissue=0.5)
    assert grid.coords.tolist() == [[0, 0], [8192, 0]]
    assert (grid.width, grid.scale) == (4096, 2.0)
    odd = make_grid(slide, everywhere(16_384, 8192), side=PATCH, mpp=0.45, least_tissue=0.5)
    assert odd.coords[:4, 0].tolist() == [0, 461, 922, 1382]  # no drift: 256 x 1.8 = 460.8


def test_tiles_with_too_little_tissue_are_left_out() -> None:
    mask = np.zeros((256, 512), bool)
    mask[:, :32] = True  # an eighth of the left region
    tissue = Tissue(np.zeros((256, 512, 3), np.uint8), mask, 0.1, scale=16.0)
    slide = Slide(Path("a.svs"), 0.5, Blank(8192, 4096))
    kept = [
        len(make_grid(slide, tissue, side=REGION, mpp=0.5, least_tissue=least)) for least in (0.0, 0.12, 0.125, 0.13)
    ]
    assert kept == [1, 1, 1, 0]
    grid = make_grid(slide, tissue, side=REGION, mpp=0.5, least_tissue=0.0)
    assert (grid.coords.tolist(), grid.tissue.tolist()) == ([[0, 0]], [0.125])


def test_a_tile_that_sticks_out_is_white_there(write_slide: WriteSlide, noise: np.ndarray) -> None:
    slide = open_slide(write_slide(noise))
    grid = make_grid(slide, everywhere(900, 700, scale=10.0), side=512, mpp=0.5, least_tissue=0.0)
    assert grid.coords.tolist() == [[0, 0], [512, 0], [0, 512], [512, 512]]
    corner = grid.read(slide, 3)
    np.testing.assert_array_equal(corner[:188, :388], noise[512:, 512:])
    assert (corner[188:] == 255).all()
    assert (corner[:, 388:] == 255).all()


def test_the_picture_shows_slide_tissue_and_grid(real_slide: Path, tmp_path: Path) -> None:
    from PIL import Image

    slide = open_slide(real_slide)
    tissue = find_tissue(slide, TissueSettings())
    grid = make_grid(slide, tissue, side=PATCH, mpp=0.5, least_tissue=0.1)
    draw_qc(tissue, grid, tmp_path / "qc.png")
    picture = np.asarray(Image.open(tmp_path / "qc.png")).astype(int)
    left, right = picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2 :]
    green = (right[..., 1] > right[..., 0] + 40) & (right[..., 1] > right[..., 2] + 20)
    assert 0.02 < green.mean() < 0.3
    assert left[:40, -40:].mean() > 230  # glass as it is
    assert right[:20, -20:].mean() < 180  # glass faded
