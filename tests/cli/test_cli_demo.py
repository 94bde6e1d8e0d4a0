"""``hiptbench demo``: on bags of digits only, for the simulated cohorts take longer; those are marked slow."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ONLY_DIGITS = "import hiptbench.demo\nhiptbench.demo.SUITES = ('digits',)\nfrom hiptbench.cli import main\nmain()"


def _methods(out: Path) -> set[tuple[str, str]]:
    with (out / "leaderboard.csv").open(newline="") as handle:
        return {(row["task"], row["baseline"]) for row in csv.DictReader(handle)}


def test_demo_shows_the_board_the_oracle_and_where_things_are(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ONLY_DIGITS, "demo", "--out", "here", "--executor", "serial"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "digits | digits_bags at 100% | auc, 5 folds" in done.stdout
    assert "| task | metric | mean_knn | mean_logreg | mean_cox | oracle |" in done.stdout
    assert "leaderboard: here/leaderboard.csv" in done.stdout
    assert f"-m mlflow ui --backend-store-uri sqlite:///{tmp_path}/here/store/mlflow.db" in done.stdout
    assert "MLflow: " not in done.stderr  # as it says when it failed
    assert _methods(tmp_path / "here") == {("digits_bags", "mean_knn"), ("digits_bags", "mean_logreg")}


@pytest.mark.slow
def test_the_whole_demo_and_again(shell: Callable, tmp_path: Path) -> None:
    first = shell("demo", "--out", tmp_path)
    assert first.returncode == 0, first.stderr
    assert len({task for task, _ in _methods(tmp_path)}) == 10
    assert shell("demo", "--out", tmp_path).stdout == first.stdout
