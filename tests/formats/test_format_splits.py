"""Split folders of CLAM and HIPT."""

from pathlib import Path

import pandas as pd
import pytest

from hiptbench.errors import FormatError
from hiptbench.formats.splits import SplitLists, read_splits

LISTS = ",train,val,test\n0,007,b.svs,c\n1,d.e,f,\n2,g,,\n"
EXPECTED = {"train": ("007", "d.e", "g"), "val": ("b", "f"), "test": ("c",)}
BOOLS = (
    ",train,val,test\n007,True,False,False\nd.e,True,False,False\ng,True,False,False\n"
    "b.svs,False,True,False\nf,False,True,False\nc,False,False,True\n"
)


def folder_with(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_ragged_lists_in_their_order(tmp_path: Path) -> None:
    assert read_splits(folder_with(tmp_path, splits_0=LISTS)) == (SplitLists(fold=0, **EXPECTED),)


def test_without_test_part(tmp_path: Path) -> None:
    folder_with(tmp_path, splits_0=",train,val\n0,TCGA-3Z-A93Z,TCGA-A3-3331\n1,TCGA-6D-AA2E,\n")
    expected = SplitLists(fold=0, train=("TCGA-3Z-A93Z", "TCGA-6D-AA2E"), val=("TCGA-A3-3331",), test=())
    assert read_splits(tmp_path) == (expected,)


def test_folds_are_sorted_by_number(tmp_path: Path) -> None:
    for fold in range(11):
        folder_with(tmp_path, **{f"splits_{fold}": f",train,val\n0,t{fold},v\n"})
    assert [(split.fold, split.train) for split in read_splits(tmp_path)] == [(i, (f"t{i}",)) for i in range(11)]


@pytest.mark.parametrize("index", ["", "slide_id"])
def test_bools_alone_are_read(tmp_path: Path, index: str) -> None:
    folder_with(tmp_path, splits_0_bool=index + BOOLS)
    assert read_splits(tmp_path) == (SplitLists(fold=0, **EXPECTED),)


def test_bools_and_descriptors_beside_lists_are_ignored(tmp_path: Path) -> None:
    folder_with(tmp_path, splits_0=LISTS, splits_0_bool="broken", splits_0_descriptor=",train\nIDC,675\n", other="x")
    assert read_splits(tmp_path) == (SplitLists(fold=0, **EXPECTED),)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (",train,val,test\n0,a,b,c\n1,a,,\n", "train and train"),
        (",train,val,test\n0,a,b,c\n1,d,a,\n", "train and val"),
        (",train,val,test\n0,a,b,c\n1,d,e,a.svs\n", "train and test"),
    ],
)
def test_an_id_twice_in_a_fold(tmp_path: Path, text: str, where: str) -> None:
    folder_with(tmp_path, splits_0=LISTS, splits_1=text)
    with pytest.raises(FormatError, match=rf"splits_1\.csv: fold 1 lists 'a' in {where}, and so 1 ids in all"):
        read_splits(tmp_path)


def test_an_id_twice_in_bools(tmp_path: Path) -> None:
    folder_with(tmp_path, splits_0_bool=",train,val\na,True,True\n")
    with pytest.raises(FormatError, match=r"splits_0_bool\.csv: fold 0 lists 'a' in train and val"):
        read_splits(tmp_path)


@pytest.mark.parametrize("row", ["a,True,", "a,True,maybe", ",True,False", "a,1,0"])
def test_bools_must_be_true_or_false(tmp_path: Path, row: str) -> None:
    folder_with(tmp_path, splits_0_bool=f",train,val\n{row}\n")
    with pytest.raises(FormatError, match=r"every row needs an id, and True or False for train, val"):
        read_splits(tmp_path)


@pytest.mark.parametrize("name", ["splits_0", "splits_0_bool"])
def test_parts_are_required(tmp_path: Path, name: str) -> None:
    folder_with(tmp_path, **{name: ",training,validation\n0,a,b\n"})
    with pytest.raises(FormatError, match=r"has no column 'train', 'val'\. What exists: .*'training', 'validation'"):
        read_splits(tmp_path)


def test_missing_folds_are_named(tmp_path: Path) -> None:
    folder_with(tmp_path, splits_1=LISTS, splits_4=LISTS)
    with pytest.raises(FormatError, match=r"lacks the folds 0, 2, 3 of 0 to 4"):
        read_splits(tmp_path)


def test_folder_without_splits(tmp_path: Path) -> None:
    folder_with(tmp_path, splits_0_descriptor=",train\nIDC,675\n", splits_01=LISTS)
    with pytest.raises(FormatError, match=r"has no splits_0\.csv, splits_1\.csv"):
        read_splits(tmp_path)


def test_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"gone is not a folder"):
        read_splits(tmp_path / "gone")


@pytest.mark.parametrize(
    ("study", "sizes"), [("brca", (845, 98, 98)), ("lung", (847, 93, 93)), ("kidney", (753, 89, 89))]
)
def test_subtyping_splits_of_hipt(real_data: Path, study: str, sizes: tuple[int, int, int]) -> None:
    folder = real_data / f"HIPT/2-Weakly-Supervised-Subtyping/splits/10foldcv_subtype/tcga_{study}"
    splits = read_splits(folder)
    assert [(len(split.train), len(split.val), len(split.test)) for split in splits] == [sizes] * 10
    first = pd.read_csv(folder / "splits_0.csv")
    assert splits[0].test == tuple(first["test"].dropna())


def test_hipt_says_the_same_in_lists_and_bools(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "HIPT/2-Weakly-Supervised-Subtyping/splits/10foldcv_subtype/tcga_brca"
    for path in folder.glob("*_bool.csv"):
        (tmp_path / path.name).symlink_to(path)
    for lists, bools in zip(read_splits(folder), read_splits(tmp_path), strict=True):
        assert (set(lists.train), set(lists.val), set(lists.test)) == (
            set(bools.train),
            set(bools.val),
            set(bools.test),
        )


def test_survival_splits_of_hipt(real_data: Path) -> None:
    splits = read_splits(real_data / "HIPT/2-Weakly-Supervised-Survival/splits/5foldcv/tcga_kirc")
    cases = [case for split in splits for case in split.val]
    assert len(cases) == len(set(cases)) == 345
    assert all(split.test == () and len(split.train) == 345 - len(split.val) for split in splits)
