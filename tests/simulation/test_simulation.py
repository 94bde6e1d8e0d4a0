"""The simulation itself: its heads and truths against other tools, its seeds, and the result that is committed."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import PoissonRegressor

from hiptbench.metrics import auc, c_index

from .__main__ import FOLDER
from .cohorts import DIMENSIONS, NOISE, SHIFT, WITHIN, Kind, draw, fresh, stratified
from .heads import RIDGE, fit, fit_exponential, fit_lda
from .report import REQUIRED, REQUIRED_ARM, Arm, markdown, records
from .study import RUNS, SEED, chunk, simulate
from .truth import BLOCK, area, concordance, metric

FIRST = 4  # runs that are done again; a share of 95 % and one of 5 % differ on them beyond chance
KINDS: tuple[Kind, ...] = ("classification", "survival")


def test_the_heads_are_those_of_other_tools() -> None:
    labelled, lives = (
        draw("classification", 300, np.random.default_rng(0)),
        draw("survival", 300, np.random.default_rng(0)),
    )
    ours = fit_lda(labelled.features[0], labelled.labels)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(labelled.features[0], labelled.labels).coef_[0]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9999
    weights = fit_exponential(lives.features[0], lives.time, lives.labels)
    # The likelihood of exponential lives is that of Poisson counts of events with the time as exposure.
    poisson = PoissonRegressor(alpha=RIDGE / lives.time.sum(), tol=1e-8, max_iter=1000)
    poisson.fit(lives.features[0], lives.labels / lives.time, sample_weight=lives.time)
    np.testing.assert_allclose(weights, poisson.coef_, atol=1e-3)


def test_truths_are_the_metrics_of_the_package() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 500), rng.random(500)
    assert area(labels, scores) == pytest.approx(auc(labels, np.column_stack([1 - scores, scores])), abs=1e-12)
    lives = draw("survival", BLOCK, rng)
    risk = rng.normal(size=BLOCK)
    expected = c_index(lives.time, lives.labels == 1, risk)
    assert concordance(lives.time, lives.labels, risk) == pytest.approx(expected, abs=1e-12)


def test_the_truth_of_a_linear_head_is_what_the_law_says() -> None:
    """Scores of either class are normal, so the AUC is known in closed form."""
    rng = np.random.default_rng(0)
    weights, new = fit(draw("classification", 200, rng), 0), fresh("classification", rng)
    shift = np.where(np.arange(DIMENSIONS) < DIMENSIONS // 2, SHIFT, 0)
    spread = np.sqrt((1 + WITHIN**2 + NOISE**2) * weights @ weights)
    assert metric(new, new.features[0] @ weights) == pytest.approx(
        norm.cdf(shift @ weights / spread / 2**0.5), abs=0.02
    )
    assert len(new) == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kth_patient_is_a_stratified_part(kind: Kind) -> None:
    cohort = draw(kind, 100, np.random.default_rng(0))
    order = stratified(cohort, np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(100))
    state = dict(zip(cohort.patients.tolist(), cohort.labels.tolist(), strict=True))
    counts = [sum(state[p] for p in order[i::5].tolist()) for i in range(5)]
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(("arm", "kind"), RUNS)
def test_a_run_depends_on_its_number_alone(arm: str, kind: Kind) -> None:
    both = chunk(arm, kind, 0, 2)
    assert both == [*chunk(arm, kind, 0, 1), *chunk(arm, kind, 1, 2)]
    assert all(isinstance(value, bool) for run in both for value in run.values())


def test_processes_change_nothing() -> None:
    arm, kind = "single split", "survival"
    (found,) = simulate({(arm, kind): 2}, 2)
    assert found.runs == chunk(arm, kind, 0, 2)


def test_a_missed_limit_is_shown() -> None:
    kept = Arm("single split", "classification", [{"interval covers": i < 95} for i in range(100)])
    missed = Arm("single split", "survival", [{"interval covers": i < 90} for i in range(100)])
    free = Arm("partition", "survival", [{"interval covers": i < 90} for i in range(100)])
    assert [line.holds for arm in (kept, missed, free) for line in arm.lines] == [True, False, True]
    lines = markdown([kept, missed, free]).splitlines()[2:5]
    assert lines[0].endswith("| 95.0% ± 2.2% | 93.5% to 96.5% |")
    assert [("MISSED" in line) for line in lines] == [False, True, False]


def test_the_committed_result_is_of_this_script_and_keeps_its_limits() -> None:
    result = json.loads((FOLDER / "result.json").read_text(encoding="utf-8"))
    assert result["seed"] == SEED
    assert {(arm["arm"], arm["kind"]): arm["runs"] for arm in result["arms"]} == RUNS
    required = {name for arm in result["arms"] for name in REQUIRED if arm["arm"] == REQUIRED_ARM}
    found = [share for arm in result["arms"] if arm["arm"] == REQUIRED_ARM for share in arm["shares"]]
    limited = [share for share in found if share["outcome"] in required]
    assert len(limited) == 5
    assert required == {share["outcome"] for share in limited}
    for share in limited:
        low, high = REQUIRED[share["outcome"]]
        assert low <= share["share"] <= high
        assert share["limits"] == [low, high]


@pytest.mark.parametrize(("arm", "kind"), RUNS)
def test_the_first_runs_are_such_as_the_committed_shares_let_expect(arm: str, kind: Kind) -> None:
    result = json.loads((FOLDER / "result.json").read_text(encoding="utf-8"))
    (shares,) = (one["shares"] for one in result["arms"] if (one["arm"], one["kind"]) == (arm, kind))
    runs = chunk(arm, kind, 0, FIRST)
    assert [share["outcome"] for share in shares] == [*runs[0]]
    for share in shares:
        count = sum(run[share["outcome"]] for run in runs)
        assert binomtest(count, FIRST, share["share"]).pvalue > 1e-3, share["outcome"]


def test_records_are_plain() -> None:
    arm = Arm("partition", "survival", [{"interval covers": True}])
    assert json.loads(json.dumps(records([arm], 1)))["arms"][0]["shares"][0]["share"] == 1.0
