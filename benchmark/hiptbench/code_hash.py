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
_ALWAYS = ("hiptbench.metrics", "hiptbench.evaluation")
# Modules of hiptbench that can change a number; errors, schemas, paths and file formats cannot.
_DECIDING = {"heads", "metrics", "evaluation", "bags", "targets", "splits", "predictions"}


@cache
def source_hash(module: str) -> str:
    """Return the SHA-256 over the sources of a head's module, what it imports of its package, and the metrics.

    Args:
        module: Dotted name of the head's module, of hiptbench or anybody's own.
    """
    found: dict[str, Path] = {}
    for name in (module, *_ALWAYS):
        _collect(name, name.partition(".")[0], found)
    return sha256_lines(f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in sorted(found.items()))


@cache
def library_versions() -> dict[str, str]:
    """Return the installed versions of the numeric libraries; a local suffix such as "+cpu" is kept."""
    return {name: metadata.version(name) for name in NUMERIC_LIBRARIES}


def _collect(name: str, package: str, found: dict[str, Path]) -> None:
    """Add a module and whatever it imports of its own package and of hiptbench."""
    if name in found or not _decides(name, package):
        return
    path = _source(name)
    if path is None:
        return
    found[name] = path
    for imported in _imports(name, path):
        _collect(imported, package, found)


def _decides(name: str, package: str) -> bool:
    top, *rest = name.split(".")
    return bool(_DECIDING.intersection(rest[:1])) if top == "hiptbench" else top == package


def _source(name: str) -> Path | None:
    """Return a module's Python file; None for what is no module, such as a class imported from one."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _imports(name: str, path: Path) -> Iterator[str]:
    """Yield what a module imports: modules, and names of modules, which may be modules themselves."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
