"""The loop that the bootstrap is measured against draws the same intervals."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hiptbench.predictions import Prediction
from hiptbench.statistics.bootstrap import interval
from hiptbench.targets import Labels

from .intervals import loop, subtyping_folds


def test_the_loop_draws_what_we_draw() -> None:
    folds = subtyping_folds()[:2]
    predictions, case_of = [], {}
    for fold in folds:
        units = tuple(f"{patient}.{number}" for number, patient in enumerate(fold.patients.tolist()))
        case_of |= {unit: unit.partition(".")[0] for unit in units}
        scores = 1 / (1 + np.exp(-fold.columns[1]))
        prediction = Prediction(probabilities=np.column_stack([1 - scores, scores]))
        predictions.append((units, Labels(fold.strata, ("a", "b")), prediction))
    ours = interval(predictions, case_of)
    theirs = np.quantile(loop(roc_auc_score, folds, 500), [0.025, 0.975])
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.03)
