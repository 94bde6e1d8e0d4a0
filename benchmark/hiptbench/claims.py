"""What our own training is expected to reproduce: claims, tolerances, and the published values behind them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from hiptbench import rooms
from hiptbench.files import sha256_json
from hiptbench.published import REPRODUCTION, Cell, Fraction, PublishedFold, PublishedTable
from hiptbench.schema import Strict, read_yaml
from hiptbench.tables.recompute import Key, Recomputed, recompute


class Tolerance(Strict):
    """How far from a published value ours may be, however little our seeds differ, and why."""

    value: Annotated[float, Field(gt=0, lt=1)]
    why: str


class Claim(Strict):
    """One published value that one of our methods is expected to reproduce.

    Attributes:
        task: Name of the task.
        fraction: Fraction of the training part.
        method: Row of the group's table; the row's cell of this task and fraction is the published value.
        features: Name of our features.
        baseline: Name of our baseline.
        tolerance: Key into the tolerances.
    """

    task: str
    fraction: Fraction
    method: str
    features: str
    baseline: str
    tolerance: str

    @property
    def cell(self) -> Key:
        """The claimed cell of the table."""
        return self.task, self.method, self.fraction


class ClaimGroup(Strict):
    """Claims on one published table, counted together.

    Attributes:
        name: Name of the group.
        table: Name of the table.
        required: How many must hold at least.
        claims: The claims.
    """

    name: str
    table: str
    required: Annotated[int, Field(ge=1)]
    claims: tuple[Claim, ...]


class Equivalence(Strict):
    """Two of our methods that are expected to give the same, within a margin.

    Attributes:
        name: Name of the expectation.
        metric: What is compared.
        tasks: Names of the tasks, taken together.
        fraction: Fraction of the training part.
        features: Name of the features of both.
        baseline: Name of the one.
        reference: Name of the other.
        margin: The interval of the mean difference must lie inside plus and minus this.
    """

    name: str
    metric: str
    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    fraction: Fraction
    features: str
    baseline: str
    reference: str
    margin: Annotated[float, Field(gt=0, lt=1)]


def settings_hash(settings: Mapping[str, object]) -> str:
    """Return the SHA-256 of a head's settings, whatever the device."""
    return sha256_json({name: value for name, value in settings.items() if name != "device"})


class Reproduction(Strict):
    """Everything that was fixed before a run, as ``results/published/reproduction.yaml`` states it.

    Attributes:
        seeds: The seeds that count; others never do.
        settings: Baseline and task to the hash of the settings that count; see ``settings_hash``.
        tolerances: The tolerances by name.
        groups: The claims.
        equivalences: Methods of ours that must agree with each other.
    """

    seeds: Annotated[tuple[int, ...], Field(min_length=2)]
    settings: dict[str, dict[str, str]]
    tolerances: dict[str, Tolerance]
    groups: tuple[ClaimGroup, ...]
    equivalences: tuple[Equivalence, ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of all groups."""
        return tuple(claim for group in self.groups for claim in group.claims)

    @model_validator(mode="after")
    def _consistent(self) -> "Reproduction":
        if undeclared := {claim.tolerance for claim in self.claims} - set(self.tolerances):
            raise ValueError(f"undeclared tolerances: {sorted(undeclared)}")
        if len({(c.task, c.fraction, c.features, c.baseline) for c in self.claims}) < len(self.claims):
            raise ValueError("one result of ours is claimed twice")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is given twice")
        if greedy := [group.name for group in self.groups if group.required > len(group.claims)]:
            raise ValueError(f"more cells required than claimed: {greedy}")
        return self


def read_reproduction() -> Reproduction:
    """Read the claims.

    Raises:
        SchemaError: If the file breaks its schema.
    """
    return read_yaml(rooms.PUBLISHED / REPRODUCTION, Reproduction)


@dataclass(frozen=True)
class Reference:
    """A published value and, where the authors' files are at hand, its folds.

    Attributes:
        mean: Mean over folds as printed; where it never was, of the authors' folds; None if those are not at hand.
        status: "printed" or "secondary" as the table says, "recomputed" from the folds, or "not established".
        folds: Fold to the authors' value; empty if their files are not at hand.
    """

    mean: float | None
    status: str
    folds: Mapping[int, float]


def references(table: PublishedTable, folds: Sequence[PublishedFold]) -> dict[Key, Reference]:
    """Return the published value of every cell of a table.

    Args:
        table: The table.
        folds: The authors' folds, as imported; printed values need none.

    Raises:
        SourceError: If the authors' folds are ambiguous or lack the table's metric.
    """
    again = recompute(table, folds)
    values: dict[Key, dict[int, float]] = defaultdict(dict)
    for fold in folds:
        for cell in table.cells_of(fold):
            if table.column and cell.key in again:
                values[cell.key][fold.fold] = fold.metrics[table.column]
    return {cell.key: _reference(cell, again.get(cell.key), values[cell.key]) for cell in table.cells}


def _reference(cell: Cell, again: Recomputed | None, folds: Mapping[int, float]) -> Reference:
    if cell.mean is None and again:
        return Reference(again.value.mean, "recomputed", folds)
    return Reference(cell.mean, cell.status, folds)
