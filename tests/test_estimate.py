"""What a run will cost: from rows where there are some, otherwise from short fits."""

from pathlib import Path

import pytest

from hiptbench.estimate import estimate
from hiptbench.jobs import run_job
from toys import baseline_file, make_home, plan_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one toy task."""
    make_home(tmp_path / "home", cases=90)
    return tmp_path / "home"


def test_folds_cost_what_they_took(home: Path) -> None:
    plan = plan_of(home, "toy_classification", "mean_knn")
    row = run_job(plan.jobs[0]).row
    assert row.timing
    rows = [row.model_copy(update={"timing": row.timing.model_copy(update={"seconds": s})}) for s in (10.0, 20.0)]
    cost = estimate(plan.jobs, rows)
    assert (cost.seconds, cost.unknown) == (15.0 * len(plan.jobs), ())


def test_without_rows_short_fits_tell(home: Path) -> None:
    plan = plan_of(home, "toy_classification", "mean_knn")
    probed: list[str] = []
    cost = estimate(plan.jobs, [], on_probe=probed.append)
    assert probed == [plan.jobs[0].label]
    assert 0 < cost.seconds < 60
    assert cost.unknown == ()


def test_a_method_that_cannot_be_fitted_is_named(home: Path, tmp_path: Path) -> None:
    greedy = baseline_file(tmp_path, "greedy", "knn", n_neighbors=1000)
    plan = plan_of(home, "toy_classification", greedy)
    cost = estimate(plan.jobs, [])
    assert cost.seconds == 0
    assert len(cost.unknown) == 1
    assert "greedy, fold 0, seed 1: knn needs at least n_neighbors=1000" in cost.unknown[0]
