"""Parting whole institutions into folds as even in patients as institutions of very different sizes allow.

Every comparison is one of integers, and equals are told apart by SHA-256: the folds are the same on every platform.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

from hiptbench.files import sha256_lines

Counts = tuple[int, ...]

_STARTS = 8


@dataclass(frozen=True)
class Unevenness:
    """What the units of one fold cost: how far they are from an even share of every stratum.

    The cost is the sum over strata of (folds x held - total)², in units of the stratum's total, so that a rare class
    counts as much as a common one; an empty stratum that every fold needs outweighs any deviation.

    Attributes:
        folds: Number of folds.
        totals: Units of the cohort in each stratum.
        required: How many strata, the first ones, each fold must have.
    """

    folds: int
    totals: Counts
    required: int

    @cached_property
    def shares(self) -> Counts:
        """What one unit of each stratum weighs: the product of the totals, divided by its own."""
        whole = prod(total for total in self.totals if total)
        return tuple(whole // total if total else 0 for total in self.totals)

    @cached_property
    def _squares(self) -> Counts:
        return tuple(share**2 for share in self.shares)

    @cached_property
    def _penalty(self) -> int:
        """More than all folds can deviate together."""
        whole = prod(total for total in self.totals if total)
        return 1 + len(self.totals) * self.folds * (self.folds * whole) ** 2

    def weight(self, units: Counts) -> int:
        """Return what an institution's patients weigh together."""
        return sum(share * count for share, count in zip(self.shares, units, strict=True))

    def __call__(self, held: Counts) -> int:
        """Return the cost of a fold with these units in each stratum."""
        terms = zip(self.shares, held, self.totals, strict=True)
        deviation = sum((share * (self.folds * count - total)) ** 2 for share, count, total in terms)
        return self._penalty * sum(not count for count in held[: self.required]) + deviation

    def change(self, source: Counts, target: Counts, goes: Counts, comes: Counts) -> int:
        """Return by how much the costs of two folds change when some units go from source to target, and others come.

        The same as to compare the costs before and after, and several times as fast.
        """
        deviation = emptied = 0
        for stratum, (a, b, gone, come) in enumerate(zip(source, target, goes, comes, strict=True)):
            n = gone - come
            deviation += self._squares[stratum] * n * (b - a + n)
            if stratum < self.required:
                emptied += (a == n) + (b == -n) - (not a) - (not b)
        return self._penalty * emptied + 2 * self.folds**2 * deviation


class _Move(NamedTuple):
    """An institution goes to a fold; another, if there is one, comes from there in its place."""

    institution: str
    other: str | None
    fold: int


def part_institutions(units: Mapping[str, Counts], *, folds: int, required: int, seed: int) -> dict[str, int]:
    """Part institutions into folds: each where it costs least, then moves and swaps while one gains.

    The heaviest are put first, and then the search is begun anew with other orders; the best result
    is taken. No single move of one and no swap of two betters it, but it is not always the best of all.

    Args:
        units: Institution to its number of patients in each stratum (class; or with an event, and censored).
        folds: Number of folds.
        required: How many strata, the first ones, each fold should have; see ``lacking``.
        seed: Puts those in order that weigh the same, and makes the other orders.

    Returns:
        Institution to its fold, from 0.
    """
    cost = Unevenness(folds, tuple(map(sum, zip(*units.values(), strict=True))), required)
    results = [_searched(order, units, cost) for order in _orders(units, cost, seed)]
    return min(results, key=lambda fold_of: sum(map(cost, _held(units, fold_of, folds))))


def lacking(
    units: Mapping[str, Counts], fold_of: Mapping[str, int], *, folds: int, required: int
) -> list[tuple[int, int]]:
    """Return each (fold, stratum) without a unit, of the strata that every fold must have.

    Args:
        units: Institution to its number of patients in each stratum.
        fold_of: Institution to its fold.
        folds: Number of folds.
        required: How many strata, the first ones, each fold must have.
    """
    there = {
        (fold, stratum)
        for institution, fold in fold_of.items()
        for stratum in range(required)
        if units[institution][stratum]
    }
    return [(fold, s) for fold in range(folds) for s in range(required) if (fold, s) not in there]


def _orders(units: Mapping[str, Counts], cost: Unevenness, seed: int) -> Iterator[list[str]]:
    for start in range(_STARTS):
        order = sorted(units, key=lambda institution: sha256_lines([f"{seed}\t{start}\t{institution}"]))
        yield order if start else sorted(order, key=lambda institution: -cost.weight(units[institution]))


def _searched(order: Sequence[str], units: Mapping[str, Counts], cost: Unevenness) -> dict[str, int]:
    """Put the institutions into folds in this order, then move and swap them while that gains."""
    held = [(0,) * len(cost.totals)] * cost.folds
    fold_of: dict[str, int] = {}
    for institution in order:
        fold = min(range(cost.folds), key=lambda k: cost(_plus(held[k], units[institution])) - cost(held[k]))
        fold_of[institution], held[fold] = fold, _plus(held[fold], units[institution])
    while move := _best(order, units, fold_of, held, cost):
        _apply(move, units, fold_of, held)
    return fold_of


def _held(units: Mapping[str, Counts], fold_of: Mapping[str, int], folds: int) -> list[Counts]:
    strata = range(len(next(iter(units.values()))))
    members = [[units[institution] for institution in units if fold_of[institution] == fold] for fold in range(folds)]
    return [tuple(sum(counts[stratum] for counts in held) for stratum in strata) for held in members]


def _best(
    order: Sequence[str],
    units: Mapping[str, Counts],
    fold_of: Mapping[str, int],
    held: Sequence[Counts],
    cost: Unevenness,
) -> _Move | None:
    """Return the move that gains most, the first of equals; None if none gains."""
    best, least = None, 0
    nothing = (0,) * len(cost.totals)
    for move in _moves(order, fold_of, len(held)):
        comes = units[move.other] if move.other else nothing
        change = cost.change(held[fold_of[move.institution]], held[move.fold], units[move.institution], comes)
        if change < least:
            best, least = move, change
    return best


def _moves(order: Sequence[str], fold_of: Mapping[str, int], folds: int) -> Iterator[_Move]:
    for position, institution in enumerate(order):
        yield from (_Move(institution, None, fold) for fold in range(folds) if fold != fold_of[institution])
        for other in order[position + 1 :]:
            if fold_of[other] != fold_of[institution]:
                yield _Move(institution, other, fold_of[other])


def _apply(move: _Move, units: Mapping[str, Counts], fold_of: dict[str, int], held: list[Counts]) -> None:
    source = fold_of[move.institution]
    moved = _minus(units[move.institution], units[move.other]) if move.other else units[move.institution]
    held[source], held[move.fold] = _minus(held[source], moved), _plus(held[move.fold], moved)
    fold_of[move.institution] = move.fold
    if move.other:
        fold_of[move.other] = source


def _plus(some: Counts, others: Counts) -> Counts:
    return tuple(a + b for a, b in zip(some, others, strict=True))


def _minus(some: Counts, others: Counts) -> Counts:
    return tuple(a - b for a, b in zip(some, others, strict=True))
