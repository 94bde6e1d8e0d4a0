"""Smaller training parts: by the published rule, or by patients, stratified and nested."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pydantic

from hiptbench.errors import TaskError
from hiptbench.schema import Strict
from hiptbench.splits import Split
from hiptbench.targets import Labels, Target
from hiptbench.tasks import Task


class FractionRule(Strict):
    """How a fraction of a training part is drawn.

    Attributes:
        name: "pandas sample": ``Series.sample(frac, random_state)`` of the training units in the label table's order.
            "stratified patients": patients with all their units, each class (or event and censored) in proportion and
            none left out; in one draw every smaller fraction lies inside every larger one.
        random_state: Seed of the first draw; draw ``i`` uses ``random_state + i``.
        draws: How many draws there are.
        source: Where the rule is published, or why it was chosen.
    """

    name: Literal["pandas sample", "stratified patients"]
    random_state: int
    draws: int = pydantic.Field(default=1, ge=1)
    source: str

    @property
    def stated(self) -> str:
        """The rule in a few words, as it stands in a Protocol."""
        return f"{self.name}, random_state {self.random_state}"


BY_PATIENTS = FractionRule(
    name="stratified patients",
    random_state=1,
    draws=3,
    source="hiptbench's own: patients stay whole, classes keep their share, fractions are nested",
)


def take(task: Task, split: Split, fraction: float, *, rule: FractionRule | None, draw: int = 0) -> Split:
    """Return a split with a fraction of its training part; val and test stay.

    Args:
        task: The task that the split belongs to.
        split: The whole split.
        fraction: In (0, 1]; 1 returns the split itself.
        rule: How to draw.
        draw: Number of the draw, from 0.

    Returns:
        A split whose ``train`` has ``round(fraction * n)`` units in the order drawn ("pandas sample"), or the units of
        ``round(fraction * n)`` patients in the label table's order ("stratified patients").

    Raises:
        TaskError: If the fraction is out of range or leaves no unit, or no rule is known.
    """
    if not 0 < fraction <= 1:
        raise TaskError(f"A training fraction lies in (0, 1], not {fraction}.")
    if fraction == 1:
        return split
    if rule is None:
        raise TaskError(
            f"No rule says how to draw {fraction:.0%} of fold {split.fold}'s training part: run with a suite that "
            "has one, or with --fraction 1."
        )
    seed = rule.random_state + draw
    drawn = _sample(split, fraction, seed) if rule.name == "pandas sample" else _patients(task, split, fraction, seed)
    if not drawn:
        raise TaskError(f"A fraction of {fraction} leaves none of fold {split.fold}'s {len(split.train)} train units.")
    return replace(split, train=drawn)


def hold_out(task: Task, units: Sequence[str], share: float, *, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hold out a stratified share of the patients, to choose an epoch or a setting on.

    Args:
        task: The task that the units belong to.
        units: Training units.
        share: Share of the patients to hold out, in (0, 1).
        seed: Seed of the draw.

    Returns:
        The units that stay and those held out, each in the given order; no patient has units in both.

    Raises:
        TaskError: If there are too few patients to hold any out.
    """
    patients = [task.case(unit) for unit in units]
    ordered = stratified_order(patients, strata(task.targets(units)), np.random.default_rng(seed))
    held = set(ordered[len(ordered) - round(share * len(ordered)) :])  # the last: a class's only patient stays
    if not 0 < len(held) < len(ordered):
        raise TaskError(f"{share:.0%} of {len(ordered)} training patients cannot be held out: too few patients.")
    of = dict(zip(units, patients, strict=True))
    return tuple(u for u in units if of[u] not in held), tuple(u for u in units if of[u] in held)


def stratified_order(patients: Sequence[str], strata: Sequence[int], rng: np.random.Generator) -> list[str]:
    """Return the distinct patients in a random order of which every beginning is stratified.

    The k-th of a stratum's n patients, from 0, stands at k/n of the way; so each stratum's first patient comes before
    any stratum's second.

    Args:
        patients: Patient of each unit.
        strata: Stratum of each unit; a patient's is that of its first unit.
        rng: Makes the draw.
    """
    stratum = dict(zip(reversed(patients), reversed(strata), strict=True))
    names = np.array(list(dict.fromkeys(patients)))
    shuffled = rng.permutation(len(names))
    groups = np.array([stratum[name] for name in names[shuffled]])
    place = np.empty(len(names))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        place[members] = np.arange(len(members)) / len(members)
    return [str(name) for name in names[shuffled][np.argsort(place, kind="stable")]]


def strata(target: Target) -> list[int]:
    """Return the stratum of each unit: its class, or whether its event was seen."""
    values = target.values if isinstance(target, Labels) else target.event
    return [int(value) for value in values]


def _sample(split: Split, fraction: float, seed: int) -> tuple[str, ...]:
    import pandas as pd

    return tuple(pd.Series(split.train).sample(frac=fraction, random_state=seed))


def _patients(task: Task, split: Split, fraction: float, seed: int) -> tuple[str, ...]:
    patients = [task.case(unit) for unit in split.train]
    rng = np.random.default_rng([seed, split.fold])
    ordered = stratified_order(patients, strata(task.targets(split.train)), rng)
    drawn = set(ordered[: round(fraction * len(ordered))])
    return tuple(unit for unit, patient in zip(split.train, patients, strict=True) if patient in drawn)
