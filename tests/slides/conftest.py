"""Slides drawn for the tests: known pixels, known sizes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

WriteSlide = Callable[..., Path]


@pytest.fixture
def write_slide(tmp_path: Path) -> WriteSlide:
    """Write an array as a tiled TIFF that OpenSlide reads, with levels if they are asked for."""

    def write(
        pixels: np.ndarray, *, mpp: float | None = 0.5, levels: tuple[int, ...] = (), name: str = "slide.tiff"
    ) -> Path:
        path = tmp_path / name
        options = {"tile": (256, 256), "photometric": "rgb", "compression": "zlib"}
        with tifffile.TiffWriter(path) as writer:
            for shrink in (1, *levels):
                size = {"resolution": (1e4 / (mpp * shrink),) * 2, "resolutionunit": "CENTIMETER"} if mpp else {}
                kind = {"subfiletype": 1} if shrink > 1 else {}
                writer.write(_shrunk(pixels, shrink), **options, **size, **kind)
        return path

    return write


def _shrunk(pixels: np.ndarray, by: int) -> np.ndarray:
    """Return an image of which each pixel is the mean of a square."""
    rows, columns = (side // by for side in pixels.shape[:2])
    squares = pixels[: rows * by, : columns * by].reshape(rows, by, columns, by, 3)
    return squares.mean(axis=(1, 3)).round().astype(np.uint8)


@pytest.fixture
def noise() -> np.ndarray:
    """An image without any structure, so that a shift of one pixel shows."""
    return np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
