"""Bags of digits: nothing leaks between the sides of a fold, and labels mean what they say."""

import numpy as np
import pytest
import yaml
from scipy.stats import norm

from hiptbench.errors import TaskError
from hiptbench.schema import dump_yaml
from hiptbench.sources.digits import DigitBag, digits, draw_bags, image_folds, load_images
from hiptbench.suites import load_suite
from hiptbench.targets import Labels
from hiptbench.task_checks import check_task
from hiptbench.task_spec import DigitsData, TaskSpec
from hiptbench.task_store import load_spec

PIXELS, SHOWN = load_images()


@pytest.fixture(scope="module")
def bags() -> list[DigitBag]:
    return list(draw_bags(load_spec("digits_bags"), SHOWN))


def images(bags: list[DigitBag], fold: int, part: str) -> set[int]:
    return {int(i) for bag in bags if (bag.fold, bag.part) == (fold, part) for i in bag.images}


def test_the_cohort_is_what_the_registry_says() -> None:
    spec = load_spec("digits_bags")
    cohort = digits(spec)
    check_task(cohort.task)
    assert not spec.synthetic
    assert cohort.task.units[0] == "digits-f0-train-000"
    assert set(cohort.features) == set(cohort.task.all_slides) == set(cohort.task.cases)
    for split in cohort.task.splits:
        assert (len(split.train), len(split.val), len(split.test)) == (500, 0, 200)
        assert all(unit.startswith(f"digits-f{split.fold}-") for unit in (*split.train, *split.test))


def test_features_are_the_pixels_of_the_bags_images(bags: list[DigitBag]) -> None:
    cohort = digits(load_spec("digits_bags"))
    for bag in bags[::500]:
        np.testing.assert_array_equal(cohort.features[bag.name], PIXELS[bag.images])
    np.testing.assert_array_equal(PIXELS * 16, np.round(PIXELS * 16))  # grey levels survive float16


def test_no_image_is_shared_between_train_and_test_of_a_fold(bags: list[DigitBag]) -> None:
    for fold in range(5):
        assert not images(bags, fold, "train") & images(bags, fold, "test")


def test_the_test_images_of_different_folds_are_disjoint_and_stratified(bags: list[DigitBag]) -> None:
    folds = image_folds(1, SHOWN, 5)
    for fold in range(5):
        assert images(bags, fold, "test") <= set(np.flatnonzero(folds == fold))
    counts = np.array([np.bincount(SHOWN[folds == fold]) for fold in range(5)])
    assert np.ptp(counts, axis=0).max() <= 1


def test_a_bag_is_positive_iff_a_one_is_inside(bags: list[DigitBag]) -> None:
    assert all(bag.positive == (1 in SHOWN[bag.images]) for bag in bags)
    task = digits(load_spec("digits_bags")).task
    assert isinstance(task.target, Labels)
    assert [task.target.classes[k] for k in task.target.values] == [
        "with_1" if bag.positive else "without_1" for bag in bags
    ]


def test_half_of_the_bags_are_positive_in_every_part_of_every_fold(bags: list[DigitBag]) -> None:
    for fold in range(5):
        for part in ("train", "test"):
            labels = [bag.positive for bag in bags if (bag.fold, bag.part) == (fold, part)]
            assert sum(labels) * 2 == len(labels)


def test_no_bag_has_an_image_twice(bags: list[DigitBag]) -> None:
    assert all(len(set(bag.images.tolist())) == len(bag.images) for bag in bags)


def test_bag_sizes_follow_their_law_and_say_nothing_about_the_label(bags: list[DigitBag]) -> None:
    sizes = np.array([len(bag.images) for bag in bags])
    positive = np.array([bag.positive for bag in bags])
    assert sizes.min() >= 3
    for group in (sizes, sizes[positive], sizes[~positive]):
        assert group.mean() == pytest.approx(10, abs=4 * 2 / np.sqrt(len(group)))
        assert group.std() == pytest.approx(2, abs=0.15)
    assert np.mean(sizes <= 10) == pytest.approx(norm.cdf(0.25), abs=4 * 0.5 / np.sqrt(len(sizes)))


def test_the_least_size_is_kept() -> None:
    spec = load_spec("digits_bags")
    small = spec.model_copy(update={"data": spec.data.model_copy(update={"bag_mean": 1.0, "bag_least": 3})})
    sizes = {len(bag.images) for bag in draw_bags(small, SHOWN)}
    assert min(sizes) == 3


def test_the_seed_decides_everything() -> None:
    spec = load_spec("digits_bags")
    other = spec.model_copy(update={"data": spec.data.model_copy(update={"seed": 2})})
    assert digits(spec).task.hashes == digits(spec).task.hashes
    assert digits(spec).task.hashes.labels != digits(other).task.hashes.labels


def test_the_registry_entries_load() -> None:
    spec, suite = load_spec("digits_bags"), load_suite("digits")
    assert TaskSpec.model_validate(yaml.safe_load(dump_yaml(spec))) == spec
    assert isinstance(spec.data, DigitsData)
    assert suite.tasks == ("digits_bags",)
    assert suite.fractions_of(spec) == (1.0,)
    assert not suite.synthetic


def test_other_tasks_are_refused() -> None:
    with pytest.raises(TaskError, match="has no digits: its data have the origin 'synthetic', not 'digits'"):
        digits(load_spec("synthetic_brca_subtype"))
