"""Reading ahead: in order, a bounded number of tiles in memory, errors where they belong."""

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import SlideError
from hiptbench.extraction.reading import read_ahead
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide


class Numbered:
    """A slide whose tiles show where they lie; one of them may be broken."""

    sizes = ((2560, 256),)
    synthetic = False

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken
        self.reads = 0
        self.threads: set[str] = set()

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        if x // 256 == self.broken:
            raise SlideError("damaged")
        self.reads += 1
        self.threads.add(threading.current_thread().name)
        return np.full((height, width, 3), x // 256, np.uint8)

    identity = "numbered"


GRID = Grid(0.5, 256, 256, 1.0, np.array([[256 * i, 0] for i in range(10)]), np.ones(10))


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_tiles_come_in_order_in_batches(size: int) -> None:
    batches = list(read_ahead(Slide(Path("a"), 0.5, Numbered()), GRID, size))
    assert np.concatenate(batches)[:, 0, 0, 0].tolist() == list(range(10))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)


def test_it_reads_ahead_in_another_thread_but_not_far() -> None:
    pixels = Numbered()
    tiles = read_ahead(Slide(Path("a"), 0.5, pixels), GRID, 1)
    next(tiles)
    tiles.close()  # type: ignore[attr-defined]
    assert pixels.reads <= 4
    assert threading.current_thread().name not in pixels.threads


def test_what_was_read_before_an_error_is_not_lost() -> None:
    tiles = read_ahead(Slide(Path("a"), 0.5, Numbered(broken=4)), GRID, 1)
    assert [int(images[0, 0, 0, 0]) for images in islice(tiles, 4)] == [0, 1, 2, 3]
    with pytest.raises(SlideError, match="damaged"):
        next(tiles)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slide")]
