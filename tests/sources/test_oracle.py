"""The oracle agrees with closed forms, with brute force, and with the values in the registry."""

from typing import Any

import numpy as np
import pytest
import yaml
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import multivariate_normal, norm

from hiptbench.errors import TaskError
from hiptbench.sources.laws import cohort_lives, directions, draw_lives, settings, stream
from hiptbench.sources.oracle import log_likelihood_ratios, main, oracle
from hiptbench.suites import load_suite
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import load_spec

SIMULATED = load_suite("hipt-2022-synthetic").tasks


def varied(name: str, *, expected: dict[str, Any] | None = None, **data: Any) -> TaskSpec:
    spec = load_spec(name)
    changes = {
        "data": spec.data.model_copy(update=data),
        "expected": spec.expected.model_copy(update=expected or {}),
    }
    return spec.model_copy(update=changes)


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.5])
def test_one_region_that_is_always_a_witness_has_a_closed_form(signal: float) -> None:
    # Two normals sqrt(2) signal apart: AUC = Phi(sqrt(2) signal / sqrt(2)).
    easy = oracle(varied("synthetic_lung_subtype", witness_rate=1.0, regions_mean=1.0, signal=signal), n_bags=50_000)
    assert easy.value == pytest.approx(norm.cdf(signal), abs=4 * easy.standard_error + 1e-5)
    assert easy.standard_error == pytest.approx(0.3 / np.sqrt(50_000), rel=1)


def test_the_likelihood_ratio_is_that_of_the_densities_in_all_dimensions() -> None:
    data = settings(varied("synthetic_kidney_subtype", dim=8, witness_rate=0.3, signal=1.7))
    axes, counts = directions(8, 3), np.array([4, 1, 6])
    regions = stream(0, "test").standard_normal((counts.sum(), 8)) + 0.5
    null = multivariate_normal(np.zeros(8))
    expected = []
    for bag in np.split(regions, np.cumsum(counts)[:-1]):
        shifted = [multivariate_normal(data.signal * axis) for axis in axes]
        ratios = [0.7 + 0.3 * (witness.pdf(bag) / null.pdf(bag)) for witness in shifted]
        expected.append([np.sum(np.log(ratio)) for ratio in ratios])
    np.testing.assert_allclose(log_likelihood_ratios(data, regions @ axes.T, counts), expected, rtol=1e-10)


def test_without_signal_nothing_can_be_told() -> None:
    chance = oracle(varied("synthetic_kidney_subtype", signal=0.0), n_bags=2_000)
    assert chance.value == pytest.approx(0.5)
    assert oracle(varied("synthetic_stad_survival", log_hazard_sd=0.0), n_bags=2_000).value == 0.5


def test_the_true_hazard_without_censoring_has_a_closed_form() -> None:
    # Of two exponential times the one with hazard ratio r comes first with probability r / (1 + r).
    spread = 1.5
    nodes, weights = hermegauss(80)
    pairs = np.abs(spread * np.sqrt(2) * nodes)
    expected = np.sum(weights / (1 + np.exp(-pairs))) / np.sum(weights)
    spec = varied("synthetic_brca_survival", expected={"events": 897}, log_hazard_sd=spread)
    uncensored = oracle(spec, n_bags=50_000)
    assert uncensored.value == pytest.approx(expected, abs=4 * uncensored.standard_error + 1e-3)


@pytest.mark.parametrize("name", [name for name in SIMULATED if name.endswith("survival")])
def test_fresh_cases_are_censored_as_the_cohort_is(name: str) -> None:
    spec = load_spec(name)
    _, scale = cohort_lives(spec)
    fresh = draw_lives(spec, 200_000, stream(0, "test")).observed(scale)
    share = (spec.expected.events or 0) / spec.expected.cases
    error = np.sqrt(share * (1 - share) / spec.expected.cases)
    assert fresh.event.mean() == pytest.approx(share, abs=3.5 * error)


@pytest.mark.parametrize("name", SIMULATED)
def test_the_registered_oracle_agrees_with_other_fresh_bags(name: str) -> None:
    spec = load_spec(name)
    assert spec.oracle is not None
    assert spec.oracle.bags == 1_000_000
    fresh = oracle(spec, n_bags=30_000, seed=1)
    error = np.hypot(fresh.standard_error, spec.oracle.standard_error)
    assert fresh.value == pytest.approx(spec.oracle.value, abs=4 * error)
    assert fresh.definition == spec.oracle.definition
    assert fresh.command == spec.oracle.command == f"python -m hiptbench.sources.oracle {name}"


def test_the_seed_decides_the_fresh_bags() -> None:
    spec = load_spec("synthetic_kirp_survival")
    assert oracle(spec, n_bags=2_000) == oracle(spec, n_bags=2_000)
    assert oracle(spec, n_bags=2_000) != oracle(spec, n_bags=2_000, seed=1)


@pytest.mark.parametrize("n_bags", [0, 1_000, 2_500])
def test_only_whole_blocks_are_measured(n_bags: int) -> None:
    with pytest.raises(TaskError, match=f"whole blocks of 1000 bags, at least two of them, not {n_bags} bags"):
        oracle(load_spec("synthetic_brca_subtype"), n_bags=n_bags)


def test_digits_have_no_oracle() -> None:
    assert load_spec("digits_bags").oracle is None
    with pytest.raises(TaskError, match="digits_bags is not simulated"):
        oracle(load_spec("digits_bags"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_the_command_prints_the_registered_oracle(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([name])
    printed, registered = yaml.safe_load(capsys.readouterr().out)["oracle"], load_spec(name).oracle
    assert registered is not None
    assert printed == registered.model_dump()
