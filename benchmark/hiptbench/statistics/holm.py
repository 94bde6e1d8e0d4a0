"""Holm's adjustment of the p of several comparisons that were declared as one family."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from hiptbench.errors import MetricError

Key = TypeVar("Key", bound=Hashable)


def holm(family: Mapping[Key, float | None]) -> dict[Key, float | None]:
    """Return the adjusted p of each comparison.

    The i-th smallest of m is multiplied by m - i + 1, is at least as large as the one before, and at most 1. Rejecting
    where the adjusted p is at most .05 keeps the chance of any false rejection in the family at .05.

    Args:
        family: Comparison to its raw p. One without a p (None) has none afterwards; it counts, being declared.

    Raises:
        MetricError: If a p is not in [0, 1].

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    for name, p in family.items():
        if p is not None and not 0 <= p <= 1:
            raise MetricError(f"The p of {name} is {p!r}, not a number from 0 to 1.")
    adjusted: dict[Key, float | None] = dict.fromkeys(family)
    highest, factor = 0.0, len(family)
    for p, name in sorted(((p, name) for name, p in family.items() if p is not None), key=lambda pair: pair[0]):
        highest = max(highest, min(1.0, factor * p))
        adjusted[name] = highest
        factor -= 1
    return adjusted
