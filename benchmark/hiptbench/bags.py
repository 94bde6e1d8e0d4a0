"""A bag: all instances of one unit, with where they came from."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64


@dataclass(frozen=True, eq=False)
class Bag:
    """All instances (regions or patches) of one unit (slide or case).

    Attributes:
        unit: The unit's id.
        features: Instance features [n, d], or hierarchical [n, 256, d]; float32 whatever the dtype on disk.
        coords: Level-0 pixel position (x, y) of each instance, or None where the source has none.
        slide_index: For each instance the index of its slide among the unit's slides.
    """

    unit: str
    features: Float32[np.ndarray, "n *tail"]
    coords: Int64[np.ndarray, "n 2"] | None
    slide_index: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.features)
