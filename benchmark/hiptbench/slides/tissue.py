"""Where a slide has tissue: Otsu's threshold on the saturation of a thumbnail, without pen marks, specks and holes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int32, UInt8
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import threshold_otsu

from hiptbench.slides.slide import Slide

_BYTE = 255
_BLOCK = 4096  # pixels of a level that are read at once, so that a slide without coarse levels fits in memory


@dataclass(frozen=True, kw_only=True)
class TissueSettings:
    """How tissue is found.

    Attributes:
        mpp: Pixel size of the thumbnail in micrometres.
        least_saturation: What is paler than this is glass even on a slide without anything else, 0 to 1.
        most_saturation: What is stronger than this is tissue even on a slide full of it, 0 to 1.
        pen_hues: Hues between these are of pens, 0 to 1: from yellow-green over green to blue. Eosin and haematoxylin
            lie outside.
        pen_saturation: Pen marks are at least this strong, 0 to 1.
        darkest: What is darker than this is black pen, a fold or a slide's edge, 0 to 1.
        smooth_um: Standard deviation of the Gaussian that the thumbnail is smoothed with, in micrometres.
        close_um: Gaps narrower than this are closed, in micrometres.
        least_area_mm2: Smaller specks are taken out, smaller holes are filled, in square millimetres.
    """

    mpp: float = 8.0
    least_saturation: float = 0.05
    most_saturation: float = 0.15
    pen_hues: tuple[float, float] = (0.17, 0.64)
    pen_saturation: float = 0.45
    darkest: float = 0.2
    smooth_um: float = 8.0
    close_um: float = 48.0
    least_area_mm2: float = 0.02


@dataclass(frozen=True, eq=False)
class Tissue:
    """The tissue of a slide.

    Attributes:
        thumbnail: The slide at ``mpp``.
        mask: Where it has tissue.
        threshold: The saturation above which that is.
        scale: Pixels of level 0 in one pixel of the mask.
    """

    thumbnail: UInt8[np.ndarray, "h w 3"]
    mask: Bool[np.ndarray, "h w"]
    threshold: float
    scale: float

    @property
    def share(self) -> float:
        """Share of the slide that is tissue."""
        return float(self.mask.mean())

    def share_of(self, x: float, y: float, width: float, height: float) -> float:
        """Return the share of a box that is tissue; what sticks out of the slide has none.

        Args:
            x: Left border in pixels of level 0.
            y: Upper border in pixels of level 0.
            width: Width in pixels of level 0.
            height: Height in pixels of level 0.
        """
        rows, columns = self.mask.shape
        left, right = (np.clip(round(edge / self.scale), 0, columns) for edge in (x, x + width))
        top, bottom = (np.clip(round(edge / self.scale), 0, rows) for edge in (y, y + height))
        sums = self._sums
        inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return float(min(1.0, inside * self.scale**2 / (width * height)))

    @cached_property
    def _sums(self) -> Int32[np.ndarray, "h1 w1"]:
        """Tissue above and left of every corner, so that any box is four look-ups."""
        return np.pad(self.mask.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))


def find_tissue(slide: Slide, settings: TissueSettings) -> Tissue:
    """Find the tissue of a slide.

    Raises:
        SlideError: If the slide is damaged.
    """
    thumbnail = make_thumbnail(slide, settings.mpp)
    hue, saturation, value = _hsv(thumbnail, settings.smooth_um / settings.mpp)
    otsu = threshold_otsu(saturation) / _BYTE if saturation.min() < saturation.max() else settings.most_saturation
    threshold = float(np.clip(otsu, settings.least_saturation, settings.most_saturation))
    low, high = (_BYTE * edge for edge in settings.pen_hues)
    pen = (hue > low) & (hue < high) & (saturation > _BYTE * settings.pen_saturation)
    mask = _cleaned((saturation > _BYTE * threshold) & ~pen & (value > _BYTE * settings.darkest), settings)
    return Tissue(thumbnail, mask, threshold, slide.scale(settings.mpp))


def make_thumbnail(slide: Slide, mpp: float) -> UInt8[np.ndarray, "h w 3"]:
    """Return the whole slide in pixels of a size in micrometres, read block by block."""
    width, height = slide.size_at(mpp)
    scale = slide.scale(mpp)
    side = max(1, int(_BLOCK / slide.level_for(mpp)[1]))
    thumbnail = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, side):
        for left in range(0, width, side):
            part = thumbnail[top : top + side, left : left + side]
            part[:] = slide.read(round(left * scale), round(top * scale), part.shape[1], part.shape[0], mpp)
    return thumbnail


def _hsv(image: UInt8[np.ndarray, "h w 3"], sigma: float) -> tuple[UInt8[np.ndarray, "h w"], ...]:
    """Return hue, saturation and value of a smoothed image, each from 0 to 255."""
    smooth = Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma))
    return tuple(np.asarray(band) for band in smooth.convert("HSV").split())


def _cleaned(mask: Bool[np.ndarray, "h w"], settings: TissueSettings) -> Bool[np.ndarray, "h w"]:
    """Return the mask with narrow gaps closed, and without specks and holes that are too small."""
    radius = max(1, round(settings.close_um / settings.mpp / 2))
    padded = np.pad(mask, radius)  # closing would otherwise eat the border
    closed = ndimage.binary_closing(padded, iterations=radius)[radius:-radius, radius:-radius]
    least = settings.least_area_mm2 * 1e6 / settings.mpp**2
    return ~_without_small(~_without_small(closed, least), least)


def _without_small(mask: Bool[np.ndarray, "h w"], least: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask without connected parts of fewer pixels."""
    labels, _ = ndimage.label(mask)
    keep = np.bincount(labels.ravel()) >= least
    keep[0] = False
    kept: np.ndarray = keep[labels]
    return kept
