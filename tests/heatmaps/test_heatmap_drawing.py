"""Pictures of heat maps: colours where the values are, a legend that fits them, a scale bar of the right length."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from hiptbench.heatmaps.attention import Heatmap
from hiptbench.heatmaps.drawing import CAPTION, compose, draw_overlay, scale_bar
from hiptbench.heatmaps.view import View, make_view
from slide_files import tissue_pixels

SOURCE = "hipt (random weights)"


def heatmap(values: np.ndarray) -> Heatmap:
    return Heatmap(name="cells", by="ViT256-16", to="cells", within="patch", values=values.astype(np.float32))


def one_hot(row: int, column: int, *, others: float = 0.5) -> Heatmap:
    """Return a map of 2 x 3 patches with one cell above the average."""
    values = np.full((1, 32, 48), others)
    values[0, row, column] = 20
    return heatmap(values)


@pytest.fixture
def view(cut: Callable, tissue: np.ndarray) -> View:
    return make_view(*cut(tissue))


def page(shown: Heatmap, view: View) -> tuple[Figure, list[Axes]]:
    """Return the page, and its axes: the slide's, the map's, the colours', the scale bar's."""
    figure = compose(shown, view, SOURCE)
    return figure, figure.axes


def drawn(shown: Heatmap, view: View, path: Path) -> np.ndarray:
    """Return the map's panel as it is drawn, pixel by pixel."""
    draw_overlay(shown, view, path, source=SOURCE)
    pixels = np.asarray(Image.open(path).convert("RGB"))
    box = page(shown, view)[1][1].get_position()
    height, width = pixels.shape[:2]
    rows, columns = ((1 - box.y1) * height, (1 - box.y0) * height), (box.x0 * width, box.x1 * width)
    return pixels[round(rows[0]) : round(rows[1]), round(columns[0]) : round(columns[1])].astype(int)


@pytest.mark.parametrize(("row", "column"), [(5, 40), (28, 3)])
def test_what_is_above_average_is_red_where_it_is_and_the_rest_is_blue(
    view: View, tmp_path: Path, row: int, column: int
) -> None:
    panel = drawn(one_hot(row, column), view, tmp_path / "map.png")
    redness = panel[..., 0] - panel[..., 2]
    y, x = (np.argwhere(redness > 50).mean(axis=0) + 0.5) / panel.shape[:2]
    assert y == pytest.approx((row + 0.5) / 32, abs=0.003)
    assert x == pytest.approx((column + 0.5) / 48, abs=0.003)
    inside = redness[5:-5, 5:-5]
    assert (inside > 50).mean() == pytest.approx(1 / (32 * 48), rel=0.15)
    assert (inside < 0).mean() > 0.99


def test_outside_of_regions_and_where_all_is_average_there_is_no_colour(cut: Callable, tmp_path: Path) -> None:
    pixels = np.full((1024, 2048, 3), 255, np.uint8)
    pixels[:512, :512] = tissue_pixels(512, 512)
    view = make_view(*cut(pixels, side=512))
    panel = drawn(heatmap(np.full((1, 1, 1), 3.0)), view, tmp_path / "map.png")
    redness = panel[..., 0] - panel[..., 2]
    half, quarter = panel.shape[0] // 2, panel.shape[1] // 4
    assert (redness[5 : half - 5, 5 : quarter - 5] > 50).all()
    assert (redness[half + 2 :] == 0).all()
    assert (redness[:, quarter + 2 :] == 0).all()
    flat = drawn(heatmap(np.ones((1, 1, 1))), view, tmp_path / "flat.png")
    assert np.ptp(flat, axis=2).max() < 5


@pytest.mark.parametrize(
    ("um", "expected"), [(384.0, 100), (1500.0, 500), (3e4, 10_000), (6.0, 2), (59.0, 10), (3000.0, 1000)]
)
def test_a_scale_bar_is_round_and_a_third_at_most(um: float, expected: float) -> None:
    assert scale_bar(um) == expected


@given(st.floats(1, 1e6))
def test_a_scale_bar_is_never_tiny(um: float) -> None:
    assert um / 7.6 < scale_bar(um) <= um / 3


