"""What every MIL model keeps."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hiptbench.errors import HeadError
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.models.factory import make_model, model_class

NAMES = sorted(MODELS)
LENGTHS = (1, 5, 24)
TARGET = torch.tensor([2, 0, 1])
every_model = pytest.mark.parametrize("name", NAMES)


def masks(lengths: tuple[int, ...]) -> Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def padded(bags: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Junk behind each bag, as large as features get."""
    return torch.where(masks(lengths)[(...,) + (None,) * (bags.ndim - 2)], bags, 1e4 * torch.randn_like(bags))


def loss(output: Output, target: Tensor) -> Tensor:
    return output.total_loss(cross_entropy(output.logits, target))


def gradient(model: MILModel) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])


@every_model
@pytest.mark.parametrize("n_out", [1, 2, 4])
def test_logits_and_attention_have_their_shapes(name, n_out, small_model, random_bags) -> None:
    output = small_model(name, n_out).eval()(random_bags(name, 3, max(LENGTHS)), masks(LENGTHS))
    assert output.logits.shape == (3, n_out)
    assert output.extra_loss is None
    if output.attention is not None:
        assert output.attention.shape == (3, max(LENGTHS))
        assert (output.attention >= 0).all()
        assert (output.attention[~masks(LENGTHS)] == 0).all()
        torch.testing.assert_close(output.attention.sum(dim=1), torch.ones(3, dtype=torch.float64))


@every_model
def test_padding_and_the_other_bags_change_nothing(name, small_model, random_bags) -> None:
    model, bags = small_model(name).train(), random_bags(name, 3, max(LENGTHS))
    together = model(padded(bags, LENGTHS), masks(LENGTHS), TARGET)
    alone = [model(bags[i : i + 1, :length], masks((length,)), TARGET[i : i + 1]) for i, length in enumerate(LENGTHS)]
    torch.testing.assert_close(together.logits, torch.cat([output.logits for output in alone]))
    if together.attention is not None:
        for i, length in enumerate(LENGTHS):
            torch.testing.assert_close(together.attention[i, :length], alone[i].attention[0])
    if together.extra_loss is not None:
        torch.testing.assert_close(together.extra_loss, torch.stack([one.extra_loss for one in alone]).mean())


@every_model
def test_padding_changes_no_gradient(name, small_model, random_bags) -> None:
    model, lengths = small_model(name).train(), (3, 20)
    bags = padded(random_bags(name, 2, 20), lengths).requires_grad_()
    loss(model(bags, masks(lengths), TARGET[:2]), TARGET[:2]).backward()
    together = gradient(model)
    assert (bags.grad[~masks(lengths)] == 0).all()
    model.zero_grad()
    for i, length in enumerate(lengths):
        one = model(bags[i : i + 1, :length].detach(), masks((length,)), TARGET[i : i + 1])
        (loss(one, TARGET[i : i + 1]) / 2).backward()
    torch.testing.assert_close(together, gradient(model), atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "transmil"])
def test_the_order_of_the_instances_does_not_matter(name, small_model, random_bags) -> None:
    model, bags, order = small_model(name).train(), random_bags(name, 2, 30), torch.randperm(30)
    everything = torch.ones(2, 30, dtype=torch.bool)
    before, after = (model(x, everything, TARGET[:2]) for x in (bags, bags[:, order]))
    torch.testing.assert_close(before.logits, after.logits)
    if before.attention is not None:
        torch.testing.assert_close(before.attention[:, order], after.attention)
    if before.extra_loss is not None:
        torch.testing.assert_close(before.extra_loss, after.extra_loss)


def test_transmil_depends_on_the_order(small_model, random_bags) -> None:
    model, bags, mask = (
        small_model("transmil").eval(),
        random_bags("transmil", 1, 9),
        torch.ones(1, 9, dtype=torch.bool),
    )
    assert not torch.allclose(model(bags, mask).logits, model(bags.flip(1), mask).logits)


