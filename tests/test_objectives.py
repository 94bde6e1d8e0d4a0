"""The objectives of MIL models against scikit-survival and cases computed by hand."""

import numpy as np
import pytest
import torch
from sksurv.linear_model.coxph import BreslowEstimator, CoxPHOptimizer
from torch.nn.functional import cross_entropy

from hiptbench.errors import HeadError
from hiptbench.heads.objectives import (
    CrossEntropy,
    Hazards,
    Objective,
    quartile_edges,
    read_classes,
    read_hazards,
    time_bins,
)
from hiptbench.heads.partial_likelihood import Cox, breslow, efron_loss, read_log_hazard
from hiptbench.targets import Labels, Survival, Target


def tied(n: int = 60) -> tuple[Survival, np.ndarray]:
    rng = np.random.default_rng(0)
    return Survival(np.round(rng.exponential(5, n)), rng.random(n) < 0.5), rng.standard_normal(n)


def test_cox_is_the_partial_likelihood_of_scikit_survival_with_efrons_ties() -> None:
    target, outputs = tied()
    theirs = CoxPHOptimizer(outputs[:, None], target.event, target.time, np.zeros(1), "efron").nlog_likelihood(
        np.ones(1)
    )
    ours = efron_loss(torch.from_numpy(outputs), torch.from_numpy(target.time), torch.from_numpy(target.event))
    assert ours.item() == pytest.approx(theirs * len(target) / target.event.sum(), abs=1e-10)


def test_cox_gives_a_batch_of_one_its_gradient_of_the_whole_likelihood() -> None:
    target, outputs = tied()
    cox, n = Cox(target), len(target)
    whole = torch.from_numpy(outputs).float()[:, None].requires_grad_()
    cox.loss(whole, torch.arange(n)).backward()  # type: ignore[no-untyped-call]
    assert whole.grad is not None
    for position in (0, int(np.flatnonzero(~target.event)[0])):
        one = whole.detach()[[position]].clone().requires_grad_()
        cox.loss(one, torch.tensor([position])).backward()  # type: ignore[no-untyped-call]
        assert one.grad is not None
        assert one.grad.item() == pytest.approx(whole.grad[position].item() * n, rel=1e-4)
        assert one.grad.item() != 0


def whole_loss(cox: Cox, outputs: torch.Tensor, size: int) -> tuple[float, np.ndarray]:
    """Return the loss of the last batch and the gradient of all, batch by batch, after everybody was seen."""
    positions = torch.arange(len(outputs))
    with torch.no_grad():
        cox.loss(outputs, positions)
    leaf = outputs.clone().requires_grad_()
    losses = []
    for batch in positions.split(size):
        loss = cox.loss(leaf[batch], batch)
        (loss * len(batch)).backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
    assert leaf.grad is not None
    assert len({round(value, 5) for value in losses}) == 1
    return losses[-1], leaf.grad.numpy()


@pytest.mark.parametrize("size", [1, 7, 60])
def test_coxs_value_does_not_depend_on_the_batch_and_its_gradients_add_up(size: int) -> None:
    target, outputs = tied()
    logits = torch.from_numpy(outputs).float()[:, None]
    value, gradient = whole_loss(Cox(target), logits, size)
    theirs = efron_loss(logits[:, 0], torch.from_numpy(target.time), torch.from_numpy(target.event))
    assert value == pytest.approx(theirs.item(), rel=1e-5)
    expected = whole_loss(Cox(target), logits, len(target))[1]
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def test_cox_learns_nothing_before_the_first_event() -> None:
    target = Survival(np.array([1.0, 2.0, 3.0]), np.array([False, True, True]))
    logits = torch.ones(1, 1, requires_grad=True)
    loss = Cox(target).loss(logits, torch.tensor([0]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.item() == 0


def test_cox_ranks_later_events_lower_when_it_is_minimised() -> None:
    """The direction: the higher the output, the earlier the event."""
    time, event = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([True, True, True])
    right, wrong = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 2.0])
    assert efron_loss(right, time, event) < efron_loss(wrong, time, event)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_cox_is_finite_for_large_outputs(scale: float) -> None:
    target, outputs = tied()
    logits = torch.from_numpy(outputs * scale).float().clamp(-350, 350)
    loss = efron_loss(logits, torch.from_numpy(target.time), torch.from_numpy(target.event))
    assert torch.isfinite(loss)


