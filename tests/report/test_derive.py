"""What the page is drawn from says what the store says, with reasons where something cannot be said."""

import json
from pathlib import Path

import pytest

from hiptbench.boards import board_of
from hiptbench.errors import StoreError
from hiptbench.export import export
from hiptbench.kept import Keep
from hiptbench.report.data import ReportData
from hiptbench.report.derive import derive
from hiptbench.report.stored import FILE, read_data, write_data
from hiptbench.runner import run
from hiptbench.store import Store
from toys import baseline_file, make_home, plan_of

DRAWS = 100


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a task of each kind, run with a probe, the prior and, where classes are predicted, a network."""
    home = tmp_path_factory.mktemp("derived") / "home"
    store = Store(home / "store")
    for kind, probe in (("classification", "mean_logreg"), ("survival", "mean_cox")):
        task = make_home(home, kind, folds=3)  # type: ignore[arg-type]
        for baseline in (probe, "prior"):
            run(plan_of(home, task.name, baseline), store, executor="serial")
    network = baseline_file(home, "network", "mil", model="abmil", overrides={"epochs": 3})
    plan = plan_of(home, "toy_classification", network, seeds=(1, 2))
    run(plan, store, executor="serial", keep=Keep(attention=True))
    return home


@pytest.fixture(scope="module")
def data(home: Path) -> ReportData:
    return derive(Store(home / "store"), home, draws=DRAWS)


def test_every_cell_of_the_leaderboard_has_a_card_with_its_mean(home: Path, data: ReportData) -> None:
    cells = {(cell.task, cell.baseline): cell for cell in board_of(Store(home / "store")).cells}
    assert {(run.task, run.baseline) for run in data.runs} == set(cells)
    assert len({run.card for run in data.runs}) == len(data.runs)
    for one in data.runs:
        cell = cells[one.task, one.baseline]
        assert one.mean == pytest.approx(cell.mean)
        assert one.sd_folds == pytest.approx(cell.sd_folds)
        assert one.protocol_id == cell.protocol
        assert (one.n_seeds, one.contamination) == (cell.n_seeds, cell.contamination)


def test_an_interval_holds_the_mean_and_says_how_it_was_drawn(data: ReportData) -> None:
    for one in data.runs:
        assert one.interval is not None
        assert one.interval.low - 1e-12 <= one.mean <= one.interval.high + 1e-12
        assert one.interval.draws == DRAWS


def test_measures_have_a_value_or_a_reason(data: ReportData) -> None:
    for one in data.runs:
        assert one.measures
        assert all(measure.value is not None or measure.why for measure in one.measures)
        assert one.metric not in {measure.name for measure in one.measures}


def test_each_kind_of_task_has_its_curves(data: ReportData) -> None:
    for one in data.runs:
        if one.metric == "auc":
            assert [curve.label for curve in one.roc] == ["class1"]
            assert one.calibration is not None
            assert one.groups is None
        else:
            assert not one.roc
            assert one.groups is not None
            assert one.groups.cut == "median risk of each fold's training units"


def test_the_prior_separates_no_groups_and_says_so(data: ReportData) -> None:
    prior = next(one for one in data.runs if (one.metric, one.baseline) == ("c_index", "prior"))
    assert prior.groups is not None
    assert prior.groups.log_rank_p is None
    assert prior.groups.why


def test_training_curves_and_attention_are_those_that_were_kept(data: ReportData) -> None:
    network = next(one for one in data.runs if one.baseline == "network")
    assert all(len(values) == 3 for values in network.training.values())
    assert network.training
    assert network.attention
    assert all(sum(bag.weights) == pytest.approx(1, abs=1e-2) for bag in network.attention)
    assert not next(one for one in data.runs if one.baseline == "prior").attention


def test_a_card_says_how_to_make_its_number_again(data: ReportData) -> None:
    network = next(one for one in data.runs if one.baseline == "network")
    assert network.remake[0].endswith("--task toy_classification --features toy --baseline network --seed 1 --seed 2")


def test_methods_are_held_against_the_probe_named_in_advance(data: ReportData) -> None:
    references = {family.kind: family.reference for family in data.families}
    assert references == {"classification": "toy/mean_logreg", "survival": "toy/mean_cox"}
    cards = {one.card for one in data.runs}
    for family in data.families:
        assert "named before any result was seen" in family.chosen
        assert all({one.card, one.reference_card} <= cards for one in family.comparisons)


def test_tasks_carry_what_the_linter_found_without_names(home: Path, data: ReportData) -> None:
    assert {task.name for task in data.tasks} == {"toy_classification", "toy_survival"}
    for task in data.tasks:
        assert task.lint is not None
        assert task.lint_facts["scheme"] == "partition"


def test_nothing_of_the_labels_or_ids_is_published(home: Path, data: ReportData) -> None:
    text = data.model_dump_json()
    for name in ("toy_classification", "toy_survival"):
        ids = (home / "tasks" / name / "labels.csv").read_text().splitlines()[1:]
        assert not [line for line in ids if f'"{line.split(",")[0]}"' in text]


def test_without_the_tasks_data_the_page_says_what_it_lacks(home: Path, tmp_path: Path) -> None:
    bare = derive(Store(home / "store"), tmp_path / "nowhere", draws=DRAWS)
    for one in bare.runs:
        assert one.interval is None
        assert one.interval_why == "the task's data are not at hand, or the cohort lacks slides"


def test_an_export_keeps_what_was_derived(home: Path, data: ReportData, tmp_path: Path) -> None:
    store = Store(home / "store")
    written = export(store, store.rows(), tmp_path / "results")
    with pytest.raises(StoreError, match=rf"holds no {FILE}: export the store again"):
        read_data(written.path)
    write_data(written.path, data)
    assert read_data(written.path) == data
    (written.path / FILE).write_text("{")
    with pytest.raises(StoreError, match=rf"{FILE} is damaged"):
        read_data(written.path)


def test_rows_without_the_training_median_are_cut_at_the_evaluated_one(home: Path, tmp_path: Path) -> None:
    """As those stored before rows had it."""
    store = Store(home / "store")
    older = export(store, store.rows(), tmp_path / "older")
    lines = (older.path / "rows.jsonl").read_text().splitlines()
    rows = [{k: v for k, v in json.loads(line).items() if k != "training_median_risk"} for line in lines]
    (older.path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cuts = {one.groups.cut for one in derive(older, home, draws=DRAWS).runs if one.groups}
    assert cuts == {"median risk of each fold's evaluated units; the training units' risks are not known"}
