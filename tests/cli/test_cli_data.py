"""``hiptbench data`` on one's own and on embedded data; ``data import`` is in its own file."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np


def test_inspect_tells_people_what_a_folder_holds(hiptbench: Callable, own_data: Path) -> None:
    done = hiptbench("data", "inspect", own_data / "features")
    assert done.returncode == 0
    assert "files: 32" in done.stdout
    assert "values in a row: 16 (32 files)" in done.stdout
    assert "with coordinates: 32 files" in done.stdout
    assert "files with problems: none" in done.stdout
    assert done.stderr == ""


def test_inspect_names_each_broken_file(hiptbench: Callable, own_data: Path) -> None:
    np.save(own_data / "features" / "nan.npy", np.full((3, 16), np.nan, dtype=np.float32))
    (own_data / "features" / "cut.h5").write_bytes(b"not HDF5")
    done = hiptbench("data", "inspect", own_data / "features")
    assert "files with problems: 2" in done.stdout
    assert "    cut: " in done.stdout
    assert "    nan: " in done.stdout


def test_inspect_as_json_is_only_json(hiptbench: Callable, own_data: Path) -> None:
    done = hiptbench("data", "inspect", own_data / "features" / "s01a.h5", "--format", "json")
    found = json.loads(done.stdout)
    assert (found["files"], found["dims"], found["problems"]) == (1, {"16": 1}, {})
    assert done.stderr == ""


def test_pack_reads_once(hiptbench: Callable, own_data: Path) -> None:
    first, again = (hiptbench("data", "pack", own_data / "features").stdout for _ in range(2))
    assert first.startswith("32 slides, 32 read, 0 unchanged, 0 changed\npack: ")
    assert again.startswith("32 slides, 0 read, 32 unchanged, 0 changed\npack: ")
    assert first.splitlines()[1:] == again.splitlines()[1:]  # the same pack, the same content hash
    verified = hiptbench("data", "pack", own_data / "features", "--verify").stdout
    assert verified.startswith("32 slides, 32 read, 0 unchanged, 0 changed")


def test_pack_of_a_pack_says_so(hiptbench: Callable, own_data: Path) -> None:
    packed = hiptbench("data", "pack", own_data / "features").stdout.splitlines()[1].removeprefix("pack: ")
    assert hiptbench("data", "pack", packed).stdout == f"{packed} is a pack already\n"


def test_pack_refuses_a_broken_file_by_name(hiptbench: Callable, own_data: Path) -> None:
    np.save(own_data / "features" / "nan.npy", np.full((3, 16), np.nan, dtype=np.float32))
    done = hiptbench("data", "pack", own_data / "features")
    assert done.returncode == 1
    assert "nan.npy" in done.stderr


def test_make_embedded_data(hiptbench: Callable, own_home: Path) -> None:
    done = hiptbench("data", "make", "--task", "digits_bags", "--task", "digits_bags", "--suite", "digits")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "made with their features: digits_bags\n"
    assert (own_home / "tasks" / "digits_bags" / "labels.csv").is_file()


def test_fetch_from_where_nothing_is(hiptbench: Callable, tmp_path: Path) -> None:
    done = hiptbench("data", "fetch", "--mirror", f"file://{tmp_path}/nowhere", "--out", tmp_path / "checkouts")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Error: git fetch failed for HIPT" in done.stderr
    assert "run again to resume" in done.stderr
