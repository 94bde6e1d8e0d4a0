"""Which sources a number depends on, and their hash."""

import ast
import importlib.util
import io
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator, Set
from functools import cache
from importlib import metadata
from pathlib import Path

from hiptbench.files import sha256_lines

# Where the standard library and installed packages lie; versions of those that count are in the provenance.
_LIBRARIES = tuple({Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
NUMERIC_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-survival", "pandas", "torch")
# Modules that decide numbers but that no head imports.
_ALWAYS = ("hiptbench.metrics", "hiptbench.evaluation", "hiptbench.features", "hiptbench.fractions")
# Modules that decide features but that no extractor imports.
_SEEING = ("hiptbench.slides.opening", "hiptbench.slides.grid", "hiptbench.slides.tissue")
# Modules of hiptbench that can change a number; errors, schemas, paths and file formats cannot.
_DECIDING = {
    *("heads", "networks", "metrics", "evaluation"),
    *("bags", "features", "targets", "splits", "fractions", "predictions"),
}


def source_hash(*modules: str) -> str:
    """Return the SHA-256 over the sources of a head's modules, what they import of their packages, and the metrics.

    Comments and docstrings do not count.

    Args:
        modules: Dotted names of the head's modules, of hiptbench or anybody's own.
    """
    return _hash((*modules, *_ALWAYS), _DECIDING)


def extractor_hash(*modules: str) -> str:
    """Return the SHA-256 over the sources of an extractor's modules, what they import, and how slides are read.

    Comments and docstrings do not count.

    Args:
        modules: Dotted names of the extractor's modules, of hiptbench or anybody's own.
    """
    return _hash((*modules, *_SEEING), {"extractors", "networks", "slides"})


def _hash(modules: Iterable[str], deciding: Set[str]) -> str:
    found: dict[str, Path] = {}
    for name in modules:
        _collect(name, name.partition(".")[0], deciding, found)
    return sha256_lines(f"{name}\n{code_of(path.read_text(encoding='utf-8'))}" for name, path in sorted(found.items()))


def code_of(source: str) -> str:
    """Return what a source does, one token a line: without comments, docstrings and layout that changes nothing."""
    tokens = list(_tokens(source))
    borders = (None, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    kept = []
    for before, (kind, text), after in zip([(None, ""), *tokens], tokens, [*tokens[1:], (None, "")], strict=False):
        docstring = kind == tokenize.STRING and before[0] in borders and after[0] == tokenize.NEWLINE
        if not docstring:
            kept.append(f"{tokenize.tok_name[kind]} {text.strip() if kind == tokenize.NEWLINE else text}")
    return "\n".join(kept)


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """Yield kind and text of the tokens that count; an f-string is one, as in Pythons before 3.12."""
    lines = source.splitlines(keepends=True)
    begin, depth = (0, 0), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            begin, depth = (begin, depth + 1) if depth else (token.start, 1)
        elif name == "FSTRING_END":
            depth -= 1
            if not depth:
                yield tokenize.STRING, _between(lines, begin, token.end)
        elif not depth and token.type not in (tokenize.COMMENT, tokenize.NL):
            yield token.type, token.string


def _between(lines: list[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    chosen = lines[begin[0] - 1 : end[0]]
    chosen[-1] = chosen[-1][: end[1]]
    chosen[0] = chosen[0][begin[1] :]
    return "".join(chosen)


@cache
def library_versions() -> dict[str, str]:
    """Return the installed versions of the numeric libraries; a local suffix such as "+cpu" is kept."""
    return {name: metadata.version(name) for name in NUMERIC_LIBRARIES}


def _collect(name: str, package: str, deciding: Set[str], found: dict[str, Path]) -> None:
    """Add a module and whatever it imports of the head's package, of hiptbench, or from outside installed libraries."""
    path = None if name in found else _source(name)
    if path is None or not _decides(name, package, deciding, path):
        return
    found[name] = path
    for imported in _imports(name, path):
        _collect(imported, package, deciding, found)


def _decides(name: str, package: str, deciding: Set[str], path: Path) -> bool:
    """Whether a module can change a number and is not told by a library's version."""
    top, *rest = name.split(".")
    if top == "hiptbench":
        return not deciding.isdisjoint(rest[:1])
    if top == package:
        return True
    installed = {"site-packages", "dist-packages"}.intersection(path.parts)
    return not installed and not any(path.is_relative_to(folder) for folder in _LIBRARIES)


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
