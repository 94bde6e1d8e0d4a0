"""The simulated cohorts are what the registry says, and their signal is where the model says."""

from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import binomtest, norm
from sklearn.linear_model import LogisticRegression

from hiptbench.errors import TaskError
from hiptbench.metrics import auc, c_index
from hiptbench.schema import dump_yaml
from hiptbench.sources.laws import REGION_SHAPE, directions, draw_lives, region_counts, settings, stream
from hiptbench.sources.synthetic import simulate
from hiptbench.suites import load_suite
from hiptbench.targets import Labels, Survival
from hiptbench.task_checks import check_task, measured
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import load_spec

SUBTYPING = tuple(f"synthetic_{organ}_subtype" for organ in ("brca", "lung", "kidney"))
SURVIVAL = tuple(f"synthetic_{study}_survival" for study in ("brca", "coadread", "kirc", "kirp", "luad", "stad"))
ALL = SUBTYPING + SURVIVAL


def varied(name: str, *, expected: dict[str, Any] | None = None, **data: Any) -> TaskSpec:
    spec = load_spec(name)
    changes = {
        "data": spec.data.model_copy(update=data),
        "expected": spec.expected.model_copy(update=expected or {}),
    }
    return spec.model_copy(update={**changes, "hashes": None})


@pytest.mark.parametrize("name", ALL)
def test_the_cohort_is_what_the_registry_says(name: str) -> None:
    spec = load_spec(name)
    cohort = simulate(spec)
    check_task(cohort.task)  # counts, events, hashes, and every fold can be evaluated
    assert set(cohort.features) == set(cohort.task.all_slides)
    assert {features.shape[1:] for features in cohort.features.values()} == {(64,)}
    assert {features.dtype for features in cohort.features.values()} == {np.dtype(np.float16)}


@pytest.mark.parametrize("name", ALL)
def test_it_has_the_sizes_and_the_fold_scheme_of_the_real_task(name: str) -> None:
    spec = load_spec(name)
    real = load_spec(settings(spec).modelled_on)
    for count in ("units", "cases", "slides", "events"):
        assert getattr(spec.expected, count) == getattr(real.expected, count)
    assert list((spec.expected.per_class or {}).values()) == list((real.expected.per_class or {}).values())
    for field in ("kind", "unit", "evaluate_on"):
        assert getattr(spec, field) == getattr(real, field)
    for field in ("count", "scheme", "patient_disjoint"):
        assert getattr(spec.folds, field) == getattr(real.folds, field)


@pytest.mark.parametrize("name", ALL)
def test_nobody_can_take_it_for_tcga(name: str) -> None:
    spec = load_spec(name)
    assert spec.synthetic
    assert spec.title.startswith("Simulated")
    assert (spec.features or "").startswith("synthetic_")
    assert all(slide.startswith("SYN-") for slide in simulate(spec).task.all_slides)


def test_slide_ids_are_unique_over_all_tasks() -> None:
    slides = [slide for name in ALL for slide in simulate(load_spec(name)).task.all_slides]
    assert len(set(slides)) == len(slides)


@pytest.mark.parametrize("name", ALL)
def test_the_registry_entry_round_trips(name: str) -> None:
    spec = load_spec(name)
    assert TaskSpec.model_validate(yaml.safe_load(dump_yaml(spec))) == spec


def test_the_suite_lists_the_nine_tasks_in_the_order_of_the_real_suite() -> None:
    suite, real = load_suite("hipt-2022-synthetic"), load_suite("hipt-2022")
    assert suite.synthetic
    assert [settings(load_spec(name)).modelled_on for name in suite.tasks] == list(real.tasks)
    assert suite.fractions.values == real.fractions.values
    assert suite.metrics == real.metrics


