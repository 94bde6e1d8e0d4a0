"""The objectives of MIL models against scikit-survival and cases computed by hand."""

import numpy as np
import pytest
import torch
from sksurv.linear_model.coxph import CoxPHOptimizer

from hiptbench.errors import HeadError
from hiptbench.heads.objectives import Cox, CrossEntropy, Hazards, breslow, efron_loss, make_objective
from hiptbench.targets import Labels, Survival


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


def test_hazards_by_hand() -> None:
    target = Survival(np.array([1.0, 3.0]), np.array([True, False]))
    hazards = Hazards(target, edges=np.array([0.0, 2.0, 4.0]))
    logits = torch.zeros(2, 2)  # every hazard is one half
    loss = hazards.loss(logits, torch.arange(2))
    assert loss.item() == pytest.approx((-np.log(0.5) - np.log(0.25)) / 2)
    prediction = hazards.predict(logits)
    np.testing.assert_allclose(prediction.survival, [[0.5, 0.25]] * 2)
    np.testing.assert_allclose(prediction.risk, [-0.75, -0.75])


def test_breslow_without_covariates_is_nelson_aalen() -> None:
    times, hazard = breslow(Survival(np.array([1.0, 2.0, 2.0]), np.array([True, True, False])), np.zeros(3))
    np.testing.assert_allclose(times, [1, 2])
    np.testing.assert_allclose(hazard, [1 / 3, 1 / 3 + 1 / 2])


def test_cross_entropy_gives_probabilities() -> None:
    objective = make_objective(Labels(np.array([0, 1]), ("a", "b")), survival="nll")
    assert isinstance(objective, CrossEntropy)
    np.testing.assert_allclose(objective.predict(torch.zeros(1, 2)).probabilities, [[0.5, 0.5]])


@pytest.mark.parametrize("survival", ["nll", "cox"])
def test_a_training_part_without_events_is_refused(survival: str) -> None:
    with pytest.raises(HeadError, match="at least one event among the 2 training units"):
        make_objective(Survival(np.array([1.0, 2.0]), np.array([False, False])), survival=survival)  # type: ignore[arg-type]
