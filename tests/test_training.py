"""The training loop against plain loops of PyTorch, and what it does when a loss breaks."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.bags import Bag
from hiptbench.errors import HeadError, RunError
from hiptbench.heads.base import Bags
from hiptbench.heads.batches import epoch_batches
from hiptbench.heads.mil import MIL
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.models.factory import make_model, model_class
from hiptbench.heads.objectives import CrossEntropy, Hazards, Objective, Reading
from hiptbench.heads.training import Part, train
from hiptbench.jobs import run_job
from hiptbench.recipes import RECIPES, Recipe
from hiptbench.targets import Labels, Survival, Target
from toys import baseline_file, make_home, plan_of

D_IN = 6


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_bags(n: int, *, seed: int = 0) -> list[Tensor]:
    """Bags of different lengths in float64, so that a reference can be compared tightly."""
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.standard_normal((int(rng.integers(1, 9)), D_IN))) for _ in range(n)]


def double_model(name: str, n_out: int) -> MILModel:
    torch.manual_seed(0)
    return make_model(name, d_in=D_IN, n_out=n_out, settings={"dropout": 0.0}).double()


def whole(bag: Tensor) -> tuple[Tensor, Tensor]:
    return bag[None], torch.ones(1, len(bag), dtype=torch.bool)


def part_of(bags: list[Tensor], objective: Objective) -> Part:
    return Part(bags, [f"unit{i}" for i in range(len(bags))], objective)


def plain_loop(
    model: MILModel, bags: list[Tensor], strata: np.ndarray, loss_of: Callable[[Tensor, int], Tensor], recipe: Recipe
) -> list[float]:
    """The published protocol, as everybody writes it: one bag a step; returns each epoch's mean loss."""
    rng, lengths = np.random.default_rng(3), np.array([len(bag) for bag in bags])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-5)
    means = []
    for _ in range(recipe.epochs):
        losses = []
        for i, (position,) in enumerate(epoch_batches(lengths, strata, recipe, rng)):
            loss = loss_of(model(*whole(bags[position])).logits.float(), int(position))
            losses.append(loss.item())
            (loss / 32).backward()
            if (i + 1) % recipe.steps_per_update == 0:
                optimizer.step()
                optimizer.zero_grad()
        means.append(float(np.mean(losses)))
    return means


def assert_same_weights(one: nn.Module, other: nn.Module, **tolerance: float) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), **({"rtol": 1e-9, "atol": 1e-12} | tolerance))


@pytest.mark.parametrize(("name", "epochs"), [("abmil", 20), ("hipt_gp", 5)])
def test_hipt_2022_is_the_published_loop_of_classification(name: str, epochs: int) -> None:
    recipe = RECIPES["hipt-2022"]["classification"]
    assert (recipe.epochs, recipe.steps_per_update, recipe.loss_divisor) == (20, 1, 32)
    recipe = replace(recipe, epochs=epochs)
    bags, labels = random_bags(8), np.array([0, 1, 1, 1] * 2)
    ours, theirs = double_model(name, 2), double_model(name, 2)
    start = copy.deepcopy(ours)
    history = train(ours, part_of(bags, CrossEntropy(Labels(labels, ("a", "b")))), recipe, seed=3)
    means = plain_loop(
        theirs, bags, labels, lambda logits, i: functional.cross_entropy(logits, torch.tensor([labels[i]])), recipe
    )
    assert_same_weights(ours, theirs)
    assert [measured["loss"] for measured in history] == pytest.approx(means, rel=1e-9)
    with pytest.raises(AssertionError):
        assert_same_weights(ours, start, atol=0.001)


def nll(logits: Tensor, k: int, event: bool) -> Tensor:
    """The discrete-time likelihood of one patient, from its definition."""
    hazards = torch.sigmoid(logits[0])
    survived = torch.log(1 - hazards)
    return -(survived[:k].sum() + torch.log(hazards[k])) if event else -survived[: k + 1].sum()


def lives(n: int) -> Survival:
    rng = np.random.default_rng(1)
    return Survival(rng.exponential(30, n), rng.random(n) < 0.6)


def test_hipt_2022_is_the_published_loop_of_survival() -> None:
    """32 patients are added up; of 50, the last 18 wait for the first 32 of the next epoch."""
    recipe = replace(RECIPES["hipt-2022"]["survival"], epochs=4)
    assert (recipe.steps_per_update, recipe.loss_divisor, recipe.time_bins) == (32, 32, "published")
    bags, target, edges = random_bags(50), lives(50), np.array([0.0, 10.0, 20.0, 40.0, 1000.0])
    bins = np.digitize(target.time, edges[1:-1])
    ours, theirs, start = (double_model("abmil", 4) for _ in range(3))
    history = train(ours, part_of(bags, Hazards(target, edges=edges)), recipe, seed=3)

    def loss_of(logits: Tensor, i: int) -> Tensor:
        return nll(logits, int(bins[i]), bool(target.event[i]))

    means = plain_loop(theirs, bags, bins * 2 + ~target.event, loss_of, recipe)
    assert_same_weights(ours, theirs, rtol=1e-5, atol=1e-7)  # the loss itself is float32
    assert [measured["loss"] for measured in history] == pytest.approx(means, rel=1e-5)
    with pytest.raises(AssertionError):
        assert_same_weights(ours, start, rtol=1e-3, atol=2e-4)


