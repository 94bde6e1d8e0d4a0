"""Atomic writing and hashing."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hiptbench.errors import StoreError
from hiptbench.files import (
    canonical_json,
    sha256_array,
    sha256_file,
    sha256_json,
    sha256_lines,
    write_atomic,
    write_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

KILLED_BEFORE_RENAME = """
import os, signal, sys
from pathlib import Path
from hiptbench.files import write_atomic

def write_and_die(part):
    part.write_text("new")
    os.kill(os.getpid(), signal.SIGKILL)

write_atomic(Path(sys.argv[1]), write_and_die)
"""


def test_text_is_written_with_its_folders_as_utf8_and_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "file.txt", "µm\n")
    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == b"\xc2\xb5m\n"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file.txt"]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "a longer old text")
    write_text(tmp_path / "file.txt", "new")
    assert (tmp_path / "file.txt").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_writer_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    write_text(tmp_path / "file.txt", "old")

    def write_and_raise(part: Path) -> None:
        part.write_text("new")
        raise error("stop")

    with pytest.raises(error, match="stop"):
        write_atomic(tmp_path / "file.txt", write_and_raise)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file.txt": "old"}


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "old")
    done = subprocess.run([sys.executable, "-c", KILLED_BEFORE_RENAME, tmp_path / "file.txt"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "file.txt").read_text() == "old"
    write_text(tmp_path / "file.txt", "next")
    assert (tmp_path / "file.txt").read_text() == "next"


@pytest.mark.parametrize("below", ["file.txt", "folder/file.txt", "a/b/file.txt"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, below: str) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(StoreError, match=rf"Cannot write {tmp_path}/home/{below}: .*choose a folder you may write to"):
        write_text(tmp_path / "home" / below, "text")
    assert (tmp_path / "home").read_text() == "in the way"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "file.txt").mkdir()
    with pytest.raises(StoreError, match=r"Cannot write .*file\.txt: Is a directory"):
        write_text(tmp_path / "file.txt", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


@given(JSON)
def test_canonical_json_says_the_same_and_is_the_same_for_any_order_of_keys(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(_reversed_keys(value)) == text


def _reversed_keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed_keys(item) for key, item in reversed(value.items())}
    return [_reversed_keys(item) for item in value] if isinstance(value, list) else value


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "µ"}) == '{"a":"µ","b":[1,2.5,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_canonical_json_refuses_what_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"auc": value})


def test_hashes_are_those_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\nb")
    expected = hashlib.sha256(b"a\nb").hexdigest()
    assert sha256_file(tmp_path / "file") == expected
    assert sha256_lines(["a", "b"]) == expected
    assert sha256_json(["a"]) == hashlib.sha256(b'["a"]').hexdigest()


@given(hnp.arrays(np.float16, hnp.array_shapes(min_dims=1, max_dims=3), elements=st.floats(width=16, allow_nan=False)))
def test_an_array_hashes_alike_in_every_dtype_order_and_layout_that_holds_its_values(values: np.ndarray) -> None:
    expected = sha256_array("slide", values)
    for dtype in ("<f4", ">f4", "f8"):
        assert sha256_array("slide", values.astype(dtype)) == expected
    assert sha256_array("slide", np.asfortranarray(values)) == expected
    assert sha256_array("slide", np.repeat(values, 2, axis=0)[::2]) == expected


def test_an_array_hashes_by_name_shape_and_values() -> None:
    values = np.arange(6, dtype=np.float32)
    arrays = [("a", values.reshape(2, 3)), ("b", values.reshape(2, 3)), ("a", values.reshape(3, 2)), ("a", values[:0])]
    arrays.append(("a", values.reshape(2, 3) + np.float32(1e-6)))
    assert len({sha256_array(name, array) for name, array in arrays}) == len(arrays)
