"""The command line as its users have it, in this process or in one of its own, and data of one's own to use it on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from hiptbench.cli import main

Done = subprocess.CompletedProcess[str]

CREATE = ("--slide-col", "slide", "--case-col", "patient", "--label-col", "grade", "--folds", "3")


def in_process(*arguments: object, **environment: str) -> Done:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "hiptbench.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def write_clam(folder: Path, slide: str, shift: float, *, seed: int = 0) -> None:
    """Write one slide's features as CLAM does: features [n, d] and level-0 coords [n, 2]."""
    rng = np.random.default_rng([seed, *slide.encode()])
    rows = int(rng.integers(3, 9))
    with h5py.File(folder / f"{slide}.h5", "w") as file:
        file["features"] = rng.standard_normal((rows, 16), dtype=np.float32) + np.float32(shift)
        file["coords"] = rng.integers(0, 10_000, (rows, 2))


def write_own_data(folder: Path) -> Path:
    """Write ``labels.csv`` and ``features/``: 24 patients of two grades, every third with two slides."""
    (folder / "features").mkdir(parents=True)
    lines = ["slide,patient,grade,days,died"]
    for patient in range(24):
        grade = ("low", "high")[patient % 2]
        for part in "ab" if patient % 3 == 0 else "a":
            slide = f"s{patient:02}{part}"
            lines.append(f"{slide}.svs,p{patient:02},{grade},{300 + 10 * patient},{patient % 4 // 2}")
            write_clam(folder / "features", slide, shift=patient % 2 * 0.3)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def hiptbench(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call the command line's ``main`` in this process: exit code, stdout and stderr as a shell would see them."""

    def call(*arguments: object) -> Done:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["hiptbench", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return Done(sys.argv, code, out, err)

    return call


@pytest.fixture
def shell() -> Callable[..., Done]:
    """Call the command line in a process of its own, where executors, MLflow and start-up are as users have them."""
    return in_process


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """A folder with ``labels.csv`` and CLAM's ``features/*.h5``."""
    return write_own_data(tmp_path / "own")


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home, only to be read, with the task 'mine' and two methods' results on it; own data lie in ``own``."""
    home = tmp_path_factory.mktemp("filled") / "home"
    own = write_own_data(home / "own")
    run = ("run", "--task", "mine", "--features", own / "features", "--baseline", "mean_knn")
    for arguments in (
        ("task", "create", "mine", "--labels", own / "labels.csv", *CREATE),
        (*run, "--baseline", "mean_logreg", "--executor", "serial", "--no-track"),
    ):
        done = in_process(*arguments, "--home", home)
        assert done.returncode == 0, done.stderr
    return home