@pytest.mark.parametrize("name", ["synthetic_kidney_subtype", "synthetic_kirp_survival"])
def test_the_seed_decides_everything(name: str) -> None:
    one, again, other = (simulate(varied(name, seed=seed)) for seed in (7, 7, 8))
    assert one.task.hashes == again.task.hashes
    assert all(np.array_equal(one.features[slide], again.features[slide]) for slide in one.features)
    for part in ("cohort", "labels", "splits"):
        assert getattr(one.task.hashes, part) != getattr(other.task.hashes, part)
    assert measured(one.task).model_dump(exclude={"evaluated"}) == measured(other.task).model_dump(
        exclude={"evaluated"}
    )


def test_streams_of_different_purposes_differ() -> None:
    draws = {stream(*key).random() for key in ((1, "a"), (1, "b"), (2, "a"), (1, "a", 0), (1, "a", 1))}
    assert len(draws) == 5
    assert stream(1, "a").random() == stream(1, "a").random()


def test_monte_carlo_folds_have_the_published_proportions_and_class_balance() -> None:
    task = simulate(load_spec("synthetic_kidney_subtype")).task
    assert isinstance(task.target, Labels)
    balance = np.bincount(task.target.values) / len(task.units)
    for split in task.splits:
        sizes = np.array([len(split.train), len(split.val), len(split.test)]) / len(task.units)
        np.testing.assert_allclose(sizes, [0.81, 0.095, 0.095], atol=0.012)
        for part in (split.train, split.val, split.test):
            labels = task.targets(part)
            assert isinstance(labels, Labels)
            np.testing.assert_allclose(np.bincount(labels.values) / len(part), balance, atol=0.01)
    assert len({split.test for split in task.splits}) == 10


def test_monte_carlo_folds_put_patients_on_both_sides_as_the_published_ones_do() -> None:
    task = simulate(load_spec("synthetic_lung_subtype")).task
    shared = [{task.case(u) for u in split.train} & {task.case(u) for u in split.test} for split in task.splits]
    assert sum(map(len, shared)) > 20  # the published lung folds share 82


@pytest.mark.parametrize("name", SURVIVAL)
def test_survival_folds_partition_the_cases_and_spread_the_events(name: str) -> None:
    task = simulate(load_spec(name)).task
    assert sorted(unit for split in task.splits for unit in split.val) == sorted(task.units)
    events = []
    for split in task.splits:
        assert not split.test
        target = task.targets(split.val)
        assert isinstance(target, Survival)
        events.append(int(target.event.sum()))
    assert max(events) - min(events) <= 1


def test_the_signal_sits_in_the_stated_fraction_of_the_regions() -> None:
    spec = load_spec("synthetic_kidney_subtype")
    data, cohort = settings(spec), simulate(spec)
    axes = directions(data.dim, 3)
    for label in range(3):
        of_class = [u for u, k in zip(cohort.task.units, cohort.task.target.values, strict=True) if k == label]
        regions = np.concatenate([cohort.features[unit] for unit in of_class]).astype(np.float64)
        along = regions @ axes.T
        middle = data.signal / 2
        expected = (1 - data.witness_rate) * norm.sf(middle) + data.witness_rate * norm.cdf(middle)
        beyond = int((along[:, label] > middle).sum())
        assert binomtest(beyond, len(along), expected).pvalue > 1e-3
        others = np.delete(along, label, axis=1)
        assert np.abs(others.mean(axis=0)).max() < 4 / np.sqrt(len(along))
        np.testing.assert_allclose(others.std(axis=0), 1, atol=0.03)


def test_the_signal_of_survival_tasks_grows_with_the_hazard() -> None:
    spec = load_spec("synthetic_brca_survival")
    data, cohort = settings(spec), simulate(spec)
    axis = directions(data.dim, 1)[0]
    bags = [np.concatenate([cohort.features[s] for s in cohort.task.slides(u)]) for u in cohort.task.units]
    along = np.array([(bag.astype(np.float64) @ axis).mean() for bag in bags])
    assert along.mean() == pytest.approx(data.witness_rate * data.signal, abs=0.04)
    target = cohort.task.target
    assert isinstance(target, Survival)
    assert c_index(target.time, target.event, along) > 0.6


