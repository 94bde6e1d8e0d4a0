"""The numbers of the README's "What we found" are those of the committed results."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOUND = (ROOT / "README.md").read_text(encoding="utf-8").partition("### What we found")[2].partition("\n### ")[0]
SUITES = ("hipt-2022", "hipt-2022-corrected", "hipt-2022-sites")
TASKS = ("tcga_brca_subtype", "tcga_lung_subtype", "tcga_kidney_subtype")


@pytest.fixture(scope="module")
def means() -> dict[tuple[str, str, str], str]:
    """The mean of (suite, task without its suite's ending, method) at the whole training part, as there."""
    with (ROOT / "results" / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "measured" and float(row["fraction"]) == 1]
    return {
        (row["suite"], re.sub("_(corrected|sites)$", "", row["task"]), f"{row['features']}/{row['baseline']}"): (
            f"{float(row['mean']):.3f}".removeprefix("0")
        )
        for row in rows
    }


def table() -> list[tuple[str, str, list[str]]]:
    """Method, suite and the numbers of each cell that has some."""
    cells = []
    for line in FOUND.splitlines():
        if line.startswith("| `"):
            first, *values = (cell.strip() for cell in line.strip("|").split("|"))
            name = first.split("`")[1]
            method = name if "/" in name else f"hipt_vit4k_region/{name}"
            cells += [(method, suite, value.split(", ")) for suite, value in zip(SUITES, values, strict=True)]
    return [cell for cell in cells if re.fullmatch(r"[.\d]+", cell[2][0])]


def test_the_table_is_read() -> None:
    assert len(table()) > 15


@pytest.mark.parametrize(("method", "suite", "numbers"), table())
def test_a_cell_is_that_of_the_results(
    method: str, suite: str, numbers: list[str], means: dict[tuple[str, str, str], str]
) -> None:
    assert numbers == [means[suite, task, method] for task in TASKS]


def test_a_method_that_was_not_run_has_no_results(means: dict[tuple[str, str, str], str]) -> None:
    for line in FOUND.splitlines():
        if line.startswith("| `") and "not run" in line:
            assert not [key for key in means if key[0] == SUITES[2] and key[2].endswith(f"/{line.split('`')[1]}")]


def test_sentences_quote_the_comparisons() -> None:
    compared = "".join((ROOT / "results" / f"compared-{kind}.txt").read_text() for kind in ("subtyping", "survival"))
    across = [
        line
        for line in compared.partition("hipt-2022-corrected, classification at 100%")[2].splitlines()
        if line.startswith("  mean of 3 tasks")
    ]
    quoted = {method: re.search(rf"/{method} - \S+ = (\S+) ", "\n".join(across)) for method in ("max", "mean", "abmil")}
    gains = sorted(found.group(1).removeprefix("+") for found in quoted.values() if found)
    assert len(gains) == 3
    assert f"by {gains[0]} to {gains[-1]} on the corrected splits" in " ".join(FOUND.split())
