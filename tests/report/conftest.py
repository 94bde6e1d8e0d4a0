"""Sites to look at, and the browser to look with."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made_data import SUITES, made_data

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FEW = ("tcga_kidney_subtype", "tcga_luad_survival")


@pytest.fixture(scope="session")
def data() -> Any:
    """A report with both kinds of tasks, every kind of result, and names that must be escaped."""
    return made_data(tasks=FEW, suites=(SUITES[0], SUITES[2]), methods=7, nasty=True)


@pytest.fixture(scope="session")
def site(data: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of that report."""
    from hiptbench.report.site import write_site

    out = tmp_path_factory.mktemp("report") / "site"
    write_site(data, out)
    return out


@pytest.fixture(scope="session")
def large_site(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard of 10,000 rows, without the pages that it links to."""
    from hiptbench.report.site import pages_of

    out = tmp_path_factory.mktemp("large") / "site"
    shutil.copytree(site / "assets", out / "assets")
    _, index = next(pages_of(made_data(methods=290, most_runs=10_000, curves=False)))
    (out / "index.html").write_text(index, encoding="utf-8")
    return out


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium as the system's packages install it, without a window."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield chromium
        chromium.close()
