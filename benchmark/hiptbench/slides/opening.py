"""Finding slides in a folder, and opening one whatever its format."""

import struct
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import openslide
import tifffile

from hiptbench.errors import SlideError, name_some
from hiptbench.slides.image_pixels import ImagePixels, drawn_by_us
from hiptbench.slides.openslide_pixels import OpenSlidePixels
from hiptbench.slides.slide import Slide

SUFFIXES = (
    *(".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".bif", ".svslide", ".vms", ".vmu", ".czi"),
    *(".png", ".jpg", ".jpeg"),
)
"""Files that are taken from a folder; a file named by itself may have any suffix."""

# Sizes of a pixel in micrometres outside of which metadata are wrong: dots per inch of a printer, or placeholders.
_PLAUSIBLE = (0.05, 20.0)
_DAMAGE = (tifffile.TiffFileError, OSError, LookupError, ValueError, TypeError, struct.error)  # seen on changed bytes
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def find_slides(*paths: str | Path) -> tuple[Path, ...]:
    """Return the slide files among files and folders, searched to any depth, ordered by slide id.

    Args:
        paths: Slide files, and folders of them.

    Raises:
        SlideError: If a path does not exist, there is no slide, or two slides have one id.
    """
    found: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            raise SlideError(f"There is no file or folder {path}.")
        found |= _inside(path) if path.is_dir() else {path}
    if not found:
        raise SlideError(f"There are no slides; files that count end in {', '.join(SUFFIXES)}.")
    return by_id(found)


def by_id(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return slide files ordered by slide id.

    Raises:
        SlideError: If two files have one id.
    """
    same_id: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(set(paths)):
        same_id[path.stem].append(path)
    if twins := [" and ".join(map(str, same)) for same in same_id.values() if len(same) > 1]:
        raise SlideError(
            f"{len(twins)} slide ids are given twice: {name_some(twins, 3)}. Rename or remove one of each."
        )
    return tuple(same_id[name][0] for name in sorted(same_id))


def open_slide(path: str | Path, *, mpp: float | None = None) -> Slide:
    """Open a slide: any format of OpenSlide, or a plain image.

    Args:
        path: The file.
        mpp: Size of a pixel of level 0 in micrometres, for a file that does not say it.

    Raises:
        SlideError: If the file is no slide, is damaged, is not 8-bit colour, or its pixel size is not known.
    """
    path = Path(path)
    if not path.is_file():
        raise SlideError(f"There is no slide {path}.")
    _check_tiff(path)
    pixels = OpenSlidePixels(path) if openslide.OpenSlide.detect_format(path) else ImagePixels(path)
    return Slide(path, _mpp_of(pixels, mpp), pixels)


def _inside(folder: Path) -> set[Path]:
    found = {path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")}
    # The parts of a Hamamatsu slide are images, and its index lies beside them.
    hamamatsu = {path.parent for path in found if path.suffix in (".vms", ".vmu")}
    parts = {path for path in found if path.suffix.lower() in (".jpg", ".jpeg") and path.parent in hamamatsu}
    return {path for path in found - parts if path.is_file() and not drawn_by_us(path)}


def _mpp_of(pixels: OpenSlidePixels | ImagePixels, stated: float | None) -> float:
    if pixels.mpp is not None and _PLAUSIBLE[0] <= pixels.mpp <= _PLAUSIBLE[1]:
        return pixels.mpp
    if stated is not None:
        return _checked(stated)
    said = "does not say how large its pixels are"
    if pixels.mpp is not None:
        said = f"says that its pixels are {pixels.mpp:g} um large, which cannot be"
    power = pixels.objective if isinstance(pixels, OpenSlidePixels) else None
    hint = f" Its objective is {power}x; 20x has 0.5 um as a rule, 40x 0.25." if power else ""
    raise SlideError(f"{pixels.path} {said}. State it with --mpp.{hint}")


def _checked(mpp: float) -> float:
    if not _PLAUSIBLE[0] <= mpp <= _PLAUSIBLE[1]:
        raise SlideError(
            f"Pixels of {mpp:g} um cannot be: --mpp is the size of one pixel, 0.25 to 0.5 for most slides."
        )
    return mpp


def _check_tiff(path: Path) -> None:
    """Refuse a TIFF that is not 8-bit colour: OpenSlide and Pillow would reduce it without a word.

    Raises:
        SlideError: Naming what it is.
    """
    try:
        with path.open("rb") as handle:
            if handle.read(4) not in _TIFF_MAGIC:
                return
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            bits, samples = page.bitspersample, page.samplesperpixel
    except _DAMAGE as error:
        raise SlideError(f"{path} cannot be read as the TIFF that it should be ({error}). Copy it again.") from error
    if bits != 8 or samples < 3:
        raise SlideError(
            f"{path} has {samples} channels of {bits} bits. Extractors are made for RGB with 8 bits a channel; "
            "convert it."
        )
