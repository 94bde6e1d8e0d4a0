"""Small models and batches for the tests of MIL models."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from hiptbench.heads.models.base import MILModel
from hiptbench.heads.models.factory import make_model, model_class

D_IN = 12
PATCHES = 4
SMALL: dict[str, dict[str, Any]] = {"transmil": {"dim": 32, "heads": 2}}

MakeModel = Callable[..., MILModel]
MakeBags = Callable[..., Tensor]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Models this small only lose by handing work to other threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def one_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def small_model() -> MakeModel:
    """Make a model for D_IN features in float64 without dropout, with random biases too."""

    def make(name: str, n_out: int = 3, **settings: Any) -> MILModel:
        model = make_model(name, d_in=D_IN, n_out=n_out, settings={"dropout": 0.0} | SMALL.get(name, {}) | settings)
        for weight in model.parameters():
            weight.data += 0.05 * torch.randn(weight.shape)
        return model.double()

    return make


@pytest.fixture
def random_bags() -> MakeBags:
    """Make bags of a shape that the model of that name takes, in float64."""

    def make(name: str, bags: int, instances: int) -> Tensor:
        shape = (PATCHES, D_IN) if model_class(name).hierarchical else (D_IN,)
        return torch.randn(bags, instances, *shape, dtype=torch.float64)

    return make
