"""``hiptbench compare`` and ``hiptbench report``: from a store and from its export, as their users have them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hiptbench.runner import run
from hiptbench.store import Store
from toys import make_home, plan_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("compare") / "home"
    task = make_home(home, "survival", folds=2)
    for baseline in ("mean_cox", "permuted_labels", "prior"):
        run(plan_of(home, task.name, baseline), Store(home / "store"), executor="serial")
    return home


@pytest.fixture
def call(hiptbench: Callable[..., object], home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    monkeypatch.setenv("HIPTBENCH_HOME", str(home))
    return hiptbench


def test_two_methods_are_compared(call: Callable[..., object]) -> None:
    done = call("compare", "permuted_labels", "prior", "--draws", 100)
    assert done.returncode == 0, done.stderr
    assert "own:toy_survival, survival at 100%, measured; held against toy/prior" in done.stdout
    assert "permuted_labels - prior = " in done.stdout


def test_all_are_compared_with_a_reference_as_json(call: Callable[..., object]) -> None:
    done = call("compare", "all", "--reference", "prior", "--draws", 100, "--format", "json")
    assert done.returncode == 0, done.stderr
    (family,) = json.loads(done.stdout)
    assert family["reference"] == "toy/prior"
    assert {one["method"] for one in family["comparisons"]} == {"toy/mean_cox", "toy/permuted_labels"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prior",), "Name two methods, the second being the reference"),
        (("prior", "mean_knn"), "There is no method in these results 'mean_knn'"),
        (("all", "--reference", "prior", "--fraction", "0.5"), "There is no fraction in these results '0.5'"),
    ],
)
def test_what_cannot_be_compared_is_refused(call: Callable[..., object], arguments: tuple[str, ...], said: str) -> None:
    done = call("compare", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert not done.stdout


def test_a_store_and_its_export_give_the_same_pages(call: Callable[..., object], home: Path, tmp_path: Path) -> None:
    assert call("results", "export", "--out", tmp_path / "results").returncode == 0
    from_store = call("report", "--out", tmp_path / "a")
    assert from_store.returncode == 0, from_store.stderr
    assert f"open {tmp_path / 'a' / 'index.html'}" in from_store.stdout
    assert call("report", "--store", tmp_path / "results", "--out", tmp_path / "b").returncode == 0
    pages = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.html"))
    assert pages
    for page in pages:
        assert (tmp_path / "a" / page).read_bytes() == (tmp_path / "b" / page).read_bytes()
