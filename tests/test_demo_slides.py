"""From drawn pixels to a leaderboard, on small slides; `make demo-slides` does it on large ones."""

import csv
from pathlib import Path

import pytest

from hiptbench.demo_slides import run_slides_demo
from hiptbench.slides.synthetic import SyntheticSlides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """What the demo made of 40 slides of 2 x 2 patches, and what it told on the way."""
    out = tmp_path_factory.mktemp("slides")
    told: list[str] = []
    slides = SyntheticSlides(slides=40, side=512)
    run_slides_demo(out, slides=slides, executor="serial", on_step=lambda what, part: told.append(what))
    return out, told


def test_every_row_is_synthetic_and_says_that_weights_are_random(made: tuple[Path, list[str]]) -> None:
    out, _ = made
    with (out / "leaderboard.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert {row["kind"] for row in rows} == {"synthetic"}
    assert all("random weights" in row["features"] for row in rows)
    assert {(row["task"], row["baseline"]) for row in rows} == {
        *(("drawn_grade", name) for name in ("mean_knn", "abmil")),
        *(("drawn_survival", name) for name in ("mean_cox", "abmil")),
    }


def test_the_grade_is_found_and_every_method_has_an_interval(made: tuple[Path, list[str]]) -> None:
    out, told = made
    lines = (out / "intervals.md").read_text().splitlines()
    (knn,) = [line.split("|") for line in lines if "hipt (random weights)/mean_knn" in line]
    assert float(knn[5].split()[0]) > 0.5  # the lower end
    assert sum("random weights" in line for line in lines) == 8
    assert lines[-1].startswith("Intervals: what these fitted models reach on new patients")
    assert list(dict.fromkeys(told))[:3] == ["drawing slides", "features of hipt", "features of resnet50"]
