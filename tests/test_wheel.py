"""The wheel, built and installed elsewhere, is the whole product: rooms, contracts and the paper's tables."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CONTRACTS = """
import pathlib, sys, tempfile
import hiptbench
from hiptbench import rooms
from hiptbench.baselines import baseline_names, load_baseline
from hiptbench.suites import load_suite, suite_names
from hiptbench.task_store import load_spec
from hiptbench.testing import check_head

assert "site-packages" in hiptbench.__file__, hiptbench.__file__
assert rooms.TASKS.parent.name == "_rooms", rooms.TASKS
tasks = [load_spec(task) for suite in suite_names() for task in load_suite(suite).tasks]
assert len(tasks) >= 19, tasks
package = pathlib.Path(hiptbench.__file__).parent
assert (package / "report" / "assets" / "page.css").is_file(), "the pages' style is not in the wheel"
assert list((package / "report" / "templates").glob("*.html")), "the pages' templates are not in the wheel"
heads = {name: load_baseline(name).make_head() for name in baseline_names()}
for name in ("mean_knn", "mean_cox", "abmil"):  # what all do is tried from the checkout
    check_head(heads[name], pathlib.Path(tempfile.mkdtemp()))
print("contracts kept")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the wheel, and our dependencies from this one, but not our checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # A plain path line: the dependencies are found, the editable install's own .pth file is not processed.
    (site / "dependencies.pth").write_text(f"{ours}\n")
    return python


def test_contract_tests_pass_on_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed, "-c", CONTRACTS], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "contracts kept\n", done.stderr


def test_wheel_prints_the_papers_table(installed: Path, tmp_path: Path) -> None:
    command = [installed, "-m", "hiptbench.cli", "table", "subtyping", "--store", str(tmp_path / "store")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CLAM-SB" in done.stdout
    assert "0.874 ± 0.060" in done.stdout
