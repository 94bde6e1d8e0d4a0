"""One fold's split into train, val and test, and smaller training parts of it."""

from dataclasses import dataclass, replace
from typing import Literal

from hiptbench.errors import TaskError
from hiptbench.schema import Strict


class FractionRule(Strict):
    """How a fraction of a training part is drawn.

    Attributes:
        name: "pandas sample": ``Series.sample(frac, random_state)`` of the training units in the label table's order.
        random_state: Seed of the first draw; draw ``i`` uses ``random_state + i``.
        source: Where the rule is published.
    """

    name: Literal["pandas sample"]
    random_state: int
    source: str

    @property
    def stated(self) -> str:
        """The rule in a few words, as it stands in a Protocol."""
        return f"{self.name}, random_state {self.random_state}"


@dataclass(frozen=True)
class Split:
    """The units of one fold, each part in the order of the label table.

    Attributes:
        fold: Number of the fold, from 0.
        train: Units to fit on.
        val: Units for selection, or the evaluated ones where the task says so.
        test: Units to evaluate on.
    """

    fold: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def take(self, fraction: float, *, rule: FractionRule | None, draw: int = 0) -> "Split":
        """Return the split with a fraction of its training part; val and test stay.

        Args:
            fraction: In (0, 1]; 1 returns the split itself.
            rule: How to draw.
            draw: Number of the draw, from 0.

        Returns:
            A split whose ``train`` has ``round(fraction * n)`` units, in the order drawn.

        Raises:
            TaskError: If the fraction is out of range or leaves no unit, or no rule is known.
        """
        if not 0 < fraction <= 1:
            raise TaskError(f"A training fraction lies in (0, 1], not {fraction}.")
        if fraction == 1:
            return self
        if rule is None:
            raise TaskError(
                f"No rule says how to draw {fraction:.0%} of fold {self.fold}'s training part: run with a suite that "
                "has one, or with --fraction 1."
            )
        import pandas as pd

        drawn = pd.Series(self.train).sample(frac=fraction, random_state=rule.random_state + draw)
        if drawn.empty:
            raise TaskError(
                f"A fraction of {fraction} leaves none of fold {self.fold}'s {len(self.train)} train units."
            )
        return replace(self, train=tuple(drawn))
