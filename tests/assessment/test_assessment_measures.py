"""A measure is a value or a reason, never neither, both or NaN; every name has its definition."""

import numpy as np
import pytest

from hiptbench.assessment.classification import assess_classification
from hiptbench.assessment.measures import MEASURES, Measure
from hiptbench.assessment.survival import assess_survival
from hiptbench.errors import MetricError
from hiptbench.metrics import METRICS
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival


@pytest.mark.parametrize("given", [{}, {"value": 0.5, "why": "no event"}])
def test_a_measure_is_a_value_or_a_reason(given: dict[str, object]) -> None:
    with pytest.raises(MetricError, match="Give one of the two: a value, or why not"):
        Measure("auc", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_is_a_number(value: float) -> None:
    with pytest.raises(MetricError, match=r"auc is (nan|inf), which is no value"):
        Measure("auc", value)


def test_every_measure_has_one_definition() -> None:
    labels = Labels(np.array([0, 1]), ("low", "high"))
    shares = Prediction(probabilities=np.array([[0.8, 0.2], [0.3, 0.7]]))
    followed, risks = Survival(np.array([1.0, 2.0]), np.array([True, False])), Prediction(risk=np.array([1.0, 0.0]))
    found = {
        "classification": assess_classification(labels, shares, ordinal=True),
        "survival": assess_survival(followed, followed, risks),
    }
    for kind, measures in found.items():
        assert {MEASURES[measure.name].kind for measure in measures} == {kind}
    named = {measure.name for measures in found.values() for measure in measures}
    assert set(MEASURES) == named | {"d_calibration", "log_rank"}
    assert all(MEASURES[name] is metric for name, metric in METRICS.items())
    assert all(name == measure.name and measure.definition.endswith(".") for name, measure in MEASURES.items())
    errors = {name for name, measure in MEASURES.items() if measure.direction == "lower is better"}
    assert errors == {"brier", "ece", "integrated_brier"}
