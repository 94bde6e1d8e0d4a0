"""Feature sets: read lazily, concatenated into bags, hashed by what they say; and how a run finds them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.bags import Bag
from hiptbench.errors import FeatureError, FormatError, SchemaError, StoreError, UnknownNameError
from hiptbench.feature_sources import known_features, packed
from hiptbench.features import FeatureCard, FeatureSet, write_features
from hiptbench.files import sha256_array, sha256_lines
from hiptbench.packing import pack

CARD = FeatureCard(name="mine", encoder="toy", pretrained_on=("TCGA",))
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 45304\n"


def arrays(*rows: int, dim: int = 3) -> dict[str, np.ndarray]:
    """Features of slides a, b, ...: consecutive numbers, which float16 holds exactly."""
    values = np.arange(sum(rows) * dim, dtype=np.float32).reshape(-1, dim)
    parts = np.split(values, np.cumsum(rows)[:-1])
    return {chr(ord("a") + i): part for i, part in enumerate(parts)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with slides a, b and c of 2, 1 and 3 instances."""
    write_features(tmp_path / "features", CARD, arrays(2, 1, 3))
    return tmp_path / "features"


def with_coords(folder: Path, slide: str, rows: int) -> None:
    coords = np.arange(2 * rows, dtype=np.int32).reshape(rows, 2) * 256
    np.savez(folder / f"{slide}.npz", features=np.ones((rows, 3), dtype=np.float32), coords=coords)


def test_a_mapping_from_slide_to_array(folder: Path) -> None:
    features = FeatureSet.open(folder)
    assert features.card == CARD
    assert list(features) == ["a", "b", "c"]
    assert len(features) == 3
    assert "b" in features
    assert "d" not in features
    assert features.missing(["d", "b", "e"]) == ("d", "e")
    np.testing.assert_array_equal(features["b"], [[6, 7, 8]])


def test_nothing_is_read_before_it_is_asked_for(folder: Path) -> None:
    (folder / "b.npy").write_bytes(b"broken")
    features = FeatureSet.open(folder)
    assert features["a"].shape == (2, 3)
    with pytest.raises(FormatError, match=r"b\.npy is not a readable NumPy file"):
        features["b"]


def test_a_folder_without_a_card_has_its_name(folder: Path) -> None:
    (folder / "card.yaml").unlink()
    assert FeatureSet.open(folder).card == FeatureCard(name="features")


def test_a_card_with_an_unknown_key(folder: Path) -> None:
    (folder / "card.yaml").write_text("name: mine\npretrained: TCGA\n")
    with pytest.raises(SchemaError, match=r"card\.yaml .* pretrained: Extra inputs are not permitted"):
        FeatureSet.open(folder)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_bag_joins_the_slides_of_a_unit_in_their_order(folder: Path, dtype: str) -> None:
    write_features(folder, CARD, {slide: part.astype(dtype) for slide, part in arrays(2, 1, 3).items()})
    bag = FeatureSet.open(folder).bag("patient", ("c", "a"))
    assert bag.unit == "patient"
    assert bag.features.dtype == np.float32
    np.testing.assert_array_equal(bag.features[:, 0], [9, 12, 15, 0, 3])
    np.testing.assert_array_equal(bag.slide_index, [0, 0, 0, 1, 1])
    assert bag.coords is None
    assert len(bag) == 5


def test_coordinates_are_kept_if_every_slide_has_them(folder: Path) -> None:
    with_coords(folder, "x", 2)
    with_coords(folder, "y", 1)
    features = FeatureSet.open(folder)
    coords = features.bag("patient", ("x", "y")).coords
    assert coords is not None
    np.testing.assert_array_equal(coords, [[0, 256], [512, 768], [0, 256]])
    assert coords.dtype == np.int64
    assert features.bag("patient", ("x", "a")).coords is None


def test_a_hierarchical_bag(tmp_path: Path) -> None:
    torch.save(torch.ones(2, 256, 4), tmp_path / "a.pt")
    bag = FeatureSet.open(tmp_path).bag("a", ["a"])
    assert isinstance(bag, Bag)
    assert bag.features.shape == (2, 256, 4)


def test_a_missing_slide_is_named(folder: Path) -> None:
    features = FeatureSet.open(folder)
    with pytest.raises(FeatureError, match=r"features 'mine' lack 2 of 3 slides: d, e\."):
        features.bag("patient", ("d", "a", "e"))
    with pytest.raises(FeatureError, match=r"lack 1 of 1 slides: d\."):
        features["d"]
    with pytest.raises(FeatureError, match=r"lack 1 of 2 slides: d\."):
        features.content_hash(["a", "d"])


