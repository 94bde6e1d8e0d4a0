"""Pixels of the formats that OpenSlide reads."""

from functools import cached_property
from pathlib import Path

import numpy as np
import openslide
from jaxtyping import UInt8
from PIL import Image

from hiptbench.errors import SlideError
from hiptbench.files import sha256_file
from hiptbench.slides.slide import SYNTHETIC, WHITE

_ANISOTROPY = 0.05  # pixels this much longer than wide are not square


class OpenSlidePixels:
    """Pixels through OpenSlide; colour profiles are not applied, as for the published features.

    Args:
        path: A file in a format of OpenSlide.

    Raises:
        SlideError: If the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = openslide.OpenSlide(path)
        except openslide.OpenSlideError as error:
            raise SlideError(f"{path} cannot be opened: {error}. Copy it again.") from error

    @cached_property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each level in its pixels, the finest first."""
        return tuple(self._file.level_dimensions)

    @cached_property
    def mpp(self) -> float | None:
        """Size of a pixel of level 0 in micrometres; None if the file does not say.

        Raises:
            SlideError: If the pixels are not square.
        """
        sides = [self._file.properties.get(f"openslide.mpp-{axis}") for axis in "xy"]
        if None in sides:
            return None
        width, height = map(float, sides)
        if abs(width - height) > _ANISOTROPY * width:
            raise SlideError(f"{self.path} has pixels of {width:g} x {height:g} um, which are not square.")
        return (width + height) / 2

    @property
    def synthetic(self) -> bool:
        """Whether they were drawn rather than scanned."""
        return bool(self._file.properties.get("tiff.Software") == SYNTHETIC)

    @property
    def objective(self) -> str | None:
        """Magnification of the objective, such as "20"; None if the file does not say."""
        power: str | None = self._file.properties.get("openslide.objective-power")
        return power

    def read(self, level: int, x: int, y: int, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
        """Return a box of a level, white where it sticks out of the slide or is transparent."""
        try:
            box = self._file.read_region((x, y), level, (width, height))
        except openslide.OpenSlideError as error:
            raise SlideError(f"{self.path} is damaged at ({x}, {y}): {error}. Copy it again.") from error
        return on_white(box)

    @cached_property
    def identity(self) -> str:
        """OpenSlide's quick hash, of the coarsest level and the metadata, with the file's size; else its SHA-256."""
        quick: str | None = self._file.properties.get("openslide.quickhash-1")
        return f"{quick} {self.path.stat().st_size}" if quick else sha256_file(self.path)


def on_white(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """Return an RGBA image as RGB, laid on white."""
    if image.getchannel("A").getextrema() == (255, 255):  # opaque, as nearly every box is
        return np.asarray(image.convert("RGB"))
    paper = Image.new("RGB", image.size, (WHITE, WHITE, WHITE))
    paper.paste(image, mask=image.getchannel("A"))
    return np.asarray(paper)
