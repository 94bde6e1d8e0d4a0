"""HIPT's hierarchy: the second stage reads the first one's grid, the right way round, each region by itself."""

import numpy as np
import pytest
import torch

from hiptbench.errors import ExtractorError
from hiptbench.extractors.base import FeatureExtractor, split_regions
from hiptbench.extractors.hipt import HIPT, ViT256
from hiptbench.extractors.mean import MeanOfPatches
from hiptbench.extractors.random import RandomProjection
from hiptbench.extractors.resnet50 import ResNet50B3

EXACT = {"random_weights": True, "device": "cpu", "precision": "float32"}


@pytest.fixture(scope="module")
def regions() -> np.ndarray:
    """Two regions of 1 x 2 patches, each patch of its own colour and texture."""
    rng = np.random.default_rng(0)
    colours = rng.integers(60, 255, (2, 1, 1, 2, 1, 3))
    noise = rng.normal(0, 20, (2, 1, 256, 2, 256, 3))
    return (colours + noise).clip(0, 255).astype(np.uint8).reshape(2, 256, 512, 3)


def test_patches_are_cut_row_by_row() -> None:
    regions = np.random.default_rng(0).integers(0, 256, (2, 512, 768, 3), dtype=np.uint8)
    patches = split_regions(regions, 256)
    assert patches.shape == (2, 6, 256, 256, 3)
    for cell in range(6):
        row, column = divmod(cell, 3)
        expected = regions[:, 256 * row : 256 * (row + 1), 256 * column : 256 * (column + 1)]
        np.testing.assert_array_equal(patches[:, cell], expected)


def test_the_second_stage_reads_the_grid_of_the_first(regions: np.ndarray) -> None:
    vectors = ViT256(**EXACT).extract(regions)
    assert vectors.shape == (2, 2, 384)
    alone = ViT256(**EXACT).extract(regions[1:, :, 256:])
    np.testing.assert_allclose(alone[0, 0], vectors[1, 1], atol=1e-4)
    hipt = HIPT(**EXACT)
    np.testing.assert_allclose(hipt.combine(vectors.reshape(2, 1, 2, 384)), hipt.extract(regions), atol=1e-5)


def test_rows_and_columns_are_not_the_same() -> None:
    grids = np.random.default_rng(0).standard_normal((1, 2, 3, 384), dtype=np.float32)
    hipt = HIPT(**EXACT)
    assert hipt.combine(grids).shape == (1, 192)
    assert abs(hipt.combine(np.ascontiguousarray(grids.swapaxes(1, 2))) - hipt.combine(grids)).max() > 1e-3


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 1e-2)])
def test_a_regions_vector_depends_on_nothing_but_the_region(
    regions: np.ndarray, precision: str, tolerance: float
) -> None:
    hipt = HIPT(random_weights=True, device="cpu", precision=precision)  # type: ignore[arg-type]
    together = hipt.extract(regions)
    np.testing.assert_allclose(hipt.extract(regions[::-1].copy())[::-1], together, atol=tolerance)
    for index in range(2):
        np.testing.assert_allclose(hipt.extract(regions[index : index + 1])[0], together[index], atol=tolerance)


def test_bfloat16_is_close_to_float32(regions: np.ndarray) -> None:
    exact, fast = (
        torch.from_numpy(HIPT(random_weights=True, device="cpu", precision=p).extract(regions))  # type: ignore[arg-type]
        for p in ("float32", "bfloat16")
    )
    assert torch.cosine_similarity(exact, fast).min() >= 0.999


def test_the_mean_of_patches_is_their_mean(regions: np.ndarray) -> None:
    for extractor in (ViT256(**EXACT), ResNet50B3(**EXACT)):
        mean = MeanOfPatches(of=extractor)
        assert (mean.level, mean.dim, mean.name) == ("region", extractor.dim, f"mean {extractor.name}")
        patches = split_regions(regions, 256)
        vectors = [
            extractor.extract(one) if extractor.level == "patch" else extractor.extract(region[None])[0]
            for one, region in zip(patches, regions, strict=True)
        ]
        np.testing.assert_allclose(mean.extract(regions), np.mean(vectors, axis=1), atol=1e-5)


@pytest.mark.parametrize("extractor", [RandomProjection(), HIPT(**EXACT)])
def test_there_is_no_mean_of_one_vector(extractor: FeatureExtractor, regions: np.ndarray) -> None:
    with pytest.raises(ExtractorError, match="gives a region one vector, so there is nothing to take the mean of"):
        MeanOfPatches(of=extractor).extract(regions)
