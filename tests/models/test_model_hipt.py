"""HIPT from patch vectors: the vision transformer inside ``hipt_lgp``, its weights, and its regions."""

from pathlib import Path

import pytest
import torch

from hiptbench.errors import HeadError
from hiptbench.heads.models.factory import make_model
from hiptbench.networks.vit import vit4k


def test_many_regions_are_encoded_in_parts_with_the_same_gradients() -> None:
    model = make_model("hipt_lgp", d_in=3, n_out=2, settings={"dropout": 0.0}).double()
    bags = torch.randn(1, 130, 4, 3, dtype=torch.float64)  # three parts of at most 64
    mask = torch.ones(1, 130, dtype=torch.bool)
    logits = model(bags, mask).logits
    logits.sum().backward()
    in_parts = model.vit.phi[0].weight.grad.clone()
    model.zero_grad()
    whole = model.slide(model.vit(bags[0].unflatten(1, (2, 2)))[None], mask)[0]
    expected = model.classifier(whole)
    expected.sum().backward()
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(in_parts, model.vit.phi[0].weight.grad)


def test_a_grid_that_is_not_square_is_refused() -> None:
    model = make_model("hipt_lgp", d_in=3, n_out=2)
    with pytest.raises(HeadError, match="region of 255 vectors is no square grid"):
        model(torch.zeros(1, 1, 255, 3), torch.ones(1, 1, dtype=torch.bool))


def test_a_checkpoint_is_loaded_and_frozen(tmp_path: Path) -> None:
    vit, path = vit4k(), tmp_path / "vit4k_xs_dino.pth"
    torch.save({"teacher": {f"module.backbone.{name}": value for name, value in vit.state_dict().items()}}, path)
    model = make_model("hipt_lgp", d_in=384, n_out=2, settings={"weights": str(path), "freeze": True})
    for name, value in vit.state_dict().items():
        assert torch.equal(model.vit.state_dict()[name], value)
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert trainable == 595_011
    model(torch.randn(1, 2, 256, 384), torch.ones(1, 2, dtype=torch.bool)).logits.sum().backward()
    assert all(weight.grad is None for weight in model.vit.parameters())
    assert all(weight.grad is not None for weight in model.slide.parameters())


def test_freezing_without_weights_is_refused() -> None:
    with pytest.raises(HeadError, match="freeze=True without weights would leave the ViT random"):
        make_model("hipt_lgp", d_in=384, n_out=2, settings={"freeze": True})


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(vit4k(d_in=5).state_dict(), path)
    with pytest.raises(HeadError, match=r"other\.pth does not hold this network's weights.*phi\.0\.weight"):
        make_model("hipt_lgp", d_in=384, n_out=2, settings={"weights": str(path)})
