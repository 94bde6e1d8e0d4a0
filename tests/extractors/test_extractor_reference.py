"""HIPT from pixels to a region's vector, against the formulas, with the same random weights."""

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from hiptbench.extractors.hipt import HIPT
from hiptbench.extractors.network import RANDOM_SEED
from hiptbench.networks.vit import vit4k, vit256
from hiptbench.networks.weights import random_weights
from plain_forward import plain_region

SLOW = pytest.mark.slow
SIZES = [(768, 1280), pytest.param((1024, 2048), marks=SLOW), pytest.param((4096, 4096), marks=SLOW)]


@cache
def region(height: int, width: int) -> np.ndarray:
    """Return a region whose patches differ in colour and texture."""
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 255, (height // 256, 1, width // 256, 1, 3))
    noise = rng.normal(0, 25, (height // 256, 256, width // 256, 256, 3))
    return (colours + noise).clip(0, 255).astype(np.uint8).reshape(height, width, 3)


@cache
def expected(height: int, width: int) -> torch.Tensor:
    """Return the region's vector by the formulas, in float32."""
    networks = vit256(), vit4k()
    for network in networks:
        random_weights(network, RANDOM_SEED)
    pixels = torch.from_numpy(region(height, width)).movedim(-1, 0)
    with torch.inference_mode():
        return plain_region(networks[0].state_dict(), networks[1].state_dict(), pixels)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("precision", "least"), [("float32", 0.99999), ("bfloat16", 0.999)])
def test_it_is_the_formulas(size: tuple[int, int], precision: str, least: float) -> None:
    hipt = HIPT(random_weights=True, device="cpu", precision=precision)  # type: ignore[arg-type]
    (vector,) = torch.from_numpy(hipt.extract(region(*size)[None]))
    assert cosine_similarity(vector, expected(*size), dim=0) >= least