def test_hazards_by_hand() -> None:
    target = Survival(np.array([1.0, 3.0]), np.array([True, False]))
    hazards = Hazards(target, edges=np.array([0.0, 2.0, 4.0]))
    assert (hazards.n_out, hazards.strata.tolist()) == (2, [0, 3])
    logits = torch.zeros(2, 2)  # every hazard is one half
    loss = hazards.loss(logits, torch.arange(2))
    assert loss.item() == pytest.approx((-np.log(0.5) - np.log(0.25)) / 2)
    prediction = read_hazards(logits, hazards.curve(lambda: logits))
    np.testing.assert_allclose(prediction.survival, [[0.5, 0.25]] * 2)
    np.testing.assert_allclose(prediction.risk, [-0.75, -0.75])
    assert prediction.times is not None
    np.testing.assert_allclose(prediction.times, [2, 4])


def test_hazards_are_those_of_their_positions() -> None:
    target = Survival(np.array([1.0, 3.0, 3.0]), np.array([True, False, True]))
    hazards, logits = Hazards(target, edges=np.array([0.0, 2.0, 4.0])), torch.randn(3, 2)
    each = [hazards.loss(logits[[i]], torch.tensor([i])).item() for i in range(3)]
    order = torch.tensor([2, 0, 1])
    assert hazards.loss(logits[order], order).item() == pytest.approx(np.mean(each))
    alone = Hazards(target.take([2]), edges=hazards.edges).loss(logits[[2]], torch.tensor([0]))
    assert alone.item() == pytest.approx(each[2])


@pytest.mark.parametrize("size", [1e2, 1e4])
def test_hazards_stay_finite(size: float) -> None:
    target = Survival(np.array([1.0, 3.0, 1.0, 3.0]), np.array([True, False, False, True]))
    hazards = Hazards(target, edges=np.array([0.0, 2.0, 4.0]))
    logits = torch.tensor([[size, -size], [-size, size], [size, size], [-size, -size]], requires_grad=True)
    loss = hazards.loss(logits, torch.arange(4))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    survival = read_hazards(logits.detach(), hazards.curve(lambda: logits)).survival
    assert survival is not None
    assert ((survival >= 0) & (survival <= 1)).all()


def test_time_bins_hold_their_left_edge_and_every_time() -> None:
    edges = np.array([0.0, 2.0, 4.0, 9.0])
    assert time_bins(np.array([-5.0, 0.0, 1.9, 2.0, 4.0, 8.9, 9.0, 99.0]), edges).tolist() == [0, 0, 0, 1, 2, 2, 2, 2]


def test_quartiles_are_of_the_events_and_the_ends_of_all() -> None:
    time, event = np.array([0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 50.0]), np.array([0, 1, 1, 1, 1, 1, 0]).astype(bool)
    np.testing.assert_allclose(quartile_edges(Survival(time, event)), [0.5 - 1e-6, 2, 3, 4, 50 + 1e-6], rtol=0)
    one = quartile_edges(Survival(time, np.arange(7) == 3))
    np.testing.assert_allclose(one, [0.5 - 1e-6, 3, 50 + 1e-6], rtol=0)


def test_breslow_without_covariates_is_nelson_aalen() -> None:
    curve = breslow(Survival(np.array([1.0, 2.0, 2.0]), np.array([True, True, False])), np.zeros(3))
    np.testing.assert_allclose(curve.times, [1, 2])
    np.testing.assert_allclose(np.exp(curve.values), [1 / 3, 1 / 3 + 1 / 2])


