"""Attention over some evaluated bags of a run, where it was kept, on the grid that their instances lie on."""

import numpy as np
from jaxtyping import Int64

from hiptbench.joining import Joined
from hiptbench.kept import BagAttention
from hiptbench.panels import Run
from hiptbench.report.derive_assessment import plain
from hiptbench.report.run_data import Attention
from hiptbench.store import Store

_BAGS = 4


def attention_of(run: Run, joined: Joined) -> tuple[Attention, ...]:
    """Return the attention on the first bags of a run's first fold; nothing where none was kept."""
    if not isinstance(joined.results, Store):
        return ()
    kept = joined.results.kept(run.repeats[0][0].fingerprint)
    if not kept.keeps_attention:
        return ()
    bags = enumerate(kept.attention(_BAGS).values(), start=1)
    return tuple(
        Attention(name=f"bag {number}", weights=plain(bag.weights.tolist()), cells=cells_of(bag))
        for number, bag in bags
    )


def cells_of(bag: BagAttention) -> tuple[tuple[int, int], ...] | None:
    """Return the column and row of each instance, a free column between two slides.

    Args:
        bag: Attention on a bag.

    Returns:
        One cell an instance, from (0, 0); None without coordinates.
    """
    if bag.coords is None or bag.slide_index is None:
        return None
    cells, free = np.zeros_like(bag.coords), 0
    for slide in np.unique(bag.slide_index):
        members = bag.slide_index == slide
        grid = _grid(bag.coords[members])
        cells[members] = grid + np.array([free, 0])
        free += int(grid[:, 0].max()) + 2
    return tuple((column, row) for column, row in cells.tolist())


def _grid(coords: Int64[np.ndarray, "n 2"]) -> Int64[np.ndarray, "n 2"]:
    """Return positions from 0 in steps of the distance that neighbours commonly have.

    Not of the smallest one: each contour of CLAM's has a grid of its own, and two may lie a few pixels apart. Halves
    are rounded up, never to even, which would put two columns of a contour half a step off into one.
    """
    from scipy.spatial import cKDTree

    places = np.unique(coords, axis=0)
    nearest, _ = cKDTree(places).query(places, k=[2], p=np.inf)
    step = float(np.median(nearest))
    steps = (coords - coords.min(axis=0)) / (step if step < np.inf else 1.0)
    return np.asarray(np.floor(steps + 0.5), dtype=np.int64)
