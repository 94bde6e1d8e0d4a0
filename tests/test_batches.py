"""Which bags a step sees: in proportion, each once, of similar length; thinned and padded without loss."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.heads.batches import epoch_batches, pad, thin
from hiptbench.recipes import Recipe

LENGTHS = np.random.default_rng(0).integers(1, 500, 700)
STRATA = np.repeat([0, 1, 4], [600, 90, 10])  # 2 and 3 do not exist


def batches(recipe: Recipe, *, seed: int = 0) -> list[np.ndarray]:
    return epoch_batches(LENGTHS, STRATA, recipe, np.random.default_rng(seed))


def test_weighted_sampling_draws_each_stratum_equally_often() -> None:
    rng, recipe = np.random.default_rng(0), Recipe(sampling="weighted")
    drawn = np.concatenate([np.concatenate(epoch_batches(LENGTHS, STRATA, recipe, rng)) for _ in range(30)])
    assert len(drawn) == 30 * len(STRATA)
    shares = [np.mean(STRATA[drawn] == stratum) for stratum in (0, 1, 4)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)  # six standard deviations
    within = Counter(drawn[STRATA[drawn] == 4].tolist())
    assert len(within) == 10
    assert max(within.values()) < 1.25 * min(within.values())  # and each unit of a stratum


def test_weighted_sampling_repeats_some_and_leaves_others_out() -> None:
    drawn = np.concatenate(batches(Recipe(sampling="weighted")))
    assert len(drawn) == len(STRATA)
    assert len(set(drawn.tolist())) < len(STRATA)


@given(n=st.integers(1, 200), size=st.integers(1, 40), bucketed=st.booleans(), seed=st.integers(0, 3))
def test_shuffled_sampling_visits_each_unit_once(n: int, size: int, bucketed: bool, seed: int) -> None:
    recipe = Recipe(sampling="shuffled", bags_per_step=size, bucketed=bucketed)
    steps = epoch_batches(LENGTHS[:n], STRATA[:n], recipe, np.random.default_rng(seed))
    assert sorted(np.concatenate(steps).tolist()) == list(range(n))
    assert len(steps) == -(-n // size)
    assert sorted(map(len, steps))[1:] == [size] * (len(steps) - 1), "one step at most is not full"


def test_epochs_and_seeds_differ_and_one_seed_is_always_the_same() -> None:
    for sampling in ("weighted", "shuffled"):
        recipe, rng = Recipe(sampling=sampling), np.random.default_rng(0)
        first, second = (np.concatenate(epoch_batches(LENGTHS, STRATA, recipe, rng)).tolist() for _ in range(2))
        assert first != second
        assert first == np.concatenate(batches(recipe)).tolist() != np.concatenate(batches(recipe, seed=1)).tolist()


@pytest.mark.parametrize("sampling", ["weighted", "shuffled"])
def test_buckets_hold_the_same_units_in_steps_of_similar_length(sampling: str) -> None:
    plain = Recipe(sampling=sampling, bags_per_step=8)  # type: ignore[arg-type]
    bucketed = Recipe(sampling=sampling, bags_per_step=8, bucketed=True)  # type: ignore[arg-type]
    loose, tight = batches(plain), batches(bucketed)
    assert Counter(np.concatenate(loose).tolist()) == Counter(np.concatenate(tight).tolist())
    assert len(loose) == len(tight)

    def padding(steps: list[np.ndarray]) -> int:
        return sum(int(LENGTHS[step].max() * len(step) - LENGTHS[step].sum()) for step in steps)

    assert padding(tight) < padding(loose) / 5
    means = [LENGTHS[step].mean() for step in tight]
    assert means != sorted(means), "long bags do not come last"


def test_a_bag_is_thinned_to_some_of_its_own_instances() -> None:
    bag = torch.arange(40.0).reshape(20, 2)
    rng = np.random.default_rng(0)
    few, others = thin(bag, 7, rng), thin(bag, 7, rng)
    assert few.shape == (7, 2)
    assert len(set(few[:, 0].tolist())) == 7, "none twice"
    assert set(map(tuple, few.tolist())) <= set(map(tuple, bag.tolist()))
    assert not torch.equal(few.sort(dim=0).values, others.sort(dim=0).values)
    regions = torch.arange(60.0).reshape(10, 3, 2)
    assert thin(regions, 4, rng).shape == (4, 3, 2)


@pytest.mark.parametrize("most", [None, 20, 21])
def test_a_short_bag_is_left_alone(most: int | None) -> None:
    bag, rng = torch.zeros(20, 2), np.random.default_rng(0)
    assert thin(bag, most, rng) is bag
    assert rng.random() == np.random.default_rng(0).random(), "and draws nothing"


def test_padding_keeps_every_bag_and_adds_zeros() -> None:
    for tail in ((3,), (4, 3)):
        bags = [torch.randn(n, *tail) for n in (2, 5, 1)]
        padded, mask = pad(bags)
        assert padded.shape == (3, 5, *tail)
        assert mask.sum(dim=1).tolist() == [2, 5, 1]
        for i, bag in enumerate(bags):
            assert torch.equal(padded[i][mask[i]], bag)
        assert not padded[~mask].any()


def test_one_bag_is_not_copied() -> None:
    bag = torch.randn(5, 3)
    padded, mask = pad([bag])
    assert padded.shape == (1, 5, 3)
    assert padded.data_ptr() == bag.data_ptr()
    assert mask.all()
