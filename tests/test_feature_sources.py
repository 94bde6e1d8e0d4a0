"""What a run trusts of the features it opens: not a pack's word for its bytes, nor a folder's name."""

from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import FeatureError
from hiptbench.feature_sources import packed
from hiptbench.features import FeatureCard, FeatureSet, write_features


def write(folder: Path, name: str = "mine") -> Path:
    slides = {f"s{i}": np.full((2, 3), i, np.float32) for i in range(3)}
    write_features(folder, FeatureCard(name=name), slides)
    return folder


def test_verify_finds_bytes_that_are_not_those_of_the_index(tmp_path: Path) -> None:
    _, pack, _ = packed(write(tmp_path / "mine"))
    packed(pack, verify=True)
    (data,) = pack.glob("*.bin")
    data.write_bytes(data.read_bytes()[::-1])
    with pytest.raises(FeatureError, match=r"The values of \d slides in .* are not those that were packed: s"):
        packed(pack, verify=True)


def test_nobody_elses_features_carry_the_name_of_published_ones(tmp_path: Path) -> None:
    for folder, name in ((tmp_path / "hipt_vit4k_region", "mine"), (tmp_path / "other", "hipt_vit4k_region")):
        write(folder, name)
        if name == "mine":
            (folder / "card.yaml").unlink()
        with pytest.raises(FeatureError, match=r"the name of published features\. Rename the folder"):
            packed(folder)


def test_coordinates_have_a_hash_of_their_own(tmp_path: Path) -> None:
    assert FeatureSet.open(write(tmp_path / "without")).coords_hash(["s0"]) is None
    hashes = set()
    for shift in (0, 1):
        folder = tmp_path / f"with{shift}"
        folder.mkdir()
        coords = np.array([[0, 0], [256, shift]])
        np.savez(folder / "s0.npz", features=np.zeros((2, 3), np.float32), coords=coords)
        hashes.add(FeatureSet.open(folder).coords_hash(["s0"]))
    assert len(hashes) == 2