@pytest.mark.parametrize(
    ("mpp", "shape", "label"),
    [(0.5, (512, 768), "100 µm"), (0.25, (512, 600), "50 µm"), (0.5, (700, 400), "50 µm"), (0.5, (300, 6200), "1 mm")],
)
def test_the_scale_bar_has_its_length_on_the_page(
    cut: Callable, mpp: float, shape: tuple[int, int], label: str
) -> None:
    view = make_view(*cut(tissue_pixels(*shape), mpp=mpp))
    _, (slide, overlay, _, bar) = page(heatmap(np.ones((len(view.grid), 1, 1))), view)
    (line,) = bar.lines
    ends = bar.transData.transform(np.transpose(line.get_data()))
    share = (ends[1, 0] - ends[0, 0]) / slide.get_window_extent().width
    value, unit = label.split()
    um = float(value) * {"µm": 1, "mm": 1000}[unit]
    assert share == pytest.approx(um / (shape[1] * mpp), rel=0.01)
    assert [text.get_text() for text in bar.texts] == [label]
    assert overlay.get_window_extent().size == pytest.approx(slide.get_window_extent().size)


def test_the_legend_reaches_over_the_middle_98_percent_with_the_average_in_the_middle(view: View) -> None:
    values = np.random.default_rng(0).exponential(1, (1, 32, 48))
    figure, (_, overlay, colours, _) = page(heatmap(values), view)
    low, high = overlay.images[1].get_clim()
    assert (low, high) == pytest.approx(tuple(np.percentile(values, (1, 99))), rel=0.01)
    figure.draw_without_rendering()
    ticks = [text.get_text() for text in colours.get_yticklabels()]
    assert ticks == [f"{tick:.1f}" for tick in (low, (low + 1) / 2, 1, (1 + high) / 2, high)]
    assert colours.get_ylabel() == "attention / average"


@pytest.mark.parametrize("reach", [0.02, 0.5, 3.0, 40.0, 700.0])
def test_the_legend_has_as_many_digits_as_its_range_needs(view: View, reach: float) -> None:
    figure, (_, overlay, colours, _) = page(heatmap(np.linspace(1, 1 + reach, 101).reshape(1, 101, 1)), view)
    figure.draw_without_rendering()
    low, high = overlay.images[1].get_clim()
    texts = [text.get_text() for text in colours.get_yticklabels()]
    assert [float(text) for text in texts] == pytest.approx(list(colours.get_yticks()), abs=0.05 * (high - low))
    assert len(set(texts[2:])) == 3
    assert max(map(len, texts)) <= 6


def test_a_map_of_few_peaks_shows_them(view: View) -> None:
    figure, (_, overlay, _, _) = page(one_hot(3, 4, others=0), view)
    assert overlay.images[1].get_clim() == (0, 1.01)
    figure.draw_without_rendering()


def test_regions_are_framed_on_the_slide(cut: Callable, tissue: np.ndarray) -> None:
    view = make_view(*cut(tissue, side=256))
    _, (slide, _, _, _) = page(heatmap(np.ones((6, 1, 1))), view)
    frames = sorted(patch.get_bbox().bounds for patch in slide.patches)
    assert frames == [(x, y, 128, 128) for x in (0, 128, 256) for y in (0, 128)]


@pytest.mark.parametrize("shape", [(512, 768), (1500, 300), (300, 1500)])
def test_texts_stay_on_the_page_whatever_the_shape(cut: Callable, shape: tuple[int, int]) -> None:
    view = make_view(*cut(tissue_pixels(*shape)))
    figure, _ = page(heatmap(np.ones((len(view.grid), 1, 1))), view)
    figure.draw_without_rendering()
    box, whole = figure.get_tightbbox(), figure.bbox_inches
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= whole.x1
    assert box.y1 <= whole.y1
    assert whole.width < 7.5


def test_the_page_says_what_it_shows_and_where_it_comes_from(view: View) -> None:
    figure, _ = page(one_hot(0, 0), view)
    assert [text.get_text() for text in figure.texts] == [
        "a b",
        "Attention of ViT256-16 to cells, relative to the average of their patch",
        f"Computed by {SOURCE}. {CAPTION}",
    ]


def test_a_drawn_slide_is_called_so(cut: Callable, tissue: np.ndarray, tmp_path: Path) -> None: ...


def test_the_same_map_gives_the_same_bytes(view: View, tmp_path: Path) -> None:
    paths = [tmp_path / "one.png", tmp_path / "other.png"]
    for path in paths:
        draw_overlay(one_hot(1, 1), view, path, source=SOURCE)
    assert paths[0].read_bytes() == paths[1].read_bytes()
