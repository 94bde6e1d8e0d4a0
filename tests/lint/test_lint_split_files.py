"""Every layout of split files that users have, read as it is."""

import json
from pathlib import Path

import pytest

from hiptbench.errors import FormatError
from hiptbench.lint.split_files import read_split_files
from hiptbench.splits import Split

FOLD = Split(0, ("007", "b"), ("c",), ("d",))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_clam_lists_with_suffixes_and_ragged(tmp_path: Path) -> None:
    write(tmp_path / "splits_0.csv", ",train,val,test\n0,007.svs,c,d\n1,b,,\n")
    write(tmp_path / "splits_0_descriptor.csv", ",train\nx,2\n")
    assert read_split_files(tmp_path).folds == (FOLD,)


def test_clam_lists_are_taken_before_bools_and_folds_are_sorted(tmp_path: Path) -> None:
    write(tmp_path / "splits_10.csv", ",train,val\n0,x,y\n")
    write(tmp_path / "splits_2.csv", ",train,val\n0,a,b\n")
    write(tmp_path / "splits_2_bool.csv", ",train,val\nz,True,False\n")
    read = read_split_files(tmp_path)
    assert read.folds == (Split(2, ("a",), ("b",), ()), Split(10, ("x",), ("y",), ()))
    assert read.tested == "val"


def test_clam_bools_alone(tmp_path: Path) -> None:
    rows = "007,True,False,False\nb,True,False,False\nc,False,True,False\nd.svs,False,False,True\n"
    write(tmp_path / "splits_0_bool.csv", f",train,val,test\n{rows}")
    assert read_split_files(tmp_path).folds == (FOLD,)


def test_an_id_in_two_parts_is_kept_there(tmp_path: Path) -> None:
    write(tmp_path / "splits_0.csv", ",train,val,test\n0,a,b,a\n1,a,,\n")
    read = read_split_files(tmp_path)
    assert read.folds == (Split(0, ("a", "a"), ("b",), ("a",)),)
    assert list(read.ids) == ["a", "a", "b", "a"]


def test_stamp_lists_patients(tmp_path: Path) -> None:
    splits = [{"train_patients": ["007", "b"], "test_patients": ["d"]}]
    write(tmp_path / "splits.json", json.dumps({"splits": splits}))
    read = read_split_files(tmp_path)
    assert read.folds == (Split(0, ("007", "b"), (), ("d",)),)
    assert read.lists_cases


def test_patho_bench_has_a_column_a_fold_and_cases(tmp_path: Path) -> None:
    rows = "p1\t007\tx\ttrain\ttest\np1\tb\tx\ttrain\ttest\np2\tc\ty\tval\t\np3\td\ty\ttest\ttrain\n"
    write(tmp_path / "k=all.tsv", f"case_id\tslide_id\tgrade\tfold_0\tfold_1\n{rows}")
    write(tmp_path / "k=1.tsv", "broken")
    read = read_split_files(tmp_path)
    assert read.folds == (FOLD, Split(1, ("d",), (), ("007", "b")))
    assert read.cases == {"007": "p1", "b": "p1", "c": "p2", "d": "p3"}


def test_eva_has_several_rows_a_slide(tmp_path: Path) -> None:
    rows = "a/1.jpg,e,0,train,007\na/2.jpg,e,0,train,007\nb/1.jpg,e,0,train,b\nc/1.jpg,e,1,val,c\nd/1.jpg,e,1,test,d\n"
    write(tmp_path / "manifest.csv", f"origin,embeddings,target,split,wsi_id\n{rows}")
    assert read_split_files(tmp_path).folds == (FOLD,)


def test_eva_without_slides_is_read_by_origin(tmp_path: Path) -> None:
    write(tmp_path / "manifest.csv", "origin,embeddings,target,split\nx/a.tif,e,0,train\nx/b.tif,e,0,test\n")
    assert read_split_files(tmp_path).folds == (Split(0, ("a",), (), ("b",)),)


