"""ResNet-50 up to its third stage, against a forward written from its formulas and against transformers."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.networks.resnet import ResNet50
from hiptbench.networks.weights import random_weights

State = dict[str, Tensor]
DEPTHS = {"layer1": 3, "layer2": 4, "layer3": 6}


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


# The independent forward uses nothing of the package.


def plain_norm(state: State, name: str, x: Tensor) -> Tensor:
    mean, var, weight, bias = (
        state[f"{name}.{kind}"][:, None, None] for kind in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def plain_bottleneck(state: State, name: str, x: Tensor, stride: int) -> Tensor:
    out = functional.conv2d(x, state[f"{name}.conv1.weight"])
    out = plain_norm(state, f"{name}.bn1", out).clamp(min=0)
    out = functional.conv2d(out, state[f"{name}.conv2.weight"], stride=stride, padding=1)
    out = plain_norm(state, f"{name}.bn2", out).clamp(min=0)
    out = plain_norm(state, f"{name}.bn3", functional.conv2d(out, state[f"{name}.conv3.weight"]))
    if f"{name}.downsample.0.weight" in state:
        x = functional.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
        x = plain_norm(state, f"{name}.downsample.1", x)
    return (x + out).clamp(min=0)


def plain_forward(state: State, x: Tensor) -> Tensor:
    x = functional.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    x = plain_norm(state, "bn1", x).clamp(min=0)
    x = functional.max_pool2d(x, kernel_size=3, stride=2, padding=1)
    for layer, depth in DEPTHS.items():
        for i in range(depth):
            stride = 2 if i == 0 and layer != "layer1" else 1
            x = plain_bottleneck(state, f"{layer}.{i}", x, stride)
    return x.flatten(2).sum(-1) / (x.shape[2] * x.shape[3])


@pytest.fixture(scope="module")
def network() -> ResNet50:
    """A network as after training: every batch norm changes its input."""
    network = ResNet50()
    random_weights(network, 0)
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight.data, module.running_var):
                values.uniform_(0.5, 1.5, generator=generator)
            for values in (module.bias.data, module.running_mean):
                values.normal_(0, 0.3, generator=generator)
    return network.eval()


def images(count: int = 2, height: int = 64, width: int = 64) -> Tensor:
    """Return noise with another mean and spread in each image and colour."""
    generator = torch.Generator().manual_seed(1)
    offset, scale = torch.randn(2, count, 3, 1, 1, generator=generator)
    return offset + scale * torch.randn(count, 3, height, width, generator=generator)


def cosine(a: Tensor, b: Tensor) -> float:
    return float(functional.cosine_similarity(a.double(), b.double(), dim=-1).min())


def error(got: Tensor, expected: Tensor) -> float:
    """Return the largest error of a vector relative to its length."""
    return float(((got - expected).norm(dim=-1) / expected.norm(dim=-1)).max())


SIZES = pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (75, 50)])


@SIZES
def test_it_is_its_formulas(network: ResNet50, height: int, width: int) -> None:
    x = images(2, height, width)
    got, expected = network(x), plain_forward(network.state_dict(), x)
    assert got.shape == (2, 1024)
    assert error(got, expected) < 1e-5


@SIZES
def test_folded_batch_norms_change_nothing(network: ResNet50, height: int, width: int) -> None:
    x, fused = images(2, height, width), network.fused()
    assert cosine(fused(x), network(x)) >= 0.99999
    assert error(fused(x), network(x)) < 1e-5
    assert cosine(fused.bfloat16()(x.bfloat16()), network(x)) >= 0.999


def test_every_batch_norm_is_folded_and_the_original_kept(network: ResNet50) -> None:
    before = copy.deepcopy(network.state_dict())
    fused = network.fused()
    assert not [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]
    assert fused.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_in_training_is_folded_for_inference() -> None:
    network = ResNet50()
    assert network.training
    assert not network.fused().training


def for_transformers(state: State) -> State:
    """Name tensors as transformers does."""
    renamed = {}
    for name, value in state.items():
        *path, module, tensor = name.split(".")
        kind = "convolution" if value.ndim == 4 else "normalization"
        place = ["embedder", "embedder"]
        if path:
            stage, layer = int(path[0].removeprefix("layer")) - 1, path[1]
            part = ["shortcut"] if "downsample" in path else ["layer", str(int(module[-1]) - 1)]
            place = ["encoder", "stages", str(stage), "layers", layer, *part]
        renamed[".".join([*place, kind, tensor])] = value
    return renamed


def test_it_is_that_of_transformers(network: ResNet50) -> None:
    from transformers import ResNetConfig, ResNetModel  # here, for it takes seconds

    theirs = ResNetModel(ResNetConfig(depths=[3, 4, 6], hidden_sizes=[256, 512, 1024])).eval()
    theirs.load_state_dict(for_transformers(network.state_dict()))
    x = images()
    assert error(network(x), theirs(x).pooler_output.flatten(1)) < 1e-5


def test_the_tensors_are_those_of_torchvision() -> None:
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    convs, norms = ["conv1"], ["bn1"]
    for layer, depth in DEPTHS.items():
        convs += [f"{layer}.{i}.conv{j}" for i in range(depth) for j in (1, 2, 3)] + [f"{layer}.0.downsample.0"]
        norms += [f"{layer}.{i}.bn{j}" for i in range(depth) for j in (1, 2, 3)] + [f"{layer}.0.downsample.1"]
    names = {f"{name}.weight" for name in convs} | {f"{name}.{kind}" for name in norms for kind in norm}
    network = ResNet50()
    assert set(network.state_dict()) == names
    # 25,557,032 in torchvision's resnet50, less 14,964,736 of layer4 and 2,049,000 of fc
    assert sum(weight.numel() for weight in network.parameters()) == 8_543_296


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_an_image_has_its_vector_whatever_its_neighbours(
    network: ResNet50, dtype: torch.dtype, tolerance: float
) -> None:
    fused, x = network.fused().to(dtype), images(5).to(dtype)
    whole = fused(x).float()
    alone = torch.cat([fused(one[None]) for one in x]).float()
    assert error(alone, whole) < tolerance
    assert error(whole[:1], whole[1:2]) > 2 * tolerance


@pytest.mark.parametrize("seed", [0, 1])
def test_random_weights_give_finite_vectors_that_tell_images_apart(seed: int) -> None:
    network = ResNet50()
    random_weights(network, seed)
    vectors = network.fused().bfloat16()(images(4, 256, 256).bfloat16()).float()
    assert vectors.isfinite().all()
    assert (vectors.std(dim=1) > 0.1).all()
    different = torch.pdist(vectors) / vectors.norm(dim=1).mean()
    assert different.min() > 0.02


def test_random_weights_are_those_of_the_seed_and_reset_the_statistics(network: ResNet50) -> None:
    one, other = copy.deepcopy(network), ResNet50()
    random_weights(one, 3)
    random_weights(other, 3)
    assert all(torch.equal(value, one.state_dict()[name]) for name, value in other.state_dict().items())
    random_weights(other, 4)
    assert not torch.equal(one.conv1.weight, other.conv1.weight)