def test_breslow_is_scikit_survivals() -> None:
    target, outputs = tied()
    curve = breslow(target, outputs)
    theirs = BreslowEstimator().fit(outputs, target.event, target.time).cum_baseline_hazard_
    np.testing.assert_allclose(np.exp(curve.values), theirs(curve.times), rtol=1e-9)
    survival = read_log_hazard(torch.from_numpy(outputs)[:, None], curve).survival
    assert survival is not None
    np.testing.assert_allclose(survival, np.exp(-np.exp(outputs)[:, None] * theirs(curve.times)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [700.0, 1e4, 1e30])
def test_breslow_of_huge_outputs_is_finite(size: float) -> None:
    target, outputs = tied()
    curve = breslow(target, np.sign(outputs) * size)
    assert np.isfinite(curve.values).all()
    assert (np.diff(curve.values) >= 0).all()


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_curves_of_extreme_risks_are_probabilities(shift: float) -> None:
    target, outputs = tied()
    logits = torch.from_numpy(outputs)[:, None] + shift
    for risks in (logits, logits * 1e4, -logits):
        for curve in (breslow(target, outputs), breslow(target, risks[:, 0].numpy())):
            prediction = read_log_hazard(risks, curve)
            survival = prediction.survival
            assert survival is not None
            assert np.isfinite(survival).all()
            assert ((survival >= 0) & (survival <= 1)).all()
            assert (np.diff(survival, axis=1) <= 0).all()
            np.testing.assert_array_equal(prediction.risk, risks[:, 0].numpy())


def test_a_shift_of_all_outputs_changes_no_curve() -> None:
    target, outputs = tied()
    one, other = (
        read_log_hazard(torch.from_numpy(x)[:, None], breslow(target, x)).survival for x in (outputs, outputs + 5000)
    )
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_coxs_curve_is_breslow_of_the_finished_model() -> None:
    target, outputs = tied()
    curve = Cox(target).curve(lambda: torch.from_numpy(outputs)[:, None])
    np.testing.assert_array_equal(curve.values, breslow(target, outputs).values)


def test_cross_entropy_gives_probabilities() -> None:
    objective = CrossEntropy(Labels(np.array([0, 1, 1]), ("a", "b")))
    assert (objective.n_out, objective.strata.tolist(), objective.reading) == (2, [0, 1, 1], "classes")
    logits, order = torch.randn(2, 2), torch.tensor([2, 0])
    assert objective.labels(order).tolist() == [1, 0]
    assert objective.loss(logits, order).item() == pytest.approx(cross_entropy(logits, torch.tensor([1, 0])).item())
    np.testing.assert_allclose(read_classes(torch.zeros(1, 2)).probabilities, [[0.5, 0.5]])
    np.testing.assert_allclose(read_classes(torch.tensor([[1e4, -1e4]])).probabilities, [[1, 0]])
    curve = objective.curve(lambda: logits)
    assert (len(curve.times), len(curve.values)) == (0, 0)


LIVES = Survival(np.array([1.0, 3.0, 5.0, 7.0]), np.array([True, True, False, True]))
LABELS = Labels(np.array([0, 1, 1, 0]), ("a", "b"))


@pytest.mark.parametrize(
    ("objective", "target"),
    [
        (CrossEntropy(LABELS), LABELS),
        (Hazards(LIVES, edges=np.array([0.0, 2.0, 6.0, 8.0])), LIVES),
        (Cox(LIVES), LIVES),
    ],
    ids=lambda value: type(value).__name__,
)
def test_held_out_units_get_the_same_objective(objective: Objective, target: Target) -> None:
    held = objective.of(target.take([3, 0]))
    assert type(held) is type(objective)
    logits = torch.randn(2, objective.n_out)
    expected = type(objective).loss(objective.of(target), logits, torch.tensor([3, 0]))
    assert held.loss(logits, torch.arange(2)).item() == pytest.approx(expected.item(), rel=1e-6)
    if isinstance(objective, Hazards) and isinstance(held, Hazards):
        np.testing.assert_array_equal(held.edges, objective.edges)


@pytest.mark.parametrize(
    ("objective", "other", "problem"),
    [
        (CrossEntropy(LABELS), LIVES, "Cross-entropy needs classes, not survival times"),
        (Hazards(LIVES, edges=np.array([0.0, 9.0])), LABELS, "Hazards need survival times, not classes"),
        (Cox(LIVES), LABELS, "Cox needs survival times, not classes"),
    ],
    ids=["cross-entropy", "hazards", "cox"],
)
def test_held_out_units_of_another_kind_are_refused(objective: Objective, other: Target, problem: str) -> None:
    with pytest.raises(HeadError, match=problem):
        objective.of(other)


def test_a_training_part_without_events_is_refused() -> None:
    censored = Survival(np.array([1.0, 2.0]), np.array([False, False]))
    with pytest.raises(HeadError, match="Cox needs at least one event among the 2 training units"):
        Cox(censored)
    with pytest.raises(HeadError, match="Time bins need at least one event among the 2 training units"):
        quartile_edges(censored)


def test_two_bins_are_the_least() -> None:
    """If all events are at one time, the ends make two bins of it."""
    one_time = Survival(np.full(3, 4.0), np.array([True, True, False]))
    assert time_bins(one_time.time, quartile_edges(one_time)).tolist() == [1, 1, 1]
