"""Slide ids, and which file of a folder belongs to which slide."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.errors import FeatureError
from hiptbench.formats import FEATURE_SUFFIXES, feature_files, slide_id

TCGA = "TCGA-A2-A0T1-01Z-00-DX1.CD1E9C46-18A3-466B-AA0B-24F3055FA851"
LOWER = "TCGA-05-4250-01Z-00-DX1.90f67fdf-dff9-46ca-af71-0978d7c221ba"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("suffix", ["", ".svs", ".pt", ".svs.pt", ".SVS", ".tif.h5", ".tiff", ".ndpi", ".mrxs.npz"])
@pytest.mark.parametrize("name", [TCGA, LOWER, "007", "12.5"])
def test_suffixes_are_removed_and_dots_kept(name: str, suffix: str) -> None:
    assert slide_id(name + suffix) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("slide.svss", "slide.svss"),  # str.rstrip(".svs") would leave "slide"
        ("vs.svs", "vs"),
        ("slide_svs", "slide_svs"),
        ("slide.ome.tiff", "slide"),  # as TRIDENT names it
        (".svs", ".svs"),
        ("", ""),
    ],
)
def test_only_whole_suffixes_are_removed(name: str, expected: str) -> None:
    assert slide_id(name) == expected


@given(st.text(alphabet="aA0.-svpth5", max_size=20))
def test_an_id_stays_the_id(name: str) -> None:
    assert slide_id(slide_id(name)) == slide_id(name)
    assert name.startswith(slide_id(name))


def test_flat_folder_sorted_by_id(tmp_path: Path) -> None:
    touch(tmp_path, f"{TCGA}.svs.pt", "b.npy", "a.h5", "B.npz")
    files = feature_files(tmp_path)
    assert list(files) == ["B", TCGA, "a", "b"]
    assert files[TCGA] == tmp_path / f"{TCGA}.svs.pt"


def test_hidden_temporary_and_other_files_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.pt", ".b.pt", "._c.pt", ".d.pt.17.part", "e.h5.lock", "card.yaml", "labels.csv", "sub/f.pt")
    assert list(feature_files(tmp_path)) == ["a"]


def test_clam_pair_prefers_the_files_with_coords(tmp_path: Path) -> None:
    touch(tmp_path, "h5_files/a.h5", "pt_files/a.pt", "pt_files/b.pt")
    assert feature_files(tmp_path) == {"a": tmp_path / "h5_files/a.h5", "b": tmp_path / "pt_files/b.pt"}


@pytest.mark.parametrize("pair", [("a.pt", "a.h5"), ("a.pt", "a.svs.pt"), ("a.pt", "h5_files/a.h5")])
def test_two_files_of_one_slide(tmp_path: Path, pair: tuple[str, str]) -> None:
    touch(tmp_path, *pair)
    with pytest.raises(FeatureError, match=r"Two files hold features of slide 'a': .*a\.\w+ and .*a\..*\. Remove one"):
        feature_files(tmp_path)


def test_ids_that_differ_in_case_are_two_slides(tmp_path: Path) -> None:
    touch(tmp_path, "a.npy", "A.npy")
    assert list(feature_files(tmp_path)) == ["A", "a"]


def test_link_to_a_missing_file_is_listed(tmp_path: Path) -> None:
    """It must fail when it is read, not be taken for a slide without features."""
    (tmp_path / "a.h5").symlink_to(tmp_path / "gone.h5")
    assert list(feature_files(tmp_path)) == ["a"]


def test_folder_without_features(tmp_path: Path) -> None:
    touch(tmp_path, "labels.csv")
    with pytest.raises(FeatureError, match=r"has no feature files\. Expected one file per slide \(\.pt, \.h5, "):
        feature_files(tmp_path)


def test_folder_above_the_features_names_them(tmp_path: Path) -> None:
    touch(tmp_path, "features_uni_v1/a.h5", "features_gigapath/a.h5", "logs/log.txt")
    with pytest.raises(FeatureError, match=r"folders inside it have some: features_gigapath, features_uni_v1\."):
        feature_files(tmp_path)


@pytest.mark.parametrize("name", ["gone", "slide.npy"])
def test_not_a_folder(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "slide.npy", np.zeros(3))
    with pytest.raises(FeatureError, match=rf"{name} is not a folder"):
        feature_files(tmp_path / name)


def test_every_suffix_is_found(tmp_path: Path) -> None:
    touch(tmp_path, *(f"slide{number}{suffix}" for number, suffix in enumerate(FEATURE_SUFFIXES)))
    assert len(feature_files(tmp_path)) == len(FEATURE_SUFFIXES)
