"""The Python API: the names of the package, evaluating a method, and reading the leaderboard."""

import ast
import importlib
import inspect
import socket
from pathlib import Path

import pytest

import hiptbench
from hiptbench.cells import COLUMNS
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.tasks import Task
from toys import make_home


@pytest.mark.parametrize("name", hiptbench.__all__)
def test_every_public_name_can_be_imported_and_is_explained(name: str) -> None:
    found = getattr(hiptbench, name)
    assert found.__name__ == name
    assert inspect.getdoc(found)
    assert name in dir(hiptbench)


def test_no_module_has_the_name_of_something_public() -> None:
    """A submodule becomes an attribute of the package when it is imported, and would hide the name."""
    modules = {path.stem for path in Path(hiptbench.__file__).parent.iterdir()}
    assert not modules & set(hiptbench.__all__)


def test_what_a_type_checker_sees_is_what_is_imported() -> None:
    tree = ast.parse(Path(hiptbench.__file__).read_text())
    seen = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "hiptbench" in (node.module or "")]
    pairs = {(node.module, alias.name) for node in seen for alias in node.names}
    assert {name for _, name in pairs} == set(hiptbench.__all__)
    for module, name in pairs:
        assert getattr(importlib.import_module(str(module)), name) is getattr(hiptbench, name)


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        _ = hiptbench.evaluat


@pytest.fixture
def task(own_home: Path) -> Task:
    return make_home(own_home, folds=3)


def test_evaluating_a_method_gives_its_row_of_the_leaderboard(task: Task, own_home: Path) -> None:
    table = hiptbench.evaluate(task.name, own_home / "toy", "mean_knn")
    assert list(table.columns) == list(COLUMNS)
    (row,) = table.to_dict("records")
    assert (row["kind"], row["task"], row["features"], row["baseline"]) == ("measured", task.name, "toy", "mean_knn")
    assert (row["metric"], row["n_folds"], row["n_units"], row["n_evaluations"]) == ("auc", 3, 60, 60)
    assert 0.9 < row["mean"] <= 1
    board = hiptbench.leaderboard()
    assert board.equals(table)


def test_evaluate_returns_what_was_asked_for_and_no_other_row(task: Task, own_home: Path) -> None:
    hiptbench.evaluate(task.name, own_home / "toy", "mean_knn")
    logistic = hiptbench.evaluate(task.name, own_home / "toy", "mean_logreg")
    assert list(logistic["baseline"]) == ["mean_logreg"]
    again = hiptbench.evaluate(task.name, own_home / "toy", "mean_knn")  # from the store
    assert list(again["baseline"]) == ["mean_knn"]
    assert set(hiptbench.leaderboard()["baseline"]) == {"mean_knn", "mean_logreg"}


def test_several_seeds_of_ones_own_head_have_a_spread(task: Task, own_home: Path) -> None:
    table = hiptbench.evaluate(task.name, own_home / "toy", "own_heads:Sampled", seeds=[1, 2, 3])
    (row,) = table.to_dict("records")
    assert (row["baseline"], row["n_seeds"]) == ("Sampled", 3)
    assert row["sd_seeds"] is not None


def test_results_may_be_kept_elsewhere(task: Task, own_home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    hiptbench.evaluate(task.name, own_home / "toy", store=elsewhere, home=own_home)
    assert len(hiptbench.leaderboard(elsewhere)) == 1
    with pytest.raises(StoreError, match="There is no results store at"):
        hiptbench.leaderboard()


def test_a_broken_mlflow_server_is_warned_of_and_costs_no_result(
    task: Task, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.warns(UserWarning, match="does not answer.*`hiptbench sync` sends them"):
            table = hiptbench.evaluate(task.name, own_home / "toy", track=True)
    assert len(table) == 1


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")  # see tracking
def test_results_may_be_tracked(task: Task, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    hiptbench.evaluate(task.name, own_home / "toy", track=True)
    assert (own_home / "store" / "mlflow.db").is_file()


def test_an_unknown_task_is_answered_with_the_nearest(task: Task, own_home: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'toy_classification'"):
        hiptbench.evaluate("toy_classificatoin", own_home / "toy")