def test_slides_of_one_unit_with_other_dimensions(folder: Path) -> None:
    write_features(folder, CARD, {"d": np.ones((2, 4))})
    with pytest.raises(FeatureError, match=r"slides of patient have features of different shapes \[\(3,\), \(4,\)\]"):
        FeatureSet.open(folder).bag("patient", ("a", "d"))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([[1.0, np.nan], [1, 2]], r"1 values are NaN or Inf, in 1 of 2 rows, first in row 0"),
        ([[1.0, 2.0], [np.inf, 2]], r"1 values are NaN or Inf, in 1 of 2 rows, first in row 1"),
        (np.empty((0, 2)), "empty bag: 0 rows"),
    ],
)
def test_broken_values_name_their_slide(tmp_path: Path, values: np.ndarray, problem: str) -> None:
    write_features(tmp_path, CARD, {"slide7": np.array(values, dtype=np.float32)})
    with pytest.raises(FeatureError, match=rf"slide7\.npy: {problem}\. Extract this slide again or take the file"):
        FeatureSet.open(tmp_path)["slide7"]


def test_files_that_are_not_features(tmp_path: Path) -> None:
    torch.save(torch.ones(4, 192), tmp_path / "cut.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "cut.pt").read_bytes()[:-700])
    (tmp_path / "pointer.pt").write_text(LFS_POINTER)
    features = FeatureSet.open(tmp_path)
    with pytest.raises(FormatError, match=r"cut\.pt is damaged or truncated"):
        features["cut"]
    with pytest.raises(FormatError, match=r"pointer\.pt: this is a Git LFS pointer, not the file itself"):
        features["pointer"]


def test_two_files_for_one_slide(folder: Path) -> None:
    (folder / "a.svs.pt").touch()
    with pytest.raises(FeatureError, match=r"Two files hold features of slide 'a': .*a\.npy and .*a\.svs\.pt"):
        FeatureSet.open(folder)


def test_the_hash_is_that_of_ids_shapes_and_values(folder: Path) -> None:
    parts = arrays(2, 1, 3)
    expected = sha256_lines(f"{slide} {sha256_array(slide, parts[slide])}" for slide in ("a", "c"))
    assert FeatureSet.open(folder).content_hash(["c", "a", "c"]) == expected


@given(order=st.permutations(["a", "b", "c"]), dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_the_hash_does_not_depend_on_order_files_or_dtype(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], dtype: str
) -> None:
    home = tmp_path_factory.mktemp("features")
    parts = arrays(2, 1, 3)
    write_features(home / "npy", CARD, {slide: parts[slide].astype(dtype) for slide in order})
    (home / "pt").mkdir()
    for slide in reversed(order):
        torch.save(torch.from_numpy(parts[slide]), home / "pt" / f"{slide}.pt")
    rounded, _ = pack(home / "npy", home / "pack", dtype="float16")
    expected = FeatureSet.open(home / "pt").content_hash(["a", "b", "c"])
    assert FeatureSet.open(home / "npy").content_hash(order) == expected
    assert rounded.content_hash(order) == expected


def test_a_folder_that_is_none_or_empty(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"gone is not a folder of feature files"):
        FeatureSet.open(tmp_path / "gone")
    with pytest.raises(FeatureError, match=r"has no feature files\. Expected one file per slide"):
        FeatureSet.open(tmp_path)


def test_features_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"Cannot write .*/file/features: .*choose another folder"):
        write_features(tmp_path / "file" / "features", CARD, arrays(1))


def test_a_folder_is_packed_into_the_home_once(folder: Path, own_home: Path) -> None:
    features, path, report = packed(folder)
    assert path.parent == own_home / "packs"
    assert path.name.startswith("features-")
    assert report is not None
    assert (report.read, report.reused) == (3, 0)
    again, same, report = packed(str(folder))
    assert (same, report and report.read) == (path, 0)
    assert again.content_hash(list(again)) == features.content_hash(list(features))


def test_folders_of_one_name_have_packs_of_their_own(folder: Path, tmp_path: Path) -> None:
    write_features(tmp_path / "other" / "features", CARD, arrays(1))
    assert packed(folder)[1] != packed(tmp_path / "other" / "features")[1]


def test_packs_are_opened_by_name_or_folder_as_they_are(
    folder: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(folder, own_home / "features" / "mine")
    pack(folder, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert known_features() == ("mine",)
    assert packed("mine")[1:] == (own_home / "features" / "mine", None)
    assert packed("elsewhere")[1:] == (Path("elsewhere"), None)
    assert packed(own_home / "features" / "mine")[1:] == (own_home / "features" / "mine", None)


def test_neither_name_nor_folder(folder: Path, own_home: Path) -> None:
    pack(folder, own_home / "features" / "hipt_vit4k_region")
    with pytest.raises(UnknownNameError, match=r"no feature set or folder 'hipt_vit4k'\. Did you mean 'hipt_vit4k_reg"):
        packed("hipt_vit4k")