class Point(MILModel):
    """Predicts one number whatever the bag, and notes its value and the bag's length at each step."""

    def __init__(self, *, d_in: int, n_out: int) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.value = nn.Parameter(torch.zeros(n_out, dtype=torch.float64))
        self.seen: list[tuple[float, int]] = []

    def aggregate(self, bags: Tensor, mask: Tensor, target: Tensor | None) -> Output:
        self.seen.append((self.value.item(), mask.shape[1]))
        return Output(logits=self.value.expand(len(bags), self.n_out))


class Slope(Objective):
    """A loss whose gradient is known: the slope of each unit. Under a constant one, Adam moves by its learning rate."""

    reading: ClassVar[Reading] = "log hazard ratio"

    def __init__(self, slopes: list[float]) -> None:
        self.n_out, self.slopes = 1, torch.tensor(slopes)
        self.strata = np.zeros(len(slopes), dtype=np.int64)

    def loss(self, logits: Tensor, positions: Tensor) -> Tensor:
        return (logits[:, 0] * self.slopes[positions]).mean()

    def of(self, target: Target) -> "Slope":
        raise NotImplementedError


def moves(recipe: Recipe, slopes: list[float]) -> np.ndarray:
    """Return how far the weight moved after each step but the last."""
    model = Point(d_in=D_IN, n_out=1)
    train(model, part_of(random_bags(len(slopes)), Slope(slopes)), recipe, seed=0)
    return -np.diff([value for value, _ in model.seen])


def test_one_cycle_rises_for_a_tenth_and_falls_as_a_cosine_to_zero() -> None:
    recipe = Recipe(epochs=5, bags_per_step=2, learning_rate=0.1, schedule="one cycle", weight_decay=0.0)
    found = moves(recipe, [1.0] * 20) / 0.1  # 50 updates
    falling = [(1 + math.cos(math.pi * k / 45)) / 2 for k in range(44)]
    np.testing.assert_allclose(found, [0.2, 0.4, 0.6, 0.8, 1.0, *falling], rtol=1e-5, atol=1e-6)


def test_one_cycle_ends_at_zero_where_steps_are_added_up_too() -> None:
    recipe = Recipe(epochs=20, steps_per_update=8, learning_rate=0.1, schedule="one cycle", weight_decay=0.0)
    found = moves(recipe, [1.0] * 15)  # one update an epoch
    assert (found > 1e-9).sum() == 20
    assert found[found > 1e-9][-1] < 0.002


