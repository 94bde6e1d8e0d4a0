"""Extraction beside a plain forward of the same network, reading beside encoding, and memory on a huge slide."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from .framework import Benchmark, Measurement
from .processes import hiptbench, peak_pss
from .workspace import Workspace

_SIDE, _PAIRS = 8, 3  # patches along a region's side
_HUGE, _TILE = 100_000, 256


def _region() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (_SIDE * 256, _SIDE * 256, 3), dtype=np.uint8)


def _seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def ours_and_plain() -> tuple[float, float, float]:
    """Return the patches a second of our extractor and of the plain forward, and the machine's gain by bfloat16."""
    import torch

    from hiptbench.extractors.hipt import HIPT

    from .plain_vit import Hierarchy

    region = _region()
    ours, plain = HIPT(random_weights=True, device="cpu"), Hierarchy(_SIDE).eval()
    pixels = torch.from_numpy(region)
    ours.extract(region[None, :256, :512])
    plain.cells(torch.zeros(2, 3, 256, 256))
    seconds = _seconds(lambda: ours.extract(region[None])), _seconds(lambda: plain(pixels))
    return _SIDE**2 / seconds[0], _SIDE**2 / seconds[1], _gain_by_bfloat16()


def _gain_by_bfloat16() -> float:
    """Return how many times as fast the network's largest product is in bfloat16 as in float32."""
    import torch

    def seconds(kind: torch.dtype) -> float:
        tokens, weights = torch.randn(8 * 257, 384, dtype=kind), torch.randn(384, 1536, dtype=kind)
        return median(_seconds(lambda: tokens @ weights) for _ in range(50))

    return seconds(torch.float32) / seconds(torch.bfloat16)


def read_and_encode(slide: str) -> tuple[float, float]:
    """Return the patches a second that are read and cut from a slide, and that our extractor encodes."""
    from hiptbench.extraction.reading import read_ahead
    from hiptbench.extraction.settings import TileSettings
    from hiptbench.extraction.tiling import tiles_of
    from hiptbench.extractors.hipt import HIPT
    from hiptbench.slides.opening import open_slide

    def read() -> list[np.ndarray]:
        opened = open_slide(slide)
        return list(read_ahead(opened, tiles_of(opened, TileSettings(), 4096), 1))

    images = read()[0]
    ours = HIPT(random_weights=True, device="cpu")
    ours.extract(images[:, :256, :512])
    patches = images.shape[1] * images.shape[2] // 256**2
    return patches / _seconds(read), patches / _seconds(lambda: ours.extract(images))


def _in_fresh_processes(measure: Callable[..., tuple[float, ...]], *arguments: str) -> list[tuple[float, ...]]:
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        return [pool.submit(measure, *arguments).result() for _ in range(_PAIRS)]


def _over_plain(_: Workspace) -> Measurement:
    pairs = _in_fresh_processes(ours_and_plain)
    ratio = median(ours / plain for ours, plain, _ in pairs)
    ours, plain, gain = (median(side) for side in zip(*pairs, strict=True))
    told = (
        f"plain float32 forward: {plain:.1f} patches a second, ours {ours:.1f}; median of {_PAIRS} pairs, all cores; "
        f"matrix products in bfloat16 are {gain:.1f} times as fast here"
    )
    return Measurement(ratio, told)


def _read_over_encode(workspace: Workspace) -> Measurement:
    from hiptbench.slides.synthetic import SyntheticSlides, write_synthetic_slides

    folder = workspace.fresh()
    write_synthetic_slides(folder, SyntheticSlides(slides=2))
    pairs = _in_fresh_processes(read_and_encode, str(next((folder / "slides").glob("*.tiff"))))
    read, encoded = (median(side) for side in zip(*pairs, strict=True))
    ratio = median(read / encoded for read, encoded in pairs)
    return Measurement(ratio, f"{read:.0f} patches a second opened, tiled and read; {encoded:.1f} encoded by hipt")


def _peak(workspace: Workspace) -> Measurement:
    folder = workspace.fresh()
    path = _write_sparse(folder / "sparse.tiff")
    extract = hiptbench("extract", path, "--extractor", "random", "--out", folder / "features")
    disk = path.stat().st_size / 1e6
    told = f"`extract --extractor random` on {_HUGE:,} x {_HUGE:,} pixels, {disk:.0f} MB on disk"
    return Measurement(peak_pss(extract) / 1e9, told)


def _write_sparse(path: Path) -> Path:
    """Write a slide with pieces of tissue of 4096 x 4096 pixels in its corners and its middle."""
    from hiptbench.slides.pyramids import write_tiles

    rng = np.random.default_rng(0)
    tissue = rng.normal((200, 110, 170), 15, (_TILE, _TILE, 3)).clip(0, 255).astype(np.uint8)
    last = _HUGE // _TILE - 16
    corners = [(row, column) for row in (0, last) for column in (0, last)] + [(last // 2, last // 2)]
    tiles = {(row + i, column + j): tissue for row, column in corners for i in range(16) for j in range(16)}
    write_tiles(path, tiles, size=(_HUGE, _HUGE), mpp=0.5)
    return path


BENCHMARKS = (
    Benchmark(
        id="extract.hipt.over_plain_fp32",
        name="Patches a second of the extractor hipt over a plain float32 forward",
        unit="x",
        better="higher",
        aim=8,
        measure=_over_plain,
    ),
    Benchmark(
        id="slides.read_over_encode",
        name="Patches a second read from a slide over those encoded by hipt",
        unit="x",
        better="higher",
        aim=2,
        measure=_read_over_encode,
    ),
    Benchmark(
        id="extract.peak_100k_sparse",
        name="Peak memory of extracting a sparse slide of 100,000 x 100,000 pixels",
        unit="GB",
        better="lower",
        aim=3,
        measure=_peak,
    ),
)
