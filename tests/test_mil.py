"""The MIL head: the contract with every model, what it refuses, and what it makes of bad input."""

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from hiptbench.bags import Bag
from hiptbench.code_hash import source_hash
from hiptbench.errors import HeadError, HiptbenchError, UnknownNameError
from hiptbench.evaluation import evaluate_split
from hiptbench.features import FeatureCard, FeatureSet, write_features
from hiptbench.heads.base import Bags, Head, TrainedHead, load_fitted, resolve
from hiptbench.heads.devices import resolve_device, resolve_precision
from hiptbench.heads.mil import MIL, FittedMIL
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.factory import model_class
from hiptbench.recipes import RECIPES, Recipe
from hiptbench.registry import make_head, settings_of
from hiptbench.targets import Labels, Survival, Target
from hiptbench.task_store import load_spec
from hiptbench.tasks import Task
from hiptbench.testing import _check_on, assert_same, check_head, toy_features, toy_task

SMALL: dict[str, dict[str, Any]] = {
    "abmil": {"hidden": 16, "attention": 8},
    "attention_softmax": {},
    "clam_sb": {"attention": 8},
    "dsmil": {"query": 8},
    "hipt_gp": {},
    "max": {"hidden": 16},
    "mean": {"hidden": 16},
    "mil": {"dropout": 0.0},
    "noisy_and": {"hidden": 16},
    "transmil": {"dim": 16, "heads": 2},
}
# Enough for each to learn which way the toy features point; the best instance of "mil" is found late.
EPOCHS = {"hipt_gp": 3, "mil": 30, "transmil": 2}
RATES = {"hipt_gp": 2e-3, "transmil": 5e-3}
HIERARCHICAL = sorted(name for name in MODELS if model_class(name).hierarchical)
PATCHES = 4


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def quick(model: str, *, survival: Literal["nll", "cox"] = "nll", **overrides: Any) -> MIL:
    steps = {"epochs": EPOCHS.get(model, 8), "learning_rate": RATES.get(model, 0.02)}
    steps |= {"bags_per_step": 16, "most_instances": 4, "precision": "float32"}
    settings = SMALL.get(model, {})
    return MIL(model=model, model_settings=settings, survival=survival, overrides=steps | overrides, device="cpu")


def bags_of(*features: np.ndarray) -> Bags:
    arrays = [np.ascontiguousarray(values, dtype=np.float32) for values in features]
    return [Bag(f"u{i}", array, None, np.zeros(len(array), np.int64)) for i, array in enumerate(arrays)]


def noise(n: int = 12, *shape: int, seed: int = 0) -> Bags:
    """Bags of two to six instances."""
    rng = np.random.default_rng(seed)
    return bags_of(*(rng.standard_normal((int(rng.integers(2, 7)), *(shape or (8,)))) for _ in range(n)))


def labels(n: int = 12, classes: int = 2) -> Labels:
    return Labels(np.arange(n) % classes, tuple("abcd"[:classes]))


def lives(n: int = 12) -> Survival:
    rng = np.random.default_rng(1)
    return Survival(rng.exponential(30, n), np.arange(n) % 3 > 0)


def fit(head: MIL, bags: Bags, target: Target) -> FittedMIL:
    return head.fit(bags, target, val=None, seed=1)


def test_every_model_is_tried_here() -> None:
    assert set(MODELS) == {*SMALL, *HIERARCHICAL}


def test_the_default_model_keeps_the_contract_on_every_kind_of_task(tmp_path: Path) -> None:
    check_head(quick("abmil", epochs=4), tmp_path)


CASES: list[tuple[Literal["classification", "survival"], Literal["nll", "cox"], Literal["test", "val"]]] = [
    ("classification", "nll", "test"),
    ("survival", "nll", "val"),
    ("survival", "cox", "test"),
]


@pytest.mark.parametrize(("kind", "survival", "part"), CASES)
@pytest.mark.parametrize("model", sorted(SMALL))
def test_every_model_of_vectors_keeps_the_contract(
    model: str,
    kind: Literal["classification", "survival"],
    survival: Literal["nll", "cox"],
    part: Literal["test", "val"],
    tmp_path: Path,
) -> None:
    """On small tasks, since there are many models."""
    task = toy_task(kind, classes=3, evaluate_on=part, cases=40)
    _check_on(quick(model, survival=survival), task, toy_features(task, tmp_path / "toy"), tmp_path / "model")


