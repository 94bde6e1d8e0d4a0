"""Which sources a number depends on, and their hash."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from hiptbench.files import sha256_lines

NUMERIC_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-survival", "pandas", "torch")
# Modules that decide numbers but that no head imports.
_ALWAYS = ("hiptbench.metrics", "hiptbench.evaluate")


@cache
def source_hash(module: str) -> str:
    """Return the SHA-256 over the sources of a head's module, what it imports of its package, and the metrics.

    Args:
        module: Dotted name of the head's module, of hiptbench or anybody's own.
    """
    found: dict[str, Path] = {}
    for name in (module, *_ALWAYS):
        _collect(name, name.partition(".")[0], found)
    return sha256_lines(
        f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in sorted(found.items()) if _decides(name)
    )


@cache
def library_versions() -> dict[str, str]:
    """Return the installed versions of the numeric libraries; a local suffix such as "+cpu" is kept."""
    return {name: metadata.version(name) for name in NUMERIC_LIBRARIES}


def _decides(name: str) -> bool:
    """Whether a module can change a number: errors, schemas, paths and file formats cannot."""
    if not name.startswith("hiptbench."):
        return True
    area = name.split(".")[1]
    return area in {"heads", "metrics", "evaluate", "bags", "targets", "splits", "predictions"}


def _collect(name: str, package: str, found: dict[str, Path]) -> None:
    spec = importlib.util.find_spec(name)
    if name in found or spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return
    found[name] = Path(spec.origin)
    for imported in _imports(Path(spec.origin)):
        if imported.partition(".")[0] == package:
            _collect(imported, package, found)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
