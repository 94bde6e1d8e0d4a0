"""Imports point one way, heavy libraries stay where they belong, and help needs none of them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import hiptbench

PACKAGE = Path(hiptbench.__file__).parent

LAYERS = (
    {"errors", "rooms", "files", "schema", "messages"},
    {"formats"},
    {"bags", "pack", "features", "packing", "feature_sources"},
    {"metrics", "slides", "networks"},
    {
        "splits",
        "targets",
        "task_spec",
        "tasks",
        "task_checks",
        "task_store",
        "task_cohort",
        "suites",
        "fractions",
        "recipes",
    },
    {"sources"},
    {"lint"},
    {"predictions", "contamination"},
    {"heads"},
    {"extractors"},
    {"registry"},
    {"extraction", "baselines", "code_hash", "evaluation"},
    {"published", "results"},
    {"prediction_tables", "kept", "store", "published_rows", "tracking"},
    {"executors", "jobs", "estimate", "plans", "requests", "runner", "exported_rows", "export", "joining", "verify"},
    {
        "cells",
        "claims",
        "equivalence",
        "reproduction",
        "reproduction_text",
        "boards",
        "tables",
        "summary",
        "figures",
        "heatmaps",
        "weighted",
        "intervals",
        "statistics",
        "assessment",
        "comparisons",
        "families",
        "pairs",
        "panels",
        "published_comparisons",
        "comparisons_text",
        "report",
        "demo",
        "demo_slides",
    },
    {"api"},
    {"cli"},
)
LEVEL = {area: level for level, areas in enumerate(LAYERS) for area in areas}

# The door of `Task.load`: users need not know where tasks are kept.
ALLOWED = {("tasks", "task_store")}


def modules() -> dict[str, Path]:
    """Every module but the package's own front, by its name inside the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")
        if name:
            found[name] = path
    return found


MODULES = modules()


def imports(path: Path, *, deferred: bool = True) -> Iterator[str]:
    """Yield what a module imports, by full name; without ``deferred`` only what happens when it is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if deferred else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("hiptbench.") in MODULES else str(node.module)


def inside(path: Path, *, deferred: bool = True) -> set[str]:
    """Return what a module imports of the package, by name inside it."""
    found = (name for name in imports(path, deferred=deferred) if name.startswith("hiptbench."))
    return {name.removeprefix("hiptbench.") for name in found}


def test_every_module_has_its_layer() -> None:
    areas = {name.partition(".")[0] for name in MODULES} - {"testing"}
    assert areas <= set(LEVEL), "a new module: say in LAYERS where it belongs"


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"testing"}))
def test_imports_point_one_way(name: str) -> None:
    area = name.partition(".")[0]
    used = {imported.partition(".")[0] for imported in inside(MODULES[name])}
    assert "testing" not in used, "nothing imports hiptbench.testing"
    wrong = {other for other in used if LEVEL[other] > LEVEL[area] and (area, other) not in ALLOWED}
    assert not wrong, f"hiptbench.{name} imports from a higher layer: {sorted(wrong)}"


def test_no_modules_import_each_other() -> None:
    graph = {name: inside(path, deferred=False) - {name} for name, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize(
    ("library", "homes"),
    [("torch", ("heads.", "extractors.", "networks.", "formats.torch_pt")), ("mlflow", ("tracking",))],
)
def test_a_library_is_imported_in_its_place_only(library: str, homes: tuple[str, ...]) -> None:
    users = {name for name, path in MODULES.items() if any(i.split(".")[0] == library for i in imports(path))}
    assert users
    assert not {name for name in users if not name.startswith(homes)}


HEAVY = ("torch", "mlflow", "pandas", "numpy", "sklearn", "sksurv", "pyarrow", "matplotlib")


def imported_by(code: str) -> set[str]:
    """Return which heavy libraries a new process has imported after running some code."""
    report = f"\nimport sys; print('IMPORTED', *[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["data", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from hiptbench.cli import main
sys.argv = ["hiptbench", *{arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    assert imported_by(code) == set()


def test_the_package_imports_nothing_heavy() -> None:
    assert imported_by("import hiptbench; dir(hiptbench)") == set()


def test_a_worker_needs_neither_torch_nor_mlflow_nor_pandas_to_start() -> None:
    assert imported_by("import hiptbench.jobs") <= {"numpy"}
