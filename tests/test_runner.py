"""A run: the same numbers on every executor, nothing done twice, and failures that name the fold."""

from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import RunError, StoreError
from hiptbench.features import FeatureCard, write_features
from hiptbench.jobs import run_job
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.task_spec import Kind
from hiptbench.tasks import Task
from toys import baseline_file, make_home, plan_of


def contents(store: Store) -> dict[str, tuple[dict[str, float], bytes]]:
    """Return fingerprint to metrics and the bytes of the predictions: all that must not depend on the executor."""
    rows = store.rows()
    return {r.fingerprint: (dict(r.metrics), store.predictions_path(r.fingerprint).read_bytes()) for r in rows}


@pytest.mark.parametrize(
    ("kind", "method", "executors"),
    [("classification", "mean_logreg", ["processes:1", "processes:2"]), ("survival", "mean_cox", ["processes:2"])],
)
def test_every_executor_gives_the_same_bits(kind: Kind, method: str, executors: list[str], tmp_path: Path) -> None:
    task = make_home(tmp_path, kind, folds=3)
    plan = plan_of(tmp_path, task.name, method)
    stores = {name: Store(tmp_path / name) for name in ["serial", *executors]}
    for name, store in stores.items():
        assert len(run(plan, store, executor=name).finished) == 3
    serial = contents(stores["serial"])
    assert len(serial) == 3
    assert all(contents(store) == serial for store in stores.values())


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    plan, store = plan_of(tmp_path, task.name, "mean_knn"), Store(tmp_path / "store")
    first = run(plan, store, executor="serial")
    assert (len(first.finished), first.done_before) == (6, 0)
    before = {path: path.stat().st_mtime_ns for path in store.path.glob("**/*.*")}
    second = run(plan, store, executor="processes:2")
    assert (second.finished, second.done_before) == ((), 6)
    assert plan.to_do(store) == ()
    assert {path: path.stat().st_mtime_ns for path in store.path.glob("**/*.*")} == before


def test_only_what_is_missing_is_done(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    plan, store = plan_of(tmp_path, task.name, "mean_knn"), Store(tmp_path / "store")
    run(plan, store, executor="serial")
    whole = contents(store)
    gone = store.rows()[2]
    (path,) = store.path.glob(f"rows/*/{gone.fingerprint}.json")
    path.unlink()
    report = run(plan, store, executor="serial")
    assert [row.fingerprint for row in report.finished] == [gone.fingerprint]
    assert report.done_before == 5
    assert contents(store) == whole


def test_each_fold_is_reported_when_it_is_in_the_store(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    store, seen = Store(tmp_path / "store"), []

    def on_fold(row: FoldResult) -> None:
        assert store.predictions(row)
        assert row in store.rows()
        seen.append(row.fold)

    run(plan_of(tmp_path, task.name, "mean_knn"), store, executor="serial", on_fold=on_fold)
    assert seen == list(range(6))


@pytest.fixture
def cut(tmp_path: Path) -> Task:
    """A task without val parts, so that each unit is lacking in one training part only."""
    task = make_home(tmp_path, evaluate_on="val", folds=4)
    assert all(set(split.train) | set(split.val) == set(task.units) for split in task.splits)
    return task


FOLD = "toy_classification, toy/troubled, fold 2, seed 1"


@pytest.mark.parametrize(
    ("how", "executor", "error", "problem"),
    [
        ("mendable", "serial", RunError, f"{FOLD}: this head does not like this fold"),
        ("mendable", "processes:1", RunError, f"{FOLD}: this head does not like this fold"),
        ("bug", "serial", ZeroDivisionError, "a bug in somebody's head"),
        ("bug", "processes:1", ZeroDivisionError, "a bug in somebody's head"),
        ("death", "processes:1", RunError, f"A worker process died while {FOLD} .* run the same command again"),
    ],
)
def test_a_fold_that_fails_fails_the_run_and_keeps_what_is_finished(
    how: str, executor: str, error: type[Exception], problem: str, cut: Task, tmp_path: Path
) -> None:
    method = baseline_file(tmp_path, "troubled", "own_heads:Troubled", lacking=cut.splits[2].val[0], how=how)
    plan, store = plan_of(tmp_path, cut.name, method), Store(tmp_path / "store")
    with pytest.raises(error, match=problem) as raised:
        run(plan, store, executor=executor)
    assert sorted(row.fold for row in store.rows()) == [0, 1]
    for row in store.rows():
        assert store.predictions(row)
    if how == "bug":
        assert raised.value.__notes__ == [f"This was {FOLD}. Finished folds are kept."]


def test_a_store_that_cannot_be_written_stops_a_run_before_any_work(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    plan = plan_of(tmp_path, task.name, "mean_knn")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot write"):
        run(plan, Store(tmp_path / "file"), executor="serial")


def test_data_that_change_after_planning_stop_the_run(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    plan = plan_of(tmp_path, task.name, "mean_knn")
    features = plan.jobs[0].features_path
    make_home(tmp_path, cases=66)
    with pytest.raises(RunError, match=rf"fold 0, seed 1: the data of {task.name} or the features in .*start it again"):
        run_job(plan.jobs[0])
    make_home(tmp_path)
    assert features.is_dir()
    assert run_job(plan.jobs[0])


def test_features_that_change_between_two_runs_of_one_process_are_read_anew(tmp_path: Path) -> None:
    """A worker keeps the last tasks open; what it keeps must not outlive a change of the files."""
    task = make_home(tmp_path)
    store = Store(tmp_path / "store")
    before = run(plan_of(tmp_path, task.name, "mean_knn"), store, executor="serial").finished
    rng = np.random.default_rng(1)
    noise = {slide: rng.standard_normal((3, 8)).astype(np.float32) for slide in task.all_slides}
    write_features(tmp_path / "toy", FeatureCard(name="toy"), noise)
    changed = plan_of(tmp_path, task.name, "mean_knn")
    assert "60 slides of 'toy' have changed since they were packed" in changed.notes[0]
    assert not {job.fingerprint for job in changed.jobs} & {row.fingerprint for row in before}
    after = run(changed, store, executor="serial").finished
    assert min(row.metrics["auc"] for row in before) > 0.9 > np.mean([row.metrics["auc"] for row in after])
