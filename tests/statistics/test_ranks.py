"""Methods across tasks: ranks within tasks and draws, one named reference, Friedman and the critical difference."""

import numpy as np
import pytest
from cohorts import alone, drawn
from scipy.stats import friedmanchisquare

from hiptbench.errors import MetricError, UnknownNameError
from hiptbench.statistics.bootstrap import bootstrap
from hiptbench.statistics.draws import Draws
from hiptbench.statistics.friedman import friedman
from hiptbench.statistics.ranks import against, complete_methods, mean_ranks, nested_tasks, ranks_within


def draws_of(estimates: dict[str, float], values: dict[str, list[float]], patients: tuple[str, ...] = ()) -> Draws:
    return Draws(
        tuple(estimates), patients, np.array(list(estimates.values())), np.array([values[m] for m in estimates]), 0
    )


def steady(**estimates: float) -> Draws:
    """Draws that are all the estimate."""
    return draws_of(estimates, {name: [value] * 40 for name, value in estimates.items()})


def test_ranks_are_within_tasks_and_ties_share_them() -> None:
    tasks = {"s": steady(A=0.9, B=0.8, C=0.8), "t": steady(A=0.5, B=0.7, C=0.6)}
    found = mean_ranks(tasks)
    assert {one.method: one.rank for one in found.methods} == {"A": 2.0, "B": 1.75, "C": 2.25}
    assert [one.method for one in found.methods] == ["B", "A", "C"]
    assert (found.methods[0].interval.low, found.methods[0].interval.high) == (1.75, 1.75)


def test_values_that_differ_by_rounding_are_tied() -> None:
    assert ranks_within(np.array([[0.1 + 0.2, 0.3, 0.0]])).tolist() == [[1.5, 1.5, 3.0]]


def test_the_interval_is_of_ranks_in_each_draw() -> None:
    """One task on which A leads in half of the draws: its rank is 1 or 2, whatever its lead."""
    tasks = {"t": draws_of({"A": 0.9, "B": 0.5}, {"A": [0.9, 0.4] * 20, "B": [0.5] * 40})}
    (first, second) = mean_ranks(tasks).methods
    assert (first.method, first.rank, first.interval.low, first.interval.high) == ("A", 1.0, 1.0, 2.0)
    assert second.rank == 2.0


def test_only_methods_that_every_task_has_are_ranked() -> None:
    tasks = {"s": steady(A=0.9, B=0.8), "t": steady(B=0.5, C=0.7, A=0.6)}
    assert complete_methods(tasks) == ("A", "B")
    found = mean_ranks(tasks)
    assert {one.method: one.rank for one in found.methods} == {"A": 1.0, "B": 2.0}
    assert found.left_out == {"C": ("s",)}


def test_shared_patients_are_counted() -> None:
    tasks = {
        task: draws_of({"A": 0.5}, {"A": [0.5] * 40}, patients)
        for task, patients in (("s", ("p", "q", "r")), ("t", ("q", "r")), ("u", ("x",)))
    }
    assert mean_ranks(tasks).shared_patients == {("s", "t"): 2}


def test_a_task_all_of_whose_patients_are_anothers_is_nested() -> None:
    cohorts = {"part": "pq", "whole": "pqr", "twin": "pqr", "other": "rx"}
    tasks = {task: draws_of({"A": 0.5}, {"A": [0.5] * 40}, tuple(patients)) for task, patients in cohorts.items()}
    assert nested_tasks(tasks) == {"part": "whole", "twin": "whole"}


def test_against_one_reference() -> None:
    tasks = {"s": steady(A=0.9, B=0.8, C=0.8), "t": steady(A=0.5, B=0.7, C=0.7), "u": steady(A=0.6, B=0.5, C=0.5)}
    a, c = against("B", tasks)
    assert (a.method, a.reference, a.wins, a.ties, a.losses) == ("A", "B", 2, 0, 1)
    assert a.difference.effect == pytest.approx(0.0, abs=1e-12)
    assert (c.method, c.wins, c.ties, c.losses) == ("C", 0, 3, 0)
    assert c.difference.p == 1


def test_on_one_task_it_is_the_paired_bootstrap() -> None:
    fold, other = drawn(60), drawn(60, seed=1)
    draws = bootstrap({"A": [[fold]], "B": [[other]]}, alone(fold))
    (found,) = against("B", {"t": draws})
    expected = draws.difference("A", "B")
    assert (found.difference.effect, found.difference.p) == pytest.approx((expected.effect, expected.p), abs=1e-12)
    assert found.difference.interval == expected.interval


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(MetricError, match="no task to rank on"):
        mean_ranks({})
    with pytest.raises(MetricError, match="No method is complete on all 2 tasks: s, t"):
        mean_ranks({"s": steady(A=0.5), "t": steady(B=0.5)})
    with pytest.raises(MetricError, match="other numbers of draws: s 40, t 50"):
        mean_ranks({"s": steady(A=0.5), "t": draws_of({"A": 0.5}, {"A": [0.5] * 50})})
    with pytest.raises(UnknownNameError, match="no method on all these tasks 'C'"):
        against("C", {"s": steady(A=0.5, C=0.6), "t": steady(A=0.5)})


# Friedman


def test_friedman_is_scipys() -> None:
    metrics = np.random.default_rng(0).random((9, 5))
    found, oracle = friedman(metrics), friedmanchisquare(*metrics.T)
    assert (found.statistic, found.p) == pytest.approx((oracle.statistic, oracle.pvalue))
    assert sum(found.mean_ranks) == pytest.approx(15)


@pytest.mark.parametrize(("k", "q"), [(3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_has_demsars_quantiles(k: int, q: float) -> None:
    """Table 5 of Demsar (2006)."""
    found = friedman(np.random.default_rng(0).random((6, k)))
    assert found.critical_difference == pytest.approx(q * np.sqrt(k * (k + 1) / 36), abs=1e-3)


def test_the_smallest_p_is_attained_where_all_tasks_agree() -> None:
    found = friedman(np.tile([0.9, 0.8, 0.7, 0.6], (3, 1)))
    assert found.p == pytest.approx(found.smallest_p)
    assert found.smallest_sign_p == 0.25
    assert "N = 3 tasks and k = 4 methods" in found.caption()
    assert "smallest attainable is 0.029" in found.caption()


def test_where_all_are_tied_nothing_differs() -> None:
    found = friedman(np.full((4, 3), 0.5))
    assert (found.statistic, found.p, found.mean_ranks) == (0.0, 1.0, (2.0, 2.0, 2.0))


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (np.zeros((1, 3)), "two tasks and three methods at least, not 1 and 3"),
        (np.zeros((4, 2)), "two tasks and three methods at least, not 4 and 2"),
        (np.full((4, 3), np.nan), "no finite metric on some task"),
    ],
)
def test_friedman_refuses(metrics: np.ndarray, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        friedman(metrics)
