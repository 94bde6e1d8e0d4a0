"""Tables: plain, zipped, and all the ways in which they are broken."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import FormatError
from hiptbench.formats.tables import read_table

CSV = "case_id,slide_id,label,age\n007,007.svs,IDC,61\n010,010.svs,ILC,\n"
SUBTYPING = "HIPT/2-Weakly-Supervised-Subtyping/dataset_csv"


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def write_zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def check(table: pd.DataFrame) -> None:
    assert list(table) == ["case_id", "slide_id", "label", "age"]
    assert table["case_id"].tolist() == ["007", "010"]
    assert table["label"].tolist() == ["IDC", "ILC"]
    np.testing.assert_array_equal(table["age"], [61, np.nan])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", CSV),
        ("labels.CSV", CSV),
        ("labels.tsv", CSV.replace(",", "\t")),
        ("labels.txt", CSV.replace(",", "\t")),
        ("labels.csv", "\ufeff" + CSV),
        ("labels.csv", CSV.replace("\n", "\r\n")),
        ("labels.csv", "\n" + CSV),
        ("labels.csv", CSV.replace("IDC", '"IDC"')),
    ],
)
def test_plain_tables(tmp_path: Path, name: str, text: str) -> None:
    check(read_table(write(tmp_path / name, text), text=["case_id"]))


@pytest.mark.parametrize("member", ["labels.csv", "../labels.csv.zip", "./labels.csv.zip", "/labels.csv", "a/b.csv"])
def test_zipped_table_stays_in_memory(tmp_path: Path, member: str) -> None:
    path = write_zip(tmp_path / "sub.csv.zip", {member: CSV})
    check(read_table(path, text=["case_id"]))
    assert list(tmp_path.rglob("*")) == [path]


def test_zipped_tsv(tmp_path: Path) -> None:
    check(read_table(write_zip(tmp_path / "l.tsv.zip", {"l.tsv": CSV.replace(",", "\t")}), text=["case_id"]))


def test_plain_table_called_zip(tmp_path: Path) -> None:
    """What unpacking HIPT's archives leaves behind."""
    check(read_table(write(tmp_path / "tcga_brca_subset.csv.zip", CSV), text=["case_id"]))


def test_hidden_members_are_left_out(tmp_path: Path) -> None:
    members = {"__MACOSX/._labels.csv": "x", ".DS_Store": "x", "folder/": "", "../labels.csv": CSV}
    check(read_table(write_zip(tmp_path / "labels.csv.zip", members), text=["case_id"]))


@pytest.mark.parametrize(
    ("members", "names"), [({"a.csv": CSV, "b.csv": CSV}, "a.csv, b.csv"), ({}, "none"), ({".a": CSV}, "none")]
)
def test_archive_must_hold_one_table(tmp_path: Path, members: dict[str, str], names: str) -> None:
    path = write_zip(tmp_path / "labels.zip", members)
    with pytest.raises(FormatError, match=rf"must hold one table, but its files are: {names}"):
        read_table(path)


def test_truncated_archive(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "labels.zip", {"a.csv": CSV})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(FormatError, match=r"is a zip archive that cannot be read"):
        read_table(path)


def test_damaged_member(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "labels.zip", {"a.csv": CSV})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"is a zip archive that cannot be read"):
        read_table(path)


def test_archive_with_a_password(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "labels.zip", {"a.csv": CSV})
    data = bytearray(path.read_bytes())
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + offset] |= 1  # the flag "encrypted"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"cannot be read \(.*password required.*without a password"):
        read_table(path)


def test_columns_in_the_order_asked_for(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "l.csv", CSV), columns=["label", "case_id"], text=["case_id", "slide_id"])
    assert list(table) == ["label", "case_id"]
    assert table["case_id"].tolist() == ["007", "010"]