def adam(gradients: list[float]) -> list[float]:
    """How far Adam moves at a learning rate of 1, from its definition."""
    mean, square, found = 0.0, 0.0, []
    for t, gradient in enumerate(gradients, start=1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        found.append((mean / (1 - 0.9**t)) / (math.sqrt(square / (1 - 0.999**t)) + 1e-8))
    return found


def test_gradients_are_added_up_and_what_is_left_waits_for_the_next_epoch() -> None:
    recipe = Recipe(epochs=3, steps_per_update=4, learning_rate=0.1, weight_decay=0.0)
    found = moves(recipe, [1.0] * 10)
    at = [epoch * 10 + step for epoch in range(3) for step in (3, 7)]
    np.testing.assert_allclose(found[at] / 0.1, adam([4, 4, 6, 4, 6, 4]), rtol=1e-6)
    assert not np.delete(found, at).any()


def test_gradients_are_clipped() -> None:
    """Adam forgets a constant factor, but not that one gradient was ten times another."""
    recipe = Recipe(epochs=4, learning_rate=0.1, weight_decay=0.0, sampling="shuffled")
    np.testing.assert_allclose(moves(replace(recipe, clip_norm=1.0), [10.0, 1.0] * 3), 0.1, rtol=1e-4)
    assert np.ptp(moves(recipe, [10.0, 1.0] * 3)) > 0.01
    np.testing.assert_allclose(moves(replace(recipe, clip_norm=100.0), [10.0, 1.0] * 3), moves(recipe, [10.0, 1.0] * 3))


def test_long_bags_are_thinned_in_training_only() -> None:
    rng = np.random.default_rng(0)
    bags = [torch.from_numpy(rng.standard_normal((n, D_IN))) for n in (3, 50, 7)]
    model = Point(d_in=D_IN, n_out=1)
    part = part_of(bags, Slope([1.0] * 3))
    recipe = Recipe(epochs=2, sampling="shuffled", most_instances=10, inner_val=0.5)
    train(model, part, recipe, seed=0, val=part)
    lengths = [length for _, length in model.seen]
    assert sorted(lengths[:3]) == sorted(lengths[6:9]) == [3, 7, 10]
    assert lengths[3:6] == lengths[9:] == [3, 50, 7]


def test_each_epoch_is_told() -> None:
    told: list[dict[str, float]] = []
    part = part_of(random_bags(4), Slope([1.0] * 4))
    history = train(
        Point(d_in=D_IN, n_out=1), part, Recipe(epochs=3), seed=0, on_epoch=lambda one: told.append(dict(one))
    )
    assert [set(one) for one in history] == [{"epoch", "loss"}] * 3
    assert told == [dict(one) | {"epochs": 3.0} for one in history]
    assert [one["epoch"] for one in told] == [1, 2, 3]


def test_the_epoch_with_the_lowest_held_out_loss_is_kept() -> None:
    labels = Labels(np.array([0, 1] * 8), ("a", "b"))
    bags = [bag + 0.3 * label for bag, label in zip(random_bags(16), labels.values, strict=True)]
    part, val = (
        part_of(bags[:12], CrossEntropy(labels.take(range(12)))),
        part_of(bags[12:], CrossEntropy(labels.take(range(12, 16)))),
    )
    model, weights = double_model("abmil", 2), []

    def on_epoch(measured: Any) -> None:
        weights.append(copy.deepcopy(model.state_dict()))

    recipe = Recipe(epochs=15, learning_rate=1e-3, inner_val=0.2)
    history = train(model, part, recipe, seed=0, val=val, on_epoch=on_epoch)
    losses = [measured["val_loss"] for measured in history]
    best = int(np.argmin(losses))
    assert 0 < best < 14, "else this shows nothing"
    torch.testing.assert_close(model.state_dict(), weights[best], rtol=0, atol=0)
    with torch.no_grad():
        logits = torch.cat([model.eval()(*whole(bag)).logits for bag in val.bags])
    by_hand = functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1])).item()
    assert min(losses) == pytest.approx(by_hand, rel=1e-5)
    last = double_model("abmil", 2)
    train(last, part, recipe, seed=0)
    torch.testing.assert_close(last.state_dict(), weights[-1], rtol=0, atol=0)  # without held-out units: the last


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_a_loss_that_breaks_names_epoch_step_and_unit(value: float) -> None:
    bags, labels = random_bags(9), Labels(np.array([0, 1, 1] * 3), ("a", "b"))
    bags[4] = bags[4] * 0 + value
    recipe = Recipe(sampling="shuffled", epochs=2)
    (order,) = [[int(i) for (i,) in epoch_batches(np.ones(9, int), labels.values, recipe, np.random.default_rng(7))]]
    with pytest.raises(
        HeadError, match=rf"the loss became (nan|inf) in epoch 1, step {order.index(4) + 1}, on unit4\."
    ):
        train(double_model("abmil", 2), part_of(bags, CrossEntropy(labels)), recipe, seed=7)


def test_a_batch_that_breaks_names_all_its_units() -> None:
    bags, labels = random_bags(9), Labels(np.array([0, 1, 1] * 3), ("a", "b"))
    bags[4] *= math.nan
    recipe = Recipe(sampling="shuffled", bags_per_step=9)
    with pytest.raises(HeadError, match=r"epoch 1, step 1, on (unit\d, ){4}unit\d and 4 more\. Look at the features"):
        train(double_model("abmil", 2), part_of(bags, CrossEntropy(labels)), recipe, seed=7)


def test_a_held_out_loss_that_breaks_names_its_units() -> None:
    part = part_of(random_bags(4), CrossEntropy(Labels(np.array([0, 1, 1, 0]), ("a", "b"))))
    val = Part([part.bags[0] * math.nan], ["held"], CrossEntropy(Labels(np.array([0]), ("a", "b"))))
    with pytest.raises(HeadError, match=r"the held-out loss became nan on held\. Look at their features"):
        train(double_model("abmil", 2), part, Recipe(epochs=2, inner_val=0.2), seed=0, val=val)


