"""The framework of the benchmarks, tried on ones that take no time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from . import plain
from .__main__ import BENCHMARKS
from .framework import Benchmark, Measurement, Outcome, Skip, as_records, commit_of, run, table, write_records
from .processes import PYTHON, peak_pss, seconds_of
from .workspace import Workspace

FIELDS = {"id", "name", "value", "unit", "aim", "better", "compared_with", "commit"}


def _benchmark(value: float = 1.0, **settings: object) -> Benchmark:
    fixed = {"id": "x.y", "name": "an x", "unit": "s", "better": "lower", "measure": lambda _: Measurement(value, "z")}
    return Benchmark(**{**fixed, **settings})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace without real data."""
    return Workspace(tmp_path, None)


def test_ids_are_unique_and_grouped() -> None:
    ids = [benchmark.id for benchmark in BENCHMARKS]
    assert len(set(ids)) == len(ids)
    assert all(benchmark_id.count(".") in (1, 2) for benchmark_id in ids)


@pytest.mark.parametrize(
    ("better", "aim", "value", "met"),
    [("lower", 2, 2, True), ("lower", 2, 2.1, False), ("higher", 2, 2, True), ("higher", 2, 1.9, False)],
)
def test_an_aim_is_met_or_missed(workspace: Workspace, better: str, aim: float, value: float, met: bool) -> None:
    benchmark = _benchmark(value, better=better, aim=aim)
    assert benchmark.meets_aim(value) is met
    assert ("MISSED" in table([run(benchmark, workspace)])) is not met


def test_a_record_has_what_its_readers_expect(workspace: Workspace, tmp_path: Path) -> None:
    write_records([run(_benchmark(1.5, aim=2.0), workspace)], tmp_path / "new" / "latest.json", "abc123")
    (record,) = json.loads((tmp_path / "new" / "latest.json").read_text())
    assert set(record) == FIELDS
    assert (record["value"], record["aim"], record["compared_with"], record["commit"]) == (1.5, 2.0, "z", "abc123")


def test_what_is_skipped_is_seen_and_not_recorded(workspace: Workspace) -> None:
    def needs(_: Workspace) -> Measurement:
        raise Skip("needs a thing")

    outcome = run(_benchmark(measure=needs), workspace)
    assert "skipped: needs a thing" in table([outcome])
    assert (outcome.failed, as_records([outcome], "abc123")) == (False, [])


def test_a_program_that_fails_is_seen_and_does_not_end_the_rest(workspace: Workspace) -> None:
    def fails(_: Workspace) -> Measurement:
        return Measurement(seconds_of([sys.executable, "-c", "import sys; sys.exit('it broke')"]), "nothing")

    outcome = run(_benchmark(measure=fails), workspace)
    assert outcome.failed
    assert "FAILED with exit code 1: it broke" in table([outcome])


def test_the_import_benchmark_says_what_it_needs(workspace: Workspace) -> None:
    benchmark = next(one for one in BENCHMARKS if one.id == "data.import_pack_3457")
    assert run(benchmark, workspace) == Outcome(benchmark, None, "skipped: needs HIPTBENCH_TEST_DATA")


def test_seconds_are_of_the_whole_process() -> None:
    assert seconds_of(PYTHON) < 0.5 <= seconds_of([sys.executable, "-c", "import time; time.sleep(0.5)"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/<pid>/smaps_rollup")
def test_peak_memory_counts_children_and_fails_with_the_program() -> None:
    child = "x = bytearray(60_000_000); import time; time.sleep(0.3)"
    parent = f"import subprocess, sys; x = bytearray(40_000_000); subprocess.run([sys.executable, '-c', {child!r}])"
    assert 100e6 < peak_pss([sys.executable, "-c", parent]) < 160e6
    with pytest.raises(subprocess.CalledProcessError):
        peak_pss([sys.executable, "-c", "raise SystemExit(3)"])


def test_commit_outside_of_git_is_unknown(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == "unknown"


def test_only_the_ids_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "no.such"]
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such benchmark; there are: cli.help_over_python" in done.stderr


def test_the_plain_loop_trains_the_same_model() -> None:
    from hiptbench.heads.models.factory import make_model

    for name, plain_model in (("hipt_gp", plain.SlideTransformer), ("abmil", plain.AttentionMIL)):
        ours, theirs = make_model(name, d_in=192, n_out=2), plain_model(192, 2)
        counts = [sum(parameter.numel() for parameter in model.parameters()) for model in (ours, theirs)]
        assert counts[0] == counts[1]
