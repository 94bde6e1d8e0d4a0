"""Digits in bags: multiple-instance learning on scikit-learn's 8 x 8 handwritten digits, positive iff a "1" is inside.

The bags follow Ilse, Tomczak and Welling, Attention-based Deep Multiple Instance Learning, ICML 2018, section 4.2,
with the smaller digits that scikit-learn ships. The images are dealt to folds, stratified by digit. The test bags of
a fold are drawn from its own images, its training bags from the other folds' images: no image is on both sides.

A bag has clip(round(N(bag_mean, bag_sd)), bag_least) different images, drawn anew until it is positive or negative as
wanted, so that its size says nothing about its label; exactly half of the bags are positive. Pixels are grey levels 0
to 16, divided by 16: exact in float16.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float16, Int64

from hiptbench.errors import TaskError
from hiptbench.sources.cohort import Cohort
from hiptbench.sources.laws import stream
from hiptbench.splits import Split
from hiptbench.task_spec import DigitsData, TaskSpec
from hiptbench.tasks import SlideRow, Task


@dataclass(frozen=True, eq=False)
class DigitBag:
    """One bag.

    Attributes:
        name: Unit, slide and case id at once.
        fold: The fold that it belongs to.
        part: "train" or "test".
        positive: Whether one of its images shows the witness.
        images: Positions in scikit-learn's data set.
    """

    name: str
    fold: int
    part: str
    positive: bool
    images: Int64[np.ndarray, " m"]


def digits(spec: TaskSpec) -> Cohort:
    """Make the bags of a digits task; the same specification gives the same bags.

    Args:
        spec: A task with digits data and two classes, the negative one first.

    Returns:
        The task, not yet checked against the registry's hashes, and its features [m, 64].

    Raises:
        TaskError: If the task's data are not digits.
    """
    pixels, shown = load_images()
    bags = list(draw_bags(spec, shown))
    names = spec.classes or ()
    rows = [SlideRow(bag.name, bag.name, label=names[int(bag.positive)]) for bag in bags]
    splits = [_split(fold, bags) for fold in range(spec.folds.count)]
    return Cohort(Task.build(spec, rows, splits), {bag.name: pixels[bag.images] for bag in bags})


def load_images() -> tuple[Float16[np.ndarray, "images 64"], Int64[np.ndarray, " images"]]:
    """Return the pixels (grey levels in [0, 1]) and the digit of each of scikit-learn's 1,797 images."""
    from sklearn.datasets import load_digits

    images = load_digits()
    return (images.data / 16).astype(np.float16), images.target.astype(np.int64)


def draw_bags(spec: TaskSpec, shown: Int64[np.ndarray, " images"]) -> Iterator[DigitBag]:
    """Draw the bags of every fold.

    Args:
        spec: A task with digits data.
        shown: The digit of each image.

    Yields:
        Fold after fold, the training bags before the test bags.

    Raises:
        TaskError: If the task's data are not digits.
    """
    data = spec.data
    if not isinstance(data, DigitsData):
        raise TaskError(f"{spec.name} has no digits: its data have the origin '{data.origin}', not 'digits'.")
    fold_of = image_folds(data.seed, shown, spec.folds.count)
    for fold in range(spec.folds.count):
        yield from _draw_part(data, fold, "train", data.train_bags, fold_of != fold, shown)
        yield from _draw_part(data, fold, "test", data.test_bags, fold_of == fold, shown)


def image_folds(seed: int, shown: Int64[np.ndarray, " images"], count: int) -> Int64[np.ndarray, " images"]:
    """Deal the images to folds, digit after digit.

    Args:
        seed: Seed of the order in which they are dealt.
        shown: The digit of each image.
        count: Number of folds.

    Returns:
        The fold of each image.
    """
    order = stream(seed, "images").permutation(len(shown))
    order = order[np.argsort(shown[order], kind="stable")]
    folds = np.empty(len(shown), dtype=np.int64)
    folds[order] = np.arange(len(shown)) % count
    return folds


def _draw_part(
    data: DigitsData,
    fold: int,
    part: str,
    bags: int,
    pool: Bool[np.ndarray, " images"],
    shown: Int64[np.ndarray, " images"],
) -> Iterator[DigitBag]:
    rng = stream(data.seed, "bags", part, fold)
    images = np.flatnonzero(pool)
    positive = rng.permutation(np.arange(bags) % 2 == 1)
    for number in range(bags):
        chosen = _draw_images(data, images, shown, bool(positive[number]), rng)
        yield DigitBag(f"digits-f{fold}-{part}-{number:03}", fold, part, bool(positive[number]), chosen)


def _draw_images(
    data: DigitsData,
    images: Int64[np.ndarray, " pool"],
    shown: Int64[np.ndarray, " images"],
    positive: bool,
    rng: np.random.Generator,
) -> Int64[np.ndarray, " m"]:
    size = max(data.bag_least, round(rng.normal(data.bag_mean, data.bag_sd)))
    while True:
        chosen = rng.choice(images, size, replace=False)
        if (shown[chosen] == data.witness).any() == positive:
            return chosen


def _split(fold: int, bags: list[DigitBag]) -> Split:
    train, test = (
        tuple(bag.name for bag in bags if (bag.fold, bag.part) == (fold, part)) for part in ("train", "test")
    )
    return Split(fold, train, val=(), test=test)