def test_a_task_of_hiptbench(tmp_path: Path) -> None:
    write(tmp_path / "splits.csv", "fold,part,unit\n1,train,d\n0,train,007\n0,train,b\n0,val,c\n0,test,d\n1,test,b\n")
    assert read_split_files(tmp_path).folds == (FOLD, Split(1, ("d",), (), ("b",)))


def test_one_fold_as_a_file_a_part(tmp_path: Path) -> None:
    for name, ids in {"train": ("007", "b"), "tune": ("c",), "test": ("d",)}.items():
        write(tmp_path / f"{name}.csv", "slide_id,label\n" + "".join(f"{one},x\n" for one in ids))
    assert read_split_files(tmp_path).folds == (FOLD,)


@pytest.fixture
def panther(tmp_path: Path) -> Path:
    """PANTHER's folders of two studies, with two folds and one."""
    for study, fold in (("TCGA_A", 0), ("TCGA_A", 1), ("TCGA_B", 0)):
        for part in ("train", "test"):
            row = f"p{fold},{part}{fold}.svs\n"
            write(tmp_path / f"{study}_k={fold}" / f"{part}.csv", f"case_id,slide_id\n{row}")
    return tmp_path


def test_panther_by_the_common_beginning_of_its_folders(panther: Path) -> None:
    read = read_split_files(panther / "TCGA_A")
    assert read.folds == tuple(Split(fold, (f"train{fold}",), (), (f"test{fold}",)) for fold in (0, 1))
    assert read.cases == {"train0": "p0", "test0": "p0", "train1": "p1", "test1": "p1"}
    assert len(read_split_files(panther / "TCGA_A_k=0").folds) == 1


def test_panther_with_several_studies_in_a_folder(panther: Path) -> None:
    with pytest.raises(FormatError, match=r"holds the folds of TCGA_A, TCGA_B\. Give one of them, as .*TCGA_A\."):
        read_split_files(panther)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("splits_3.csv", ",train,val\n0,a,b\n"),
        ("splits.json", '{"splits": [{"train_patients": ["a"], "test_patients": ["b"]}]}'),
    ],
)
def test_a_single_file(tmp_path: Path, name: str, text: str) -> None:
    assert len(read_split_files(write(tmp_path / name, text)).folds) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("other.csv", "a\n", r"holds no split files\. Expected splits_0\.csv, .*; it has other\.csv\."),
        ("splits_0.csv", ",training,val\n0,a,b\n", r"has no column 'train'"),
        ("splits_0_bool.csv", ",train,val\na,1,0\n", r"every row needs True or False for train, val\. Mend the file"),
        ("splits.json", '{"splits": []}', r"lists no ids\. Each fold needs ids to train on and ids to test"),
        ("splits.json", "{}", r"is not STAMP's splits\.json \(KeyError\('splits'\)\)\. Write it again"),
        ("splits.csv", "fold,part,unit\n0,learn,a\n", r"has the part 'learn' for a; parts are train, val, test"),
        ("splits.csv", "fold,part,unit\nx,train,a\n", r"has the fold 'x', which is no whole number"),
        ("k=all.tsv", "case_id\tslide_id\np\ta\n", r"has no columns fold_0, fold_1, \.\.\. Each says train, val or"),
        ("manifest.csv", "origin,target\na,b\n", r"has no column 'split'"),
        ("train.csv", "slide_id\na\n", r"Fold 0 needs train\.csv and test\.csv or val\.csv; there is train\.csv"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, text: str, message: str) -> None:
    write(tmp_path / name, text)
    with pytest.raises(FormatError, match=message):
        read_split_files(tmp_path)


def test_several_files_of_patho_bench(tmp_path: Path) -> None:
    for k in (1, 16):
        write(tmp_path / f"k={k}.tsv", "case_id\tslide_id\tfold_0\np\ta\ttrain\n")
    with pytest.raises(FormatError, match=r"several split files: k=1\.tsv, k=16\.tsv\. Give one of them"):
        read_split_files(tmp_path)
    assert len(read_split_files(tmp_path / "k=16.tsv").folds) == 1


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"none does not exist\. Give a folder of split files"):
        read_split_files(tmp_path / "none")
