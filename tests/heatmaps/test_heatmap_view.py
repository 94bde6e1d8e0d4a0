"""A slide as it is shown: its pixels, and values that lie where their boxes do."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hiptbench.heatmaps.attention import Heatmap
from hiptbench.heatmaps.view import LONGEST, View, lay_out, make_view
from hiptbench.slides.grid import Grid
from hiptbench.slides.opening import open_slide
from hiptbench.slides.slide import Slide
from slide_files import tissue_pixels, write_tiff


def heatmap(values: np.ndarray) -> Heatmap:
    return Heatmap(name="cells", by="it", to="cells", within="patch", values=values.astype(np.float32))


def grid_of(coords: list[tuple[int, int]], width: int, height: int, scale: float) -> Grid:
    return Grid(0.5, width, height, scale, np.array(coords, np.int64), np.ones(len(coords)))


@pytest.fixture
def slide(tmp_path_factory: pytest.TempPathFactory) -> Slide:
    return open_slide(write_tiff(tmp_path_factory.mktemp("slides") / "s.tiff", tissue_pixels(300, 300)))


def test_a_small_slide_is_shown_pixel_by_pixel(cut: Callable, tissue: np.ndarray) -> None:
    slide, grid = cut(tissue)
    view = make_view(slide, grid)
    np.testing.assert_array_equal(view.pixels, tissue)
    assert view.size_um == (384, 256)
    assert view.boxes.tolist() == [[0, 0, 768, 512]]


def test_a_large_slide_is_shrunk_to_what_is_shown(cut: Callable) -> None:
    slide, grid = cut(tissue_pixels(1024, 3000), levels=(4,))
    view = make_view(slide, grid)
    assert view.pixels.shape[1] == LONGEST
    assert view.scale == pytest.approx(2.5)
    np.testing.assert_allclose(view.size_um, (1500, 512), atol=view.scale * slide.mpp)


@pytest.mark.parametrize(("region", "row", "column"), [(0, 0, 0), (0, 31, 5), (1, 2, 47), (1, 20, 30)])
def test_a_value_lies_on_its_box_and_nowhere_else(slide: Slide, region: int, row: int, column: int) -> None:
    values = np.zeros((2, 32, 48))
    values[region, row, column] = 1
    view = View(slide, grid_of([(0, 0), (768, 512)], 768, 512, 1.0), np.zeros((1024, 1536, 3), np.uint8), 1.0)
    shown = lay_out(heatmap(values), view)
    y, x = 512 * region + 16 * row, 768 * region + 16 * column
    assert np.argwhere(shown == 1).tolist() == [[i, j] for i in range(y, y + 16) for j in range(x, x + 16)]
    assert np.isnan(shown[:512, 768:]).all()
    assert np.isnan(shown[512:, :768]).all()


def test_at_40x_boxes_are_twice_as_large_in_level_0(cut: Callable) -> None:
    pixels = np.full((1024, 1536, 3), 255, np.uint8)
    pixels[:, 512:] = tissue_pixels(1024, 1024)
    slide, grid = cut(pixels, mpp=0.25, side=256)
    assert grid.coords.tolist() == [[512, 0], [1024, 0], [512, 512], [1024, 512]]
    view = make_view(slide, grid)
    values = np.zeros((4, 16, 16))
    values[2, 4, 8] = 1
    shown = lay_out(heatmap(values), view)
    assert np.isnan(shown[:, :256]).all()
    y, x = np.argwhere(shown == 1).mean(axis=0)
    assert (y, x) == (256 + 16 * 4 + 7.5, 256 + 16 * 8 + 7.5)


def test_boxes_that_share_a_pixel_are_averaged(slide: Slide) -> None:
    values = np.arange(16.0).reshape(1, 4, 4)
    view = View(slide, grid_of([(0, 0)], 512, 512, 1.0), np.zeros((2, 2, 3), np.uint8), 256.0)
    assert lay_out(heatmap(values), view).tolist() == [[2.5, 4.5], [10.5, 12.5]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(scale=st.floats(1, 4), shown=st.floats(3, 50))
def test_neighbours_leave_no_gap_and_what_sticks_out_is_cut_off(slide: Slide, scale: float, shown: float) -> None:
    coords = [(round(x * scale), round(y * scale)) for y in (0, 256, 512) for x in (0, 256, 512)]
    side = int(700 * scale / shown)  # the last regions reach 768
    view = View(slide, grid_of(coords, 256, 256, scale), np.zeros((side, side, 3), np.uint8), shown)
    assert np.isfinite(lay_out(heatmap(np.ones((9, 16, 16))), view)).all()
