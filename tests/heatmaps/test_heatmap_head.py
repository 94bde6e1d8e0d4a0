"""A trained head's attention: in the order of regions and patches; heads that cannot be shown are refused early."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hiptbench.bags import Bag
from hiptbench.errors import HeadError
from hiptbench.extractors.hipt import HIPT
from hiptbench.heads.base import Bags, Fitted
from hiptbench.heatmaps.attention import SlideAttention
from hiptbench.heatmaps.head import head_heatmap, load_head
from hiptbench.kept import KeptFold
from hiptbench.predictions import Prediction
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide
from slide_files import tissue_pixels


@dataclass(frozen=True, kw_only=True)
class OwnFitted(Fitted):
    """Somebody's head, which gives the same weights whatever it is shown."""

    d_in: int
    weights: np.ndarray

    def predict(self, bags: Bags) -> Prediction:
        return Prediction(risk=np.zeros(len(bags)), attention=(self.weights,) * len(bags))


@pytest.fixture
def two_regions(cut: Callable) -> tuple[Slide, Grid]:
    slide, grid = cut(tissue_pixels(512, 768))
    return slide, replace(grid, coords=np.array([[0, 0], [768, 0]]), tissue=np.ones(2))


def weights_of(fitted: Fitted, vectors: np.ndarray) -> np.ndarray:
    prediction = fitted.predict([Bag("s", vectors, None, np.zeros(len(vectors), np.int64))])
    assert prediction.attention is not None
    return prediction.attention[0]


def test_a_head_of_region_vectors_attends_to_regions(
    fit_head: Callable, two_regions: tuple[Slide, Grid], found: SlideAttention
) -> None:
    fitted = fit_head(model="abmil")
    shown = head_heatmap(fitted, *two_regions, found)
    weights = weights_of(fitted, found.vectors)
    assert abs(weights[0] - weights[1]) > 1e-4
    np.testing.assert_allclose(shown.values[:, 0, 0], 2 * weights, rtol=1e-5)
    assert shown.values.shape == (2, 1, 1)
    assert shown.title == "Attention of abmil to regions, relative to the average of their slide"


def test_a_head_of_single_patches_attends_to_patches_row_by_row(
    fit_head: Callable, two_regions: tuple[Slide, Grid], found: SlideAttention
) -> None:
    fitted = fit_head(model="abmil", instance=(384,))
    shown = head_heatmap(fitted, *two_regions, found)
    weights = weights_of(fitted, found.patch_vectors.reshape(12, 384))
    assert (shown.values.shape, shown.to) == ((2, 2, 3), "patches")
    assert shown.values[1, 0, 2] == pytest.approx(12 * weights[6 + 2], rel=1e-5)
    np.testing.assert_allclose(shown.values.ravel(), 12 * weights, rtol=1e-5)


def test_a_hierarchical_head_reads_patches_and_attends_to_regions(
    fit_head: Callable, two_regions: tuple[Slide, Grid], found: SlideAttention
) -> None:
    fitted = fit_head(model="hipt_n", instance=(6, 384))
    shown = head_heatmap(fitted, *two_regions, found)
    np.testing.assert_allclose(shown.values[:, 0, 0], 2 * weights_of(fitted, found.patch_vectors), rtol=1e-5)


def test_a_head_of_ones_own_needs_but_its_dimension_and_attention(
    two_regions: tuple[Slide, Grid], found: SlideAttention
) -> None:
    shown = head_heatmap(OwnFitted(d_in=192, weights=np.array([0.0, 3.0])), *two_regions, found)
    assert shown.values.ravel().tolist() == [0, 2]
    assert shown.by == "OwnFitted"


def test_a_kept_head_is_loaded_from_the_fold_or_from_its_folder(fit_head: Callable, hipt: HIPT, tmp_path: Path) -> None:
    fitted = fit_head(model="abmil")
    KeptFold(tmp_path).write(None, fitted)
    for folder in (tmp_path, tmp_path / "model"):
        again = load_head(folder, hipt, patches=6)
        vectors = np.ones((3, 192), np.float32)
        np.testing.assert_array_equal(weights_of(again, vectors), weights_of(fitted, vectors))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "knn"}, r"FittedKNN has no attention: it is no model of instances\. Take one such as abmil"),
        ({"model": "noisy_and"}, r"noisy_and has no attention\. Take a head that has some, such as abmil or hipt_gp"),
        (
            {"model": "abmil", "instance": (1024,)},
            r"abmil was fitted on vectors of 1024 numbers.*hipt \(192 numbers\) or vit256 \(384\)",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_when_it_is_loaded(
    fit_head: Callable, hipt: HIPT, tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    fit_head(**settings).save(tmp_path)
    with pytest.raises(HeadError, match=message):
        load_head(tmp_path, hipt, patches=6)


def test_a_folder_without_a_head_is_named(hipt: HIPT, tmp_path: Path) -> None:
    with pytest.raises(HeadError, match=r"model holds no fitted head that can be loaded"):
        load_head(tmp_path, hipt, patches=6)


def test_weights_for_something_else_are_refused(two_regions: tuple[Slide, Grid], found: SlideAttention) -> None:
    with pytest.raises(HeadError, match=r"OwnFitted gave 5 weights for 2 regions of 12 patches"):
        head_heatmap(OwnFitted(d_in=384, weights=np.ones(5)), *two_regions, found)
