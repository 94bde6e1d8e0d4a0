"""Write the expected values of the metrics, made by other tools than those that the package computes with.

    python tests/oracles/make_oracles.py

Values named `_pairs` and `_count` are counted in exact fractions; the others name their tool.
Tolerance: 1e-12 absolute throughout, since every value is a ratio, or a mean of ratios, of small integers.
"""

import json
import platform
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from importlib.metadata import version
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
from lifelines.utils import concordance_index
from scipy.stats import mannwhitneyu
from sklearn.metrics import balanced_accuracy_score

FOLDER = Path(__file__).parent
TIED = 1e-8
HALF = Fraction(1, 2)
Case = dict[str, Any]


def auc_by_pairs(positive: Sequence[float], negative: Sequence[float]) -> Fraction:
    wins = [Fraction(p > q) + HALF * (p == q) for p, q in product(positive, negative)]
    return sum(wins, Fraction()) / len(wins)


def auc_by_mannwhitneyu(positive: Sequence[float], negative: Sequence[float]) -> float:
    statistic = mannwhitneyu(positive, negative, method="asymptotic").statistic
    return float(statistic / (len(positive) * len(negative)))


def macro(
    area: Callable[[Sequence[float], Sequence[float]], Any], labels: np.ndarray, probabilities: np.ndarray
) -> float:
    n_classes = probabilities.shape[1]
    areas = []
    for index in [1] if n_classes == 2 else range(n_classes):
        scores = probabilities[:, index]
        areas.append(area(scores[labels == index].tolist(), scores[labels != index].tolist()))
    return float(sum(areas) / len(areas))


def classification(name: str, labels: np.ndarray, probabilities: np.ndarray) -> Case:
    predicted = [row.index(max(row)) for row in probabilities.tolist()]
    hits = [Fraction(label == guess) for label, guess in zip(labels.tolist(), predicted, strict=True)]
    recalls = []
    for index in range(probabilities.shape[1]):
        own = [hit for hit, label in zip(hits, labels, strict=True) if label == index]
        recalls.append(sum(own, Fraction()) / len(own))
    return {
        "name": name,
        "labels": labels.tolist(),
        "probabilities": probabilities.tolist(),
        "auc_pairs": macro(auc_by_pairs, labels, probabilities),
        "auc_scipy": macro(auc_by_mannwhitneyu, labels, probabilities),
        "accuracy_count": float(sum(hits) / len(hits)),
        "balanced_accuracy_count": float(sum(recalls) / len(recalls)),
        "balanced_accuracy_sklearn": float(balanced_accuracy_score(labels, predicted)),
    }


def classification_cases() -> Iterable[Case]:
    rng = np.random.default_rng(20220612)
    for n_classes, n in ((2, 7), (2, 40), (3, 30), (5, 60)):
        shares = np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum()
        labels = np.append(np.arange(n_classes), rng.choice(n_classes, n - n_classes, p=shares))
        ties = rng.multinomial(8, np.full(n_classes, 1 / n_classes), size=n) / 8
        yield classification(f"{n_classes} classes, {n} units, ties", labels, ties)
        yield classification(f"{n_classes} classes, {n} units, no ties", labels, rng.dirichlet(np.ones(n_classes), n))
    rare = np.eye(20, dtype=int)[4]
    yield classification("one positive of 20", rare, rng.dirichlet([1, 1], 20))
    yield classification("every probability equal", np.array([0, 1, 2, 2]), np.full((4, 3), 1 / 3))


def c_index_by_pairs(time: list[float], event: list[bool], risk: list[float]) -> tuple[Fraction, int]:
    concordant, pairs = Fraction(), 0
    for i, j in permutations(range(len(time)), 2):
        i_first = event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j]))
        if i_first:
            pairs += 1
            tied = abs(risk[i] - risk[j]) <= TIED
            concordant += HALF if tied else Fraction(risk[i] > risk[j])
    return concordant / pairs, pairs


def survival(name: str, time: Sequence[float], event: Sequence[int], risk: Sequence[float]) -> Case:
    t, e, r = np.array(time, float), np.array(event, bool), np.array(risk, float)
    value, pairs = c_index_by_pairs(t.tolist(), e.tolist(), r.tolist())
    gaps = np.diff(np.unique(r))
    return {
        "name": name,
        "time": t.tolist(),
        "event": e.tolist(),
        "risk": r.tolist(),
        "comparable_pairs": pairs,
        "c_index_pairs": float(value),
        "c_index_lifelines": float(concordance_index(t, -r, e)),
        "unequal_risks_within_tolerance": bool((gaps <= TIED).any()),
    }


def survival_cases() -> Iterable[Case]:
    rng = np.random.default_rng(19961)
    n = 40
    time, risk = rng.exponential(30, n).round(2), rng.normal(size=n).round(6)
    event = rng.random(n) < 0.4
    coarse_time, coarse_risk = rng.integers(1, 9, n), rng.integers(0, 5, n)
    yield survival("no ties", time, event, risk)
    yield survival("tied risks", time, event, coarse_risk)
    yield survival("tied times", coarse_time, event, risk)
    yield survival("tied times and risks", coarse_time, event, coarse_risk)
    yield survival("every event seen, tied times", coarse_time, np.ones(n), coarse_risk)
    yield survival("heavy censoring", time, np.argsort(np.argsort(time)) % 13 == 3, risk)
    yield survival("one event", time, time == np.sort(time)[5], risk)
    yield survival("one event, tied with censored units only", [5, 5, 5, 1], [1, 0, 0, 0], [2, 1, 3, 9])
    yield survival("two events at one time are not a pair", [5, 5, 9], [1, 1, 0], [1, 2, 1.5])
    yield survival("event before censoring at one time", [5, 5], [0, 1], [1, 2])
    yield survival("last events tied, nobody after them", [1, 7, 7], [1, 1, 1], [3, 2, 1])
    yield survival("every risk equal", [1, 2, 3], [1, 1, 0], [0.3, 0.3, 0.3])
    yield survival("risks 5e-9 apart are tied", [1, 2, 3], [1, 1, 0], [0, 5e-9, 1])
    yield survival("risks exactly 1e-8 apart are tied", [1, 2], [1, 0], [0, 1e-8])
    yield survival("risks 2e-8 apart are not tied", [1, 2], [1, 0], [0, 2e-8])
    yield survival("ties within the tolerance do not chain", [1, 2, 3], [1, 1, 1], [0, 8e-9, 1.6e-8])


def write(name: str, cases: Iterable[Case], tools: Sequence[str]) -> None:
    versions = {"python": platform.python_version()} | {tool: version(tool) for tool in tools}
    head = json.dumps({"made_by": "tests/oracles/make_oracles.py", "versions": versions, "tolerance": 1e-12})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / name).write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write("classification_metrics.json", classification_cases(), ("numpy", "scipy", "scikit-learn"))
    write("c_index.json", survival_cases(), ("numpy", "lifelines"))
