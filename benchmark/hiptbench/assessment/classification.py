"""Assessment of one fold of a classification task."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.assessment.inputs import checked_probabilities
from hiptbench.assessment.measures import Measure
from hiptbench.assessment.reliability import expected_calibration_error
from hiptbench.metrics import accuracy, auc, balanced_accuracy
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels

_Compute = Callable[[Int64[np.ndarray, " n"], Float64[np.ndarray, "n k"]], float]


def assess_classification(target: Labels, prediction: Prediction, *, ordinal: bool = False) -> list[Measure]:
    """Return every measure of a fold: AUC, AUPRC, balanced accuracy, accuracy, Brier score, ECE and, if ordinal, QWK.

    Args:
        target: Labels of the evaluated units; a class may be absent.
        prediction: Class probabilities of the same units.
        ordinal: Whether the order of the classes has a meaning; QWK is given only then.

    Returns:
        The measures in this order, each with a value or the reason why it has none.

    Raises:
        HeadError: If the prediction is for another kind or number of units, or holds NaN.
        MetricError: If the columns are not the classes, a row is not probabilities, or a label no class.
    """
    probabilities = checked_probabilities(target, prediction)
    labels, absent, empty = target.values, _absent(target), None if len(target) else "no unit was evaluated"
    constant = "every unit has the same probabilities" if len(np.unique(probabilities, axis=0)) == 1 else None

    def measured(name: str, compute: _Compute, why: str | None, note: str | None = None) -> Measure:
        return Measure(name, why=why) if why else Measure(name, compute(labels, probabilities), note=note)

    measures = [
        measured("auc", auc, absent, constant),
        measured("auprc", _auprc, absent, f"a constant probability gives {_chance(labels, probabilities):.3f}"),
        measured("balanced_accuracy", balanced_accuracy, absent, constant),
        measured("accuracy", accuracy, empty, constant),
        measured("brier", _brier, empty),
        measured("ece", expected_calibration_error, empty),
    ]
    if ordinal:
        measures.append(measured("qwk", _qwk, empty or _no_disagreement(target, probabilities), constant))
    return measures


def _absent(target: Labels) -> str | None:
    """Return which classes have no unit, None if each has one."""
    missing = [name for index, name in enumerate(target.classes) if not (target.values == index).any()]
    return f"no unit of class {', '.join(missing)} among {len(target)} units" if missing else None


def _auprc(labels: Int64[np.ndarray, " n"], probabilities: Float64[np.ndarray, "n k"]) -> float:
    from sklearn.metrics import average_precision_score

    scores = [average_precision_score(labels == index, probabilities[:, index]) for index in _scored(probabilities)]
    return float(np.mean(scores))


def _chance(labels: Int64[np.ndarray, " n"], probabilities: Float64[np.ndarray, "n k"]) -> float:
    """Return the AUPRC of a constant probability: the share of class 1, or 1 / k."""
    return float(np.mean([(labels == index).sum() / max(len(labels), 1) for index in _scored(probabilities)]))


def _scored(probabilities: Float64[np.ndarray, "n k"]) -> list[int]:
    n_classes = probabilities.shape[1]
    return [1] if n_classes == 2 else list(range(n_classes))


def _brier(labels: Int64[np.ndarray, " n"], probabilities: Float64[np.ndarray, "n k"]) -> float:
    truth = np.eye(probabilities.shape[1])[labels]
    return float(np.square(probabilities - truth).sum(axis=1).mean())


def _qwk(labels: Int64[np.ndarray, " n"], probabilities: Float64[np.ndarray, "n k"]) -> float:
    from sklearn.metrics import cohen_kappa_score

    predicted = probabilities.argmax(axis=1)
    return float(cohen_kappa_score(labels, predicted, weights="quadratic", labels=range(probabilities.shape[1])))


def _no_disagreement(target: Labels, probabilities: Float64[np.ndarray, "n k"]) -> str | None:
    """Return why kappa divides by nothing, None if it does not."""
    found = np.union1d(target.values, probabilities.argmax(axis=1))
    if len(found) > 1:
        return None
    return f"every unit has, and is predicted to have, class {target.classes[found[0]]}: chance cannot disagree"
