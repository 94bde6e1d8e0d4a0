"""The source hash of a head changes with whatever of its code can change a number, and with nothing else."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hiptbench import code_hash, metrics
from hiptbench.code_hash import NUMERIC_LIBRARIES, code_of, library_versions, source_hash

FILES = {
    "__init__.py": "",
    "heads.py": """
import json
from hiptbench.heads.knn import KNN
from . import scaling
from .pooling import pool
from somebody_else import nothing
from hashed_package.deep.er import constant
import hashed_package.plain
""",
    "scaling.py": "import numpy as np\n",
    "pooling.py": "from hashed_package.scaling import np as numbers\ndef pool(): ...\n",
    "plain.py": "x = 1\n",
    "deep/__init__.py": "",
    "deep/er.py": "constant = 1\n",
    "unused.py": "y = 1\n",
}

Hash = Callable[[], str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hashed_package"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("hashed_package")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["heads.py", "scaling.py", "pooling.py", "plain.py", "deep/er.py"],
)
def test_what_a_head_imports_of_its_package_counts(package: Path, name: str) -> None:
    before = source_hash("hashed_package.heads")
    (package / name).write_text(FILES[name] + "# changed\n")
    assert source_hash("hashed_package.heads") == before
    (package / name).write_text(FILES[name] + "changed = 1\n")
    assert source_hash("hashed_package.heads") != before


def test_what_it_does_not_import_does_not_count(package: Path) -> None:
    before = source_hash("hashed_package.heads")
    (package / "unused.py").write_text("y = 2\n")
    assert source_hash("hashed_package.heads") == before


def test_the_place_of_the_files_does_not_count(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_hash("hashed_package.heads")
    elsewhere = package.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.move(package, elsewhere)
    monkeypatch.syspath_prepend(elsewhere)
    for name in [name for name in sys.modules if name.startswith("hashed_package")]:
        del sys.modules[name]
    assert source_hash("hashed_package.heads") == before


def collected(module: str) -> set[str]:
    found: dict[str, Path] = {}
    for name in (module, *code_hash._ALWAYS):
        code_hash._collect(name, name.partition(".")[0], code_hash._DECIDING, found)
    return set(found)


def test_of_hiptbench_counts_what_can_change_a_number() -> None:
    """Listed, because each more means that old results are run again for nothing, each less that they are not."""
    always = {f"hiptbench.{name}" for name in ("metrics", "evaluation", "features", "bags")}
    always |= {f"hiptbench.{name}" for name in ("predictions", "targets", "splits", "fractions")}
    base = always | {"hiptbench.heads.base"}
    assert collected("hiptbench.heads.knn") == base | {"hiptbench.heads.knn", "hiptbench.heads.pooling"}
    probes = {"hiptbench.heads.pooling", "hiptbench.heads.convergence"}
    assert collected("hiptbench.heads.linear") == base | probes | {"hiptbench.heads.linear"}
    assert collected("hiptbench.heads.cox") == base | probes | {"hiptbench.heads.cox"}
    assert metrics.__name__ in collected("hiptbench.heads.cox")


def test_a_head_of_ones_own_counts_what_it_uses_of_hiptbench(package: Path) -> None:
    assert {"hiptbench.heads.knn", "hiptbench.heads.pooling", "hashed_package.heads"} <= collected(
        "hashed_package.heads"
    )


SOURCE = '''"""What a module
is for."""

import os  # a remark

PATTERN = "# no remark"  # a remark


@dataclass
class Line:
    """A line."""

    a: int = 1
    """What a is."""

    def at(self, x):
        # a remark
        """Not even this,

        which is no docstring but does nothing."""
        text = """words

        # in a string"""
        return (
            # a remark in brackets
            self.a * x + len("ab" "c")
        ), text
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What a module\nis for.", "Another sentence."),
        ("A line.", "A straight line,\n\n    of any length.\n    "),
        ("What a is.", "The slope."),
        ("which is no docstring", "which is nothing"),
        ("# a remark\n", "# another\n"),
        ("  # a remark\n", "\n"),
        ("            # a remark in brackets\n", ""),
        ("import os", "\n\nimport os"),
        ("    def at", "\n\n    # below\n    def at"),
    ],
)
def test_what_is_said_about_code_does_not_count(old: str, new: str) -> None:
    assert old in SOURCE
    assert code_of(SOURCE.replace(old, new)) == code_of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os", "import sys"),
        ('"# no remark"', '"# a remark"'),
        ("@dataclass", "@dataclass()"),
        ("= 1", "= 2"),
        ("self.a * x", "self.a + x"),
        ('"ab" "c"', '"ab" "d"'),
        ("words", "word"),
        ("# in a string", "# in the string"),
        ("    def at", "def at"),
        ("return (", "yield ("),
    ],
)
def test_every_other_token_counts(old: str, new: str) -> None:
    assert old in SOURCE
    assert code_of(SOURCE.replace(old, new)) != code_of(SOURCE)


def test_versions_of_every_numeric_library_are_known() -> None:
    assert list(library_versions()) == list(NUMERIC_LIBRARIES)
    assert all(version[0].isdigit() for version in library_versions().values())
