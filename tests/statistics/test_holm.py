"""Holm's adjustment: by hand, and against its closed form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.errors import MetricError
from hiptbench.statistics.holm import holm


def test_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_it_is_the_closed_form(ps: list[float]) -> None:
    """The largest of the products over all p that are not larger, and at most 1."""
    found = holm(dict(enumerate(ps)))
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    for place, i in enumerate(order):
        expected = min(1.0, max((len(ps) - k) * ps[order[k]] for k in range(place + 1)))
        assert found[i] == pytest.approx(expected)


def test_what_was_not_tested_counts_and_stays() -> None:
    assert holm({"a": 0.02, "b": None}) == {"a": 0.04, "b": None}


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_is_refused(p: float) -> None:
    with pytest.raises(MetricError, match=r"The p of A - B is"):
        holm({"A - B": p})
