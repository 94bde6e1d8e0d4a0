"""Rows in an export: one JSON line each, what many of them share written once beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hiptbench.errors import StoreError
from hiptbench.files import sha256_json, sha256_lines, write_text
from hiptbench.results import FoldResult
from hiptbench.store import read_row

ROWS, SHARED = "rows.jsonl", "shared.json"

_PARTS = ("protocol", "provenance", "definitions")
_DIGITS = 5  # of a training curve, which nothing is computed from


def write_rows(folder: Path, rows: Sequence[FoldResult]) -> None:
    """Write rows, in their order.

    A row's protocol, provenance and metric definitions, equal in all folds of a method, are replaced by the short hash
    of their content, and its training curve is rounded.

    Args:
        folder: Where the two files come to lie.
        rows: The rows.

    Raises:
        StoreError: If the folder cannot be written.
    """
    shared: dict[str, object] = {}
    lines = [json.dumps(_packed(row, shared), sort_keys=True) for row in rows]
    write_text(folder / SHARED, json.dumps(shared, sort_keys=True, indent=1) + "\n")
    write_text(folder / ROWS, "\n".join(lines) + "\n")


def read_rows(folder: Path) -> list[FoldResult]:
    """Return every row.

    Raises:
        StoreError: If a row is damaged, or a part of it is not what its hash says.
    """
    path = folder / ROWS
    shared = _read_shared(folder / SHARED)
    return [_unpacked(path, line, shared) for line in path.read_text(encoding="utf-8").splitlines()]


def hash_of_rows(folder: Path) -> str:
    """Return the hash of the fingerprints of a folder's rows, as they stand there.

    Raises:
        StoreError: If a row is damaged.
    """
    path = folder / ROWS
    try:
        return sha256_lines(sorted(json.loads(line)["fingerprint"] for line in path.read_text("utf-8").splitlines()))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} holds a damaged row ({error}); export the store again.") from error


def _packed(row: FoldResult, shared: dict[str, object]) -> dict[str, object]:
    """Return a row as JSON values, without the name of the machine; its parts are added to the shared ones."""
    timing = row.timing and row.timing.model_copy(update={"host": "not published"})
    packed = row.model_copy(update={"timing": timing}).model_dump(mode="json", exclude_none=True)
    packed["history"] = [{name: _rounded(value) for name, value in epoch.items()} for epoch in row.history]
    for name in _PARTS:
        key = _key(packed[name])
        shared[key] = packed[name]
        packed[name] = key
    return packed


def _unpacked(path: Path, line: str, shared: Mapping[str, object]) -> FoldResult:
    try:
        row = json.loads(line)
        whole = {name: shared[value] for name, value in row.items() if name in _PARTS and isinstance(value, str)}
    except (ValueError, AttributeError, KeyError) as error:
        raise StoreError(f"{path} holds a damaged row or one whose {SHARED} is not its own ({error}).") from error
    return read_row(path, json.dumps(row | whole))


def _read_shared(path: Path) -> dict[str, Any]:
    """Return the shared parts by their hashes; none where rows are written whole."""
    if not path.is_file():
        return {}
    shared: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if changed := [key for key, part in shared.items() if key != _key(part)]:
        raise StoreError(f"{path} was edited: {', '.join(changed)} are not the hashes of their parts. Export again.")
    return shared


def _key(part: object) -> str:
    return sha256_json(part)[:16]


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
