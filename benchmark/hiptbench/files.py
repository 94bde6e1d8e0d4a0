"""Atomic writing and hashing: the two things that make a file a proof."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hiptbench.errors import StoreError


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it exists whole or not at all, even through ``kill -9`` and power loss.

    Args:
        path: The file to be; its folder is made if it is missing.
        write: Called with a temporary path in the same folder, which it fills.

    Raises:
        StoreError: If the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        with part.open("r+b") as handle:
            os.fsync(handle.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror or error}. Free space or choose a folder you may write to."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone where all went well
            part.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder last; some platforms cannot open folders, and need not."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write text atomically, UTF-8, with Unix line ends on every platform."""
    write_atomic(path, lambda part: part.write_bytes(text.encode()))


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def sha256_json(value: Any) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of lines joined by newlines, UTF-8."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_array(name: str, values: np.ndarray) -> str:
    """Return the SHA-256 (hex) of a named array: name, shape, and values as little-endian float32.

    Float16 converts to float32 exactly, so an array and its float16 copy of float16-rounded values hash alike.
    """
    digest = hashlib.sha256(f"{name}\n{tuple(values.shape)}\n".encode())
    digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return digest.hexdigest()
