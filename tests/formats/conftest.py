"""Files that several tests of the readers need."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def lfs_text() -> str:
    """What Git leaves in place of a file that it has not fetched from LFS."""
    return (
        "version https://git-lfs.github.com/spec/v1\n"
        "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
        "size 45304\n"
    )


@pytest.fixture(params=["pt", "h5", "npy", "npz"])
def suffix(request: pytest.FixtureRequest) -> str:
    """Every suffix of a feature file."""
    return request.param


@pytest.fixture
def lfs_pointer(tmp_path: Path, suffix: str, lfs_text: str) -> Path:
    """A Git LFS pointer in place of features."""
    path = tmp_path / f"slide.{suffix}"
    path.write_text(lfs_text)
    return path
