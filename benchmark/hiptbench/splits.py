"""One fold's split into train, val and test."""

from dataclasses import dataclass


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
