"""What a run keeps when asked: fitted heads and attention, read back as they were."""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hiptbench.bags import Bag
from hiptbench.errors import HeadError, StoreError
from hiptbench.features import FeatureSet
from hiptbench.jobs import run_job
from hiptbench.kept import NOTHING, BagAttention, Keep, KeptFold
from hiptbench.plans import Plan
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.tasks import Task
from hiptbench.testing import assert_same
from toys import baseline_file, make_home, plan_of

ALL = Keep(models=True, attention=True)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_home(tmp_path, folds=2)


def trained(folder: Path, task: Task, model: str = "abmil") -> Plan:
    method = baseline_file(
        folder, "trained", "mil", model=model, recipe="hipt-2022", overrides={"epochs": 1}, device="cpu"
    )
    return plan_of(folder, task.name, method)


def test_models_and_attention_are_kept_and_read_back(task: Task, tmp_path: Path) -> None:
    plan, store = trained(tmp_path, task), Store(tmp_path / "store")
    rows = run(plan, store, executor="serial", keep=ALL).finished
    features = FeatureSet.open(plan.jobs[0].features_path)
    assert len(rows) == 2
    for row in rows:
        units, _, prediction = store.predictions(row)
        kept = store.kept(row.fingerprint)
        bags = [features.bag(unit, task.slides(unit)) for unit in units]
        again = kept.model().predict(bags)
        assert_same(prediction, again, "the kept model predicts what was stored")
        assert again.attention is not None
        attention = kept.attention()
        assert list(attention) == list(units)
        for bag, expected in zip(bags, again.attention, strict=True):
            assert len(attention[bag.unit].weights) == len(bag)
            np.testing.assert_array_equal(attention[bag.unit].weights, expected)


def test_what_is_kept_changes_no_number(task: Task, tmp_path: Path) -> None:
    plan = trained(tmp_path, task)
    stores = [Store(tmp_path / name) for name in ("lean", "full")]
    for store, keep in zip(stores, (NOTHING, ALL), strict=True):
        run(plan, store, executor="serial", keep=keep)
    lean, full = ({row.fingerprint: row for row in store.rows()} for store in stores)
    assert set(lean) == set(full) == {job.fingerprint for job in plan.jobs}
    for name, row in lean.items():
        assert (row.metrics, row.history) == (full[name].metrics, full[name].history)
        assert_same(stores[0].predictions(row)[2], stores[1].predictions(full[name])[2], "numbers are kept as well")
        assert len(row.history) == 1
        assert [store.kept(name).path.exists() for store in stores] == [False, True]


def test_a_head_without_attention_keeps_an_empty_table_and_is_done(task: Task, tmp_path: Path) -> None:
    plan, store = plan_of(tmp_path, task.name, "mean_knn"), Store(tmp_path / "store")
    run(plan, store, executor="serial", keep=ALL)
    assert plan.to_do(store, ALL) == ()
    assert store.kept(plan.jobs[0].fingerprint).attention() == {}
    assert type(store.kept(plan.jobs[0].fingerprint).model()).__name__ == "FittedKNN"


@pytest.mark.parametrize(
    ("keep", "fitted", "attention"),
    [(NOTHING, False, False), (Keep(models=True), True, False), (Keep(attention=True), False, True), (ALL, True, True)],
)
def test_a_job_brings_home_what_is_to_be_kept_and_no_more(
    keep: Keep, fitted: bool, attention: bool, task: Task, tmp_path: Path
) -> None:
    outcome = run_job(trained(tmp_path, task).jobs[0], keep=keep)
    assert (outcome.fitted is not None) == fitted
    assert (outcome.attention is not None) == attention
    assert outcome.predictions[2].attention is None  # what is kept changes no predictions file
    if fitted:
        assert "network" not in vars(pickle.loads(pickle.dumps(outcome.fitted)))


def test_a_fold_has_what_it_has(tmp_path: Path) -> None:
    fold = KeptFold(tmp_path / "fold")
    assert fold.has(NOTHING)
    assert not fold.has(Keep(attention=True))
    here, nowhere = (
        Bag(unit, np.zeros((n, 3), np.float32), coords, np.zeros(n, np.int64))
        for unit, n, coords in (("a", 2, np.array([[0, 512], [256, 512]])), ("b", 1, None))
    )
    placed = BagAttention.of(here, np.array([0.25, 0.75]))
    fold.write((placed, BagAttention.of(nowhere, np.array([1.0]))), None)
    assert fold.has(Keep(attention=True))
    assert not fold.has(ALL)
    assert not fold.has(Keep(models=True))
    again = fold.attention()
    assert {unit: one.weights.tolist() for unit, one in again.items()} == {"a": [0.25, 0.75], "b": [1.0]}
    np.testing.assert_array_equal(again["a"].coords, placed.coords)
    np.testing.assert_array_equal(again["a"].slide_index, placed.slide_index)
    assert (again["b"].coords, again["b"].slide_index) == (None, None)


def test_attention_kept_before_positions_were_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"unit": ["a"], "attention": [[0.5, 0.5]]}), tmp_path / "attention.parquet")
    assert KeptFold(tmp_path).attention()["a"].coords is None


def test_some_bags_are_read_alone(tmp_path: Path) -> None:
    KeptFold(tmp_path).write([BagAttention(name, np.ones(1, np.float32)) for name in "abc"], None)
    assert list(KeptFold(tmp_path).attention(2)) == ["a", "b"]


def test_weights_of_parts_of_instances_have_no_place() -> None:
    bag = Bag("a", np.zeros((2, 4, 3), np.float32), np.zeros((2, 2), np.int64), np.zeros(2, np.int64))
    assert BagAttention.of(bag, np.full(8, 0.125)).coords is None


def test_what_was_not_kept_says_so(tmp_path: Path) -> None:
    fold = KeptFold(tmp_path / "fold")
    with pytest.raises(StoreError, match=r"No attention was kept in .*fold\. Run the fold again with --keep-attention"):
        fold.attention()
    with pytest.raises(HeadError, match=r"fold/model holds no fitted head that can be loaded"):
        fold.model()
