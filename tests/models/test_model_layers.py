"""Layers that models share."""

import numpy as np
import pytest
import torch
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.heads.models import attention
from hiptbench.heads.models.layers import Dropout, in_chunks
from hiptbench.heads.models.nystrom import NystromAttention, pseudo_inverse


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.9])
def test_dropout_drops_at_its_rate_and_keeps_the_mean(rate: float) -> None:
    x = torch.ones(1000, 1001)
    dropped = Dropout(rate)(x)
    assert set(dropped.unique().tolist()) == {0.0, torch.tensor(1 / (1 - rate)).item()}
    assert (dropped == 0).float().mean().item() == pytest.approx(rate, abs=0.002)  # four standard errors


def test_dropout_is_independent_between_neighbours() -> None:
    kept = (Dropout(0.5)(torch.ones(1_000_000)) > 0).double()
    for lag in (1, 2, 3, 4):
        assert np.corrcoef(kept[:-lag], kept[lag:])[0, 1] == pytest.approx(0, abs=0.005)


def test_dropout_gives_the_gradient_of_what_it_did() -> None:
    x = torch.ones(100, requires_grad=True, dtype=torch.float64)
    out = Dropout(0.25)(x)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dropout_keeps_the_type(dtype: torch.dtype) -> None:
    assert Dropout(0.5)(torch.ones(3, 5, dtype=dtype)).dtype == dtype


def test_dropout_is_off_in_evaluation_and_at_rate_0() -> None:
    x = torch.ones(3)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_that_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(HeadError, match=f"dropout must be at least 0 and less than 1, got {rate}"):
        Dropout(rate)


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_chunks_change_neither_values_nor_gradients(size: int) -> None:
    x = torch.randn(4, 10, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 10, dtype=torch.float64)

    def function(part: Tensor) -> Tensor:
        return torch.sin(part) ** 2

    (in_chunks(function, x, size, dim=1) * weight).sum().backward()
    in_parts, x.grad = x.grad, None
    (function(x) * weight).sum().backward()
    torch.testing.assert_close(in_parts, x.grad)


def test_attention_in_parts_is_attention_with_the_same_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = torch.randn(3, 1, 1, 8, 4, dtype=torch.float64).requires_grad_()
    drop = Dropout(0.5)

    def run() -> tuple[Tensor, ...]:
        torch.manual_seed(1)
        mixed = attention.attend(q, k, v, None, drop)
        return (mixed, *torch.autograd.grad(mixed.square().sum(), (q, k, v)))

    whole = run()
    monkeypatch.setattr(attention, "MOST_SCORES", 16)  # two queries at a time
    for one, other in zip(whole, run(), strict=True):
        torch.testing.assert_close(one, other)


def test_dropped_attention_has_the_mean_of_attention() -> None:
    q, k, v = torch.randn(3, 1, 2, 6, 4)
    bias = torch.tensor([0.0, 0, 0, 0, -torch.inf, -torch.inf]).view(1, 1, 1, 6)
    drop = Dropout(0.25)
    mean = torch.stack([attention.attend(q, k, v, bias, drop) for _ in range(1000)]).mean(0)
    torch.testing.assert_close(mean, attention.attend(q, k, v, bias, drop.eval()), atol=0.1, rtol=0)


def test_the_pseudo_inverse_is_numpys() -> None:
    matrices = (2 * torch.randn(3, 6, 6, dtype=torch.float64)).softmax(dim=-1)
    np.testing.assert_allclose(pseudo_inverse(matrices, 40), np.linalg.pinv(matrices.numpy()), rtol=1e-6, atol=1e-8)


def test_the_pseudo_inverse_of_equal_rows_is_finite() -> None:
    matrix = torch.full((1, 4, 4), 0.25, dtype=torch.float64)
    np.testing.assert_allclose(pseudo_inverse(matrix), np.linalg.pinv(matrix.numpy()), rtol=1e-6)


def test_nystrom_comes_near_exact_attention() -> None:
    layer = NystromAttention(8, 2, landmarks=16, dropout=0.0).double()
    smooth = torch.cumsum(0.1 * torch.randn(1, 64, 8, dtype=torch.float64), dim=1)
    approximate = layer(smooth)
    layer.landmarks = 64
    exact = layer(smooth)
    assert (approximate - exact).abs().max() < 0.02 * exact.abs().max()
