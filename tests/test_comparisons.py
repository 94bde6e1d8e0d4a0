"""Comparisons of methods in a store: the right pairs, the right test, adjusted together, honest about what lacks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hiptbench.comparisons import compare_methods
from hiptbench.comparisons_text import to_json, to_text
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.families import Family, compare_with
from hiptbench.joining import Joined
from hiptbench.pairs import CLUSTERED, CORRECTED_T, DELONG, Drawn, adjusted, compare_pair, draw, over_folds, short_names
from hiptbench.panels import Panel, PanelKey, Run, panels
from hiptbench.published import import_hipt
from hiptbench.published_comparisons import published_families
from hiptbench.published_rows import as_results
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.statistics.corrected_t import Ratio
from hiptbench.statistics.draws import Draws
from hiptbench.statistics.holm import holm
from hiptbench.store import Store
from hiptbench.task_checks import measured
from hiptbench.task_store import save_task
from hiptbench.testing import toy_features, toy_task
from toys import baseline_file, make_home, make_row, plan_of

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
    values = {KIRC: (0.6, 0.7, 0.5), STAD: (0.7, 0.5, 0.6)}
    found = five_folds({task: dict(zip("abc", of_task, strict=True)) for task, of_task in values.items()})
    family = compare_with("toy/a", found, drawn_for(found, {KIRC: "p", STAD: "q"}), NOWHERE)
    assert family.ranks is not None
    assert family.friedman is not None
    assert sorted(one.rank for one in family.ranks.methods) == [1.5, 2.0, 2.5]
    assert sorted(family.friedman.mean_ranks) == [1.5, 2.0, 2.5]
    assert {one.method: (one.wins, one.losses) for one in family.across} == {"toy/b": (1, 1), "toy/c": (0, 2)}


def five_folds(values: dict[str, dict[str, float]]) -> list[Panel]:
    """Panels of the suite hipt-2022: of each task five folds of each baseline about a value."""
    rng = np.random.default_rng(1)
    return panels(
        make_row(value + rng.normal(0, 0.03), fold=fold, baseline=name, protocol=survival(task))
        for task, of_task in values.items()
        for name, value in of_task.items()
        for fold in range(5)
    )


def drawn_for(found: list[Panel], patients: dict[str, str]) -> dict[PanelKey, Drawn]:
    rng, drawn = np.random.default_rng(0), dict[PanelKey, Drawn]()
    for panel in found:
        means, task = np.array([panel.mean(run) for run in panel.runs]), panel.protocol.task
        values = means[:, None] + rng.normal(0, 0.01, (len(means), DRAWS))
        drawn[panel.key] = Draws(tuple(run.name for run in panel.runs), tuple(patients[task]), means, values, 0)
    return drawn


KIRC, STAD, LUAD = "tcga_kirc_survival", "tcga_stad_survival", "tcga_luad_survival"
NOWHERE = Joined(Store(Path("nowhere")))


def test_a_nested_cohort_does_not_count_over_tasks() -> None:
    found = five_folds({KIRC: {"a": 0.6, "b": 0.7}, STAD: {"a": 0.7, "b": 0.5}, LUAD: {"a": 0.5, "b": 0.6}})
    drawn = drawn_for(found, {KIRC: "pqr", STAD: "pq", LUAD: "rxy"})
    family = compare_with("toy/a", found, drawn, NOWHERE)
    assert family.nested == {STAD: KIRC}
    (one,) = family.across
    assert (one.wins, one.ties, one.losses) == (2, 0, 0)
    assert family.ranks is not None
    assert set(family.ranks.tasks) == {KIRC, LUAD}
    assert {one.task for one in family.comparisons} == {KIRC, STAD, LUAD}
    text = to_text([family])
    assert f"{STAD} does not count over tasks: all of its patients are those of {KIRC}" in text
    assert "tasks share patients, which intervals over tasks do not account for: " in text
    assert "mean of 2 tasks, new patients: b - a = +" in text
    (plain,) = json.loads(to_json([family]))
    assert plain["nested_tasks"] == {STAD: KIRC}
    assert [one["patients"] for one in plain["shared_patients"]] == [1]


def test_p_over_tasks_are_adjusted_in_their_own_family() -> None:
    values = {"a": 0.6, "b": 0.607, "c": 0.61, "d": 0.58}
    found = five_folds({KIRC: values, STAD: values})
    family = compare_with("toy/a", found, drawn_for(found, {KIRC: "p", STAD: "q"}), NOWHERE)
    raw = {one.method: one.difference.p for one in family.across}
    assert {one.method: one.adjusted for one in family.across} == holm(raw)
    assert any(one.adjusted != one.difference.p for one in family.across)
    text, (plain,) = to_text([family], with_friedman=True), json.loads(to_json([family]))
    assert text.count("after Holm over 3 comparisons (p ") == 3
    assert {one["method"]: one["p_adjusted"] for one in plain["across"]} == holm(raw)
    assert {one["verdict"] for one in plain["across"]} <= {"higher", "lower", "not distinguishable"}
    assert "2.5 to 97.5 % of draws of new patients, no confidence interval" in text
    assert family.ranks is not None
    assert plain["friedman"]["mean_ranks"] == {one.method: one.rank for one in family.ranks.methods}
    assert plain["adjusted_together"] == 6
    assert plain["fraction_rule"] is None


def test_tasks_shown_change_no_p() -> None:
    values = {"a": 0.6, "b": 0.65, "c": 0.61}
    found = five_folds({KIRC: values, STAD: values})
    drawn = drawn_for(found, {KIRC: "p", STAD: "q"})
    whole, part = (compare_with("toy/a", found, drawn, NOWHERE, shown=shown) for shown in ((), (STAD,)))
    assert part.tasks == (STAD,)
    assert part.size == whole.size == 4
    expected = {one.method: one.adjusted for one in whole.comparisons if one.task == STAD}
    assert {one.method: one.adjusted for one in part.comparisons} == expected
    assert None not in expected.values()


def test_a_task_that_has_the_reference_alone_is_not_compared_and_what_lacks_is_said() -> None:
    found = five_folds({KIRC: {"a": 0.6, "b": 0.7, "c": 0.5}, STAD: {"a": 0.7}, LUAD: {"a": 0.5, "b": 0.6}})
    family = compare_with("toy/a", found, drawn_for(found, {KIRC: "p", STAD: "q", LUAD: "r"}), NOWHERE)
    assert set(family.tasks) == {KIRC, LUAD}
    assert f"not in what is said over tasks, lacks {LUAD}: toy/c" in to_text([family])
    missing: dict[PanelKey, Drawn] = {panel.key: "the cat sits on them" for panel in found}
    text = to_text([compare_with("toy/a", found, missing, NOWHERE)])
    assert "no mean over tasks: there are no draws of " in text
    assert "the cat sits on them" in text


def test_tasks_named_are_shown_and_others_are_not_drawn(joined: Joined) -> None:
    family = only(compare_methods(["mean_knn", "prior"], joined, tasks=["toy_classification"], draws=DRAWS))
    assert family.tasks == ("toy_classification",)
    assert family.comparisons[0].bootstrap is not None


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"suite": "own:toy_clasification"}, r"no suite in these results 'own:toy_clasification'"),
        ({"tasks": ["toy_clasification"]}, r"no task in these results 'toy_clasification'"),
        ({"fraction": 0.3}, r"no fraction in these results '0.3'"),
    ],
)
def test_what_is_mistyped_is_named(joined: Joined, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        compare_methods(["mean_knn", "prior"], joined, **asked)


class Rows(Store):
    """A store that only has rows."""

    def __init__(self, rows: list[FoldResult]) -> None:
        super().__init__(Path("nowhere"))
        self._rows = rows

    def rows(self) -> list[FoldResult]:
        return self._rows


def test_only_incomplete_cohorts_are_refused_with_the_reason() -> None:
    rows = [
        make_row(0.5 + fold / 10, fold=fold, baseline=name, protocol={"missing_slides": 2})
        for name in "ab"
        for fold in (0, 1)
    ]
    with pytest.raises(
        StoreError, match=r"Nothing can be compared with toy/b here: there is only toy in a cohort that"
    ):
        compare_methods(["a", "b"], Joined(Rows(rows)))


def test_a_broken_third_method_does_not_matter(joined: Joined) -> None:
    (panel,) = panels(joined.results.rows())
    names = ("toy/mean_knn", "toy/prior")
    whole = draw(panel, joined, draws=DRAWS)
    broken = replace(
        panel, runs=(*(run for run in panel.runs if run.name in names), Run("toy/broken", elsewhere(panel)))
    )
    assert isinstance(whole, Draws)
    assert isinstance(draw(broken, joined, draws=DRAWS), str)
    found = draw(broken, joined, draws=DRAWS, names=names)
    assert isinstance(found, Draws)
    assert found.difference(*names) == whole.difference(*names)


def elsewhere(panel: Panel) -> tuple[FoldResult, ...]:
    """Rows whose predictions no store has."""
    return tuple(row.model_copy(update={"fingerprint": "0" * 64}) for row in panel.runs[0].rows)


def test_a_stale_import_is_a_reason_and_stops_nothing(joined: Joined) -> None:
    rows = [
        row.model_copy(update={"protocol": row.protocol.model_copy(update={"labels": "old"})})
        for row in joined.results.rows()
    ]
    (panel,) = panels(rows)
    assert "are not those that the row was made with. Import it again" in str(draw(panel, joined, draws=DRAWS))


def test_the_ratio_is_of_the_two_methods_that_are_compared(tmp_path: Path) -> None:
    """One of them holds out a quarter of the patients, so that it trains on fewer units."""
    home = tmp_path / "home"
    task, store = make_home(home, folds=3), Store(home / "store")
    chosen = baseline_file(tmp_path, "chosen", "mil", model="mean", overrides={"inner_val": 0.25, "epochs": 1})
    for baseline in (chosen, "prior", "permuted_labels"):
        run(plan_of(home, task.name, baseline, fractions=[0.5], by_patients=True), store, executor="serial")
    joined = Joined(store, home)
    family = only(compare_methods(["chosen", "prior", "permuted_labels"], joined, draws=DRAWS))
    said = {one.method: one.sensitivity or "" for one in family.comparisons}
    trained = {
        one.method: np.mean([len(joined.trained_on(row)) for row in one.runs[0].repeats[0]])
        for one in family.comparisons
    }
    assert trained["toy/chosen"] < trained["toy/prior"]
    for method, count in trained.items():
        assert f" / {count:.1f}, the units evaluated and trained on" in said[method]
        assert "p would be " in said[method]
    assert ["the smaller n_train of the two methods" in said[method] for method in ("toy/chosen", "toy/prior")] == [
        True,
        False,
    ]
    assert all("the ratio at fraction 1, a heuristic" in one.test for one in family.comparisons)
    assert "p of toy_classification (chosen): corrected t" in to_text([family])


def test_seeds_and_draws_are_averaged_and_may_be_unequal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    task, store = make_home(home, folds=2), Store(home / "store")
    run(
        plan_of(home, task.name, "permuted_labels", fractions=[0.5], by_patients=True, seeds=[1, 2]),
        store,
        executor="serial",
    )
    run(plan_of(home, task.name, "prior", fractions=[0.5], by_patients=True), store, executor="serial")
    (one,) = only(compare_methods(["permuted_labels", "prior"], Joined(store, home), draws=DRAWS)).comparisons
    repeats = [len(run.repeats) for run in one.runs]
    draws_of = store.rows()[0].protocol.draws
    assert repeats == [2 * draws_of, draws_of]
    means = {
        n: np.mean([r.metrics["auc"] for r in store.rows() if r.baseline == n]) for n in ("permuted_labels", "prior")
    }
    assert one.result.effect == pytest.approx(means["permuted_labels"] - means["prior"], abs=1e-12)
    assert one.bootstrap is not None
    assert one.bootstrap.effect == pytest.approx(one.result.effect, abs=1e-12)


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
    assert one.test == (CLUSTERED if len(set(task.cases)) < len(task.units) else DELONG)
    assert one.result.p is not None
    (panel,) = panels(store.rows())
    without = compare_pair(panel, panel.runs[0], panel.runs[1].name, "the data are not here", Joined(store, home))
    assert (without.result.p, without.result.note) == (None, "the data are not here")
    assert "; not tested: the data are not here" in adjusted([without])[0].sentence


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
NAIVE = {("tcga_lung_subtype", 0.25): (0.0012, 5e-5), ("tcga_lung_subtype", 1.0): (0.021, 5e-4)}
FOUR_DECIMALS = {("tcga_brca_survival", 1.0)}
IF_WHOLE = {"tcga_brca_subtype": 0.541, "tcga_lung_subtype": 0.011, "tcga_kidney_subtype": 0.015}


def test_hipt_against_the_best_of_its_baselines_in_print(
    checkouts: dict[str, Path], real_home: Path, tmp_path: Path
) -> None:
    rows = as_results(import_hipt(checkouts["hipt"]))
    every = panels(rows)
    families = published_families(every, Joined(Store(tmp_path), real_home))
    found = {(one.task, family.fraction): one for family in families for one in family.comparisons}
    assert found.keys() == PUBLISHED_P.keys()
    for place, one in found.items():
        assert one.result.p == pytest.approx(PUBLISHED_P[place], abs=5e-5 if place in FOUR_DECIMALS else 5e-4)
        assert one.adjusted is not None
        assert one.adjusted > 0.05
    (part,) = (family for family in families if family.if_whole)
    assert {task: one.p for task, one in part.if_whole.items()} == pytest.approx(IF_WHOLE, abs=5e-4)
    for place, (p, error) in NAIVE.items():
        naive = [
            over_folds(panel, found[place].runs, Ratio(0.0, "none")).p
            for panel in every
            if found[place].runs[0] in panel.runs
        ]
        assert naive == [pytest.approx(p, abs=error)]
