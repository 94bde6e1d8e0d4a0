"""What is checked of every file before a reader opens it: the causes that a reader's own error would hide."""

from pathlib import Path

from hiptbench.errors import FormatError

_LFS_HEADER = b"version https://git-lfs.github.com/spec/v1"


def check_file(path: Path) -> None:
    """Check that a file is there, can be opened, has content, and is not a Git LFS pointer.

    Args:
        path: The file.

    Raises:
        FormatError: If it fails one of these.
    """
    start = _first_bytes(path)
    if not start:
        raise FormatError(f"{path} is empty (0 bytes). Copy or make it again.")
    if start == _LFS_HEADER:
        raise FormatError(
            f"{path}: this is a Git LFS pointer, not the file itself. "
            "Run `git lfs pull` in its checkout, or `hiptbench data fetch`."
        )


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(len(_LFS_HEADER))
    except FileNotFoundError as error:
        raise FormatError(f"{path} does not exist. Check the path.") from error
    except OSError as error:
        raise FormatError(f"{path} cannot be opened: {error.strerror}. A readable file is needed.") from error
