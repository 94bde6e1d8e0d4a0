"""Reading tiles ahead: the next ones are read and decoded while the network works on these."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8

from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide

_THREADS = 2  # read a slide at once: decoding leaves Python's lock to others
_AHEAD = 2  # batches; a region of 4096 x 4096 takes 50 MB

Images = UInt8[np.ndarray, "n h w 3"]


def read_ahead(slide: Slide, grid: Grid, size: int) -> Iterator[Images]:
    """Yield a slide's tiles in order, ``size`` at a time.

    Raises:
        SlideError: If the slide is damaged.
    """

    def read(start: int) -> Images:
        return np.stack([grid.read(slide, index) for index in range(start, min(start + size, len(grid)))])

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="slide") as reader:
        pending: deque[Future[Images]] = deque()
        try:
            for start in range(0, len(grid), size):
                pending.append(reader.submit(read, start))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
