"""Methods on the same units: brought into one order, or refused with what differs."""

from collections.abc import Callable

import numpy as np
import pytest
from cohorts import alone, drawn, labelled, survival

from hiptbench.errors import MetricError
from hiptbench.predictions import Prediction, Predictions
from hiptbench.statistics.paired import align
from hiptbench.targets import Labels


def shuffled(fold: Predictions, seed: int = 0) -> Predictions:
    units, target, prediction = fold
    order = np.random.default_rng(seed).permutation(len(units)).tolist()
    assert prediction.probabilities is not None
    return (
        tuple(units[i] for i in order),
        target.take(order),
        Prediction(probabilities=prediction.probabilities[order]),
    )


def test_units_may_come_in_any_order() -> None:
    fold = drawn(20)
    sample = align({"A": [[fold]], "B": [[shuffled(fold)]]}, alone(fold))
    np.testing.assert_array_equal(sample.folds[0].scores["A"][0], sample.folds[0].scores["B"][0])
    assert sample.folds[0].units == fold[0]


def test_patients_and_strata() -> None:
    fold = labelled(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3]), ("x", "y", "z"))
    sample = align({"A": [[fold]]}, {"x": "p2", "y": "p2", "z": "p1", "unused": "p0"})
    assert sample.patients == ("p1", "p2")
    assert sample.strata.tolist() == [0b10, 0b01]
    assert sample.folds[0].patients.tolist() == [1, 1, 0]


def renamed(fold: Predictions, unit: int, name: str) -> Predictions:
    units = list(fold[0])
    units[unit] = name
    return tuple(units), fold[1], fold[2]


def relabelled(fold: Predictions) -> Predictions:
    assert isinstance(fold[1], Labels)
    values = fold[1].values.copy()
    values[3] = 1 - values[3]
    return fold[0], Labels(values, fold[1].classes), fold[2]


def with_nan(fold: Predictions) -> Predictions:
    assert fold[2].probabilities is not None
    probabilities = fold[2].probabilities.copy()
    probabilities[2] = np.nan
    return fold[0], fold[1], Prediction(probabilities=probabilities)


def one_unit_less(fold: Predictions) -> Predictions:
    assert fold[2].probabilities is not None
    return fold[0][1:], fold[1].take(range(1, 10)), Prediction(probabilities=fold[2].probabilities[1:])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda fold: renamed(fold, 0, "new"),
            r"B, fold 0 is not of the units of A, fold 0: .*u000 .*besides new",
        ),
        (one_unit_less, r"B, fold 0 is not of the units of A, fold 0: it lacks u000 and holds besides none"),
        (lambda fold: renamed(fold, 0, "u001"), r"B, fold 0 holds 1 units more than once: u001"),
        (relabelled, r"B, fold 0 has another truth than A, fold 0 for 1 units: u003"),
        (with_nan, r"B, fold 0: .*NaN or infinite probabilities for 1 units: u002"),
        (lambda fold: (fold[0], fold[1], Prediction(risk=np.zeros(10))), r"B, fold 0: .*survival task where"),
    ],
)
def test_what_is_not_the_same_is_refused(broken: Callable[[Predictions], Predictions], message: str) -> None:
    fold = drawn(10)
    with pytest.raises(MetricError, match=message):
        align({"A": [[fold]], "B": [[broken(fold)]]}, alone(fold))


def test_the_first_method_is_checked_too() -> None:
    fold = drawn(10)
    with pytest.raises(MetricError, match=r"A, fold 0: .*u002"):
        align({"A": [[with_nan(fold)]]}, alone(fold))
    with pytest.raises(MetricError, match=r"A, fold 0 holds 1 units more than once: u001"):
        align({"A": [[renamed(fold, 0, "u001")]]}, alone(fold))


def test_seeds_are_named_where_there_are_several() -> None:
    fold = drawn(10)
    with pytest.raises(MetricError, match=r"B \(seed 2 of 2\), fold 0 is not of the units of A, fold 0"):
        align({"A": [[fold]], "B": [[fold], [one_unit_less(fold)]]}, alone(fold))


def test_other_folds_are_refused() -> None:
    fold = drawn(10)
    with pytest.raises(MetricError, match=r"B has 1 folds and A 2. Compare runs of the same splits"):
        align({"A": [[fold, fold]], "B": [[fold]]}, alone(fold))


def test_labels_are_not_compared_with_times() -> None:
    fold, other = drawn(10), survival(10)
    with pytest.raises(MetricError, match=r"B, fold 0 has another truth than A, fold 0 for 10 units"):
        align({"A": [[fold]], "B": [[other]]}, alone(fold))


def test_a_unit_without_a_patient_is_named() -> None:
    fold = drawn(10)
    patients = alone(fold)
    del patients["u004"]
    with pytest.raises(MetricError, match=r"No patient is given for 1 units: u004"):
        align({"A": [[fold]]}, patients)


@pytest.mark.parametrize(
    ("methods", "message"),
    [({}, "nothing to compare"), ({"A": [[]]}, "nothing to compare"), ({"A": []}, "A has no predictions")],
)
def test_nothing_is_refused(methods: dict[str, list[list[Predictions]]], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        align(methods, {})


def test_a_patient_whose_units_differ_is_in_a_stratum_of_both_classes_in_any_order() -> None:
    values, names = np.array([0, 1, 1, 0]), ("w", "x", "y", "z")
    fold = labelled(values, np.array([0.1, 0.2, 0.3, 0.4]), names)
    cases = {"w": "mixed", "x": "mixed", "y": "one", "z": "zero"}
    for one in (fold, shuffled(fold), shuffled(fold, 1), shuffled(fold, 2)):
        sample = align({"A": [[one]]}, cases)
        assert dict(zip(sample.patients, sample.strata.tolist(), strict=True)) == {"mixed": 3, "one": 2, "zero": 1}
        assert [sample.patients_with(state) for state in (0, 1)] == [2, 2]
