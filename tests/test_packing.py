"""Packs: the values of their files, brought up to date by reading only what changed, whole or as they were."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import FeatureError, FormatError, HiptbenchError, StoreError
from hiptbench.features import FeatureCard, FeatureSet, read_card, write_features
from hiptbench.pack import Pack
from hiptbench.packing import pack

CARD = FeatureCard(name="mine", encoder="toy")
SLIDES = ("a", "b", "c")
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 45304\n"

KILLED_BEFORE_INDEX = """
import os, signal, sys
from pathlib import Path
from hiptbench.packing import pack
from hiptbench.pack import Pack

Pack.save_index = lambda self: os.kill(os.getpid(), signal.SIGKILL)
pack(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def values(slide: str, rows: int = 2, dim: int = 3) -> np.ndarray:
    return np.random.default_rng(ord(slide)).standard_normal((rows, dim)).astype(np.float32)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of feature files."""
    write_features(tmp_path / "source", CARD, {slide: values(slide) for slide in SLIDES})
    return tmp_path / "source"


@pytest.fixture
def target(source: Path, tmp_path: Path) -> Path:
    """A pack of it."""
    pack(source, tmp_path / "target")
    return tmp_path / "target"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def replace_file(path: Path, array: np.ndarray, *, keep_time: bool = False) -> None:
    before = path.stat()
    np.save(path, array)
    later = before.st_mtime_ns + (0 if keep_time else 1_000_000_000)
    os.utime(path, ns=(later, later))


def test_a_pack_has_the_values_of_its_files(source: Path, target: Path) -> None:
    packed, folder = FeatureSet.open(target), FeatureSet.open(source)
    assert list(packed) == list(SLIDES)
    assert packed.card == CARD.model_copy(update={"dim": 3})
    for slide in SLIDES:
        np.testing.assert_array_equal(packed[slide], folder[slide], strict=True)
    assert packed.content_hash(SLIDES) == folder.content_hash(SLIDES)
    assert {path.suffix for path in target.iterdir()} == {".bin", ".json", ".yaml"}


def test_float16_rounds_the_values(source: Path, tmp_path: Path) -> None:
    packed, _ = pack(source, tmp_path / "half", dtype="float16")
    np.testing.assert_array_equal(packed["a"], values("a").astype(np.float16), strict=True)


def test_coordinates_are_packed_if_every_slide_has_them(source: Path, target: Path) -> None:
    coords = {slide: np.array([[i, 256], [i, 512]]) for i, slide in enumerate(SLIDES)}
    for slide in SLIDES:
        (source / f"{slide}.npy").unlink()
        np.savez(source / f"{slide}.npz", features=values(slide), coords=coords[slide])
    bag = pack(source, target)[0].bag("unit", ("c", "a"))
    np.testing.assert_array_equal(bag.coords, np.concatenate([coords["c"], coords["a"]]))
    np.savez(source / "b.npz", features=values("b"))
    assert pack(source, target)[0].bag("unit", ("c", "a")).coords is None
    assert not list(target.glob("coords-*"))


def test_nothing_is_read_while_nothing_changes(source: Path, target: Path) -> None:
    done: list[tuple[int, int]] = []
    before = contents(target)
    _, report = pack(source, target, on_file=lambda *step: done.append(step))
    assert (report.read, report.reused, report.changed, done) == (0, 3, (), [])
    assert contents(target) == before


def test_only_a_changed_file_is_read_again(source: Path, target: Path) -> None:
    stamp = (source / "a.npy").stat()
    (source / "a.npy").write_bytes(b"x" * stamp.st_size)  # would be refused if it were read
    os.utime(source / "a.npy", ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    replace_file(source / "b.npy", values("b") + 1)
    done: list[tuple[int, int]] = []
    packed, report = pack(source, target, on_file=lambda *step: done.append(step))
    assert (report.read, report.reused, report.changed) == (1, 2, ("b",))
    assert done == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(packed["b"], values("b") + 1)
    np.testing.assert_array_equal(packed["a"], values("a"))


def test_added_and_removed_files(source: Path, target: Path) -> None:
    (source / "a.npy").unlink()
    write_features(source, CARD, {"d": values("d", rows=5)})
    packed, report = pack(source, target)
    assert list(packed) == ["b", "c", "d"]
    assert (report.read, report.reused, report.changed) == (1, 2, ())
    assert len(list(target.glob("features-*"))) == 1


def test_a_touched_file_is_read_but_not_changed(source: Path, target: Path) -> None:
    replace_file(source / "b.npy", values("b"))
    reports = [pack(source, target)[1] for _ in range(2)]
    assert [(report.read, report.changed) for report in reports] == [(1, ()), (0, ())]


def test_verify_finds_a_change_that_size_and_time_hide(source: Path, target: Path) -> None:
    replace_file(source / "b.npy", values("b") + 1, keep_time=True)
    assert pack(source, target)[1].changed == ()
    packed, report = pack(source, target, verify=True)
    assert (report.read, report.changed) == (3, ("b",))
    np.testing.assert_array_equal(packed["b"], values("b") + 1)


def test_another_dtype_packs_anew(source: Path, target: Path) -> None:
    packed, report = pack(source, target, dtype="float16")
    assert report.read == 3
    assert packed["a"].dtype == np.float16
    assert len(list(target.glob("features-*"))) == 1


def test_a_changed_card_reaches_the_pack_without_reading_features(source: Path, target: Path) -> None:
    changed = CARD.model_copy(update={"pretrained_on": ("TCGA",)})
    write_features(source, changed, {})
    packed, report = pack(source, target)
    assert report.read == 0
    assert packed.card == read_card(target) == changed.model_copy(update={"dim": 3})


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (values("b", dim=4), FeatureError, r"Slide b has features of shape \(2, 4\), the slides before it \[n, 3\]"),
        (np.full((2, 3), np.nan, np.float32), FeatureError, r"b\.npy: 6 values are NaN or Inf"),
        (np.full((2, 3), 1e39), FeatureError, r"b\.npy: 6 values are NaN or Inf"),
        (np.empty((0, 3), np.float32), FeatureError, r"b\.npy: empty bag: 0 rows"),
        (LFS_POINTER, FormatError, r"b\.npy: this is a Git LFS pointer"),
        (b"\x93NUMPY", FormatError, r"b\.npy is not a readable NumPy file"),
    ],
)
def test_a_broken_file_is_named_and_the_earlier_pack_stays(
    source: Path, target: Path, content: np.ndarray | bytes, error: type[HiptbenchError], message: str
) -> None:
    before = contents(target)
    if isinstance(content, bytes):
        (source / "b.npy").write_bytes(content)
    else:
        replace_file(source / "b.npy", content)
    with pytest.raises(error, match=message):
        pack(source, target)
    assert contents(target) == before


def test_values_too_large_for_float16(source: Path, target: Path) -> None:
    replace_file(source / "b.npy", np.full((2, 3), 70000, np.float32))
    with pytest.raises(FeatureError, match=r"Slide b has values that do not fit into float16; store it as float32"):
        pack(source, target, dtype="float16")
    assert FeatureSet.open(target)["b"].dtype == np.float32


def test_a_dimension_other_than_the_cards(source: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"Slide a has features of dimension 3, but their card says 192\. Mend"):
        pack(source, tmp_path / "target", card=CARD.model_copy(update={"dim": 192}))


def test_what_a_check_refuses_does_not_replace_the_earlier_pack(source: Path, target: Path) -> None:
    def refuse(features: FeatureSet) -> None:
        seen.append(features.content_hash(SLIDES))
        raise FeatureError("not these")

    before, seen = contents(target), list[str]()
    replace_file(source / "b.npy", values("b") + 1)
    with pytest.raises(FeatureError, match="not these"):
        pack(source, target, check=refuse)
    assert contents(target) == before
    assert seen == [FeatureSet.open(source).content_hash(SLIDES)]


def test_a_process_killed_before_the_index_leaves_the_earlier_pack(source: Path, target: Path) -> None:
    expected = FeatureSet.open(target).content_hash(SLIDES)
    replace_file(source / "b.npy", values("b") + 1)
    done = subprocess.run([sys.executable, "-c", KILLED_BEFORE_INDEX, source, target], check=False)
    assert done.returncode == -signal.SIGKILL
    packed = FeatureSet.open(target)
    assert packed.content_hash(SLIDES) == expected
    np.testing.assert_array_equal(packed["b"], values("b"))
    assert pack(source, target)[1].changed == ("b",)
    assert len(list(target.glob("features-*"))) == 1


def test_abandoned_temporary_files_are_removed_others_left(source: Path, target: Path) -> None:
    abandoned, in_use = target / ".features.1.part", target / ".features.2.part"
    abandoned.touch()
    in_use.touch()
    os.utime(abandoned, (0, 0))
    pack(source, target, verify=True)
    assert not abandoned.exists()
    assert in_use.exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _edit(old: str, new: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("pack.json", _cut, r"pack\.json is damaged \(.*Invalid JSON"),
        ("pack.json", lambda path: path.write_text("[]"), r"pack\.json is damaged"),
        ("pack.json", _edit('"tail"', '"tale"'), r"pack\.json is damaged \(.*tail"),
        ("pack.json", _edit('"a":[0,', '"a":["x",'), r"pack\.json is damaged \(.*entries"),
        ("pack.json", _edit("float32", "int8"), r"pack\.json is damaged \(.*dtype"),
        ("features", _cut, r"features-\w+-float32\.bin has 71 bytes, its index says 72 bytes"),
        ("features", Path.unlink, r"features-\w+-float32\.bin is missing, its index says 72 bytes"),
        ("coords", _cut, r"coords-\w+\.bin has 95 bytes, its index says 96 bytes"),
        ("coords", Path.unlink, r"coords-\w+\.bin is missing"),
    ],
)
def test_a_damaged_pack_is_named_with_the_remedy(
    source: Path, tmp_path: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    for slide in SLIDES:
        (source / f"{slide}.npy").unlink()
        np.savez(source / f"{slide}.npz", features=values(slide), coords=np.ones((2, 2), int))
    target = tmp_path / "target"
    pack(source, target)
    damage(next(target.glob(f"{name}*")))
    for use in (lambda: FeatureSet.open(target), lambda: pack(source, target)):
        with pytest.raises(FeatureError, match=rf"(?s){message}.*[Dd]elete {target} and pack again"):
            use()
    shutil.rmtree(target)
    assert pack(source, target)[1].read == 3


def test_a_pack_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"Cannot write the pack .*/file/pack: .*choose another home"):
        pack(source, tmp_path / "file" / "pack")


def test_an_index_of_another_tool_makes_no_pack(source: Path) -> None:
    (source / "index.json").write_text("{}")
    assert not Pack.exists(source)
    assert len(FeatureSet.open(source)) == 3
