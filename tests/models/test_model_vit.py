"""The vision transformer over a region's grid, and reading its checkpoints."""

import argparse
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from hiptbench.errors import FormatError, HeadError
from hiptbench.heads.models.checkpoints import read_dino
from hiptbench.heads.models.factory import make_model
from hiptbench.heads.models.vit import GridViT, position_embeddings


def as_checkpoint(state: dict[str, Tensor]) -> dict[str, object]:
    """As DINO saves it: wrapped twice, with the projection head, the student and the command line."""
    teacher = {f"module.backbone.{name}": value for name, value in state.items()}
    teacher |= {"module.head.mlp.0.weight": torch.zeros(2, 2), "module.head.last_layer.weight_g": torch.zeros(2, 1)}
    return {"teacher": teacher, "student": {}, "epoch": 3, "args": argparse.Namespace(arch="vit4k_xs")}


def test_its_tensors_are_those_of_the_published_checkpoint() -> None:
    vit = GridViT()
    names = {"cls_token", "pos_embed", "phi.0.weight", "phi.0.bias", "norm.weight", "norm.bias"}
    for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"):
        names |= {f"blocks.{i}.{layer}.{kind}" for i in range(6) for kind in ("weight", "bias")}
    assert set(vit.state_dict()) == names
    assert len(names) == 78
    assert sum(weight.numel() for weight in vit.parameters()) == 2_781_504
    assert vit.pos_embed.shape == (1, 197, 192)


def test_it_is_its_formulas() -> None:
    vit = GridViT(d_in=5, dim=12, depth=2, heads=3, side=4).double()
    for weight in vit.parameters():
        weight.data += 0.3 * torch.randn(weight.shape)
    grid = torch.randn(16, 5, dtype=torch.float64)
    x = torch.cat([vit.cls_token[0], functional.gelu(vit.phi[0](grid))]) + vit.pos_embed[0]
    for block in vit.blocks:
        q, k, v = block.attn.qkv(block.norm1(x)).split(12, dim=1)
        heads = [slice(4 * h, 4 * h + 4) for h in range(3)]
        mixed = [((q[:, h] @ k[:, h].T) / math.sqrt(4)).softmax(1) @ v[:, h] for h in heads]
        x = x + block.attn.proj(torch.cat(mixed, dim=1))
        x = x + block.mlp.fc2(functional.gelu(block.mlp.fc1(block.norm2(x))))
    torch.testing.assert_close(vit(grid[None])[0], vit.norm(x)[0])
    assert vit.norm.eps == vit.blocks[0].norm1.eps == 1e-6


def cubic(t: float, a: float = -0.75) -> float:
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def test_positions_are_resized_bicubically_with_dinos_scale() -> None:
    learned = torch.randn(1, 197, 3, dtype=torch.float64)
    step = 14 / 16.1
    matrix = np.zeros((16, 14))
    for i in range(16):
        centre = (i + 0.5) * step - 0.5
        for j in range(math.floor(centre) - 1, math.floor(centre) + 3):
            matrix[i, min(max(j, 0), 13)] += cubic(centre - j)
    grid = learned[0, 1:].reshape(14, 14, 3).numpy()
    expected = np.einsum("ir,js,rsd->ijd", matrix, matrix, grid).reshape(256, 3)
    resized = position_embeddings(learned, 16)[0]
    np.testing.assert_allclose(resized[1:], expected, atol=1e-6)
    assert torch.equal(resized[0], learned[0, 0])


def test_positions_of_the_learned_grid_are_kept() -> None:
    learned = torch.randn(1, 197, 3)
    assert position_embeddings(learned, 14) is learned


def test_many_regions_are_encoded_in_parts_with_the_same_gradients() -> None:
    model = make_model("hipt_lgp", d_in=3, n_out=2, settings={"dropout": 0.0}).double()
    bags = torch.randn(1, 130, 4, 3, dtype=torch.float64)  # three parts of at most 64
    mask = torch.ones(1, 130, dtype=torch.bool)
    logits = model(bags, mask).logits
    logits.sum().backward()
    in_parts = model.vit.phi[0].weight.grad.clone()
    model.zero_grad()
    whole = model.slide(model.vit(bags[0])[None], mask)[0]
    expected = model.classifier(whole)
    expected.sum().backward()
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(in_parts, model.vit.phi[0].weight.grad)


def test_a_grid_that_is_not_square_is_refused() -> None:
    with pytest.raises(HeadError, match="region of 255 vectors is no square grid"):
        GridViT()(torch.zeros(1, 255, 384))


def test_a_checkpoint_is_loaded_and_frozen(tmp_path: Path) -> None:
    vit, path = GridViT(), tmp_path / "vit4k_xs_dino.pth"
    torch.save(as_checkpoint(vit.state_dict()), path)
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


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(as_checkpoint(GridViT(side=16).state_dict()), path)
    with pytest.raises(HeadError, match=r"other.pth holds the weights of another model.*pos_embed"):
        GridViT().load(path)


def test_a_checkpoint_that_lacks_a_tensor_is_refused(tmp_path: Path) -> None:
    path, state = tmp_path / "part.pth", GridViT().state_dict()
    del state["blocks.3.mlp.fc1.bias"]
    torch.save(as_checkpoint(state), path)
    with pytest.raises(HeadError, match=r"Missing key.*blocks.3.mlp.fc1.bias"):
        GridViT().load(path)


def test_a_tensor_list_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "bare.pth"
    torch.save({"model": torch.zeros(2)}, path)
    with pytest.raises(HeadError, match="has no key 'teacher'"):
        read_dino(path)


class Opens:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("should-not-exist", "w")


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"teacher": Opens()}, tmp_path / "evil.pth")
    with pytest.raises(HeadError, match=r"evil.pth cannot be read as a PyTorch checkpoint"):
        read_dino(tmp_path / "evil.pth")
    assert not (tmp_path / "should-not-exist").exists()


def test_files_that_are_no_checkpoint_are_refused(tmp_path: Path) -> None:
    pointer, junk = tmp_path / "pointer.pth", tmp_path / "junk.pth"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    junk.write_bytes(b"junk" * 100)
    with pytest.raises(FormatError, match="Git LFS pointer"):
        read_dino(pointer)
    with pytest.raises(FormatError, match="absent"):
        read_dino(tmp_path / "absent.pth")
    with pytest.raises(HeadError, match=r"junk\.pth cannot be read"):
        read_dino(junk)