def toy_regions(task: Task, folder: Path) -> FeatureSet:
    """The toy features with each vector as a region of patches around it."""
    vectors, rng = toy_features(task, folder / "vectors"), np.random.default_rng(0)
    slides = {slide: vectors[slide] for slide in task.all_slides}
    regions = {
        slide: (values[:, None] + 0.1 * rng.standard_normal((len(values), PATCHES, 8))).astype(np.float32)
        for slide, values in slides.items()
    }
    write_features(folder / "regions", FeatureCard(name="regions"), regions)
    return FeatureSet.open(folder / "regions")


@pytest.mark.parametrize("model", HIERARCHICAL)
@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_every_hierarchical_model_keeps_the_contract(
    model: str, kind: Literal["classification", "survival"], tmp_path: Path
) -> None:
    task = toy_task(kind, cases=40)
    head = quick(model, epochs=4, learning_rate=3e-4 if model == "hipt_lgp" else 2e-3)
    _check_on(head, task, toy_regions(task, tmp_path), tmp_path / "model")


def test_the_head_is_a_trained_head_and_is_made_from_its_settings() -> None:
    head = MIL(model="mean", overrides={"epochs": 3}, device="cpu")
    assert isinstance(head, Head)
    assert isinstance(head, TrainedHead)
    resolved = head.resolved(load_spec("tcga_kirc_survival"))
    assert make_head("mil", settings_of(resolved)) == resolved


def test_seeds_differ() -> None:
    bags = noise()
    one, other = (quick("abmil").fit(bags, labels(), val=None, seed=seed).predict(bags) for seed in (1, 2))
    assert not np.array_equal(one.probabilities, other.probabilities)


@pytest.mark.parametrize(("target", "reading"), [(labels(), "classes"), (lives(), "hazards")])
def test_what_was_saved_has_history_attention_and_device(target: Target, reading: str, tmp_path: Path) -> None:
    bags = noise()
    fitted = fit(quick("abmil"), bags, target)
    fitted.save(tmp_path)
    loaded = load_fitted(tmp_path)
    assert isinstance(loaded, FittedMIL)
    assert (loaded.reading, loaded.device, loaded.history) == (reading, "cpu", fitted.history)
    assert len(loaded.history) == 8
    before, after = fitted.predict(bags), loaded.predict(bags)
    assert_same(before, after, "what was saved predicts the same")
    assert before.attention is not None
    assert after.attention is not None
    for bag, one, other in zip(bags, before.attention, after.attention, strict=True):
        assert one.shape == (len(bag),)
        assert one.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(one, other)
    assert fit(quick("max"), bags, target).predict(bags).attention is None


