"""Own data on day one: labels and features to leaderboard, with everything at its default."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from conftest import CREATE, write_clam

EXPECTED = {"suite": "own:mine", "task": "mine", "features": "features", "baseline": "mean_knn", "metric": "auc"}


def test_from_labels_and_features_to_a_leaderboard(hiptbench: Callable, shell: Callable, own_data: Path) -> None:
    run = ("run", "--task", "mine", "--features", own_data / "features", "--baseline", "mean_knn")
    created = hiptbench("task", "create", "mine", "--labels", own_data / "labels.csv", *CREATE)
    assert created.returncode == 0, created.stderr

    ran = shell(*run)
    assert ran.returncode == 0, ran.stderr
    assert "3 folds run, in " in ran.stdout
    assert "MLflow: 3 folds sent to sqlite:///" in ran.stdout

    board = hiptbench("leaderboard", "--format", "csv")
    assert board.stderr == ""
    (row,) = csv.DictReader(io.StringIO(board.stdout))
    assert EXPECTED.items() <= row.items()
    assert (row["kind"], row["n_folds"], row["n_units"], row["n_evaluations"]) == ("measured", "3", "32", "32")
    assert 0.6 < float(row["mean"]) <= 1  # the classes are shifted: far from chance

    write_clam(own_data / "features", "s00a", shift=5, seed=1)
    changed = hiptbench(*run, "--executor", "serial", "--no-track")
    assert "1 slides of 'features' have changed since they were packed (s00a)" in changed.stderr
    assert "3 folds, 0 of them done already, 3 to run" in changed.stderr
    assert "3 folds run, in " in changed.stdout

    board = hiptbench("leaderboard").stdout
    assert board.count("features/mean_knn? (variant ") == 2  # other values under one name are another method
