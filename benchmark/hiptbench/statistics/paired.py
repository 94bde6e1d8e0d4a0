"""The same units under several methods: folds put in one order, and refused where they are not of the same units."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.errors import HeadError, MetricError, name_some
from hiptbench.predictions import Predictions
from hiptbench.targets import Labels, Target

Method = Sequence[Sequence[Predictions]]
"""What a method predicted: its seeds, and of each seed its folds, in one and the same order."""


@dataclass(frozen=True, eq=False)
class Fold:
    """The evaluated units of a fold, and what each method says of them.

    Attributes:
        units: Unit ids.
        patients: The patient of each unit, as a position in ``Sample.patients``.
        target: What is true.
        scores: Method to what each of its seeds predicted: probabilities [n, k], or risks [n].
    """

    units: tuple[str, ...]
    patients: Int64[np.ndarray, " n"]
    target: Target
    scores: Mapping[str, tuple[Float64[np.ndarray, "n ..."], ...]]


@dataclass(frozen=True, eq=False)
class Sample:
    """The evaluated part of a task.

    Attributes:
        patients: Every patient with an evaluated unit, sorted.
        strata: The classes, or the event states, that each patient's units have: bit k is set if a unit has k.
        folds: The folds.
    """

    patients: tuple[str, ...]
    strata: Int64[np.ndarray, " p"]
    folds: tuple[Fold, ...]

    def patients_with(self, state: int) -> int:
        """Return how many patients have a unit of a class or event state."""
        return int(np.count_nonzero(self.strata >> state & 1))


def align(methods: Mapping[str, Method], case_of: Mapping[str, str]) -> Sample:
    """Bring the predictions of several methods into one order.

    Args:
        methods: Name to what the method predicted.
        case_of: Patient of each unit.

    Returns:
        The folds in the order of the first method, its units in their order.

    Raises:
        MetricError: If a method has other folds, other units or another truth than the first, holds a unit twice,
            predicts something that is not finite, or if a unit has no patient.
    """
    runs = list(_runs(methods))
    if not runs or not runs[0].folds:
        raise MetricError("There is nothing to compare: no method, or a method without folds.")
    first = runs[0]
    for run in runs:
        _refuse_other_folds(run, first)
    patients, strata = _patients(first.folds, case_of)
    position = {patient: number for number, patient in enumerate(patients)}
    folds = []
    for number, (units, target, _) in enumerate(first.folds):
        scores: dict[str, tuple[np.ndarray, ...]] = dict.fromkeys(methods, ())
        for run in runs:
            scores[run.method] += (_scores(run, number, first),)
        of = np.array([position[case_of[unit]] for unit in units], dtype=np.int64)
        folds.append(Fold(units, of, target, scores))
    return Sample(patients, strata, tuple(folds))


@dataclass(frozen=True)
class _Run:
    """The folds of one seed of a method, and how to call it in messages."""

    method: str
    name: str
    folds: Sequence[Predictions]


def _runs(methods: Mapping[str, Method]) -> Iterator[_Run]:
    for method, seeds in methods.items():
        if not seeds:
            raise MetricError(f"{method} has no predictions. Give the folds of one seed at least.")
        for number, folds in enumerate(seeds, start=1):
            yield _Run(method, f"{method} (seed {number} of {len(seeds)})" if len(seeds) > 1 else method, folds)


def _refuse_other_folds(run: _Run, first: _Run) -> None:
    if len(run.folds) != len(first.folds):
        raise MetricError(
            f"{run.name} has {len(run.folds)} folds and {first.name} {len(first.folds)}. Compare runs of the same "
            "splits."
        )


def _scores(run: _Run, number: int, first: _Run) -> Float64[np.ndarray, "n ..."]:
    """Return the probabilities or risks of a fold in the order of the first run's units."""
    (own, truth, prediction), (units, target, _) = run.folds[number], first.folds[number]
    place, reference = (f"{one.name}, fold {number}" for one in (run, first))
    _refuse_other_units(own, units, place, reference)
    position = {unit: at for at, unit in enumerate(own)}
    order = [position[unit] for unit in units]
    other = [u for u, a, b in zip(units, truth.take(order).rows(), target.rows(), strict=True) if a != b]
    if other:
        raise MetricError(f"{place} has another truth than {reference} for {len(other)} units: {name_some(other)}.")
    try:
        prediction.check(own, "classification" if isinstance(target, Labels) else "survival")
    except HeadError as error:
        raise MetricError(f"{place}: {error}") from error
    scores = prediction.probabilities if isinstance(target, Labels) else prediction.risk
    assert scores is not None
    return scores[order]


def _refuse_other_units(own: tuple[str, ...], units: tuple[str, ...], place: str, reference: str) -> None:
    twice = sorted(unit for unit, count in Counter(own).items() if count > 1)
    if twice:
        raise MetricError(f"{place} holds {len(twice)} units more than once: {name_some(twice)}.")
    lacking, surplus = sorted({*units} - {*own}), sorted({*own} - {*units})
    if lacking or surplus:
        raise MetricError(
            f"{place} is not of the units of {reference}: it lacks {name_some(lacking) or 'none'} and holds besides "
            f"{name_some(surplus) or 'none'}. Compare runs of one Protocol."
        )


def _patients(
    folds: Sequence[Predictions], case_of: Mapping[str, str]
) -> tuple[tuple[str, ...], Int64[np.ndarray, " p"]]:
    stratum: dict[str, int] = defaultdict(int)
    for units, target, _ in folds:
        unknown = [unit for unit in units if unit not in case_of]
        if unknown:
            raise MetricError(f"No patient is given for {len(unknown)} units: {name_some(unknown)}.")
        states = target.values if isinstance(target, Labels) else target.event
        for unit, state in zip(units, states.tolist(), strict=True):
            stratum[case_of[unit]] |= 1 << int(state)
    patients = tuple(sorted(stratum))
    return patients, np.array([stratum[patient] for patient in patients], dtype=np.int64)
