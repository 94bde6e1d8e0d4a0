"""The law of the simulated cohorts: patients with several units, unequal classes, and two noisy copies of features."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Kind = Literal["classification", "survival"]

FRESH = 20_000  # units that the truth is computed on
DIMENSIONS = 8
POSITIVE = 0.3  # share of patients of class 1
UNITS = np.array([1, 2, 3])  # units of a patient, equally often
SHIFT = 0.8  # distance of the classes in each of the first four dimensions, in standard deviations of a patient
WITHIN = 0.7  # standard deviation of units about their patient
NOISE = 0.8  # standard deviation of what a copy adds to the features
COPIES = 2
EVENT_WEIGHTS = np.array([0.5, 0.35, 0.25, 0.15, 0, 0, 0, 0])  # of the dimensions in the log hazard
CENSORING = 0.6  # rate of censoring; the baseline hazard is 1


@dataclass(frozen=True)
class Cohort:
    """Units with their truth and two exchangeable copies of their features.

    Attributes:
        kind: What is predicted.
        patients: Number of each unit's patient.
        labels: Class of each unit; all a patient's units share it. For survival, whether the event was seen.
        time: Time to the event or to censoring; all zero for classification.
        features: Copies of the features [copies, units, dimensions].
    """

    kind: Kind
    patients: np.ndarray
    labels: np.ndarray
    time: np.ndarray
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, patients: np.ndarray) -> "Cohort":
        """Return the units of these patients."""
        chosen = np.isin(self.patients, patients)
        return replace(
            self,
            patients=self.patients[chosen],
            labels=self.labels[chosen],
            time=self.time[chosen],
            features=self.features[:, chosen],
        )


def draw(kind: Kind, patients: int, rng: np.random.Generator) -> Cohort:
    """Draw a cohort."""
    return _survival(patients, rng) if kind == "survival" else _classification(patients, rng)


def fresh(kind: Kind, rng: np.random.Generator) -> Cohort:
    """Draw 20,000 units that nothing was fitted to."""
    return draw(kind, FRESH if kind == "survival" else round(FRESH / float(UNITS.mean())), rng)


def stratified(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """Return the patients in a random order, class by class, so that every k-th of them is a stratified part."""
    patients, first = np.unique(cohort.patients, return_index=True)
    shuffled = rng.permutation(len(patients))
    return patients[shuffled[np.argsort(cohort.labels[first][shuffled], kind="stable")]]


def _classification(n_patients: int, rng: np.random.Generator) -> Cohort:
    """Draw patients of two classes, each with one to three units."""
    of_patient = (rng.random(n_patients) < POSITIVE).astype(np.int64)
    centre = rng.normal(size=(n_patients, DIMENSIONS))
    centre[:, : DIMENSIONS // 2] += SHIFT * of_patient[:, None]
    patients = np.repeat(np.arange(n_patients), rng.choice(UNITS, n_patients))
    clean = centre[patients] + rng.normal(0, WITHIN, (len(patients), DIMENSIONS))
    return Cohort("classification", patients, of_patient[patients], np.zeros(len(patients)), _copies(clean, rng))


def _survival(n_patients: int, rng: np.random.Generator) -> Cohort:
    """Draw patients with exponential lives, each one unit."""
    clean = rng.normal(size=(n_patients, DIMENSIONS))
    life = rng.exponential(np.exp(-clean @ EVENT_WEIGHTS))
    censored = rng.exponential(1 / CENSORING, n_patients)
    event, time = (life <= censored).astype(np.int64), np.minimum(life, censored)
    return Cohort("survival", np.arange(n_patients), event, time, _copies(clean, rng))


def _copies(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return clean + rng.normal(0, NOISE, (COPIES, *clean.shape))
