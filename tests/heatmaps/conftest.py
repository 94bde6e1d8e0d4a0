"""What tests of heat maps share: HIPT with random weights, small slides, heads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hiptbench.bags import Bag
from hiptbench.extraction.settings import TileSettings
from hiptbench.extraction.tiling import tiles_of
from hiptbench.extractors.hipt import HIPT
from hiptbench.heads.base import Fitted
from hiptbench.heatmaps.attention import SlideAttention
from hiptbench.registry import make_head
from hiptbench.slides.grid import Grid
from hiptbench.slides.opening import open_slide
from hiptbench.slides.slide import Slide
from hiptbench.targets import Labels
from slide_files import tissue_pixels, write_tiff

FitHead = Callable[..., Fitted]
Cut = tuple[Slide, Grid]


@pytest.fixture(scope="session")
def hipt() -> HIPT:
    return HIPT(random_weights=True, device="cpu", precision="float32")


@pytest.fixture
def cut(tmp_path: Path) -> Callable[..., Cut]:
    """Write pixels as a slide of 0.5 um, and cut it into regions of at most ``side`` pixels."""

    def make(pixels: np.ndarray, *, side: int = 4096, **options: float) -> Cut:
        slide = open_slide(write_tiff(tmp_path / "a b.tiff", pixels, **options))
        return slide, tiles_of(slide, TileSettings(), side)

    return make


@pytest.fixture
def tissue() -> np.ndarray:
    """Pixels of 2 x 3 patches."""
    return tissue_pixels(512, 768)


@pytest.fixture(scope="session")
def fit_head() -> FitHead:
    """Fit a head on random bags whose instances have some shape."""

    def fit(name: str = "mil", *, instance: tuple[int, ...] = (192,), **settings: object) -> Fitted:
        rng = np.random.default_rng(0)
        bags = [
            Bag(f"s{i}", rng.standard_normal((3, *instance), dtype=np.float32), None, np.zeros(3, np.int64))
            for i in range(6)
        ]
        own = {"recipe": "fast", "overrides": {"epochs": 1}, "device": "cpu"} if name == "mil" else {}
        target = Labels(np.arange(6) % 2, ("low", "high"))
        return make_head(name, own | settings).fit(bags, target, val=None, seed=1)

    return fit


@pytest.fixture
def found() -> SlideAttention:
    """What HIPT might find on two regions of 2 x 3 patches; random numbers, all different."""
    rng = np.random.default_rng(3)

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32)

    return SlideAttention(np.exp(draw(2, 32, 48)), np.exp(draw(2, 2, 3)), draw(2, 6, 384), draw(2, 192))
