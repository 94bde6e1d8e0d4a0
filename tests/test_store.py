"""The results store: a fold is there whole or not at all, and what was written comes back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hiptbench.errors import StoreError
from hiptbench.prediction_tables import from_table, read_parquet, to_table, write_parquet
from hiptbench.predictions import Prediction, Predictions
from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.targets import Labels, Survival
from toys import make_row

finite = st.floats(allow_nan=False, allow_infinity=False)
months = st.floats(0, 1e4, allow_nan=False)

CLASSIFIED: Predictions = (
    ("a", "b"),
    Labels(np.array([1, 0]), ("benign", "tumour, ductal")),
    Prediction(probabilities=np.array([[0.25, 0.75], [1 / 3, 2 / 3]])),
)
SURVIVAL: Predictions = (
    ("a", "b", "c"),
    Survival(np.array([1.5, 0.1, 30.0]), np.array([True, False, True])),
    Prediction(
        risk=np.array([0.1, -2.5, 1e-300]),
        survival=np.array([[0.9, 0.5], [1.0, 0.1], [1 / 3, 0.0]]),
        times=np.array([0.1, 1 / 3]),
    ),
)


def assert_equal(one: Predictions, other: Predictions) -> None:
    assert one[0] == other[0]
    assert type(one[1]) is type(other[1])
    assert one[1].rows() == other[1].rows()
    for name in ("probabilities", "risk", "survival", "times"):
        np.testing.assert_array_equal(getattr(one[2], name), getattr(other[2], name))


@pytest.mark.parametrize("predictions", [CLASSIFIED, SURVIVAL], ids=["classification", "survival"])
def test_what_is_committed_comes_back(predictions: Predictions, tmp_path: Path) -> None:
    store, row = Store(tmp_path / "store"), make_row()
    assert not store.has(row.fingerprint)
    stored = store.commit(row, predictions)
    assert store.has(row.fingerprint)
    assert store.rows() == [stored]
    assert stored == row.model_copy(update={"predictions_sha256": stored.predictions_sha256})
    assert_equal(store.predictions(stored), predictions)


@given(st.data(), st.integers(1, 5), st.integers(1, 4))
def test_survival_predictions_round_trip_to_the_last_bit(data: st.DataObject, n: int, t: int) -> None:
    target = Survival(data.draw(arrays(np.float64, n, elements=months)), data.draw(arrays(np.bool_, n)))
    prediction = Prediction(
        risk=data.draw(arrays(np.float64, n, elements=finite)),
        survival=data.draw(arrays(np.float64, (n, t), elements=finite)),
        times=data.draw(arrays(np.float64, t, elements=finite)),
    )
    units = tuple(f"unit {i}" for i in range(n))
    assert_equal(from_table(to_table(units, target, prediction)), (units, target, prediction))


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_parquet(to_table(*SURVIVAL), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert_equal(from_table(read_parquet(tmp_path / "one")), SURVIVAL)


def test_a_fold_is_done_only_when_its_row_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, row = Store(tmp_path), make_row()

    def crash(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hiptbench.store.write_text", crash)
        with pytest.raises(KeyboardInterrupt):
            store.commit(row, CLASSIFIED)
    assert store.predictions_path(row.fingerprint).is_file()  # predictions first
    assert not store.has(row.fingerprint)
    assert store.rows() == []
    store.commit(row, CLASSIFIED)
    assert store.has(row.fingerprint)


@pytest.fixture
def committed(tmp_path: Path) -> tuple[Store, FoldResult]:
    store = Store(tmp_path / "store")
    return store, store.commit(make_row(), CLASSIFIED)


@pytest.mark.parametrize("damage", ["", "{", '{"fold": 1}', "NaN"])
def test_a_damaged_row_is_named_with_its_remedy(committed: tuple[Store, FoldResult], damage: str) -> None:
    store, _ = committed
    (path,) = store.path.glob("rows/*/*.json")
    path.write_text(damage)
    with pytest.raises(StoreError, match=rf"{path} is not a result row: (.|\n)* Delete it and run that fold again"):
        store.rows()


def test_a_row_with_a_number_that_is_none_is_damaged(committed: tuple[Store, FoldResult]) -> None:
    store, _ = committed
    (path,) = store.path.glob("rows/*/*.json")
    path.write_text(path.read_text().replace("0.5", "NaN"))
    with pytest.raises(StoreError, match=r"metrics\.auc(.|\n)*finite number"):
        store.rows()


@pytest.mark.parametrize("what", ["changed", "cut", "missing"])
def test_predictions_that_are_not_the_committed_ones_are_refused(
    committed: tuple[Store, FoldResult], what: str
) -> None:
    store, row = committed
    path = store.predictions_path(row.fingerprint)
    match what:
        case "changed":
            units, target, _ = CLASSIFIED
            write_parquet(to_table(units, target, Prediction(probabilities=np.eye(2))), path)
        case "cut":
            path.write_bytes(path.read_bytes()[:-1])
        case "missing":
            path.unlink()
    with pytest.raises(
        StoreError, match=rf"is not the file that fold 0 of toy was committed with\. Delete .*{row.fingerprint}"
    ):
        store.predictions(row)


def test_a_store_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match=f"Cannot write {path}"):
            Store(path).check_writable()
        with pytest.raises(StoreError, match=f"Cannot write {path}"):
            Store(path).commit(make_row(), CLASSIFIED)


def test_checking_leaves_nothing_behind(tmp_path: Path) -> None:
    Store(tmp_path / "store").check_writable()
    assert list((tmp_path / "store").iterdir()) == []


def test_an_empty_store_has_no_rows(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").rows() == []
