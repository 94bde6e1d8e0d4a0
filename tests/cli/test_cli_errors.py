"""Wrong calls and mendable errors: what is said, where, and the exit code."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hiptbench.cli import cli, main

MENDABLE = [
    (("run", "--suite", "hipt2022", "--baseline", "mean_knn"), "no suite 'hipt2022'. Did you mean 'hipt-2022'?"),
    (("run", "--task", "tcga_brca", "--baseline", "mean_knn"), "no task 'tcga_brca'. Did you mean 'tcga_brca_"),
    (
        ("run", "--task", "tcga_brca_subtype", "--task", "tcga_lung", "--baseline", "mean_knn"),
        "no task 'tcga_lung'. Did you mean 'tcga_lung_subtype'?",
    ),
    (("run", "--suite", "digits", "--baseline", "mean_kn"), "no baseline 'mean_kn'. Did you mean 'mean_knn'?"),
    (("run", "--suite", "digits", "--baseline", "mine.yaml"), "mine.yaml does not exist"),
    (("run", "--task", "tcga_brca_subtype", "--baseline", "mean_knn"), "hiptbench data import"),
    (("run", "--task", "digits_bags", "--baseline", "mean_knn"), "hiptbench data make --task digits_bags"),
    (("task", "show", "digit_bags"), "no task 'digit_bags'. Did you mean 'digits_bags'?"),
    (("data", "make", "--task", "tcga_brca_subtype"), "hiptbench data import"),
    (("data", "make", "--suite", "digit"), "no suite 'digit'. Did you mean 'digits'?"),
    (("data", "import"), "give --hipt DIR"),
    (("leaderboard",), "There is no results store at"),
    (("sync",), "There is no results store at"),
    (("results", "verify"), "There is no results store at"),
    (("results", "export", "--out", "exported"), "There is no results store at"),
    (("table", "survivl"), "no published table 'survivl'. Did you mean 'survival'?"),
    (("demo", "--out", "demo", "--executor", "dask"), "no executor 'dask'"),
]

WRONG_CALLS = [
    (("leaderbord",), "There is no verb 'leaderbord'. Did you mean 'leaderboard'?"),
    (("data", "imprt"), "There is no verb 'imprt'. Did you mean 'import'? What exists: fetch, import, inspect"),
    (("run", "--baseline", "mean_knn"), "--suite: digits, hipt-2022, hipt-2022-corrected, hipt-2022-sites, "),
    (("run", "--suite", "digits"), "--baseline with a name (abmil, abmil_cox,"),
    (("run", "--suite", "digits", "--baselin", "x"), "No such option"),
    (("run", "--suite", "digits", "--baseline", "mean_knn", "--fraction", "a,1"), "'a,1' is not a list of numbers"),
    (("run", "--suite", "digits", "--baseline", "mean_knn", "--seed", "one"), "'one' is not a valid int"),
    (("data", "make"), "Say what to make: --suite"),
    (("data", "inspect", "nowhere"), "'nowhere' does not exist"),
    (("data", "pack", "nowhere"), "'nowhere' does not exist"),
    (("results", "import-hipt"), "get one with `hiptbench data fetch`"),
    (("results", "export"), "Missing option '--out'"),
    (("task", "create", "mine"), "Missing option '--labels'"),
    (("leaderboard", "--format", "html"), "'html' is not one of 'table', 'csv', 'md', 'json'"),
    (("table", "survival", "--format", "html"), "'html' is not one of"),
]


@pytest.mark.parametrize(("arguments", "message"), MENDABLE, ids=[" ".join(words) for words, _ in MENDABLE])
def test_an_error_a_user_can_mend_is_one_line_and_exit_code_1(
    hiptbench: Callable, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if arguments[0] == "demo":
        monkeypatch.setattr("hiptbench.demo.SUITES", ("digits",))
    monkeypatch.chdir(tmp_path)
    done = hiptbench(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "message"), WRONG_CALLS, ids=[" ".join(words) for words, _ in WRONG_CALLS])
def test_a_wrong_call_is_exit_code_2_and_names_the_help(
    hiptbench: Callable, arguments: tuple[str, ...], message: str
) -> None:
    done = hiptbench(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "--help' for help" in done.stderr


def test_what_is_not_a_users_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(cli, "main", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main()


def test_no_traceback_in_a_process_of_its_own(shell: Callable) -> None:
    done = shell("leaderboard")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no results store at")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_stops_early_is_no_error(shell: Callable) -> None:
    command = f"{sys.executable} -m hiptbench.cli task schema | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_an_interrupt_is_exit_code_130_and_keeps_finished_folds(filled_home: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run = ["run", "--task", "mine", "--features", filled_home / "own" / "features", "--baseline", "tests_slow:SlowHead"]
    command = [*run, "--executor", "serial", "--no-track", "--home", filled_home, "--store", store]
    (tmp_path / "tests_slow.py").write_text(SLOW_HEAD)
    process = subprocess.Popen(
        [sys.executable, "-m", "hiptbench.cli", *map(str, command)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for(lambda: list(store.glob("rows/*/*.json")))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted. What was finished is kept: run the same command to go on." in said
    assert "Traceback" not in said
    assert len(list(store.glob("rows/*/*.json"))) == 1


def _wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


# Fits its first fold at once and would take minutes over the second.
SLOW_HEAD = """
import time
from dataclasses import dataclass
from typing import ClassVar

from hiptbench.heads.knn import KNN

_FITS = []


@dataclass(frozen=True, kw_only=True)
class SlowHead(KNN):
    def fit(self, bags, target, *, val, seed, on_epoch=None):
        _FITS.append(seed)
        if len(_FITS) > 1:
            time.sleep(600)
        return super().fit(bags, target, val=val, seed=seed)
"""
