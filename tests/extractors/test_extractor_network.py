"""Weights, precision and batches: what every extractor with a network shares."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from hiptbench.errors import ExtractorError
from hiptbench.extractors.base import about
from hiptbench.extractors.hipt import HIPT, ViT256
from hiptbench.extractors.network import IMAGENET, Batches, encode, find_weights
from hiptbench.extractors.resnet50 import ResNet50B3
from hiptbench.files import sha256_file
from hiptbench.networks.resnet import ResNet50
from hiptbench.networks.vit import vit4k, vit256

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)

REGION = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights under the published names, as DINO and torchvision write them."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, network in (("vit256_small_dino.pth", vit256()), ("vit4k_xs_dino.pth", vit4k())):
        state = {f"module.backbone.{key}": value for key, value in network.state_dict().items()}
        torch.save({"teacher": state | {"module.head.last_layer.weight": torch.zeros(3)}}, folder / name)
    torch.save(ResNet50().state_dict() | {"fc.weight": torch.zeros(2)}, folder / "resnet50-19c8e357.pth")
    return folder


def test_the_published_names_are_found_and_their_hashes_are_on_the_card(checkpoints: Path) -> None:
    hipt = HIPT(weights=str(checkpoints), device="cpu")
    said = about(hipt)
    names = ("vit256_small_dino.pth", "vit4k_xs_dino.pth")
    assert dict(said.weights_sha256) == {name: sha256_file(checkpoints / name) for name in names}
    assert (hipt.name, said.pretrained_on) == ("hipt", ("TCGA",))
    resnet = ResNet50B3(weights=str(checkpoints / "resnet50-19c8e357.pth"), device="cpu")
    assert about(resnet).pretrained_on == ("ImageNet",)
    assert len(about(resnet).weights_sha256) == 1
    one, other = (extractor.extract(REGION) for extractor in (hipt, HIPT(random_weights=True, device="cpu")))
    assert abs(one - other).max() > 1e-3  # the file's weights are used


def test_without_weights_nothing_is_extracted() -> None:
    for extractor in (HIPT(), ViT256(), ResNet50B3()):
        with pytest.raises(ExtractorError, match=r"needs weights: --weights FOLDER with a file .*--random-weights"):
            extractor.extract(REGION)


def test_a_folder_needs_one_file_of_the_name(tmp_path: Path, checkpoints: Path) -> None:
    with pytest.raises(ExtractorError, match=r"has no vit256_small_dino\.\*; one is needed"):
        find_weights(str(tmp_path), "vit256_small_dino.*")
    for name in ("resnet50-a.pth", "resnet50-b.pth"):
        (tmp_path / name).touch()
    with pytest.raises(ExtractorError, match=r"has 2 files resnet50\* \(resnet50-a\.pth, resnet50-b\.pth\)"):
        find_weights(str(tmp_path), "resnet50*")
    assert find_weights(str(tmp_path / "resnet50-b.pth"), "resnet50*").name == "resnet50-b.pth"
    with pytest.raises(ExtractorError, match="has no vit4k"):
        find_weights(str(tmp_path / "gone"), "vit4k*")


def test_weights_of_another_network_are_refused(checkpoints: Path) -> None:
    with pytest.raises(ExtractorError, match=r"vit4k_xs_dino\.pth does not hold this network's weights"):
        ViT256(weights=str(checkpoints / "vit4k_xs_dino.pth"), device="cpu").extract(REGION)


def test_random_weights_are_the_same_every_time() -> None:
    one, other = (ResNet50B3(random_weights=True, device="cpu").extract(IMAGES[:2]) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_the_batch_size_does_not_matter() -> None:
    network = ResNet50().eval()
    whole = encode(network, IMAGES, IMAGENET, Batches(5))
    for size in (1, 2, 7):
        torch.testing.assert_close(encode(network, IMAGES, IMAGENET, Batches(size)), whole, atol=1e-4, rtol=0)


def test_pixels_are_normalised() -> None:
    class Identity(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :, 0, 0]

    first = IMAGES[:, 0, 0] / 255
    expected = (first - np.array(IMAGENET.mean)) / np.array(IMAGENET.std)
    np.testing.assert_allclose(encode(Identity(), IMAGES, IMAGENET, Batches(2)), expected, atol=1e-5)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("MPS backend out of memory")])
def test_a_batch_that_does_not_fit_is_halved_for_good_and_it_says_so(
    caplog: pytest.LogCaptureFixture, error: RuntimeError
) -> None:
    sizes, batches = [], Batches(8)

    def run(part: np.ndarray) -> torch.Tensor:
        sizes.append(len(part))
        if len(part) > 2:
            raise error
        return torch.from_numpy(part[:, 0, 0].astype(np.float32))

    with caplog.at_level(logging.WARNING):
        rows = batches.run(run, IMAGES)
    np.testing.assert_array_equal(rows, IMAGES[:, 0, 0])
    assert sizes == [5, 4, 2, 2, 1]
    assert "going on with 2 images at a time" in caplog.text
    batches.run(run, IMAGES)
    assert sizes[5:] == [2, 2, 1]


def test_an_image_that_does_not_fit_is_an_error_and_other_errors_are_not_swallowed() -> None:
    def run(part: np.ndarray) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    def wrong(part: np.ndarray) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(ExtractorError, match="not enough memory for one image"):
        Batches(4).run(run, IMAGES)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Batches(4).run(wrong, IMAGES)
