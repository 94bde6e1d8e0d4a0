"""The smooth top-1 SVM against its definition."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.heads.models.svm import smooth_top1_svm

scores = st.lists(st.floats(-20, 20), min_size=2, max_size=4)


def brute_force(s: list[float], y: int, tau: float, alpha: float) -> float:
    excess = [s[j] + (alpha if j != y else 0) - s[y] for j in range(len(s))]
    best, second = sorted(s, reverse=True)[:2]
    if best - second >= tau * math.log(1000):
        return max(excess)
    return tau * math.log(sum(math.exp(e / tau) for e in excess))


@given(scores, st.integers(0, 1), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([0.5, 1.0]))
def test_it_is_its_definition(s: list[float], y: int, tau: float, alpha: float) -> None:
    loss = smooth_top1_svm(torch.tensor([s], dtype=torch.float64), torch.tensor([y]), tau=tau, alpha=alpha)
    assert loss.item() == pytest.approx(brute_force(s, y, tau, alpha), abs=1e-9)


def test_by_hand() -> None:
    s = torch.tensor([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0]])
    loss = smooth_top1_svm(s, torch.tensor([1, 1, 1]))
    torch.testing.assert_close(loss, torch.tensor([math.log(1 + math.e), 0.0, 11.0]))


def test_a_clear_and_right_decision_has_no_gradient() -> None:
    s = torch.tensor([[0.0, 8.0]], requires_grad=True)
    smooth_top1_svm(s, torch.tensor([1])).sum().backward()
    assert not s.grad.any()
