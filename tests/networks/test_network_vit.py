"""The vision transformer of both levels, against forwards written from its formulas and against transformers."""

import copy
import math
import re
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from hiptbench.errors import ExtractorError
from hiptbench.networks.attention import SCORES_AT_ONCE, SelfAttention, attend
from hiptbench.networks.vit import GridEmbed, PatchEmbed, VisionTransformer, position_embeddings, vit4k, vit256
from hiptbench.networks.weights import random_weights
from plain_forward import State, plain_forward

Make = Callable[[], VisionTransformer]
Weights = Callable[[Make], VisionTransformer]


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def plain_batch(network: VisionTransformer, x: Tensor) -> tuple[Tensor, Tensor]:
    vectors, attention = zip(*(plain_forward(network.state_dict(), one) for one in x), strict=True)
    return torch.stack(vectors), torch.stack(attention)


@cache
def untrained(make: Make) -> VisionTransformer:
    network = make()
    random_weights(network, 7)
    return network


@cache
def lively(make: Make) -> VisionTransformer:
    """Return a network under whose weights, unlike before training, every part matters and attention is sharp."""
    network = copy.deepcopy(untrained(make))
    for name, weight in network.named_parameters():
        if name.endswith("qkv.weight"):
            weight.mul_(4)
        elif weight.ndim == 1 or name == "pos_embed":
            weight.add_(random_input(*weight.shape) * 0.1)
    return network


def in_dtype(network: VisionTransformer, dtype: torch.dtype) -> VisionTransformer:
    return copy.deepcopy(network).to(dtype)


def cosine(a: Tensor, b: Tensor) -> float:
    return float(functional.cosine_similarity(a.double(), b.double(), dim=-1).min())


def error(got: Tensor, expected: Tensor) -> float:
    """Return the largest error of a vector relative to its length."""
    return float(((got - expected).norm(dim=-1) / expected.norm(dim=-1)).max())