def test_a_fold_whose_training_breaks_is_named(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    method = baseline_file(
        tmp_path, "wild", "mil", model="abmil", recipe="hipt-2022", overrides={"learning_rate": 1e30, "epochs": 3}
    )
    job = plan_of(tmp_path, task.name, method, seeds=[5]).jobs[2]
    expected = r"toy_classification, toy/wild, fold 2, seed 5: the loss became nan in epoch 1, step \d+, on slide\d+\."
    with pytest.raises(RunError, match=expected):
        run_job(job)


def fit_on_bags(head: MIL, *, n: int = 12, length: int = 300, seed: int = 1) -> tuple[Bags, Any]:
    """Fit on bags large enough that PyTorch would share the work among its threads."""
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((length, 64)).astype(np.float32) for _ in range(n)]
    bags = [Bag(f"u{i}", array, None, np.zeros(length, np.int64)) for i, array in enumerate(values)]
    return bags, head.fit(bags, Labels(np.arange(n) % 2, ("a", "b")), val=None, seed=seed)


@pytest.mark.parametrize("recipe", ["fast", "hipt-2022"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(recipe: Any) -> None:
    head = MIL(recipe=recipe, overrides={"epochs": 2}, device="cpu")
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        bags, fitted = fit_on_bags(head)
        weights = {name: array.tobytes() for name, array in fitted.weights.items()}
        found.append((weights, fitted.history, fitted.predict(bags).probabilities.tobytes()))
    assert found[0] == found[1]
    assert fit_on_bags(head, seed=2)[1].weights["classifier.bias"].tobytes() != found[0][0]["classifier.bias"]


@pytest.mark.parametrize("breaks", [False, True])
def test_neither_generators_nor_threads_of_others_are_touched(breaks: bool) -> None:
    head = MIL(overrides={"epochs": 1, "learning_rate": 1e30 if breaks else 1e-3, "bags_per_step": 1}, device="cpu")
    torch.set_num_threads(2)
    torch.manual_seed(11)
    np.random.seed(11)  # noqa: NPY002 - the legacy generator must be left alone
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr] # noqa: NPY002
    if breaks:
        with pytest.raises(HeadError, match="the loss became"):
            fit_on_bags(head, length=20)
    else:
        bags, fitted = fit_on_bags(head, length=20)
        fitted.predict(bags)
    after = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr] # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("model", ["mean", "max", "mil", "abmil", "noisy_and", "clam_sb", "dsmil", "hipt_gp"])
def test_training_in_bfloat16_gives_float32_predictions(model: str) -> None:
    head = MIL(model=model, overrides={"epochs": 2, "precision": "bfloat16"}, device="cpu")
    assert head.precision == "bfloat16"
    bags, fitted = fit_on_bags(head, n=8, length=20)
    assert {array.dtype for array in fitted.weights.values()} == {np.dtype(np.float32)}
    prediction = fitted.predict(bags)
    prediction.check([bag.unit for bag in bags], "classification")
    exact = fit_on_bags(replace(head, overrides={"epochs": 2, "precision": "float32"}), n=8, length=20)[1]
    shares = exact.predict(bags).probabilities
    assert not np.array_equal(shares, prediction.probabilities), "bfloat16 was asked for"
    np.testing.assert_allclose(shares, prediction.probabilities, atol=0.05)
    ours = fitted.network(*whole(torch.from_numpy(bags[0].features))).logits
    assert ours.dtype == torch.float32


def test_noise_on_features_is_drawn_from_the_seed_and_in_training_only() -> None:
    head = MIL(model="mean", overrides={"epochs": 2, "feature_noise": 0.5}, device="cpu")
    (bags, noisy), (_, again) = (fit_on_bags(head, length=20) for _ in range(2))
    plain = fit_on_bags(replace(head, overrides={"epochs": 2}), length=20)[1]
    shares, same, other = (fitted.predict(bags).probabilities for fitted in (noisy, again, plain))
    np.testing.assert_array_equal(shares, same)
    np.testing.assert_array_equal(shares, noisy.predict(bags).probabilities)
    assert not np.array_equal(shares, other)


def test_a_recipe_that_would_never_move_the_weights_is_refused() -> None:
    objective = CrossEntropy(Labels(np.arange(20) % 2, ("a", "b")))
    part = Part([torch.zeros(2, 4)] * 20, [f"u{i}" for i in range(20)], objective)
    with pytest.raises(HeadError, match=r"an epoch of 20 training units has 20 steps, and the recipe moves them once"):
        train(make_model("mean", d_in=4, n_out=2), part, Recipe(steps_per_update=32), seed=1)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_instances_far_apart_give_a_finite_loss_in_bfloat16(name: str) -> None:
    dims = (4, 8) if model_class(name).hierarchical else (8,)
    bags = [torch.randn(n, *dims) * 100 for n in (1, 3, 5, 2)]
    part = Part(bags, ["a", "b", "c", "d"], CrossEntropy(Labels(np.array([0, 1, 0, 1]), ("x", "y"))))
    torch.manual_seed(0)
    model = make_model(name, d_in=8, n_out=2)
    history = train(model, part, Recipe(epochs=3, bags_per_step=2, precision="bfloat16"), seed=1)
    assert all(math.isfinite(epoch["loss"]) for epoch in history)
