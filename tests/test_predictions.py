"""A prediction that no number may be computed from is refused, and the units are named."""

import numpy as np
import pytest

from hiptbench.errors import HeadError
from hiptbench.predictions import Prediction
from hiptbench.task_spec import Kind

UNITS = ("a", "b", "c")
SHARES = np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
RISK = np.array([0.1, -2.0, 3.0])
CURVES = np.array([[0.9, 0.8], [1.0, 0.7], [0.5, 0.1]])
TIMES = np.array([1.0, 2.0])


def unchecked(**values: np.ndarray) -> Prediction:
    """Make a prediction past the checks of shapes, which only tests have."""
    prediction = object.__new__(Prediction)
    for name, value in values.items():
        object.__setattr__(prediction, name, value)
    return prediction


@pytest.mark.parametrize(
    ("prediction", "kind"),
    [
        (Prediction(probabilities=SHARES), "classification"),
        (Prediction(risk=RISK), "survival"),
        (
            Prediction(risk=RISK, survival=CURVES, times=TIMES, attention=(np.ones(1), np.ones(4), np.ones(2))),
            "survival",
        ),
    ],
)
def test_a_whole_prediction_passes(prediction: Prediction, kind: Kind) -> None:
    prediction.check(UNITS, kind)
    assert prediction.kind == kind


@pytest.mark.parametrize(
    ("prediction", "kind", "problem"),
    [
        (Prediction(risk=RISK), "classification", "for a survival task where the task is classification"),
        (Prediction(probabilities=SHARES), "survival", "for a classification task where the task is survival"),
        (Prediction(risk=RISK[:2]), "survival", "2 rows of risk for 3 units"),
        (Prediction(probabilities=SHARES[:1]), "classification", "1 rows of probabilities for 3 units"),
        (Prediction(risk=RISK, survival=CURVES), "survival", "a survival curve needs its times"),
        (Prediction(risk=RISK, times=TIMES), "survival", "a survival curve needs its times"),
        (unchecked(risk=RISK, survival=CURVES, times=np.arange(5.0)), "survival", r"\(3, 2\) do not fit 5 times"),
        (unchecked(risk=RISK, survival=np.tile(CURVES, (2, 1)), times=TIMES), "survival", "6 rows of survival for 3"),
        (Prediction(risk=RISK, attention=(np.ones(2),)), "survival", "1 rows of attention for 3 units"),
        (Prediction(risk=np.array([1, np.nan, np.inf])), "survival", "NaN or infinite risk for 2 units: b, c"),
        (Prediction(probabilities=SHARES * [[1], [np.nan], [1]]), "classification", "probabilities for 1 units: b"),
        (
            Prediction(risk=RISK, survival=CURVES * [[1], [1], [np.inf]], times=TIMES),
            "survival",
            "survival for 1 units: c",
        ),
    ],
)
def test_a_broken_prediction_is_refused(prediction: Prediction, kind: Kind, problem: str) -> None:
    with pytest.raises(HeadError, match=f"(?i){problem}"):
        prediction.check(UNITS, kind)
