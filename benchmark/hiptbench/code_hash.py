"""Which sources a number depends on, and their hash."""

import ast
import importlib.util
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from hiptbench.files import sha256_lines

# Where the standard library and installed packages lie; versions of those that count are in the provenance.
_LIBRARIES = tuple({Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
NUMERIC_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-survival", "pandas", "torch")
# Modules that decide numbers but that no head imports.
_ALWAYS = ("hiptbench.metrics", "hiptbench.evaluation", "hiptbench.features")
# Modules of hiptbench that can change a number; errors, schemas, paths and file formats cannot.
_DECIDING = {"heads", "metrics", "evaluation", "bags", "features", "targets", "splits", "predictions"}


def source_hash(module: str) -> str:
    """Return the SHA-256 over the sources of a head's module, what it imports of its package, and the metrics.

    Args:
        module: Dotted name of the head's module, of hiptbench or anybody's own.
    """
    found: dict[str, Path] = {}
    for name in (module, *_ALWAYS):
        _collect(name, module.partition(".")[0], found)
    return sha256_lines(f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in sorted(found.items()))


@cache
def library_versions() -> dict[str, str]:
    """Return the installed versions of the numeric libraries; a local suffix such as "+cpu" is kept."""
    return {name: metadata.version(name) for name in NUMERIC_LIBRARIES}


def _collect(name: str, package: str, found: dict[str, Path]) -> None:
    """Add a module and whatever it imports of the head's package, of hiptbench, or from outside installed libraries."""
    path = None if name in found else _source(name)
    if path is None or not _decides(name, package, path):
        return
    found[name] = path
    for imported in _imports(name, path):
        _collect(imported, package, found)


def _decides(name: str, package: str, path: Path) -> bool:
    """Whether a module can change a number and is not told by a library's version."""
    top, *rest = name.split(".")
    if top == "hiptbench":
        return bool(_DECIDING.intersection(rest[:1]))
    return top == package or not any(path.is_relative_to(folder) for folder in _LIBRARIES)


def _source(name: str) -> Path | None:
    """Return a module's Python file; None for what is no module, such as a class imported from one."""
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):  # a script has no specification, an attribute no module
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