def random_input(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


LIFE = pytest.mark.parametrize("weights", [untrained, lively])
GRIDS = pytest.mark.parametrize(
    "grid", [(16, 16), (4, 8), (3, 5), (14, 14), (14, 7), (7, 28)], ids=lambda grid: "x".join(map(str, grid))
)


@LIFE
@GRIDS
def test_vit4k_is_its_formulas_on_any_grid(weights: Weights, grid: tuple[int, int]) -> None:
    network = weights(vit4k)
    x = random_input(2, *grid, 384)
    expected, attention = plain_batch(network, x)
    got = network(x)
    assert got.shape == (2, 192)
    assert cosine(got, expected) >= 0.99999
    assert error(got, expected) < 1e-5
    torch.testing.assert_close(network.attention(x), attention, rtol=1e-3, atol=1e-6)
    assert cosine(in_dtype(network, torch.bfloat16)(x.bfloat16()), expected) >= 0.999


@pytest.mark.parametrize(
    ("weights", "shape"),
    [(untrained, (1, 3, 256, 256)), (lively, (2, 3, 256, 256)), (lively, (2, 3, 96, 160)), (lively, (2, 3, 16, 16))],
)
def test_vit256_is_its_formulas(weights: Weights, shape: tuple[int, ...]) -> None:
    network = weights(vit256)
    x = random_input(*shape)
    expected, attention = plain_batch(network, x)
    got = network(x)
    assert got.shape == (len(x), 384)
    assert cosine(got, expected) >= 0.99999
    assert error(got, expected) < 1e-5
    torch.testing.assert_close(network.attention(x), attention, rtol=1e-3, atol=1e-6)
    assert cosine(in_dtype(network, torch.bfloat16)(x.bfloat16()), expected) >= 0.999


FOR_TRANSFORMERS = (
    ("cls_token", "embeddings.cls_token"),
    ("pos_embed", "embeddings.position_embeddings"),
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    ("blocks.", "layers."),
    (".norm1.", ".layernorm_before."),
    (".norm2.", ".layernorm_after."),
    ("attn.proj", "attention.o_proj"),
)


def for_transformers(state: State) -> State:
    """Name tensors as transformers 5 does, with queries, keys and values apart."""
    renamed = {}
    for name, value in state.items():
        for old, new in FOR_TRANSFORMERS:
            name = name.replace(old, new)
        name = re.sub("^norm", "layernorm", name)
        parts = value.chunk(3) if "attn.qkv" in name else [value]
        renamed |= {
            name.replace("attn.qkv", f"attention.{x}_proj"): part for x, part in zip("qkv", parts, strict=False)
        }
    return renamed


def test_vit256_is_that_of_transformers_where_nothing_is_interpolated() -> None:
    from transformers import ViTConfig, ViTModel  # here, for it takes seconds

    config = ViTConfig(hidden_size=384, num_attention_heads=6, intermediate_size=1536, layer_norm_eps=1e-6)
    theirs = ViTModel(config, add_pooling_layer=False).eval()
    network = lively(vit256)
    theirs.load_state_dict(for_transformers(network.state_dict()))
    x = random_input(1, 3, 224, 224)
    assert error(network(x), theirs(x).last_hidden_state[:, 0]) < 1e-5


def test_the_tensors_are_those_of_the_published_checkpoints() -> None:
    for network, embed, depth, dim in ((vit256(), "patch_embed.proj", 12, 384), (vit4k(), "phi.0", 6, 192)):
        layers = ["norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"]
        modules = [embed, "norm", *(f"blocks.{i}.{layer}" for i in range(depth) for layer in layers)]
        names = {"cls_token", "pos_embed"} | {f"{name}.{kind}" for name in modules for kind in ("weight", "bias")}
        assert set(network.state_dict()) == names
        assert network.pos_embed.shape == (1, 197, dim)


def test_the_numbers_of_parameters_are_the_published_ones() -> None:
    assert sum(weight.numel() for weight in vit256().parameters()) == 21_665_664
    assert sum(weight.numel() for weight in vit4k().parameters()) == 2_781_504
    assert len(vit4k().state_dict()) == 78


def small(**settings: int) -> VisionTransformer:
    sizes = {"dim": 12, "depth": 2, "heads": 3} | settings
    return VisionTransformer(GridEmbed(5, sizes["dim"]), **sizes)


def test_sizes_are_settings() -> None:
    network = small(dim=24, depth=3, mlp_ratio=2, side=4)
    assert network.pos_embed.shape == (1, 17, 24)
    assert network.blocks[0].mlp.fc1.weight.shape == (48, 24)
    assert len(network.blocks) == 3
    assert network(random_input(2, 4, 4, 5)).shape == (2, 24)
    assert vit4k(d_in=7)(random_input(1, 2, 3, 7)).shape == (1, 192)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_a_patch_has_its_vector_whatever_its_neighbours_and_their_order(dtype: torch.dtype, tolerance: float) -> None:
    network = in_dtype(untrained(vit256), dtype)
    x = random_input(5, 3, 64, 96).to(dtype)
    whole = network(x).float()
    alone = torch.cat([network(one[None]) for one in x]).float()
    assert error(alone, whole) < tolerance
    assert error(network(x.flip(0)).float().flip(0), whole) < tolerance
    assert error(whole[:1], whole[1:2]) > 10 * tolerance  # two patches have different vectors


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_a_region_has_its_vector_whatever_its_neighbours_and_their_order(dtype: torch.dtype, tolerance: float) -> None:
    network = in_dtype(untrained(vit4k), dtype)
    x = random_input(5, 16, 16, 384).to(dtype)
    whole = network(x).float()
    alone = torch.cat([network(one[None]) for one in x]).float()
    assert error(alone, whole) < tolerance
    assert error(network(x.flip(0)).float().flip(0), whole) < tolerance
    assert error(whole[:1], whole[1:2]) > 10 * tolerance


def test_rows_and_columns_are_not_exchanged() -> None:
    network = lively(vit4k)
    x = random_input(1, 3, 5, 384)
    assert error(network(x.transpose(1, 2)), network(x)) > 0.01


def cubic(t: float, a: float = -0.75) -> float:
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def bicubic_matrix(size: int, step: float) -> np.ndarray:
    """Return the weights of the 14 known positions at each of ``size`` positions ``step`` apart."""
    matrix = np.zeros((size, 14))
    for i in range(size):
        centre = (i + 0.5) * step - 0.5
        for j in range(math.floor(centre) - 1, math.floor(centre) + 3):
            matrix[i, min(max(j, 0), 13)] += cubic(centre - j)
    return matrix


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (4, 8), (3, 5), (14, 7), (1, 40)])
def test_positions_are_resized_bicubically_with_dinos_scale(rows: int, columns: int) -> None:
    learned = random_input(1, 197, 3).double()
    down, across = bicubic_matrix(rows, 14 / (rows + 0.1)), bicubic_matrix(columns, 14 / (columns + 0.1))
    grid = learned[0, 1:].reshape(14, 14, 3).numpy()
    expected = np.einsum("ir,js,rsd->ijd", down, across, grid).reshape(rows * columns, 3)
    resized = position_embeddings(learned, rows, columns)[0]
    np.testing.assert_allclose(resized[1:], expected, atol=1e-6)
    assert torch.equal(resized[0], learned[0, 0])


