"""What tests of slides share."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slide_files import WriteSlide, write_tiff


@pytest.fixture
def write_slide(tmp_path: Path) -> WriteSlide:
    """Write an array as a slide into the test's folder."""

    def write(pixels: np.ndarray, *, name: str = "slide.tiff", **options: Any) -> Path:
        return write_tiff(tmp_path / name, pixels, **options)

    return write


@pytest.fixture
def noise() -> np.ndarray:
    """An image without any structure, so that a shift of one pixel shows."""
    return np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