@every_model
def test_gradients_are_those_of_finite_differences(name, small_model, random_bags) -> None:
    model, bags = small_model(name).train(), random_bags(name, 2, 20)
    lengths, target = (9, 20), TARGET[:2]
    direction = [torch.randn_like(weight) for weight in model.parameters()]

    def at(step: float) -> Tensor:
        for weight, move in zip(model.parameters(), direction, strict=True):
            weight.data += step * move
        value = loss(model(bags, masks(lengths), target), target)
        for weight, move in zip(model.parameters(), direction, strict=True):
            weight.data -= step * move
        return value

    loss(model(bags, masks(lengths), target), target).backward()
    slope = sum(
        (weight.grad * move).sum()
        for weight, move in zip(model.parameters(), direction, strict=True)
        if weight.grad is not None
    )
    torch.testing.assert_close(slope.detach(), ((at(1e-8) - at(-1e-8)) / 2e-8).detach(), rtol=1e-4, atol=1e-5)


@every_model
@pytest.mark.parametrize("kind", ["one instance", "huge", "constant", "zero"])
def test_awkward_bags_give_finite_losses_and_gradients(name, kind, small_model, random_bags) -> None:
    model = small_model(name, dropout=0.25).float().train()
    bags = random_bags(name, 2, 1 if kind == "one instance" else 24).float()
    if kind == "huge":
        bags = 1e4 * bags.sign()
    elif kind != "one instance":
        bags = torch.full_like(bags, 3.0 * (kind == "constant"))
    value = loss(model(bags, torch.ones(bags.shape[:2], dtype=torch.bool), TARGET[:2]), TARGET[:2])
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(gradient(model)).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hipt_gp" and not model_class(name).hierarchical])
def test_a_bag_of_100_000_instances_is_read(name, small_model) -> None:
    model, bag = small_model(name).float().eval(), torch.randn(1, 100_000, 12)
    with torch.no_grad():
        assert torch.isfinite(model(bag, torch.ones(1, 100_000, dtype=torch.bool)).logits).all()


@every_model
def test_dropout_acts_in_training_only_and_follows_the_seed(name, random_bags) -> None:
    model = make_model(name, d_in=12, n_out=2, settings={"dropout": 0.5})
    bags, mask = random_bags(name, 2, 6).float(), masks((6, 4))

    def logits(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return model(bags, mask).logits

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))
    model.eval()
    assert torch.equal(logits(1), logits(2))


@every_model
def test_bags_of_the_wrong_shape_are_refused(name, small_model, random_bags) -> None:
    model, mask = small_model(name), torch.ones(2, 5, dtype=torch.bool)
    bags = random_bags(name, 2, 5)
    with pytest.raises(HeadError, match=r"was made for bags \[b, n, .*12\], got \[2, 5, .*11\]"):
        model(bags[..., :11], mask)
    other = bags[:, :, 0] if model.hierarchical else bags[:, :, None]
    with pytest.raises(HeadError, match="was made for bags"):
        model(other, mask)


@every_model
def test_an_empty_bag_is_refused(name, small_model, random_bags) -> None:
    with pytest.raises(HeadError, match="Bag 1 of a batch of 3 has no instance"):
        small_model(name)(random_bags(name, 3, 5), masks((2, 0, 5)))


@every_model
def test_only_clam_has_a_loss_of_its_own_and_only_in_training_with_targets(name, small_model, random_bags) -> None:
    model, bags, mask = small_model(name), random_bags(name, 3, 20), masks((20, 9, 1))
    bag_loss = torch.tensor(2.0, dtype=torch.float64)
    own = model.train()(bags, mask, TARGET)
    assert (own.extra_loss is not None) == (name == "clam_sb")
    if own.extra_loss is not None:
        torch.testing.assert_close(own.total_loss(bag_loss), 0.7 * bag_loss + own.extra_loss)
    for without in (model(bags, mask), model.eval()(bags, mask, TARGET)):
        assert without.extra_loss is None
        assert without.total_loss(bag_loss) == bag_loss
