"""Comparisons of methods in a store: the right pairs, the right test, adjusted together, honest about what lacks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hiptbench.comparisons import Family, compare_methods, compare_with
from hiptbench.comparisons_text import to_json, to_text
from hiptbench.errors import StoreError
from hiptbench.joining import Joined
from hiptbench.pairs import CORRECTED_T, DELONG, Drawn, draw, short_names
from hiptbench.panels import PanelKey, panels
from hiptbench.published import import_hipt
from hiptbench.published_comparisons import published_families
from hiptbench.published_rows import as_results
from hiptbench.runner import run
from hiptbench.statistics.draws import Draws
from hiptbench.store import Store
from hiptbench.task_checks import measured
from hiptbench.task_store import save_task
from hiptbench.testing import toy_features, toy_task
from toys import make_home, make_row, plan_of

DRAWS = 200


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Joined:
    """Three probes on a task with three folds."""
    home = tmp_path_factory.mktemp("compared") / "home"
    task, store = make_home(home, folds=3), Store(home / "store")
    for baseline in ("mean_knn", "permuted_labels", "prior"):
        run(plan_of(home, task.name, baseline), store, executor="serial")
    return Joined(store, home)


def only(families: list[Family]) -> Family:
    (family,) = families
    return family


def test_a_method_is_held_against_the_last_one_named(joined: Joined) -> None:
    family = only(compare_methods(["permuted_labels", "prior"], joined, draws=DRAWS))
    (one,) = family.comparisons
    assert (one.method, one.reference) == ("toy/permuted_labels", "toy/prior")
    rows = joined.results.rows()
    folds = {name: [r.metrics["auc"] for r in rows if r.baseline == name] for name in ("permuted_labels", "prior")}
    assert one.result.effect == pytest.approx(np.mean(folds["permuted_labels"]) - np.mean(folds["prior"]))
    assert one.bootstrap is not None
    assert one.bootstrap.effect == pytest.approx(one.result.effect)
    assert one.test.startswith(CORRECTED_T)
    assert one.sentence.startswith("permuted_labels - prior = ")


def test_all_methods_are_adjusted_together_and_ranked(joined: Joined) -> None:
    family = only(compare_methods(["all"], joined, reference="prior", draws=DRAWS))
    assert {one.method for one in family.comparisons} == {"toy/mean_knn", "toy/permuted_labels"}
    for one in family.comparisons:
        if one.result.p is None:  # the probe is right on all the toy's units, in every fold
            assert "not tested: the difference is the same in every fold" in one.sentence
            continue
        assert one.adjusted is not None
        assert one.adjusted >= one.result.p
        assert "Holm over 2 comparisons" in one.sentence
    assert family.ranks is not None
    ranks = {one.method: one.rank for one in family.ranks.methods}
    means = {run.name: -panel.mean(run) for panel in panels(joined.results.rows()) for run in panel.runs}
    assert sorted(ranks, key=ranks.__getitem__) == sorted(means, key=means.__getitem__)
    assert family.friedman is None  # one task


def test_friedman_ranks_each_method_as_the_ranks_do() -> None:
    """Panels list their runs best first, so that tasks list the methods in other orders."""
    values = {"tcga_kirc_survival": (0.6, 0.7, 0.5), "tcga_stad_survival": (0.7, 0.5, 0.6)}
    rows = [
        make_row(value + fold / 100, fold=fold, baseline=name, protocol=survival(task))
        for task, of_task in values.items()
        for name, value in zip("abc", of_task, strict=True)
        for fold in range(5)
    ]
    rng = np.random.default_rng(0)
    found = panels(rows)
    drawn: dict[PanelKey, Drawn] = {}
    for panel in found:
        means = np.array([panel.mean(run) for run in panel.runs])
        names, noise = tuple(run.name for run in panel.runs), rng.normal(0, 0.01, (3, DRAWS))
        drawn[panel.key] = Draws(names, ("p",), means, means[:, None] + noise, 0)
    family = compare_with("toy/a", found, drawn, Joined(Store(Path("nowhere"))))
    assert family.ranks is not None
    assert family.friedman is not None
    assert sorted(one.rank for one in family.ranks.methods) == [1.5, 2.0, 2.5]
    assert sorted(family.friedman.mean_ranks) == [1.5, 2.0, 2.5]
    assert {one.method: (one.wins, one.losses) for one in family.across} == {"toy/b": (1, 1), "toy/c": (0, 2)}


def survival(task: str) -> dict[str, object]:
    return {"suite": "hipt-2022", "task": task, "task_kind": "survival", "folds": 5, "evaluate_on": "val"}


def test_one_split_of_two_classes_is_compared_by_delong(tmp_path: Path) -> None:
    home, store = tmp_path / "home", Store(tmp_path / "store")
    folds = toy_task(cases=120, folds=2)
    one_split = replace(folds, splits=folds.splits[:1])
    scheme = folds.spec.folds.model_copy(update={"count": 1, "scheme": "given"})
    spec = folds.spec.model_copy(update={"folds": scheme, "expected": measured(one_split), "hashes": None})
    task = replace(one_split, spec=spec)
    save_task(task, home)
    toy_features(task, home / "toy")
    for baseline in ("permuted_labels", "prior"):
        run(plan_of(home, task.name, baseline), store, executor="serial")
    (one,) = only(compare_methods(["permuted_labels", "prior"], Joined(store, home), draws=DRAWS)).comparisons
    assert one.test == DELONG
    assert one.result.p is not None


def test_without_the_tasks_data_there_are_tests_and_no_draws(joined: Joined, tmp_path: Path) -> None:
    away = Joined(joined.results, tmp_path / "nowhere")
    (panel,) = panels(joined.results.rows())
    assert draw(panel, away, draws=DRAWS) == "the task's data are not at hand, or the cohort lacks slides"
    assert isinstance(draw(panel, joined, draws=DRAWS), Draws)


def test_too_few_patients_give_a_reason_in_place_of_an_interval(tmp_path: Path) -> None:
    home = tmp_path / "home"
    task, store = make_home(home, folds=2, cases=8), Store(home / "store")
    for baseline in ("permuted_labels", "prior"):
        run(plan_of(home, task.name, baseline), store, executor="serial")
    family = only(compare_methods(["permuted_labels", "prior"], Joined(store, home), draws=DRAWS))
    (one,) = family.comparisons
    assert one.bootstrap is None
    assert "too few patients" in (one.why or "")
    assert "no interval for new patients" in to_text([family])


@pytest.mark.parametrize("methods", [["mean_knn"], ["all"], ["mean_knn", "mean_knn"]])
def test_one_method_alone_is_no_comparison(joined: Joined, methods: list[str]) -> None:
    with pytest.raises(StoreError, match="Name two methods, the second being the reference"):
        compare_methods(methods, joined, draws=DRAWS)


def test_text_says_effect_first_and_json_says_everything(joined: Joined) -> None:
    families = compare_methods(["mean_knn", "permuted_labels", "prior"], joined, draws=DRAWS)
    text = to_text(families, with_friedman=True)
    assert "held against toy/prior; 2 comparisons, adjusted together" in text
    assert "these models on new patients: +" in text
    assert "training was not repeated" in text
    (plain,) = json.loads(to_json(families))
    assert {one["method"] for one in plain["comparisons"]} == {"toy/mean_knn", "toy/permuted_labels"}
    assert all(one["bootstrap"]["low"] <= one["difference"] <= one["bootstrap"]["high"] for one in plain["comparisons"])


def test_names_are_short_where_features_are_the_same() -> None:
    assert short_names(["a/x", "a/y"]) == ("x", "y")
    assert short_names(["a/x", "b/x"]) == ("a/x", "b/x")


PUBLISHED_P = {
    ("tcga_brca_subtype", 0.25): 0.703,
    ("tcga_brca_subtype", 1.0): 0.421,
    ("tcga_lung_subtype", 0.25): 0.077,
    ("tcga_lung_subtype", 1.0): 0.086,
    ("tcga_kidney_subtype", 0.25): 0.098,
    ("tcga_kidney_subtype", 1.0): 0.552,
    ("tcga_brca_survival", 1.0): 0.0175,
    ("tcga_coadread_survival", 1.0): 0.494,
    ("tcga_kirc_survival", 1.0): 0.361,
    ("tcga_kirp_survival", 1.0): 0.981,
    ("tcga_luad_survival", 1.0): 0.309,
    ("tcga_stad_survival", 1.0): 0.944,
}
IF_WHOLE = {"tcga_brca_subtype": 0.541, "tcga_lung_subtype": 0.011, "tcga_kidney_subtype": 0.015}


def test_hipt_against_the_best_of_its_baselines_in_print(
    checkouts: dict[str, Path], real_home: Path, tmp_path: Path
) -> None:
    rows = as_results(import_hipt(checkouts["hipt"]))
    families = published_families(panels(rows), Joined(Store(tmp_path), real_home))
    found = {(one.task, family.fraction): one for family in families for one in family.comparisons}
    assert found.keys() == PUBLISHED_P.keys()
    for place, one in found.items():
        assert one.result.p == pytest.approx(PUBLISHED_P[place], abs=6e-4)
        assert one.adjusted is not None
        assert one.adjusted > 0.05
    (part,) = (family for family in families if family.if_whole)
    assert {task: one.p for task, one in part.if_whole.items()} == pytest.approx(IF_WHOLE, abs=6e-4)
