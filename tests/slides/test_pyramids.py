"""Slides are written such that OpenSlide and others read the pixels, the levels and the pixel size back."""

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import SlideError, StoreError
from hiptbench.slides.pyramids import TILE, TOP, cut, write_slide, write_tiles


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def levels(path: Path) -> list[np.ndarray]:
    """Every level of a slide as OpenSlide reads it."""
    with openslide.OpenSlide(path) as slide:
        whole = [slide.read_region((0, 0), n, size) for n, size in enumerate(slide.level_dimensions)]
    assert all((np.asarray(level)[..., 3] == 255).all() for level in whole), "every pixel is opaque"
    return [np.asarray(level)[..., :3] for level in whole]


@pytest.mark.parametrize("shape", [(2048, 1024), (1500, 1100), (300, 1), (1, 1)])
def test_the_pixels_come_back(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = picture(*shape)
    write_slide(tmp_path / "a.tiff", pixels, mpp=0.5)
    assert np.array_equal(levels(tmp_path / "a.tiff")[0], pixels)
    assert np.array_equal(tifffile.imread(tmp_path / "a.tiff"), pixels)


@pytest.mark.parametrize(("downsample", "sizes"), [(4, [2100, 525]), (2, [2100, 1050, 525])])
def test_levels_are_means_of_the_level_below(tmp_path: Path, downsample: int, sizes: list[int]) -> None:
    write_slide(tmp_path / "a.tiff", picture(700, 2100), mpp=0.5, downsample=downsample)
    found = levels(tmp_path / "a.tiff")
    assert [level.shape[1] for level in found] == sizes
    for below, level in itertools.pairwise(found):
        rows, columns = level.shape[:2]
        blocks = below[: rows * downsample, : columns * downsample].reshape(rows, downsample, columns, downsample, 3)
        assert np.abs(blocks.mean(axis=(1, 3)) - level).max() <= 0.5


def test_the_last_level_is_small(tmp_path: Path) -> None:
    write_tiles(tmp_path / "a.tiff", {}, size=(9000, 3000), mpp=0.5)
    with openslide.OpenSlide(tmp_path / "a.tiff") as slide:
        assert slide.level_downsamples == pytest.approx((1, 4, 16), rel=0.01)
        assert max(slide.level_dimensions[-1]) <= TOP < max(slide.level_dimensions[-2])


@settings(max_examples=8, deadline=None)
@given(mpp=st.floats(0.1, 10))
def test_openslide_reports_the_pixel_size(tmp_path_factory: pytest.TempPathFactory, mpp: float) -> None:
    path = tmp_path_factory.mktemp("mpp") / "a.tiff"
    write_slide(path, picture(20, 30), mpp=mpp)
    with openslide.OpenSlide(path) as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(mpp, rel=1e-6)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(mpp, rel=1e-6)


def test_every_level_states_its_own_pixel_size(tmp_path: Path) -> None:
    write_slide(tmp_path / "a.tiff", picture(700, 2100), mpp=0.5, downsample=2)
    with tifffile.TiffFile(tmp_path / "a.tiff") as tiff:
        assert [page.get_resolution("micrometer")[0] for page in tiff.pages] == pytest.approx([2, 1, 0.5])
        assert [page.is_reduced for page in tiff.pages] == [False, True, True]


def test_equal_pictures_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.tiff", "b.tiff"):
        write_slide(tmp_path / name, picture(600, 500), mpp=0.5)
    assert (tmp_path / "a.tiff").read_bytes() == (tmp_path / "b.tiff").read_bytes()


def test_a_huge_slide_that_is_nearly_white_is_small_and_cheap(tmp_path: Path) -> None:
    tile, path = picture(TILE, TILE), tmp_path / "a.tiff"
    tracemalloc.start()
    write_tiles(path, {(70, 50): tile}, size=(20_000, 20_000), mpp=0.25)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert memory < 20e6
    assert path.stat().st_size < 3e6
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (20_000, 20_000)
        around = np.array(slide.read_region((50 * TILE - 1, 70 * TILE - 1), 0, (TILE + 2, TILE + 2)))[..., :3]
        corner = np.asarray(slide.read_region((19_900, 19_900), 0, (100, 100)))
    assert np.array_equal(around[1:-1, 1:-1], tile)
    assert (corner == 255).all()
    around[1:-1, 1:-1] = 255
    assert (around == 255).all()


def test_tiles_are_filled_up_with_white() -> None:
    tiles = cut(picture(300, 256))
    assert list(tiles) == [(0, 0), (1, 0)]
    assert (tiles[1, 0][44:] == 255).all()


@pytest.mark.parametrize(
    ("size", "mpp", "downsample", "named"),
    [
        ((0, 10), 0.5, 4, r"size \(0, 10\)"),
        ((10, 10), 0.0, 4, "mpp 0.0"),
        ((10, 10), float("nan"), 4, "mpp nan"),
        ((10, 10), float("inf"), 4, "mpp inf"),
        ((10, 10), 0.5, 3, "downsample 3"),
    ],
)
def test_what_makes_no_slide_is_refused(
    tmp_path: Path, size: tuple[int, int], mpp: float, downsample: int, named: str
) -> None:
    with pytest.raises(SlideError, match=rf"a\.tiff cannot be written.*{named}.*above 0, downsample is 2 or 4"):
        write_tiles(tmp_path / "a.tiff", {}, size=size, mpp=mpp, downsample=downsample)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [(2, 0), (0, 1), (-1, 0)])
def test_a_tile_outside_the_slide_is_refused(tmp_path: Path, place: tuple[int, int]) -> None:
    with pytest.raises(SlideError, match=r"lies outside a slide of 256 x 512 pixels. Tiles have 256 pixels"):
        write_tiles(tmp_path / "a.tiff", {place: picture(TILE, TILE)}, size=(256, 512), mpp=0.5)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Cannot write .*a\.tiff"):
        write_slide(tmp_path / "file" / "a.tiff", picture(20, 20), mpp=0.5)