def test_missing_columns_and_what_exists_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", CSV)
    with pytest.raises(FormatError, match=r"has no column 'site', 'event'\. What exists: 'case_id', 'slide_id', "):
        read_table(path, columns=["site", "case_id", "event"])


def test_a_wide_header_is_not_listed_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "wide.csv", ",".join(f"gene{number}" for number in range(2922)) + "\n")
    with pytest.raises(FormatError, match=r"'gene19' and 2902 more\.$"):
        read_table(path, columns=["label"])


@pytest.mark.parametrize("columns", [None, ["case_id", "age"], ["age"]])
@pytest.mark.parametrize("rows", ["a,carcinoma, ductal,61\n", "a,ductal,61\nb,carcinoma, ductal,61\n", "a,b,61,\n"])
def test_rows_longer_than_the_header_are_refused(tmp_path: Path, columns: list[str] | None, rows: str) -> None:
    """Pandas would take the first field for an index, or the wrong field for a column."""
    path = write(tmp_path / "l.csv", "case_id,diagnosis,age\n" + rows)
    with pytest.raises(FormatError, match=r"l\.csv, line [23]: 4 fields, but the header has 3"):
        read_table(path, columns=columns)


def test_quoted_separators_are_text(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", 'case_id,diagnosis,age\na,"carcinoma, ductal",61\n')
    assert read_table(path)["diagnosis"].tolist() == ["carcinoma, ductal"]


def test_short_rows_are_filled(tmp_path: Path) -> None:
    assert read_table(write(tmp_path / "l.csv", "case_id,label\na\nb,1\n"))["label"].isna().tolist() == [True, False]


def test_quote_without_end(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"l\.csv is not a table that can be read: .*EOF inside string"):
        read_table(write(tmp_path / "l.csv", 'case_id,label\na,"IDC\nb,ILC\n'))


def test_field_too_long_for_a_table(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"l\.csv, line 2: not a table that can be read: field larger"):
        read_table(write(tmp_path / "l.csv", "case_id\n" + "a" * 200_000))


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes("case_id,label\na,größer\n".encode("latin-1"))
    with pytest.raises(FormatError, match=r"is not UTF-8 text \(invalid start byte at byte 18\)\. Save it as UTF-8"):
        read_table(path)


def test_no_header(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"has no header line"):
        read_table(write(tmp_path / "l.csv", "\n\n"))


def test_git_lfs_pointer(tmp_path: Path, lfs_text: str) -> None:
    with pytest.raises(FormatError, match=r"this is a Git LFS pointer"):
        read_table(write(tmp_path / "labels.csv.zip", lfs_text))


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"labels\.csv does not exist"):
        read_table(tmp_path / "labels.csv")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="0123456789ab -,\"'", min_size=1).filter(str.strip), min_size=1, max_size=8))
def test_ids_stay_what_they_are(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    path = tmp_path_factory.mktemp("table") / "l.csv"
    pd.DataFrame({"case_id": ids, "label": 1}).to_csv(path, index=False)
    assert read_table(path, text=["case_id"])["case_id"].tolist() == ids


@pytest.mark.parametrize(("study", "rows"), [("brca", 937), ("lung", 958), ("kidney", 905)])
def test_subtyping_tables_of_hipt(real_data: Path, study: str, rows: int) -> None:
    columns = ["case_id", "slide_id", "oncotree_code"]
    table = read_table(real_data / SUBTYPING / f"tcga_{study}_subset.csv.zip", columns=columns, text=columns)
    assert len(table) == rows
    assert not table.isna().any(axis=None)
    assert (table["slide_id"].str[:12] == table["case_id"]).all()


def test_survival_table_of_porpoise(real_data: Path) -> None:
    path = real_data / "PORPOISE/datasets_csv_mutsig/tcga_brca_all_clean.csv.zip"
    table = read_table(path, columns=["case_id", "survival_months", "censorship"], text=["case_id"])
    assert table["case_id"].nunique() == 956
    assert set(table["censorship"]) == {0, 1}
