"""What every comparison of two methods says, whichever test it comes from."""

from typing import Protocol, runtime_checkable

ALPHA = 0.05
"""Level of every verdict."""

DECIMALS = 12
"""Metrics, and their differences, that are equal to so many decimals are equal."""


@runtime_checkable
class Comparison(Protocol):
    """An effect with its interval and test, and where there are none, the reason."""

    @property
    def effect(self) -> float:
        """Metric of the first method less that of the second."""

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval."""

    @property
    def high(self) -> float | None:
        """Upper end of the 95 % interval."""

    @property
    def p(self) -> float | None:
        """Two-sided p, not adjusted."""

    @property
    def note(self) -> str:
        """Why there is no interval and no p, or what to know of them; may be empty."""