def test_resizing_to_a_size_would_give_other_positions() -> None:
    learned = random_input(1, 197, 3)
    grid = learned[:, 1:].mT.reshape(1, 3, 14, 14)
    to_size = functional.interpolate(grid, size=(16, 16), mode="bicubic").flatten(2).mT
    assert (position_embeddings(learned, 16, 16)[:, 1:] - to_size).abs().max() > 0.01


def test_positions_of_the_learned_grid_are_kept() -> None:
    learned = random_input(1, 197, 3)
    assert position_embeddings(learned, 14, 14) is learned


@pytest.mark.parametrize(("height", "width"), [(250, 256), (256, 250)])
def test_images_that_cannot_be_cut_into_squares_are_refused(height: int, width: int) -> None:
    with pytest.raises(ExtractorError, match=f"{height} x {width} pixels cannot be cut.*multiples of 16 pixels"):
        PatchEmbed(4)(torch.zeros(1, 3, height, width))


def test_attention_is_a_distribution_less_the_cls_token_itself() -> None:
    attention = lively(vit4k).attention(random_input(2, 3, 5, 384))
    assert attention.shape == (2, 6, 15)
    assert (attention > 0).all()
    assert (attention.sum(-1) < 1).all()


def test_the_first_tokens_alone_are_computed_as_with_all() -> None:
    layer = SelfAttention(12, 3)
    x = random_input(2, 7, 12)
    torch.testing.assert_close(layer(x, first=2), layer(x)[:, :2])
    torch.testing.assert_close(layer.weights(x, first=2), layer.weights(x)[:, :, :2])
    torch.testing.assert_close(layer.weights(x).sum(-1), torch.ones(2, 3, 7))


def test_attention_in_bfloat16_treats_every_image_when_they_take_turns() -> None:
    n = math.isqrt(SCORES_AT_ONCE // 2)  # three images in turns of two
    q, k, v = (random_input(3, 1, n, 4, seed=seed).bfloat16() for seed in range(3))
    expected = functional.scaled_dot_product_attention(q.float(), k.float(), v.float())
    got = attend(q, k, v)
    assert got.dtype == torch.bfloat16
    assert cosine(got.flatten(1), expected.flatten(1)) > 0.999


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_can_be_trained(dtype: torch.dtype) -> None:
    with torch.inference_mode(False), torch.enable_grad():
        network = small().to(dtype)
        network(random_input(2, 3, 4, 5).to(dtype)).square().sum().backward()
        idle = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not idle


def test_new_networks_differ() -> None:
    first, second = small(), small()
    assert not torch.equal(first.pos_embed, second.pos_embed)
    assert not torch.equal(first.phi[0].weight, second.phi[0].weight)
