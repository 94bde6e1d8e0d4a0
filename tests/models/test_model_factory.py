"""Models by name."""

import subprocess
import sys

import pytest
import torch

from hiptbench.errors import HeadError, UnknownNameError
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.models.factory import make_model, model_class


class Mine(MILModel):
    """A user's own model: the first instance, scaled."""

    def __init__(self, *, d_in: int, n_out: int, scale: float = 2.0) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.scale = scale

    def aggregate(self, bags, mask, target) -> Output:
        return Output(logits=self.scale * bags[:, 0, : self.n_out])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_name_makes_a_documented_model(name: str) -> None:
    made = model_class(name)
    assert issubclass(made, MILModel)
    assert "Source:" in (made.__doc__ or "")


def test_a_users_own_model_is_made_with_its_settings() -> None:
    model = make_model(f"{__name__}:Mine", d_in=3, n_out=2, settings={"scale": 3.0})
    logits = model(torch.ones(1, 4, 3), torch.ones(1, 4, dtype=torch.bool)).logits
    assert logits.tolist() == [[3.0, 3.0]]


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no MIL model 'abmill'. Did you mean 'abmil'\?.*transmil"):
        model_class("abmill")


def test_an_unknown_setting_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"setting of the MIL model 'abmil' 'gate'. Did you mean 'gated'\?"):
        make_model("abmil", d_in=3, n_out=2, settings={"gate": True})


def test_what_cannot_be_imported_is_refused() -> None:
    with pytest.raises(HeadError, match="'no_such_package:Model' cannot be imported"):
        model_class("no_such_package:Model")


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(HeadError, match=r"'math:sqrt' is not a MIL model: it must be a subclass of .*base.MILModel"):
        model_class("math:sqrt")


def test_listing_the_models_imports_no_torch() -> None:
    code = "import sys, hiptbench.heads.models as m; assert len(m.MODELS) == 12; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
