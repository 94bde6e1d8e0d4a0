"""Attention of both stages: the networks' own numbers, the right way round, in units that compare."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hiptbench.extraction.settings import TileSettings
from hiptbench.extraction.tiling import tiles_of
from hiptbench.extractors.hipt import HIPT
from hiptbench.extractors.network import RANDOM_SEED
from hiptbench.heatmaps.attention import SlideAttention, attend, to_average
from hiptbench.networks.vit import VisionTransformer, vit4k, vit256
from hiptbench.networks.weights import random_weights
from hiptbench.slides.opening import open_slide
from slide_files import EOSIN, tissue_pixels, write_tiff


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Pixels of 2 x 3 patches."""
    return tissue_pixels(512, 768)


@pytest.fixture(scope="module")
def whole(hipt: HIPT, pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> SlideAttention:
    """What HIPT attends to on a slide of these pixels, which is one region."""
    slide = open_slide(write_tiff(tmp_path_factory.mktemp("whole") / "s.tiff", pixels))
    return attend(slide, tiles_of(slide, TileSettings(), 4096), hipt)


def relative(attention: torch.Tensor, rows: int, columns: int) -> np.ndarray:
    """Return the mean over heads of one input's attention [heads, n], as a multiple of its average, as a grid."""
    mean = attention.mean(dim=0)
    return (mean / mean.mean()).reshape(rows, columns).numpy()


def untrained(network: VisionTransformer) -> VisionTransformer:
    random_weights(network, RANDOM_SEED)
    return network.eval()


@torch.inference_mode()
def test_the_values_are_the_networks_own_each_at_its_place(whole: SlideAttention, pixels: np.ndarray) -> None:
    assert whole.cells.shape == (1, 32, 48)
    first, second = untrained(vit256()), untrained(vit4k())
    for row, column in ((0, 1), (1, 0), (1, 2)):
        patch = pixels[256 * row : 256 * row + 256, 256 * column : 256 * column + 256]
        x = (torch.tensor(patch) / 127.5 - 1).movedim(-1, 0)[None]
        there = whole.cells[0, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
        np.testing.assert_allclose(there, relative(first.attention(x)[0], 16, 16), rtol=1e-4)
    grid = torch.from_numpy(whole.patch_vectors).reshape(1, 2, 3, 384)
    np.testing.assert_allclose(whole.patches[0], relative(second.attention(grid)[0], 2, 3), rtol=1e-4)


def test_vectors_are_those_that_are_extracted(hipt: HIPT, whole: SlideAttention, pixels: np.ndarray) -> None:
    vectors = hipt.patches.extract(pixels[None])
    np.testing.assert_allclose(whole.patch_vectors, vectors, atol=1e-5)
    np.testing.assert_allclose(whole.vectors, hipt.combine(vectors.reshape(1, 2, 3, 384)), atol=1e-5)


def test_a_cell_and_a_patch_that_differ_stand_out_where_they_are(hipt: HIPT, cut: Callable) -> None:
    plain = np.full((512, 768, 3), EOSIN, np.uint8)
    plain[256 + 48 : 256 + 64, 512 + 160 : 512 + 176] = 40  # in the patch (1, 2), the cell (3, 10)
    found = attend(*cut(plain), hipt)
    odd = abs(found.cells[0] - np.median(found.cells[0]))
    assert np.unravel_index(odd.argmax(), odd.shape) == (16 + 3, 32 + 10)
    plain[:256, 256:512] = tissue_pixels(256, 256)  # the patch (0, 1), next to others that are plain
    plain[256:, 512:] = EOSIN
    odd = abs(attend(*cut(plain), hipt).patches[0] - 1)
    assert np.unravel_index(odd.argmax(), odd.shape) == (0, 1)


def test_regions_come_in_the_order_of_the_grid_and_are_told_of(
    hipt: HIPT, whole: SlideAttention, cut: Callable, pixels: np.ndarray
) -> None:
    told: list[tuple[int, int]] = []
    slide, grid = cut(pixels, side=256)
    found = attend(slide, grid, hipt, on_region=lambda *step: told.append(step))
    assert told == [(done, 6) for done in range(1, 7)]
    assert found.patches.tolist() == [[[1]]] * 6  # alone in its region, a patch is average
    for (x, y), cells in zip(grid.coords // 16, found.cells, strict=True):
        np.testing.assert_allclose(cells, whole.cells[0, y : y + 16, x : x + 16], rtol=1e-4)


def test_the_blend_is_a_cells_value_times_its_patchs(found: SlideAttention) -> None:
    for region, y, x in ((0, 0, 0), (0, 15, 16), (1, 16, 15), (1, 31, 47), (0, 20, 33)):
        expected = found.cells[region, y, x] * found.patches[region, y // 16, x // 16]
        assert found.blend[region, y, x] == pytest.approx(expected)


def test_one_is_average_in_a_patch_and_in_a_region(whole: SlideAttention) -> None:
    of_patches = whole.cells.reshape(1, 2, 16, 3, 16).mean(axis=(2, 4))
    np.testing.assert_allclose(of_patches, 1, rtol=1e-5)
    assert whole.patches.mean() == pytest.approx(1)
    assert whole.blend.mean() == pytest.approx(1)
    assert [one.name for one in whole.heatmaps] == ["cells", "patches", "blend"]


def test_multiples_keep_ratios_within_a_box_only() -> None:
    attention = np.array([[1, 2, 10, 30]], np.float32)
    np.testing.assert_allclose(to_average(attention, 1, 2), [[2 / 3, 4 / 3, 0.5, 1.5]], rtol=1e-6)
    np.testing.assert_allclose(to_average(attention, 1, 1), attention / 10.75, rtol=1e-6)


def test_bfloat16_gives_nearly_the_same(hipt: HIPT, pixels: np.ndarray) -> None:
    fast = HIPT(random_weights=True, device="cpu", precision="bfloat16").attention(pixels[:256, :256])
    exact = hipt.attention(pixels[:256, :256])
    assert fast.cells.dtype == np.float32
    np.testing.assert_allclose(fast.cells.mean(axis=0), exact.cells.mean(axis=0), rtol=0.02)
    assert len(np.unique(fast.cells)) > 1000  # and not as few steps as bfloat16 has
