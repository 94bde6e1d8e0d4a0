"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A folder with HIPT/ and PORPOISE/ checkouts, from HIPTBENCH_TEST_DATA; the test is skipped without it."""
    folder = os.environ.get("HIPTBENCH_TEST_DATA")
    if not folder:
        pytest.skip("needs real data: set HIPTBENCH_TEST_DATA to a folder with HIPT/ and PORPOISE/")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's data home."""
    home = tmp_path / "home"
    monkeypatch.setenv("HIPTBENCH_HOME", str(home))
    return home