MINE = '''
import torch
from torch import nn
from hiptbench.heads.models.base import PoolingModel, weighted_sum
from my_layers import squash

class Mine(PoolingModel):
    """The mean of squashed instances."""

    def __init__(self, *, d_in, n_out, hidden=4):
        super().__init__(d_in=d_in, n_out=n_out, d_bag=hidden)
        self.embed = nn.Linear(d_in, hidden)
        self.slope = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("seen", torch.tensor(0))

    def pool(self, bags, mask):
        self.seen += int(self.training)
        weights = mask / mask.sum(dim=1, keepdim=True)
        return weighted_sum(weights, squash(self.slope * self.embed(bags))), None

class NoModel:
    pass
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_models.py").write_text(MINE)
    (tmp_path / "my_layers.py").write_text("import torch\n\n\ndef squash(x):\n    return torch.tanh(x)\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_model_of_ones_own_keeps_the_contract_and_its_sources_count(mine: Path) -> None:
    head = MIL(model="my_models:Mine", overrides={"epochs": 10, "learning_rate": 0.02}, device="cpu")
    task = toy_task(cases=40)
    features = toy_features(task, mine / "features")
    _check_on(head, task, features, mine / "model")
    fitted = evaluate_split(task, task.splits[0], features, head, seed=1).fitted
    assert isinstance(fitted, FittedMIL)
    assert fitted.weights["seen"] > 0
    assert fitted.model_settings == {"hidden": 4}
    assert head.sources == ("my_models",)
    for name, old, new in (("my_models.py", "slope *", "slope +"), ("my_layers.py", "tanh", "sin")):
        before = source_hash("hiptbench.heads.mil", *head.sources)
        path = mine / name
        path.write_text(path.read_text().replace(old, new))
        assert source_hash("hiptbench.heads.mil", *head.sources) != before, name


def test_models_and_settings_that_do_not_exist(mine: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no MIL model 'abmill'\. Did you mean 'abmil'\?"):
        MIL(model="abmill")
    with pytest.raises(HeadError, match=r"'my_models:NoModel' is not a MIL model"):
        MIL(model="my_models:NoModel")
    with pytest.raises(UnknownNameError, match=r"no setting of the MIL model 'mean' 'hiden'\. Did you mean 'hidden'\?"):
        fit(MIL(model="mean", model_settings={"hiden": 3}, device="cpu"), noise(), labels())


@pytest.mark.parametrize("model", sorted(MODELS))
def test_what_a_model_can_read_is_known_before(model: str) -> None:
    head = MIL(model=model)
    assert head.misfit((256, 384)) is None
    reason = head.misfit((384,))
    if model in HIERARCHICAL:
        assert reason == f"{model} reads regions of patches [patches, d], and these instances are vectors [384]"
    else:
        assert reason is None


def test_a_model_of_vectors_reads_regions_patch_by_patch() -> None:
    regions = noise(12, PATCHES, 8)
    flat = bags_of(*(bag.features.reshape(-1, 8) for bag in regions))
    head = quick("abmil", most_instances=None)
    from_regions, from_patches = (fit(head, bags, labels()).predict(bags) for bags in (regions, flat))
    assert_same(from_regions, from_patches, "patches are instances")
    assert from_regions.attention is not None
    assert [len(one) for one in from_regions.attention] == [len(bag) * PATCHES for bag in regions]


KIRC, LUNG = load_spec("tcga_kirc_survival"), load_spec("tcga_lung_subtype")


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize("spec", [KIRC, LUNG], ids=lambda spec: spec.kind)
def test_resolving_leaves_nothing_to_choose(recipe: Any, spec: Any) -> None:
    head = MIL(model="abmil", model_settings={"hidden": 7}, recipe=recipe, overrides={"epochs": 3})
    resolved = head.resolved(spec)
    assert resolved == resolved.resolved(spec) == resolve(resolved, spec) == resolve(head, spec)
    assert resolved.model_settings == {"gated": True, "hidden": 7, "attention": 128, "dropout": 0.25}
    assert resolved.device in ("cpu", "cuda", "mps")
    assert resolved.precision in ("float32", "bfloat16")
    assert resolved.overrides == {}
    assert resolved.epoch_rule == head.epoch_rule == "last of 3"
    assert resolved.selection == "none"
    assert isinstance(resolved.recipe, Recipe)
    published = recipe == "hipt-2022" and spec is KIRC
    assert resolved.recipe.time_edges == ((0.099999, 11.24, 25.3, 52.17, 149.050001) if published else None)
    stated = replace(RECIPES[recipe][spec.kind], epochs=3, precision=resolved.recipe.precision)
    assert replace(resolved.recipe, time_edges=None) == stated


def test_a_recipe_may_be_given_in_full() -> None:
    recipe = Recipe(epochs=2, inner_val=0.1, precision="bfloat16")
    head = make_head("mil", {"model": "mean", "recipe": dataclasses.asdict(recipe), "device": "cpu"})
    assert isinstance(head, MIL)
    assert head.recipe == recipe
    assert (head.inner_val, head.selection, head.precision) == (0.1, "inner val", "bfloat16")
    assert head.epoch_rule == "lowest inner-validation loss of 2"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"overrides": {"epoch": 3}}, "no setting of a recipe 'epoch'. Did you mean 'epochs'"),
        ({"overrides": {"sampling": "shufled"}}, "recipe 'fast' cannot be overridden so: sampling: Input"),
        ({"overrides": {"most_instances": 0}}, "needs most_instances of at least 1, not 0"),
        ({"model_settings": {"dropuot": 0.1}}, "no setting of the MIL model 'abmil' 'dropuot'. Did you mean 'dropout'"),
        ({"overrides": {"epochs": 0}}, "needs epochs of at least 1, not 0"),
        ({"overrides": {"inner_val": 1.0}}, r"inner_val is a share in \[0, 1\), not 1.0"),
        ({"recipe": {"epochs": 3, "lerning_rate": 1}}, "refuses its settings: .*lerning_rate"),
        ({"overrides": {"learning_rate": 0.0}}, "needs learning_rate above 0, not 0.0"),
        ({"overrides": {"time_edges": [0, 1, 2]}}, "those of the training part takes no time_edges"),
        ({"overrides": {"time_bins": "published", "time_edges": [0, 2, 1]}}, "time_edges rise and are at least 3"),
        ({"recipe": Recipe(), "overrides": {"epochs": 3}}, "overrides with a recipe's name, not with a whole recipe"),
        ({"recipe": "hipt2022"}, "refuses its settings: .*recipe"),
        ({"survival": "weibull"}, "refuses its settings: survival"),
        ({"device": "tpu"}, "refuses its settings: device"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(HiptbenchError, match=problem):
        make_head("mil", settings)


def test_published_time_bins_are_used_only_where_the_recipe_says_so() -> None:
    bags, target = noise(40), lives(40)
    edges = (0.1, 11.24, 25.3, 52.17, 149.05)
    published = Recipe(epochs=1, steps_per_update=8, time_bins="published", time_edges=edges)
    head = MIL(model="mean", recipe=published, device="cpu")
    fitted = fit(head, bags, target)
    assert fitted.curve_times.tolist() == list(edges[1:])
    quartiles = np.quantile(target.time[target.event], [0.25, 0.5, 0.75])
    expected = [*quartiles, target.time.max() + 1e-6]
    for recipe in (replace(published, time_edges=None), replace(published, time_bins="train", time_edges=None)):
        np.testing.assert_allclose(fit(replace(head, recipe=recipe), bags, target).curve_times, expected)
    own = toy_task("survival").spec
    assert MIL(recipe="hipt-2022", device="cpu").resolved(own).recipe_for("survival").time_edges is None


def test_the_published_time_bins_are_the_quartiles_of_the_uncensored_cases(real_home: Path) -> None:
    for study in ("brca", "coadread", "kirc", "kirp", "luad", "stad"):
        task = Task.load(f"tcga_{study}_survival", real_home)
        target, bins = task.target, task.spec.published_time_bins
        assert isinstance(target, Survival)
        assert bins is not None
        inner = np.quantile(target.time[target.event], [0.25, 0.5, 0.75])
        expected = [target.time.min() - 1e-6, *inner, target.time.max() + 1e-6]
        np.testing.assert_allclose(bins.edges, expected, rtol=0, atol=1e-9)


def test_devices_and_precisions() -> None:
    assert resolve_device("cpu") == "cpu"
    for device, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if not there:
            with pytest.raises(HeadError, match=rf"There is no device '{device}' here. Take 'auto' or one of \['cpu'"):
                fit(MIL(model="mean", device=device), noise(), labels())  # type: ignore[arg-type]
    assert resolve_precision("float32", "cuda") == "float32"
    assert resolve_precision("bfloat16", "cpu") == "bfloat16"
    assert resolve_precision("auto", "mps") == "float32"
    assert resolve_precision("auto", "cpu") in ("float32", "bfloat16")


def test_a_head_that_selects_must_be_given_somebody_to_select_on() -> None:
    with pytest.raises(HeadError, match=r"chooses the epoch on held-out patients \(inner_val\), but none were passed"):
        fit(quick("mean", inner_val=0.2), noise(), labels())


def test_val_is_not_used_by_a_head_that_does_not_select() -> None:
    bags = noise()
    without = fit(quick("abmil"), bags, labels())
    given = quick("abmil").fit(bags, labels(), val=(noise(4, seed=1), labels(4)), seed=1)
    assert_same(without.predict(bags), given.predict(bags), "val is not used")
    assert given.history == without.history


@pytest.mark.parametrize("target", [labels(), lives()], ids=["classes", "times"])
@pytest.mark.parametrize("model", sorted(SMALL))
def test_bags_of_one_instance(model: str, target: Target) -> None:
    bags = bags_of(*np.random.default_rng(0).standard_normal((12, 1, 8)))
    prediction = fit(quick(model, epochs=2), bags, target).predict(bags)
    prediction.check([bag.unit for bag in bags], "classification" if isinstance(target, Labels) else "survival")


@pytest.mark.parametrize("model", ["abmil", "clam_sb", "dsmil"])
def test_a_bag_of_a_hundred_thousand_instances(model: str) -> None:
    """Training sees 1,024 of them at a time; what is predicted is whole."""
    rng = np.random.default_rng(0)
    bags = bags_of(*(rng.standard_normal((n, 32), dtype=np.float32) for n in (100_000, 3, 3, 3)))
    fitted = fit(MIL(model=model, recipe="fast", overrides={"epochs": 2}, device="cpu"), bags, labels(4))
    prediction = fitted.predict(bags[:2])
    prediction.check(["u0", "u1"], "classification")
    assert prediction.attention is not None
    assert len(prediction.attention[0]) == 100_000


def test_an_empty_bag_is_refused() -> None:
    bags = [*noise(3), *bags_of(np.zeros((0, 8)))]
    with pytest.raises(HeadError, match="has no instance"):
        fit(quick("mean"), bags, labels(4))


def test_a_training_part_that_lacks_a_class() -> None:
    bags, target = noise(), Labels(np.zeros(12, np.int64), ("a", "b", "c"))
    shares = fit(quick("mean"), bags, target).predict(bags).probabilities
    assert shares is not None
    assert shares.shape == (12, 3)
    assert (shares.argmax(axis=1) == 0).all()


@pytest.mark.parametrize("survival", ["nll", "cox"])
def test_a_training_part_that_lacks_events(survival: Literal["nll", "cox"]) -> None:
    target = Survival(lives().time, np.zeros(12, bool))
    with pytest.raises(HeadError, match="at least one event among the 12 training units"):
        fit(quick("mean", survival=survival), noise(), target)


@pytest.mark.parametrize("survival", ["nll", "cox"])
def test_a_single_event_is_enough(survival: Literal["nll", "cox"]) -> None:
    bags, target = noise(), Survival(lives().time, np.arange(12) == 4)
    fit(quick("mean", survival=survival), bags, target).predict(bags).check([bag.unit for bag in bags], "survival")


@pytest.mark.parametrize("model", sorted(SMALL))
def test_constant_features(model: str) -> None:
    bags = bags_of(*(np.ones((n, 8)) for n in range(1, 13)))
    shares = fit(quick(model, epochs=2), bags, labels()).predict(bags).probabilities
    assert np.isfinite(shares).all()


@pytest.mark.parametrize("target", [labels(24), lives(24)], ids=["classes", "times"])
@pytest.mark.parametrize("survival", ["nll", "cox"])
@pytest.mark.parametrize("model", sorted(SMALL))
def test_values_as_large_as_half_precision_holds(
    model: str, survival: Literal["nll", "cox"], target: Survival | Labels
) -> None:
    """Finite numbers or an error that names a unit, never NaN."""
    if survival == "cox" and isinstance(target, Labels):
        pytest.skip("classes know no Cox")
    bags = [replace(bag, features=np.clip(bag.features * 6e4, -65504, 65504)) for bag in noise(24)]
    head = quick(model, survival=survival, epochs=2)
    try:
        prediction = fit(head, bags, target).predict(bags)
    except HeadError as error:
        assert "the loss became" in str(error)  # noqa: PT017 - one of two right outcomes
        assert " on u" in str(error)  # noqa: PT017
    else:
        prediction.check([bag.unit for bag in bags], "classification" if isinstance(target, Labels) else "survival")


def test_instances_of_mixed_dimensions_are_refused() -> None:
    bags = [*noise(4, 8), *noise(4, 9)]
    with pytest.raises(HeadError, match=r"one dimension of their instances, got \[8, 9\]"):
        fit(quick("mean"), bags, labels(8))
    with pytest.raises(HeadError, match="got no bags"):
        fit(quick("mean"), [], labels(0))


@pytest.mark.parametrize(("model", "shape"), [("abmil", (8,)), ("hipt_n", (PATCHES, 8))])
def test_features_of_another_dimension_are_not_predicted_on(model: str, shape: tuple[int, ...]) -> None:
    fitted = fit(quick(model, epochs=1), noise(12, *shape), labels())
    with pytest.raises(HeadError, match=r"was made for bags \[b, n, .*8\], got \[1, \d+, .*16\]"):
        fitted.predict(noise(2, *shape[:-1], 16))


def test_features_that_may_not_be_written_to_are_read() -> None:
    bags = noise()
    expected = fit(quick("mean"), bags, labels()).predict(bags)
    for bag in bags:
        bag.features.flags.writeable = False
    assert_same(fit(quick("mean"), bags, labels()).predict(bags), expected, "read-only bags are bags")
