"""Only runs of one Protocol stand in one panel; joining gives each its truth and the units it was fitted on."""

from pathlib import Path

import pytest

from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.export import Export, export
from hiptbench.families import by_family, left_out
from hiptbench.joining import Joined
from hiptbench.panels import find_method, panels, refuse_other_protocols
from hiptbench.runner import run
from hiptbench.store import Store
from toys import baseline_file, make_home, make_row, plan_of


def two_folds(value: float, **changes: object) -> list[object]:
    return [make_row(value + fold / 10, fold=fold, **changes) for fold in (0, 1)]  # type: ignore[arg-type]


def test_runs_of_one_protocol_share_a_panel_best_first() -> None:
    rows = [
        *two_folds(0.5, baseline="low"),
        *two_folds(0.7, baseline="high"),
        *two_folds(0.9, protocol={"cohort": "d"}),
    ]
    one, other = sorted(panels(rows), key=lambda panel: len(panel.runs), reverse=True)
    assert [run.name for run in one.runs] == ["toy/high", "toy/low"]
    assert [run.name for run in other.runs] == ["toy/mine"]
    assert one.mean(one.runs[0]) == pytest.approx(0.75)


def test_seeds_are_averaged_within_a_fold() -> None:
    (panel,) = panels([*two_folds(0.5, seed=1), *two_folds(0.7, seed=2)])
    assert panel.runs[0].by_fold("auc") == {0: pytest.approx(0.6), 1: pytest.approx(0.7)}
    assert [len(folds) for folds in panel.runs[0].repeats] == [2, 2]


def test_two_variants_under_one_name_are_told_apart() -> None:
    (panel,) = panels([*two_folds(0.5), *two_folds(0.6, provenance={"settings": {"k": 3}})])
    names = {run.name for run in panel.runs}
    assert len(names) == 2
    assert all(name.startswith("toy/mine [") for name in names)
    assert len({run.card for run in panel.runs}) == 2


def two_tasks(*methods: tuple[float, dict[str, object]], again: dict[str, object]) -> list[object]:
    """Two folds of each method on one task, and of another method on a second task."""
    first = [row for value, settings in methods for row in two_folds(value, provenance={"settings": settings})]
    return [*first, *two_folds(0.5, protocol={"task": "other"}, provenance={"settings": again, "feature_hash": "f"})]


def test_a_method_has_one_name_on_every_task() -> None:
    here, there = panels(two_tasks((0.5, {"k": 1}), (0.6, {"k": 3}), again={"k": 3}))
    if len(here.runs) == 1:
        here, there = there, here
    assert there.runs[0].name == here.runs[0].name
    assert there.runs[0].name.startswith("toy/mine [")
    with pytest.raises(StoreError, match=r"'toy/mine' was run with several features or settings: name one of toy/mine"):
        find_method("toy/mine", [here, there])
    plain = panels(two_tasks((0.5, {"k": 1}), again={"k": 3}))
    assert {run.name for panel in plain for run in panel.runs} == {"toy/mine"}


def test_other_features_under_one_name_are_told_apart() -> None:
    (panel,) = panels([*two_folds(0.5), *two_folds(0.6, provenance={"feature_hash": "f"})])
    assert len({run.name for run in panel.runs}) == 2


def test_a_panel_has_one_definition_of_the_metric() -> None:
    old = two_folds(0.6, baseline="old", protocol=None)
    old = [row.model_copy(update={"definitions": {"auc": "another one"}}) for row in old]  # type: ignore[attr-defined]
    assert [len(panel.runs) for panel in panels([*two_folds(0.5), *old])] == [1, 1]


def test_a_baseline_alone_is_that_on_its_suites_own_features() -> None:
    registered = {"suite": "hipt-2022", "task": "tcga_brca_subtype"}
    rows = [
        row
        for features in ("tcga_site", "hipt_vit4k_region")
        for row in two_folds(0.5, features=features, protocol=registered)
    ]
    assert find_method("mine", panels(rows)) == "hipt_vit4k_region/mine"