def test_the_number_of_regions_follows_its_law() -> None:
    data = settings(load_spec("synthetic_brca_subtype"))
    counts = region_counts(data, 200_000, stream(0, "test"))
    excess = data.regions_mean - 1
    assert counts.min() >= 1
    assert counts.mean() == pytest.approx(data.regions_mean, rel=0.01)
    assert counts.var() == pytest.approx(excess + excess**2 / REGION_SHAPE, rel=0.03)


@pytest.mark.parametrize("events", [0, 1, 40, 256, 257])
def test_censoring_leaves_exactly_the_stated_events(events: int) -> None:
    cohort = simulate(varied("synthetic_kirp_survival", expected={"events": events}))
    assert measured(cohort.task).events == events
    assert isinstance(cohort.task.target, Survival)
    assert cohort.task.target.time.min() > 0


def test_uncensored_times_have_the_stated_median_at_average_hazard() -> None:
    spec = varied("synthetic_luad_survival", log_hazard_sd=0.0)
    lives = draw_lives(spec, 100_000, stream(0, "test"))
    assert np.median(lives.death) == pytest.approx(58, rel=0.02)


def test_directions_are_orthonormal_and_touch_every_dimension() -> None:
    axes = directions(64, 3)
    np.testing.assert_array_equal(axes @ axes.T, np.eye(3))
    np.testing.assert_array_equal(np.abs(axes), 1 / 8)


@pytest.mark.parametrize("dim", [1, 2, 48])
def test_directions_need_a_power_of_two(dim: int) -> None:
    with pytest.raises(TaskError, match=f"dim is {dim}; 2 orthogonal directions need a power of two above 2"):
        directions(dim, 2)


def test_mean_pooling_leaves_room_below_the_oracle() -> None:
    spec = load_spec("synthetic_brca_subtype")
    cohort = simulate(spec)
    task = cohort.task
    pooled = {slide: values.astype(np.float64).mean(axis=0) for slide, values in cohort.features.items()}
    scores = []
    for split in task.splits:
        train, test = task.targets(split.train), task.targets(split.test)
        assert isinstance(train, Labels)
        assert isinstance(test, Labels)
        probe = LogisticRegression(max_iter=1000).fit([pooled[u] for u in split.train], train.values)
        scores.append(auc(test.values, probe.predict_proba([pooled[u] for u in split.test])))
    assert spec.oracle is not None
    assert 0.55 < np.mean(scores) < spec.oracle.value - 0.03


def test_a_task_that_is_not_simulated_is_refused() -> None:
    with pytest.raises(TaskError, match="digits_bags is not simulated: its data have the origin 'digits'"):
        simulate(load_spec("digits_bags"))


def test_settings_that_contradict_the_counts_are_refused() -> None:
    with pytest.raises(TaskError, match=r"amounts to 10 cases with 10 slides.*say 321 with 336"):
        simulate(varied("synthetic_stad_survival", slides_per_case=(10,)))
    with pytest.raises(TaskError, match="have 727 slides by its per_class, but it has 875"):
        simulate(varied("synthetic_brca_subtype", expected={"per_class": {"sim_idc": 726, "sim_ilc": 1}}))


@pytest.mark.parametrize(
    ("missing", "changes"),
    [
        ("events", {"expected": {"events": None}}),
        ("median_months", {"median_months": None}),
        ("log_hazard_sd", {"log_hazard_sd": None}),
    ],
)
def test_a_setting_that_the_kind_needs_is_asked_for(missing: str, changes: dict[str, Any]) -> None:
    with pytest.raises(TaskError, match=f"a simulated survival task without {missing}. State it"):
        simulate(varied("synthetic_stad_survival", **changes))
