"""The README's examples run as they stand."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hiptbench.baselines import load_baseline
from hiptbench.heads.base import Head
from hiptbench.registry import make_extractor, make_head
from hiptbench.testing import check_extractor, check_head

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _blocks(language: str, having: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    chosen = [block for block in found if having in block]
    assert chosen, f"the README has no {language} block with '{having}'"
    return chosen


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with labels.csv and features/, as the README assumes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    rng = np.random.default_rng(0)
    (tmp_path / "features").mkdir()
    lines = ["slide,patient,grade"]
    for i in range(36):
        np.save(tmp_path / "features" / f"s{i}.npy", rng.standard_normal((4, 8), dtype=np.float32) + i % 2)
        lines.append(f"s{i}.svs,p{i // 2 * 2 + i % 2},{'high' if i % 2 else 'low'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def _shell(block: str) -> str:
    """Run a block's hiptbench commands one by one and return what they printed."""
    printed = ""
    for line in block.splitlines():
        command = shlex.split(line, comments=True)
        if command:
            assert command[0] == "hiptbench", line
            arguments = [sys.executable, "-m", "hiptbench.cli", *command[1:]]
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            printed += done.stdout
    return printed


def test_own_data_from_labels_to_leaderboard(own_data: Path) -> None:
    printed = _shell(_blocks("bash", "task create mine")[0])
    assert "features/mean_knn" in printed


def test_python_examples(own_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _shell(_blocks("bash", "task create mine")[0])
    exec(_blocks("python", "hiptbench.evaluate")[0], {})
    assert "auc" in capsys.readouterr().out
    namespace: dict[str, object] = {}
    exec(_blocks("python", "create_task")[0], namespace)
    assert namespace["task"].name == "mine_again"  # type: ignore[attr-defined]


def test_head_example_keeps_the_contract_and_runs(own_data: Path) -> None:
    (own_data / "my_heads.py").write_text(_blocks("python", "class NearestMean")[0])
    head = make_head("my_heads:NearestMean")
    assert isinstance(head, Head)
    check_head(head, own_data / "contract")
    create, *_ = _blocks("bash", "task create mine")[0].splitlines()
    printed = _shell(f"{create}\nhiptbench run --task mine --features features --baseline my_heads:NearestMean\n")
    assert "3 folds run" in printed


def test_model_example_keeps_the_contract_and_runs(own_data: Path) -> None:
    (own_data / "my_models.py").write_text(_blocks("python", "class TopMean")[0])
    baseline = load_baseline("my_models:TopMean")
    check_head(baseline.make_head(), own_data / "contract")
    create, *_ = _blocks("bash", "task create mine")[0].splitlines()
    printed = _shell(f"{create}\nhiptbench run --task mine --features features --baseline my_models:TopMean\n")
    assert "3 folds run" in printed


def test_from_drawn_slides_to_a_leaderboard_and_with_an_encoder_of_ones_own(own_data: Path) -> None:
    printed = _shell(_blocks("bash", "data synth-slides")[0])
    assert "hipt (random weights)/mean_knn" in printed
    (own_data / "my_encoders.py").write_text(_blocks("python", "class MeanColour")[0])
    check_extractor(make_extractor("my_encoders:MeanColour"))
    assert "24 slides extracted" in _shell(_blocks("bash", "my_encoders:MeanColour")[0])


@pytest.mark.slow
def test_suites_controls_and_comparisons_on_real_data(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shutil.copytree(real_home, tmp_path / "real")
    monkeypatch.setenv("HIPTBENCH_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    _shell(
        _blocks("bash", "run --suite hipt-2022 --baseline mean_knn")[0]
        .split("hiptbench data import", 1)[1]
        .partition("\n")[2]
    )
    assert "53 of 822" in _shell(_blocks("bash", "hiptbench lint hipt-2022")[0])
    _shell(_blocks("bash", "--baseline permuted_labels")[0])
    assert "held against hipt_vit4k_region/mean_logreg" in _shell(_blocks("bash", "hiptbench compare")[0])
    assert (tmp_path / "report" / "index.html").is_file()
