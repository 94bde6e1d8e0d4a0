"""``hiptbench run`` and ``hiptbench sync``."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hiptbench.store import Store


@pytest.fixture
def run(hiptbench: Callable, filled_home: Path, tmp_path: Path) -> Callable:
    """Run on the task 'mine', into a fresh store, in this process."""

    def call(*arguments: object) -> object:
        where = ("--home", filled_home, "--store", tmp_path / "store", "--executor", "serial", "--no-track")
        features = () if "--features" in arguments else ("--features", filled_home / "own" / "features")
        return hiptbench("run", "--task", "mine", *features, *where, *arguments)

    return call


def _rows(tmp_path: Path) -> int:
    return len(Store(tmp_path / "store").rows())


def test_run_says_what_it_does_and_does_it_once(run: Callable, tmp_path: Path) -> None:
    first = run("--baseline", "mean_knn")
    assert first.returncode == 0, first.stderr
    assert first.stderr == "3 folds, 0 of them done already, 3 to run\n    mine at 100%: features/mean_knn, 3 folds\n"
    assert first.stdout == f"3 folds run, in {tmp_path / 'store'}\n"
    again = run("--baseline", "mean_knn")
    assert again.stderr == "3 folds, 3 of them done already, 0 to run\n"
    assert again.stdout == f"Nothing to do: all 3 folds are in {tmp_path / 'store'}.\n"
    assert _rows(tmp_path) == 3


def test_only_what_is_missing_is_run(run: Callable, tmp_path: Path) -> None:
    run("--baseline", "mean_knn")
    done = run("--baseline", "mean_knn", "--baseline", "mean_logreg", "--baseline", "mean_knn")
    assert "6 folds, 3 of them done already, 3 to run" in done.stderr
    assert _rows(tmp_path) == 6


def test_dry_run_lists_the_folds_on_stdout_and_writes_nothing(run: Callable, tmp_path: Path) -> None:
    done = run("--baseline", "mean_knn", "--dry-run")
    plan = "3 folds, 0 of them done already, 3 to run\n    mine at 100%: features/mean_knn, 3 folds\n"
    assert done.stdout.startswith(plan)
    assert re.search(r"It will take about 0:00:\d\d of one core, divided by the number of workers\.\n$", done.stdout)
    assert done.stderr == "timing short fits: mine, features/mean_knn, fold 0, seed 1\n"
    assert not (tmp_path / "store").exists()


def test_several_tasks_of_a_suite(hiptbench: Callable, tmp_path: Path) -> None:
    names = ("synthetic_kirp_survival", "synthetic_coadread_survival")
    tasks = [word for name in names for word in ("--task", name)]
    hiptbench("data", "make", *tasks)
    done = hiptbench("run", *tasks, "--baseline", "mean_cox", "--baseline", "mean_knn", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "10 folds, 0 of them done already, 10 to run"
    assert all(f"    {name} at 100%: " in done.stdout for name in names)
    assert "skipped: mean_knn predicts classification, synthetic_kirp_survival is a survival task" in done.stderr


def test_tasks_of_two_suites_are_refused(hiptbench: Callable) -> None:
    done = hiptbench("run", "--task", "digits_bags", "--task", "tcga_brca_subtype", "--baseline", "mean_knn")
    assert done.returncode == 1
    assert "run one suite at a time" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--baseline", "no_such_module:Head"), "The head 'no_such_module:Head' cannot be imported"),
        (("--baseline", "mean_cox"), "There is nothing to run: mean_cox predicts survival"),
        (("--baseline", "mean_knn", "--features", "nowhere"), "no feature set or folder 'nowhere'"),
        (("--baseline", "mean_knn", "--fraction", "2"), "not 2.0"),
        (("--baseline", "mean_knn", "--fraction", "nan"), "not nan"),
        (("--baseline", "mean_knn", "--fraction", "0.001"), "A fraction of 0.001 leaves none"),
        (("--baseline", "mean_knn", "--executor", "serail"), "no executor 'serail'. Did you mean 'serial'?"),
        (("--baseline", "mean_knn", "--executor", "processes:0"), "'processes:0' needs a positive number"),
    ],
)
def test_run_refuses_before_any_work(run: Callable, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert _rows(tmp_path) == 0


def test_seeds_of_a_method_that_draws_nothing_are_one_run(run: Callable, tmp_path: Path) -> None:
    run("--baseline", "mean_knn", "--seed", "1", "--seed", "2")
    assert _rows(tmp_path) == 3


def test_missing_slides_are_refused_unless_allowed_and_then_never_ranked(
    run: Callable, hiptbench: Callable, filled_home: Path, tmp_path: Path
) -> None:
    partial = tmp_path / "partial"
    partial.mkdir()
    for file in sorted((filled_home / "own" / "features").glob("*.h5"))[1:]:
        (partial / file.name).symlink_to(file)
    refused = run("--baseline", "mean_knn", "--features", partial)
    assert refused.returncode == 1
    assert "lack 1 of the 32 slides of mine: s00a" in refused.stderr
    assert "--allow-missing" in refused.stderr
    assert run("--baseline", "mean_knn", "--features", partial, "--allow-missing").returncode == 0
    board = hiptbench("leaderboard", "--store", tmp_path / "store").stdout
    assert "MISSING: not ranked" in board
    assert "    -  0." in board  # no rank


def test_an_export_is_no_store_to_run_into(
    run: Callable, hiptbench: Callable, filled_home: Path, tmp_path: Path
) -> None:
    hiptbench("results", "export", "--out", tmp_path / "store", "--home", filled_home)
    done = run("--baseline", "mean_knn")
    assert done.returncode == 1
    assert "is an export" in done.stderr


def test_a_head_in_the_working_folder_is_found_by_the_script_and_its_workers(filled_home: Path, tmp_path: Path) -> None:
    (tmp_path / "my_heads.py").write_text("from hiptbench.heads.knn import KNN\n\nclass Mine(KNN):\n    pass\n")
    where = ["--features", filled_home / "own" / "features", "--home", filled_home, "--store", tmp_path / "store"]
    options = ["--task", "mine", "--baseline", "my_heads:Mine", "--executor", "processes:1", "--no-track", *where]
    script = Path(sys.executable).with_name("hiptbench")
    command = [str(word) for word in (script, "run", *options)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"3 folds run, in {tmp_path / 'store'}\n"), done.stderr


def test_sync_sends_what_was_not_tracked_and_sends_it_once(shell: Callable, filled_home: Path) -> None:
    first = json.loads(shell("sync", "--home", filled_home, "--format", "json").stdout)
    assert (first["sent"], first["present"], first["failure"]) == (6, 0, None)
    again = shell("sync", "--home", filled_home).stdout
    assert again.startswith("MLflow: 0 folds sent to sqlite:///")
    assert again.endswith("mlflow.db, 6 were there already\n")


def test_a_server_that_is_down_fails_sync_and_says_what_to_do(shell: Callable, filled_home: Path) -> None:
    done = shell("sync", "--home", filled_home, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert "MLflow: 0 folds sent to http://127.0.0.1:9, then it failed" in done.stderr
    assert "`hiptbench sync` sends the rest" in done.stderr


def test_a_mil_method_runs_keeps_what_is_asked_and_draws_fractions_by_patients(run: Callable, tmp_path: Path) -> None:
    method = tmp_path / "small.yaml"
    settings = "{model: abmil, overrides: {epochs: 2}}"
    method.write_text(f"name: small\ntitle: Small\nhead: mil\nsettings: {settings}\nrecipe: a test\n")
    kept = ("--fraction", "0.5", "--keep-models", "--keep-attention")
    done = run("--baseline", method, *kept)
    assert done.returncode == 0, done.stderr
    store = Store(tmp_path / "store")
    rows = store.rows()
    assert {(row.fold, row.draw) for row in rows} == {(fold, draw) for fold in range(3) for draw in range(3)}
    assert {row.protocol.fraction_rule for row in rows} == {"stratified patients, random_state 1"}
    for row in rows:
        assert [measured["epoch"] for measured in row.history] == [1, 2]
        assert (row.provenance.epoch_rule, row.provenance.selection) == ("last of 2", "none")
        assert row.provenance.settings["recipe"]["bags_per_step"] == 16
        kept_fold = store.kept(row.fingerprint)
        assert type(kept_fold.model()).__name__ == "FittedMIL"
        assert len(kept_fold.attention()) == row.n
