"""From a bag to one vector."""

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags


def mean_vectors(bags: Bags) -> Float64[np.ndarray, "n d"]:
    """Average each bag's instances, in float64; hierarchical bags [n, 256, d] are averaged over both levels.

    Raises:
        HeadError: If the bags' dimensions differ, or there are none.
    """
    if not bags:
        raise HeadError("There are no bags to average.")
    vectors = [bag.features.mean(axis=tuple(range(bag.features.ndim - 1)), dtype=np.float64) for bag in bags]
    if len({len(vector) for vector in vectors}) > 1:
        raise HeadError(f"The bags have different dimensions: {sorted({len(vector) for vector in vectors})}.")
    return np.stack(vectors)
