"""Write slides: tiled, deflated, pyramidal TIFF files of known pixel size, which OpenSlide and libtiff read."""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import UInt8

from hiptbench.errors import SlideError
from hiptbench.files import write_atomic
from hiptbench.slides.slide import SYNTHETIC

TILE = 256
"""Side of a tile in pixels."""

TOP = 1024
"""The pyramid ends with the first level whose longer side is at most this many pixels."""

Tiles = Mapping[tuple[int, int], np.ndarray]
"""The tiles [TILE, TILE, 3] uint8 of a level by (row, column); those left out are white."""


def write_slide(path: Path, pixels: UInt8[np.ndarray, "h w 3"], *, mpp: float, downsample: int = 4) -> None:
    """Write a picture as a slide.

    Args:
        path: The file, which exists whole or not at all.
        pixels: Red, green and blue, 0 to 255.
        mpp: Micrometres per pixel.
        downsample: How many times smaller each level is than the one below: 2 or 4.

    Raises:
        SlideError: If a setting makes no slide.
        StoreError: If the file cannot be written.
    """
    height, width = pixels.shape[:2]
    write_tiles(path, cut(pixels), size=(width, height), mpp=mpp, downsample=downsample)


def write_tiles(path: Path, tiles: Tiles, *, size: tuple[int, int], mpp: float, downsample: int = 4) -> None:
    """Write a slide of which only some tiles are not white; its size costs neither memory nor much disk.

    Args:
        path: The file, which exists whole or not at all.
        tiles: The tiles that are not white.
        size: Width and height of the slide in pixels.
        mpp: Micrometres per pixel.
        downsample: How many times smaller each level is than the one below: 2 or 4. A pixel is the mean of those
            below it, rounded.

    Raises:
        SlideError: If a setting makes no slide, or a tile lies outside it.
        StoreError: If the file cannot be written.
    """
    _check(path, tiles, size, mpp, downsample)
    write_atomic(path, lambda part: _write_levels(part, tiles, size, mpp, downsample))


def cut(pixels: UInt8[np.ndarray, "h w 3"]) -> dict[tuple[int, int], UInt8[np.ndarray, "t t 3"]]:
    """Cut a picture into tiles; those at its right and lower edges are filled up with white."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % TILE), (0, -width % TILE), (0, 0)), constant_values=255)
    rows, columns = (n // TILE for n in padded.shape[:2])
    tiles = padded.reshape(rows, TILE, columns, TILE, 3).swapaxes(1, 2)
    return {place: tiles[place] for place in np.ndindex(rows, columns)}


def _check(path: Path, tiles: Tiles, size: tuple[int, int], mpp: float, downsample: int) -> None:
    if min(size) < 1 or not 0 < mpp < float("inf") or downsample not in (2, 4):
        raise SlideError(
            f"{path} cannot be written with size {size}, mpp {mpp} and downsample {downsample}: sizes and mpp are "
            "above 0, downsample is 2 or 4."
        )
    width, height = size
    outside = [place for place in tiles if not (0 <= place[0] * TILE < height and 0 <= place[1] * TILE < width)]
    if outside:
        raise SlideError(
            f"{path}: the tile at (row, column) {outside[0]} lies outside a slide of {width} x {height} pixels. "
            f"Tiles have {TILE} pixels a side."
        )


def _write_levels(path: Path, tiles: Tiles, size: tuple[int, int], mpp: float, downsample: int) -> None:
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for subfile, (level, (width, height)) in enumerate(_levels(tiles, size, downsample)):
            writer.write(
                _encoded(level, width, height),
                shape=(height, width, 3),
                dtype=np.uint8,
                tile=(TILE, TILE),
                photometric="rgb",
                compression="zlib",
                subfiletype=min(subfile, 1),  # 1: a smaller version of another image
                resolution=(1e4 / mpp * width / size[0], 1e4 / mpp * height / size[1]),
                resolutionunit="centimeter",
                metadata=None,
                software=SYNTHETIC,
            )


def _levels(tiles: Tiles, size: tuple[int, int], downsample: int) -> Iterator[tuple[Tiles, tuple[int, int]]]:
    """Yield the tiles and the size of each level, the largest first."""
    yield tiles, size
    while max(size) > TOP:
        size = max(1, size[0] // downsample), max(1, size[1] // downsample)
        tiles = _reduced(tiles, downsample)
        yield tiles, size


def _reduced(tiles: Tiles, by: int) -> Tiles:
    """Return the tiles of the next level."""
    side = TILE // by
    reduced: dict[tuple[int, int], np.ndarray] = {}
    for (row, column), tile in tiles.items():
        target = reduced.setdefault((row // by, column // by), np.full((TILE, TILE, 3), 255, dtype=np.uint8))
        mean = tile.reshape(side, by, side, by, 3).mean(axis=(1, 3), dtype=np.float32)
        y, x = row % by * side, column % by * side
        target[y : y + side, x : x + side] = mean + 0.5
    return reduced


def _encoded(tiles: Tiles, width: int, height: int) -> Iterator[bytes]:
    """Yield the compressed tiles of a level, row by row; the white one is compressed once, and well."""
    white = zlib.compress(bytes([255]) * (TILE * TILE * 3), level=9)
    for place in np.ndindex(-(-height // TILE), -(-width // TILE)):
        yield zlib.compress(tiles[place].tobytes(), level=1) if place in tiles else white
