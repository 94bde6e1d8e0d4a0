"""Slides drawn for the tests: known pixels of known size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile

WriteSlide = Callable[..., Path]

EOSIN, HAEMATOXYLIN, GLASS = (220, 130, 180), (90, 60, 140), (243, 242, 244)

OWN_ENCODER = """
from dataclasses import dataclass
import numpy as np

@dataclass(frozen=True, kw_only=True)
class Own:
    name: str = "own"
    dim: int = 3
    level: str = "patch"

    def extract(self, images):  # the mean colour
        return FACTOR * images.mean(axis=(1, 2), dtype=np.float32)
"""


def write_tiff(path: Path, pixels: np.ndarray, *, mpp: float | None = 0.5, levels: tuple[int, ...] = ()) -> Path:
    """Write an array as a tiled TIFF that OpenSlide reads, with levels shrunk by these factors."""
    options = {"tile": (256, 256), "photometric": "rgb", "compression": "zlib"}
    with tifffile.TiffWriter(path) as writer:
        for shrink in (1, *levels):
            size = {"resolution": (1e4 / (mpp * shrink),) * 2, "resolutionunit": "CENTIMETER"} if mpp else {}
            kind = {"subfiletype": 1} if shrink > 1 else {}
            writer.write(_shrunk(pixels, shrink), **options, **size, **kind)
    return path


def tissue_pixels(height: int, width: int, *, seed: int = 0, margin: int = 0) -> np.ndarray:
    """Return pixels of tissue without structure, with a margin of glass; each seed gives other ones."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), GLASS, np.uint8)
    inner = pixels[margin : height - margin, margin : width - margin]
    colour = np.array(EOSIN) - rng.integers(0, 40, 3)
    inner[:] = (colour + rng.integers(-20, 20, (*inner.shape[:2], 1))).clip(0, 255)
    return pixels


def _shrunk(pixels: np.ndarray, by: int) -> np.ndarray:
    """Return an image of which each pixel is the mean of a square."""
    rows, columns = (side // by for side in pixels.shape[:2])
    squares = pixels[: rows * by, : columns * by].reshape(rows, by, columns, by, 3)
    return squares.mean(axis=(1, 3)).round().astype(np.uint8)
