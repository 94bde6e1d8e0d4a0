"""What the page is drawn from says what the store says, with reasons where something cannot be said."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from hiptbench.boards import board_of
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.export import export
from hiptbench.joining import Joined
from hiptbench.kept import Keep
from hiptbench.panels import panels
from hiptbench.report.data import ReportData
from hiptbench.report.derive import derive
from hiptbench.report.derive_families import families
from hiptbench.report.run_data import Groups
from hiptbench.report.stored import FILE, only, read_data, write_data
from hiptbench.report.verify_derived import verify_derived
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.task_checks import measured
from hiptbench.task_store import save_task
from hiptbench.testing import toy_features, toy_task
from toys import baseline_file, make_home, make_row, plan_of

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
            assert one.calibration is not None
            assert one.calibration.label == "survival at 17 months, the median time of the training events"
            assert one.calibration.n == one.n_units


def test_risks_alone_are_not_calibrated(home: Path, tmp_path: Path) -> None:
    store = Store(home / "store")
    rows = [row for row in store.rows() if row.protocol.task_kind == "survival"]
    for exported in derive(export(store, rows, tmp_path / "results"), home, draws=DRAWS).runs:
        assert exported.calibration is None
        assert "risk only" in str(exported.calibration_why)


def test_predictions_of_a_unit_in_several_folds_are_not_pooled(tmp_path: Path) -> None:
    partition = toy_task("survival", folds=3)
    again = (replace(split, fold=split.fold + 3) for split in partition.splits)
    twice = replace(partition, splits=(*partition.splits, *again))
    folds = partition.spec.folds.model_copy(update={"count": 6, "scheme": "given"})
    spec = partition.spec.model_copy(update={"folds": folds, "expected": measured(twice), "hashes": None})
    save_task(replace(twice, spec=spec), tmp_path)
    toy_features(twice, tmp_path / "toy")
    run(plan_of(tmp_path, twice.spec.name, "mean_cox"), Store(tmp_path / "store"), executor="serial")
    (one,) = derive(Store(tmp_path / "store"), tmp_path, draws=DRAWS).runs
    assert one.calibration is None
    why = "a unit is evaluated in several folds, whose predictions of it cannot be pooled"
    assert one.calibration_why == why
    assert {measure.name: measure.why for measure in one.measures}["d_calibration"] == why
    assert one.groups == Groups(why=why)


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


def test_methods_are_held_against_the_simplest_probe(data: ReportData) -> None:
    references = {family.kind: family.reference for family in data.families}
    assert references == {"classification": "toy/mean_logreg", "survival": "toy/mean_cox"}
    cards = {one.card for one in data.runs}
    for family in data.families:
        assert "the simplest probe" in family.chosen
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


def test_the_reference_is_the_probe_of_the_suites_own_features() -> None:
    """Features that need no slide have the same probe."""
    rows = [
        make_row(value, fold=fold, baseline="mean_cox", features=features, protocol=REGISTERED)
        for features, value in (("hipt_vit4k_region", 0.6), ("tcga_site", 0.7), ("a_first", 0.5))
        for fold in range(5)
    ]
    (family,) = families(panels(rows), defaultdict(lambda: "not drawn"), Joined(Store(Path("nowhere"))))
    assert family.reference == "hipt_vit4k_region/mean_cox"
    assert {one.method for one in family.comparisons} == {"tcga_site/mean_cox", "a_first/mean_cox"}


def test_without_the_probe_the_best_over_all_tasks_is_the_reference_and_it_is_said() -> None:
    values = {"tcga_kirc_survival": {"a": 0.9, "b": 0.6}, "tcga_stad_survival": {"a": 0.5, "b": 0.9}}
    rows = [
        make_row(value, fold=fold, baseline=name, protocol=REGISTERED | {"task": task})
        for task, of_task in values.items()
        for name, value in of_task.items()
        for fold in range(5)
    ]
    (family,) = families(panels(rows), defaultdict(lambda: "not drawn"), Joined(Store(Path("nowhere"))))
    assert family.reference == "toy/b"
    assert "chosen after the fact" in family.chosen


REGISTERED = {"suite": "hipt-2022", "task": "tcga_kirc_survival", "task_kind": "survival", "folds": 5}


def test_derived_numbers_are_derived_again_and_a_changed_one_is_found(home: Path, tmp_path: Path) -> None:
    store = Store(home / "store")
    written = export(store, store.rows(), tmp_path / "results")
    write_data(written.path, derive(store, home, rows=written.rows()))
    found = verify_derived(written, home)
    assert (found.wrong, found.elsewhere > 0) == ((), True)  # the store has survival curves, the export has none
    data = read_data(written.path)
    first = data.runs[0]
    assert first.interval is not None
    edited = first.model_copy(update={"interval": first.interval.model_copy(update={"low": 0.1})})
    write_data(written.path, data.model_copy(update={"runs": (edited, *data.runs[1:])}))
    (wrong,) = verify_derived(written, home).wrong
    assert wrong.endswith(f"card {first.card}, interval, low")


def test_numbers_derived_from_other_rows_are_refused(home: Path, data: ReportData, tmp_path: Path) -> None:
    store = Store(home / "store")
    written = export(store, store.rows()[:-1], tmp_path / "results")
    write_data(written.path, data)
    with pytest.raises(StoreError, match="was derived from other rows than lie beside it"):
        read_data(written.path)


def test_one_suite_can_be_shown_alone(data: ReportData) -> None:
    shown = only(data, "own:toy_survival")
    assert {run.task for run in shown.runs} == {task.name for task in shown.tasks} == {"toy_survival"}
    with pytest.raises(UnknownNameError, match="suite in these results 'own:toy'"):
        only(data, "own:toy")
