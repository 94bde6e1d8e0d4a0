"""What a simulation found: shares with their Monte-Carlo error, beside the limits that some must keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cohorts import COPIES, FRESH, POSITIVE, UNITS, Kind
from .runs import PARTITION, PATIENTS, REPEATS, SPLIT_PATIENTS, TEST, TRAIN, Run

COVERAGE, SIZE = (0.935, 0.965), (0.035, 0.065)
REQUIRED = {
    "interval covers": COVERAGE,
    "paired bootstrap rejects": SIZE,
    "DeLong, clustered, rejects": SIZE,
}
REQUIRED_ARM = "single split"


@dataclass(frozen=True)
class Line:
    """One share.

    Attributes:
        name: What was counted.
        share: Share of the runs.
        error: Its Monte-Carlo standard error.
        limits: What it must lie in, where something is required of it.
    """

    name: str
    share: float
    error: float
    limits: tuple[float, float] | None

    @property
    def required(self) -> bool:
        """Whether anything is required."""
        return self.limits is not None

    @property
    def holds(self) -> bool:
        """Whether the share lies in its limits, or has none."""
        return self.limits is None or self.limits[0] <= self.share <= self.limits[1]


@dataclass(frozen=True)
class Arm:
    """The runs of one arm."""

    name: str
    kind: Kind
    runs: Sequence[Run]

    @property
    def lines(self) -> list[Line]:
        """The share of each outcome."""
        found = []
        for outcome in self.runs[0]:
            share = float(np.mean([run[outcome] for run in self.runs]))
            error = (share * (1 - share) / len(self.runs)) ** 0.5
            limits = REQUIRED.get(outcome) if self.name == REQUIRED_ARM else None
            found.append(Line(outcome, share, error, limits))
        return found


def records(arms: Sequence[Arm], seed: int) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "seed": seed,
        "arms": [
            {
                "arm": arm.name,
                "kind": arm.kind,
                "runs": len(arm.runs),
                "shares": [
                    {"outcome": line.name, "share": line.share, "error": line.error, "limits": line.limits}
                    for line in arm.lines
                ],
            }
            for arm in arms
        ],
    }


def markdown(arms: Sequence[Arm]) -> str:
    """Return the table, with what was simulated below it."""
    rows = ["| arm | metric | runs | what | share | required |", "|---|---|---|---|---|---|"]
    for arm in arms:
        metric = "c-index" if arm.kind == "survival" else "AUC"
        for line in arm.lines:
            limits = "{:.1%} to {:.1%}".format(*line.limits) + ("" if line.holds else ", MISSED") if line.limits else ""
            share = f"{line.share:.1%} ± {line.error:.1%}"
            rows.append(f"| {arm.name} | {metric} | {len(arm.runs)} | {line.name} | {share} | {limits} |")
    return "\n".join([*rows, "", LEGEND, ""])


LEGEND = f"""\
Shares ± Monte-Carlo standard error. The truth of fitted models is their metric on {FRESH:,} fresh units. AUC: patients
with {UNITS.min()} to {UNITS.max()} units, {POSITIVE:.0%} of them positive, Fisher's linear discriminant. c-index: one
unit a patient, exponential regression. Each cohort has {COPIES} exchangeable noisy copies of its features. Single
split: {SPLIT_PATIENTS} patients trained on and {SPLIT_PATIENTS} tested; the true null is one fitted head on both
copies. Where the head is fitted anew to each copy, the two methods are equal but the two fitted models are not, so that
a test of these fitted models may reject more often than 5 %. Partition: {PATIENTS} patients in {PARTITION} folds. Monte
Carlo: {PATIENTS} patients, {REPEATS} splits, {TRAIN:.0%} trained on and {TEST:.0%} tested. Intervals: 95 %, percentiles
of 2,000 draws of patients, of the models as fitted; tests at .05."""
