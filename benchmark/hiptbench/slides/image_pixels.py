"""Pixels of plain images: PNG, JPEG, and TIFF without tiles; a region that somebody cut out is a one-level slide."""

import warnings
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from hiptbench.errors import SlideError
from hiptbench.files import sha256_file
from hiptbench.slides.openslide_pixels import on_white
from hiptbench.slides.slide import WHITE

PICTURE = "hiptbench"
"""The software that our own pictures of slides name, so that they are not taken for slides."""

_DEPTH = 24  # where a PNG says how many bits a channel has; Pillow would reduce 16 to 8 without a word
_COLOUR = ("RGB", "RGBA", "P", "YCbCr", "CMYK")
# TIFF tags of a pixel's size: pixels per unit across, and the unit, where 3 is the centimetre.
_X_RESOLUTION, _RESOLUTION_UNIT, _CENTIMETRE = 282, 296, 3


class ImagePixels:
    """Pixels of an image, held in memory; colour profiles are not applied.

    Args:
        path: An image that Pillow reads.

    Raises:
        SlideError: If it is no image, damaged, too large for memory, or not in colour.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mpp: float | None = None
        self._array = self._load()

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of the one level."""
        height, width, _ = self._array.shape
        return ((width, height),)

    @property
    def synthetic(self) -> bool:
        """Whether they were drawn rather than scanned; our own slides are no plain images."""
        return False

    def read(self, level: int, x: int, y: int, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
        """Return a box, white where it sticks out of the image."""
        box = np.full((height, width, 3), WHITE, np.uint8)
        part = self._array[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        top, left = max(-y, 0), max(-x, 0)
        box[top : top + part.shape[0], left : left + part.shape[1]] = part
        return box

    @cached_property
    def identity(self) -> str:
        """The file's SHA-256."""
        return sha256_file(self.path)

    def _load(self) -> UInt8[np.ndarray, "h w 3"]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of large images and odd metadata; neither changes a pixel
                with Image.open(self.path) as image:
                    self.mpp = _mpp(image)
                    return self._in_colour(image)
        except Image.DecompressionBombError as error:
            raise SlideError(
                f"{self.path} is too large for a plain image ({error}). Convert it into a tiled pyramidal TIFF."
            ) from error
        except (OSError, SyntaxError, ValueError) as error:
            if isinstance(error, SlideError):
                raise
            raise SlideError(
                f"{self.path} is neither a slide that OpenSlide reads nor a whole image ({error}). Copy it again, "
                "or take it out."
            ) from error

    def _png_depth(self) -> int:
        with self.path.open("rb") as file:
            return file.read(_DEPTH + 1)[_DEPTH]

    def _in_colour(self, image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
        deep = image.format == "PNG" and self._png_depth() > 8
        if image.mode not in _COLOUR or deep:
            raise SlideError(
                f"{self.path} is no 8-bit colour image (mode {image.mode}{', 16 bits' * deep}). Extractors are made "
                "for RGB with 8 bits a channel; convert it."
            )
        transparent = image.mode == "RGBA" or "transparency" in image.info
        return on_white(image.convert("RGBA")) if transparent else np.asarray(image.convert("RGB"))


def drawn_by_us(path: Path) -> bool:
    """Whether a file is one of our pictures of a slide, such as a heat map, rather than a slide."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path) as image:
            return str(image.info.get("Software", "")).startswith(PICTURE)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False  # what is wrong with it is said when it is opened as a slide


def _mpp(image: Image.Image) -> float | None:
    """Return the size of a pixel where a TIFF says it per centimetre; dots per inch tell how to print."""
    tags = getattr(image, "tag_v2", {})
    across = tags.get(_X_RESOLUTION)
    return 1e4 / float(across) if across and tags.get(_RESOLUTION_UNIT) == _CENTIMETRE else None
