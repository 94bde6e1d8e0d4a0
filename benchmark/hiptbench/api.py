"""The Python API: evaluate a method on a task, and read the leaderboard."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hiptbench import rooms
from hiptbench.boards import board_of
from hiptbench.cells import COLUMNS, Leaderboard
from hiptbench.cells import leaderboard as average
from hiptbench.export import open_results
from hiptbench.plans import Plan, make_plan
from hiptbench.requests import make_request
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.tracking import Tracker


def evaluate(
    task: str,
    features: str | Path | None = None,
    baseline: str = "mean_knn",
    *,
    fractions: Sequence[float] | None = (1.0,),
    seeds: Sequence[int] = (1,),
    executor: str = "serial",
    allow_missing: bool = False,
    track: bool = False,
    store: str | Path | None = None,
    home: str | Path | None = None,
) -> pd.DataFrame:
    """Run a method on a task and return its leaderboard rows; folds that the store has are not run again.

    Args:
        task: Name of a task whose data are in the home.
        features: Name of imported features, or a folder of feature files; None takes the task's own.
        baseline: Name of a baseline, a YAML file, or "package.module:Head".
        fractions: Training fractions; None takes the suite's.
        seeds: Seeds of the fits.
        executor: "serial", "processes[:n]", "dask:local[:n]" or "dask:tcp://host:port"; scripts that use any but the
            first need the ``__main__`` guard.
        allow_missing: Whether the cohort may lack slides; such rows are never ranked with complete ones.
        track: Whether to send the results to MLflow.
        store: The results store.
        home: The data home.

    Returns:
        One row a fraction, with the columns of ``leaderboard``.

    Raises:
        HiptbenchError: If a name is unknown, data are missing, or a fold fails.
    """
    request = make_request(
        tasks=[task],
        features=features,
        baselines=[baseline],
        fractions=fractions,
        seeds=seeds,
        allow_missing=allow_missing,
        home=home,
    )
    plan = make_plan(request)
    results = Store(rooms.store(store, home_path=home))
    if track:
        _run_tracked(plan, results, executor)
    else:
        run(plan, results, executor=executor)
    wanted = {job.fingerprint for job in plan.jobs}
    return _frame(average([row for row in results.rows() if row.fingerprint in wanted]))


def leaderboard(store: str | Path | None = None, *, home: str | Path | None = None) -> pd.DataFrame:
    """Return the leaderboard of a store or an export, one row a cell.

    Args:
        store: The results store.
        home: The data home.

    Returns:
        The columns of the leaderboard's CSV, in the leaderboard's order.
    """
    return _frame(board_of(open_results(rooms.store(store, home_path=home))))


def _run_tracked(plan: Plan, store: Store, executor: str) -> None:
    with Tracker(store) as tracker:
        run(plan, store, executor=executor, on_fold=tracker.submit)
        report = tracker.close()
    if report.failure:
        warnings.warn(
            f"MLflow at {report.uri} failed: {report.failure}. The store has the results; `hiptbench sync` sends them.",
            stacklevel=3,
        )


def _frame(board: Leaderboard) -> pd.DataFrame:
    return pd.DataFrame(
        [{name: getattr(cell, name) for name in COLUMNS} for cell in board.cells], columns=list(COLUMNS)
    )
