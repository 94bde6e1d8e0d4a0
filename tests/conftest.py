"""What every test may ask for."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

# Tests run side by side, and networks that compute on all cores would wait for each other. Set before PyTorch is
# imported, and inherited by processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts the tests in the background has interrupts ignored, and programs that tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A folder with HIPT/ and PORPOISE/ checkouts, from HIPTBENCH_TEST_DATA; the test is skipped without it."""
    folder = os.environ.get("HIPTBENCH_TEST_DATA")
    if not folder:
        pytest.skip("needs real data: set HIPTBENCH_TEST_DATA to a folder with HIPT/ and PORPOISE/")
    return Path(folder)


@pytest.fixture(scope="session")
def real_slide(real_data: Path) -> Path:
    """OpenSlide's test slide CMU-1-Small-Region: Aperio, 2220 x 2967 pixels of 0.499 um."""
    path = real_data / "wsi" / "CMU-1-Small-Region.svs"
    if not path.is_file():
        pytest.skip(f"needs a real slide at {path}")
    return path


@pytest.fixture(scope="session")
def checkouts(real_data: Path) -> dict[str, Path]:
    """The real checkouts, as the importing functions take them."""
    return {"hipt": real_data / "HIPT", "porpoise": real_data / "PORPOISE"}


@pytest.fixture(scope="session")
def real_import(checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A data home with HIPT's tasks in all suites and all features, and what was built on the way."""
    # Not at the top: what conftest imports is loaded before the plugin that checks shapes.
    from hiptbench.sources.covariates import import_covariates
    from hiptbench.sources.importing import SUITES, import_features, import_tasks

    home = tmp_path_factory.mktemp("real") / "home"
    built = import_tasks(SUITES, checkouts, home)
    import_covariates(checkouts, built, home)
    import_features("hipt_vit4k_region", checkouts, built, home=home)
    return home, built


@pytest.fixture(scope="session")
def real_home(real_import: tuple[Path, list[Any]]) -> Path:
    """A data home with HIPT's tasks, all suites, and all features; shared, so copy it before changing it."""
    return real_import[0]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's data home."""
    home = tmp_path / "home"
    monkeypatch.setenv("HIPTBENCH_HOME", str(home))
    return home