def test_what_stands_in_no_family_is_said() -> None:
    lacking = two_folds(0.9, protocol={"missing_slides": 2, "cohort": "d"})
    found = panels(
        [*two_folds(0.5), *two_folds(0.6, baseline="b"), *two_folds(0.7, protocol={"cohort": "e"}), *lacking]
    )
    ((key, notes),) = left_out(found, by_family(found)).items()
    assert key[0] == "own:toy"
    said = sorted(note.partition(" (")[0] for note in notes)
    assert said == ["toy in a cohort that lacks 2 slides", "toy under another Protocol, which has fewer methods"]


def test_a_card_keeps_its_name_when_a_seed_is_added() -> None:
    (alone,), (both,) = panels(two_folds(0.5)), panels([*two_folds(0.5), *two_folds(0.6, seed=2)])
    assert alone.runs[0].card == both.runs[0].card


def test_a_family_has_one_panel_a_task_and_no_incomplete_cohort() -> None:
    lacking = two_folds(0.9, protocol={"missing_slides": 2, "cohort": "d"})
    rows = [*two_folds(0.5), *two_folds(0.6, baseline="other"), *two_folds(0.7, protocol={"cohort": "e"}), *lacking]
    ((key, family),) = by_family(panels(rows)).items()
    assert key == ("own:toy", 1.0, "", "classification", "measured")
    assert [len(panel.runs) for panel in family] == [2]


def test_a_method_is_found_by_its_baseline_if_only_one_has_it() -> None:
    found = panels([*two_folds(0.5), *two_folds(0.6, features="others", baseline="theirs")])
    assert find_method("theirs", found) == "others/theirs"
    assert find_method("toy/mine", found) == "toy/mine"
    with pytest.raises(UnknownNameError, match="method in these results 'mien'"):
        find_method("mien", found)
    twice = panels([*two_folds(0.5), *two_folds(0.6, features="others")])
    with pytest.raises(
        StoreError, match="'mine' was run with several features or settings: name one of others/mine, toy/mine"
    ):
        find_method("mine", twice)


def test_methods_without_a_common_protocol_are_refused_with_what_differs() -> None:
    found = panels([*two_folds(0.5), *two_folds(0.6, baseline="other", protocol={"labels": "mended"})])
    with pytest.raises(StoreError, match=r"never run under one Protocol.*What differs: labels l and mended"):
        refuse_other_protocols("toy/mine", "toy/other", found)
    both = panels([*two_folds(0.5), *two_folds(0.6, baseline="other")])
    refuse_other_protocols("toy/mine", "toy/other", both)


@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_a_store_and_its_export_join_to_the_same(kind: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    task = make_home(home, kind, folds=2)  # type: ignore[arg-type]
    store = Store(home / "store")
    run(plan_of(home, task.name, "mean_knn" if kind == "classification" else "mean_cox"), store, executor="serial")
    published = export(store, store.rows(), tmp_path / "results")
    assert isinstance(published, Export)
    for row in store.rows():
        (units, target, _), (same_units, same_target, _) = (
            Joined(results, home).predictions(row) for results in (store, published)
        )
        assert units == same_units == task.evaluated(task.split(row.fold))
        assert target.rows() == same_target.rows()
        assert Joined(published, home).trained_on(row) == task.split(row.fold).train


def test_units_trained_on_are_those_drawn_less_those_held_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    task = make_home(home, folds=2)
    chosen = baseline_file(tmp_path, "chosen", "mil", model="mean", overrides={"inner_val": 0.25, "epochs": 1})
    store = Store(home / "store")
    run(plan_of(home, task.name, chosen, fractions=[0.5], by_patients=True), store, executor="serial")
    row = store.rows()[0]
    whole, fitted = task.split(row.fold).train, Joined(store, home).trained_on(row)
    assert set(fitted) < set(whole)
    patients = {task.case(unit) for unit in whole}
    assert len({task.case(unit) for unit in fitted}) == round(0.5 * len(patients)) - round(
        0.25 * round(0.5 * len(patients))
    )


def test_a_fraction_drawn_by_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    task = make_home(home, folds=2)
    store = Store(home / "store")
    run(plan_of(home, task.name, "mean_knn"), store, executor="serial")
    row = store.rows()[0]
    other = row.model_copy(update={"protocol": row.protocol.model_copy(update={"fraction_rule": "by the moon"})})
    with pytest.raises(StoreError, match="No rule says how 'by the moon' drew"):
        Joined(store, home).trained_on(other)
