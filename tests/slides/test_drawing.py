"""Drawn tissue looks like H&E, shows what it is asked to show, and is stained and scanned as asked."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.slides.drawing import ABSORPTION, PATCH, Look, Tissue, draw


def drawn(
    atypia: Any = 0.2, disorder: float = 0.3, *, look: Look | None = None, mpp: float = 0.5, seed: int = 1
) -> np.ndarray:
    shares = np.broadcast_to(np.asarray(atypia, dtype=np.float64), (4, 4))
    return draw(Tissue(atypia=shares, disorder=disorder), look or Look(), mpp=mpp, rng=np.random.default_rng(seed))


def density(pixels: np.ndarray, look: Look | None = None) -> np.ndarray:
    """The amounts of haematoxylin and eosin [h, w, 2] that explain the colours best: Beer-Lambert, solved backwards."""
    glass = np.array((look or Look()).glass)
    return -np.log(np.maximum(pixels, 1) / glass) @ np.linalg.pinv(ABSORPTION.astype(np.float64))


def dark(pixels: np.ndarray) -> float:
    """Share of dark nuclei among the pixels of tissue."""
    haematoxylin = density(pixels)[..., 0]
    return float((haematoxylin > 1.6).sum() / stained(pixels).sum())


def stained(pixels: np.ndarray) -> np.ndarray:
    return density(pixels).sum(axis=-1) > 0.2


def test_the_same_numbers_make_the_same_pixels() -> None:
    assert np.array_equal(drawn(), drawn())
    assert not np.array_equal(drawn(), drawn(seed=2))


def test_the_slide_has_the_patches_of_its_tissue() -> None:
    tissue = Tissue(atypia=np.zeros((2, 3)), disorder=0.0)
    pixels = draw(tissue, Look(), mpp=0.5, rng=np.random.default_rng(1))
    assert pixels.shape == (2 * PATCH, 3 * PATCH, 3)
    assert pixels.dtype == np.uint8


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), mpp=st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_tissue_is_surrounded_by_empty_glass(seed: int, mpp: float) -> None:
    pixels = drawn(seed=seed, mpp=mpp)
    border = np.ones(pixels.shape[:2], dtype=bool)
    border[3:-3, 3:-3] = False
    assert (pixels[border] == np.array([243, 242, 244])).all()
    assert 0.25 < stained(pixels).mean() < 0.9


def test_tissue_is_pink_and_nuclei_are_blue() -> None:
    pixels = drawn().astype(int)
    stain = density(pixels)
    stroma = pixels[(stain[..., 0] < 0.3) & (stain[..., 1] > 0.4)]
    nuclei = pixels[stain[..., 0] > 1.2]
    assert len(stroma) > 10_000
    assert len(nuclei) > 3_000
    assert (stroma.mean(axis=0) > [190, 110, 130]).all()
    assert stroma[:, 0].mean() > stroma[:, 2].mean() > stroma[:, 1].mean()  # red, then blue, then green
    assert nuclei[:, 2].mean() > nuclei[:, 0].mean() > nuclei[:, 1].mean()
    assert nuclei.mean() < 130


def test_atypical_nuclei_make_the_slide_darker() -> None:
    shares = [dark(drawn(atypia)) for atypia in (0.0, 0.25, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[0] < 0.03 < 0.15 < shares[-1]


def test_atypia_is_drawn_in_its_own_patch() -> None:
    one = np.zeros((4, 4))
    one[1, 2] = 1
    pixels = drawn(one)
    inside = (slice(PATCH, 2 * PATCH), slice(2 * PATCH, 3 * PATCH))
    assert dark(pixels[inside]) > 0.1
    pixels[inside] = 243
    assert dark(pixels) < 0.03


def test_disorder_makes_more_glands_with_narrower_lumens() -> None:
    def lumens(disorder: float) -> float:
        pixels = drawn(disorder=disorder)
        middle = pixels[PATCH:-PATCH, PATCH:-PATCH]
        return float((~stained(middle)).mean())

    assert lumens(0.0) > 2 * lumens(1.0)


def test_a_larger_pixel_shows_the_same_tissue_smaller() -> None:
    fine, coarse = (dark(drawn(0.5, mpp=mpp)) for mpp in (0.25, 1.0))
    assert fine == pytest.approx(coarse, rel=0.2)


@pytest.mark.parametrize(("stain", "channel"), [("haematoxylin", 0), ("eosin", 1)])
def test_a_stronger_stain_is_measured_as_such(stain: str, channel: int) -> None:
    usual = density(drawn())[..., channel].mean()
    look = Look(**{stain: 1.3})
    stronger = density(drawn(look=look))
    assert stronger[..., channel].mean() == pytest.approx(1.3 * usual, rel=0.02)


def test_glass_has_the_tint_of_the_light() -> None:
    pixels = drawn(look=Look(glass=(230.0, 240.0, 220.0)))
    assert pixels[0, 0].tolist() == [230, 240, 220]
    assert pixels.reshape(-1, 3).max(axis=0).tolist() == [230, 240, 220]


def roughness(look: Look) -> float:
    return float(np.abs(np.diff(drawn(look=look).astype(int), axis=1)).mean())


def test_blur_smooths_and_grain_roughens() -> None:
    usual = roughness(Look())
    assert roughness(Look(blur=1.5)) < usual < roughness(Look(grain=0.2))
    assert roughness(Look(blur=0.0)) > usual > roughness(Look(grain=0.0))
