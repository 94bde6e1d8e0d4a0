"""A slide, read at a physical resolution: whatever levels the file has, a box comes in pixels of the size asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from hiptbench.errors import SlideError

WHITE = 255
"""What surrounds a slide, and what transparent pixels are laid on."""

SYNTHETIC = "hiptbench, drawn"
"""The software that files of drawn slides name."""

SAME_SIZE = 0.01
"""Pixel sizes that differ by less than this share count as equal, and are not resampled."""

MOST_ENLARGED = 1.3
"""A slide's pixels may be this much larger than those asked for; beyond, detail would be invented."""


@runtime_checkable
class Pixels(Protocol):
    """The pixels of a slide file, level by level.

    Attributes:
        sizes: Width and height of each level in its pixels, the finest first.
        synthetic: Whether they were drawn rather than scanned.
        identity: What tells this file's contents from another's.
    """

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each level in its pixels, the finest first."""

    @property
    def synthetic(self) -> bool:
        """Whether they were drawn rather than scanned."""

    def read(self, level: int, x: int, y: int, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
        """Return a box of a level, white where it sticks out of the slide.

        Args:
            level: Number of the level, 0 is the finest.
            x: Left border in pixels of level 0.
            y: Upper border in pixels of level 0.
            width: Width in pixels of the level.
            height: Height in pixels of the level.

        Raises:
            SlideError: If the file is damaged there.
        """

    @property
    def identity(self) -> str:
        """What tells this file's contents from another's."""


@dataclass(frozen=True, eq=False)
class Slide:
    """A slide of known pixel size.

    Attributes:
        path: The file.
        mpp: Size of a pixel of level 0 in micrometres.
        pixels: Its pixels.
    """

    path: Path
    mpp: float
    pixels: Pixels

    @property
    def id(self) -> str:
        """The slide's id: the name of its file without the suffix."""
        return self.path.stem

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of level 0."""
        return self.pixels.sizes[0]

    def size_at(self, mpp: float) -> tuple[int, int]:
        """Return width and height in pixels of another size, at least one, rounded up."""
        scale = self.scale(mpp)
        width, height = (int(np.ceil(side / scale - 1e-9)) for side in self.size)
        return width, height

    def scale(self, mpp: float) -> float:
        """Return how many pixels of level 0 one pixel of a size is wide; sizes that count as equal give 1.

        Raises:
            SlideError: If the slide is too coarse for pixels of that size.
        """
        if self.mpp > mpp * MOST_ENLARGED:
            raise SlideError(
                f"{self.path} has pixels of {self.mpp:g} um, too coarse for {mpp:g} um. Take this slide out, "
                f"or extract at --target-mpp {self.mpp:g}."
            )
        ratio = mpp / self.mpp
        return 1.0 if abs(ratio - 1) < SAME_SIZE else ratio

    def read(self, x: int, y: int, width: int, height: int, mpp: float) -> UInt8[np.ndarray, "height width 3"]:
        """Return a box in pixels of a size, white where it sticks out of the slide.

        It is read from the coarsest level that is fine enough, and shrunk with a Lanczos filter as wide as the pixels
        are large, so that nothing is aliased. A slide that is a little too coarse (``MOST_ENLARGED``) is enlarged.

        Args:
            x: Left border in pixels of level 0.
            y: Upper border in pixels of level 0.
            width: Width in pixels of size ``mpp``.
            height: Height in pixels of size ``mpp``.
            mpp: Size of the wanted pixels in micrometres.

        Raises:
            SlideError: If the file is damaged there, or the slide is too coarse.
        """
        level, shrink = self.level_for(mpp)
        if abs(shrink - 1) < SAME_SIZE:
            return self.pixels.read(level, x, y, width, height)
        box = self.pixels.read(level, x, y, max(1, round(width * shrink)), max(1, round(height * shrink)))
        return np.asarray(Image.fromarray(box).resize((width, height), Image.Resampling.LANCZOS))

    def level_for(self, mpp: float) -> tuple[int, float]:
        """Return the coarsest level that is fine enough for pixels of a size, and how many of its pixels one is wide.

        Raises:
            SlideError: If the slide is too coarse.
        """
        scale = self.scale(mpp)
        shrinks = [scale * width / self.size[0] for width, _ in self.pixels.sizes]
        level = max(number for number, shrink in enumerate(shrinks) if number == 0 or shrink > 1 - SAME_SIZE)
        return level, shrinks[level]
