"""Extractors keep their contract, and what they extract becomes a feature set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from jaxtyping import Float32, UInt8

from hiptbench import extract_arrays
from hiptbench.errors import FeatureError
from hiptbench.extractors.base import FeatureExtractor, about
from hiptbench.extractors.random import RandomProjection
from hiptbench.registry import EXTRACTORS, make_extractor
from hiptbench.testing import check_extractor

Images = UInt8[np.ndarray, "n h w 3"]


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The mean colour, in a way that may break the contract."""

    way: str = "right"
    name: str = "mean colour"
    dim: int = 3
    level: Literal["patch", "region"] = "patch"

    def extract(self, images: Images) -> Float32[np.ndarray, "n dim"]:
        means = images.mean(axis=(1, 2)).astype(np.float32)
        match self.way:
            case "too long":
                return np.repeat(means, 2, axis=1)
            case "double":
                return means.astype(np.float64)
            case "infinite":
                return means + np.float32(np.inf)
            case "random":
                return means + np.random.default_rng().random(means.shape, dtype=np.float32) * np.float32(1e-3)
            case "looks at other images":
                return means - means.mean(axis=0)
        return means


def images(n: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)


EVERY = (*sorted(EXTRACTORS), "mean:resnet50", "mean:vit256")


def made(name: str, **settings: object) -> FeatureExtractor:
    """Return an extractor with random weights on the CPU, where it has any."""
    return make_extractor(name, {} if name == "random" else {"random_weights": True, "device": "cpu", **settings})


@pytest.mark.parametrize("name", EVERY)
def test_every_extractor_keeps_the_contract(name: str) -> None:
    check_extractor(made(name, precision="float32"))


@pytest.mark.parametrize("name", ["hipt", "resnet50"])
def test_bfloat16_keeps_it_within_its_rounding(name: str) -> None:
    check_extractor(made(name, precision="bfloat16"), rtol=2e-2)


@pytest.mark.parametrize("name", EVERY)
def test_every_extractor_says_what_its_card_holds(name: str) -> None:
    extractor = made(name)
    said = about(extractor)
    assert isinstance(extractor, FeatureExtractor)
    assert extractor.level in ("patch", "region")
    assert ("random" in extractor.name, said.pretrained_on, dict(said.weights_sha256)) == (True, (), {})
    assert said.encoder
    if name != "random":
        assert said.details.keys() >= {"device", "precision", "mean", "std"}


def test_an_extractor_of_ones_own_keeps_the_contract() -> None:
    check_extractor(Mean())


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("too long", r"\[n, dim\] or \[n, patches, dim\], not \(4, 6\)"),
        ("random", "the same images give the same features"),
        ("double", "float32, not float64"),
        ("infinite", "features are finite"),
        ("looks at other images", "an image's features are its own"),
    ],
)
def test_a_broken_extractor_is_noticed(way: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_extractor(Mean(way=way))


def test_what_is_extracted_is_a_feature_set(tmp_path: Path) -> None:
    slides = {"one": images(2), "two": images(5, seed=1)}
    features = extract_arrays(Mean(), slides, tmp_path / "out")
    assert set(features) == {"one", "two"}
    for slide, pixels in slides.items():
        np.testing.assert_allclose(features[slide], pixels.mean(axis=(1, 2)), rtol=1e-6)
    assert (features.card.name, features.card.level) == ("mean colour", "patch")


def test_an_extractor_that_breaks_its_promise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"mean colour returned shape \(2, 6\) for 2 images; it promises \(2, 3\)"):
        extract_arrays(Mean(way="too long"), {"one": images(2)}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_null_encoder_is_fixed_by_its_seed_and_sees_colour() -> None:
    one = RandomProjection(dim=16)
    np.testing.assert_array_equal(one.extract(images(3)), one.extract(images(3)))
    assert not np.allclose(one.extract(images(3)), replace(one, seed=1).extract(images(3)))
    assert not np.allclose(one.extract(images(3)), one.extract(images(3, seed=1)))
    assert one.name == "random16"
