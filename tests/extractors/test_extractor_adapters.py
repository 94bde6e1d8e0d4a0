"""Encoders of other libraries, with a tiny model of transformers that is made here."""

import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from hiptbench.errors import ExtractorError
from hiptbench.extractors.adapters import Resized
from hiptbench.extractors.base import about
from hiptbench.registry import make_extractor
from hiptbench.testing import check_extractor

transformers = pytest.importorskip("transformers")

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small vision transformer, as ``save_pretrained`` writes it."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    folder = tmp_path_factory.mktemp("models") / "tiny-vit"
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=64
    )
    torch.manual_seed(1)
    transformers.ViTModel(config).save_pretrained(folder)
    transformers.ViTImageProcessorPil(image_mean=MEAN, image_std=STD).save_pretrained(folder)
    return folder


def extractor_of(tiny: Path, **settings: object):  # type: ignore[no-untyped-def]
    return make_extractor(f"transformers:{tiny}", {"device": "cpu", "precision": "float32", **settings})


def test_it_keeps_the_contract_and_says_what_it_is(tiny: Path) -> None:
    extractor = extractor_of(tiny, pretrained_on=("TCGA",))
    check_extractor(extractor)
    said = about(extractor)
    assert (extractor.name, extractor.dim, extractor.level) == ("tiny-vit", 32, "patch")
    assert said.pretrained_on == ("TCGA",)
    assert said.details["input_side"] == 64
    assert said.details["mean"] == MEAN
    assert [len(sha256) for sha256 in said.weights_sha256.values()] == [64]
    assert said.encoder == "Transformers: tiny-vit"


def test_it_is_the_cls_token_of_the_library(tiny: Path) -> None:
    model = transformers.AutoModel.from_pretrained(tiny)
    pixels = torch.from_numpy(IMAGES).movedim(-1, 1).float() / 255
    small = torch.nn.functional.interpolate(pixels, (64, 64), mode="bicubic", antialias=True)
    inputs = (small - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    with torch.inference_mode():
        expected = model(pixel_values=inputs).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(extractor_of(tiny).extract(IMAGES), expected, atol=1e-4)


def test_images_of_the_right_side_are_left_alone() -> None:
    seen = []
    network = Resized(torch.nn.Flatten(), 64)
    network.network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    images = torch.rand(2, 3, 64, 64)
    network(images)
    assert seen[0] is images


def test_random_weights_are_not_the_models(tiny: Path) -> None:
    extractor = extractor_of(tiny, random_weights=True, pretrained_on=("TCGA",))
    assert (extractor.name, about(extractor).pretrained_on) == ("tiny-vit (random weights)", ())
    features = extractor.extract(IMAGES)
    assert abs(features - extractor_of(tiny).extract(IMAGES)).max() > 0.1
    np.testing.assert_array_equal(features, extractor_of(tiny, random_weights=True).extract(IMAGES))


def test_what_cannot_be_loaded_is_named(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExtractorError, match=r"transformers cannot load '.*empty'"):
        extractor_of(tmp_path / "empty").extract(IMAGES)
    with pytest.raises(ExtractorError, match=r"brings its own weights, so --weights x\.pth has no use"):
        extractor_of(tiny, weights="x.pth").extract(IMAGES)


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_a_library_that_is_not_there_says_how_to_get_it() -> None:
    with pytest.raises(ExtractorError, match=r"timm:vit_small needs timm, .*pip install 'hiptbench\[timm\]'"):
        assert make_extractor("timm:vit_small", {"random_weights": True}).dim
