"""Loading published weights, and what is refused."""

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from hiptbench.errors import ExtractorError, FormatError
from hiptbench.networks.resnet import CUT_OFF, ResNet50
from hiptbench.networks.vit import GridEmbed, VisionTransformer, vit4k
from hiptbench.networks.weights import load_weights, random_weights

State = dict[str, Tensor]


def small() -> VisionTransformer:
    return VisionTransformer(GridEmbed(5, 12), dim=12, depth=2, heads=3, side=4)


def published(network: nn.Module | None = None) -> State:
    """Return weights that no new network has."""
    state = (network or small()).state_dict()
    return {name: value + 1 for name, value in state.items()}


def as_checkpoint(state: State) -> dict[str, object]:
    """As DINO saves it: wrapped twice, with the projection head, the student and the command line."""
    teacher = {f"module.backbone.{name}": value for name, value in state.items()}
    teacher |= {"module.head.mlp.0.weight": torch.zeros(2, 2), "module.head.last_layer.weight_g": torch.zeros(2, 1)}
    return {"student": {}, "teacher": teacher, "epoch": 3, "args": argparse.Namespace(arch="vit_small")}


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def assert_has(network: nn.Module, state: State) -> None:
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".PTH"])
def test_a_checkpoint_of_dino_is_loaded(tmp_path: Path, suffix: str) -> None:
    network, state = vit4k(), published(vit4k())
    path = saved(as_checkpoint(state), tmp_path / f"vit4k_xs_dino{suffix}")
    assert load_weights(network, path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert_has(network, state)


def test_a_checkpoint_without_wrappers_is_loaded(tmp_path: Path) -> None:
    network, state = small(), published()
    load_weights(network, saved({"teacher": state}, tmp_path / "teacher.pth"))
    assert_has(network, state)


@pytest.mark.parametrize("save", [torch.save, save_file])
def test_a_state_dict_is_loaded(tmp_path: Path, save: Callable[[State, Path], None]) -> None:
    network, state = small(), published()
    path = tmp_path / ("weights.pt" if save is torch.save else "weights.safetensors")
    save(state, path)
    assert load_weights(network, str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert_has(network, state)


def test_a_torchvision_resnet_is_loaded_without_what_is_cut_off(tmp_path: Path) -> None:
    network, state = ResNet50(), published(ResNet50())
    rest = {"layer4.0.conv1.weight": torch.zeros(2), "fc.weight": torch.zeros(2), "fc.bias": torch.zeros(2)}
    path = saved(state | rest, tmp_path / "resnet50.pth")
    load_weights(network, path, ignore=CUT_OFF)
    assert_has(network, state)
    with pytest.raises(ExtractorError, match=r"3 unexpected \(layer4.0.conv1.weight, fc.weight, fc.bias\)\."):
        load_weights(network, path)


def test_a_resnet_without_counters_is_loaded(tmp_path: Path) -> None:
    network = ResNet50()
    state = {name: value for name, value in published(network).items() if not name.endswith("num_batches_tracked")}
    load_weights(network, saved(state, tmp_path / "resnet50-19c8e357.pth"))
    assert_has(network, state | {name: torch.tensor(0) for name in network.state_dict() if name not in state})


def test_half_precision_weights_are_loaded_as_the_network_has_them(tmp_path: Path) -> None:
    network, state = small(), {name: value.half() for name, value in published().items()}
    load_weights(network, saved(state, tmp_path / "half.pt"))
    assert network.pos_embed.dtype == torch.float32
    assert torch.equal(network.pos_embed, state["pos_embed"].float())


def refused(path: Path, message: str) -> None:
    """Check that a file is refused and nothing of it is loaded."""
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ExtractorError, match=message):
        load_weights(network, path)
    assert_has(network, before)


def test_missing_tensors_are_listed(tmp_path: Path) -> None:
    state = published()
    del state["blocks.1.mlp.fc1.bias"], state["norm.weight"]
    message = (
        r"part.pth does not hold this network's weights. Tensors: 2 missing \(blocks.1.mlp.fc1.bias, norm.weight\)\."
    )
    refused(saved(as_checkpoint(state), tmp_path / "part.pth"), message)


def test_many_missing_tensors_are_counted(tmp_path: Path) -> None:
    refused(saved({}, tmp_path / "none.pt"), r"30 missing \(cls_token, pos_embed, phi.0.weight, .* and 25 more\)\.")


def test_unexpected_tensors_are_listed(tmp_path: Path) -> None:
    more = {"classifier.weight": torch.zeros(2), "header": torch.zeros(1)}
    refused(saved(published() | more, tmp_path / "more.pt"), r"2 unexpected \(classifier.weight, header\)\.")
    refused(
        saved({"teacher": published() | more}, tmp_path / "teacher.pt"), r"2 unexpected \(classifier.weight, header\)\."
    )


def test_a_head_is_known_by_name_in_checkpoints_of_dino_only(tmp_path: Path) -> None:
    state = published() | {"head.weight": torch.zeros(2)}
    refused(saved(state, tmp_path / "classifier.pt"), r"1 unexpected \(head.weight\)\.")
    network = small()
    load_weights(network, tmp_path / "classifier.pt", ignore=("head.",))
    assert_has(network, state)


def test_other_shapes_are_listed(tmp_path: Path) -> None:
    state = published() | {"pos_embed": torch.zeros(1, 26, 12)}
    message = r"1 of another shape \(pos_embed \[1, 26, 12\] in place of \[1, 17, 12\]\)\."
    refused(saved(state, tmp_path / "larger.pt"), message)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    state = published()
    state["norm.bias"][3] = value
    refused(saved(state, tmp_path / "diverged.pt"), r"1 with values that are not finite \(norm.bias\)\.")


def test_all_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    state = published() | {"pos_embed": torch.zeros(1), "more": torch.zeros(1)}
    del state["norm.bias"]
    message = r"1 missing \(norm.bias\); 1 unexpected \(more\); 1 of another shape \(pos_embed"
    refused(saved(state, tmp_path / "other.pt"), message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(2), r"wrong.pt holds a Tensor, expected tensors by name. Save the weights alone"),
        ({"teacher": [1]}, r"holds a list, expected tensors by name"),
        ({"state_dict": {}, "epoch": 3}, r"holds more than tensors by name: state_dict, epoch. Save the weights alone"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object, message: str) -> None:
    refused(saved(content, tmp_path / "wrong.pt"), message)


class Opens:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("should-not-exist", "w")


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(saved({"teacher": Opens()}, tmp_path / "evil.pth"), "evil.pth is no PyTorch file, or holds Python objects")
    assert not (tmp_path / "should-not-exist").exists()


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    message = r"weights.ckpt: weights are read from .pth, .pt, .bin and .safetensors files, not from '.ckpt'. Rename"
    refused(saved(published(), tmp_path / "weights.ckpt"), message)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files_that_are_not_there_empty_or_pointers_are_refused(tmp_path: Path, suffix: str) -> None:
    contents = {"pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "empty": ""}
    for name, content in contents.items():
        (tmp_path / (name + suffix)).write_text(content)
    for name, message in (("pointer", "Git LFS pointer"), ("empty", "is empty"), ("absent", "does not exist")):
        with pytest.raises(FormatError, match=message):
            load_weights(small(), tmp_path / (name + suffix))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_only_claims_to_hold_weights_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"junk{suffix}").write_bytes(b"junk" * 100)
    refused(tmp_path / f"junk{suffix}", rf"junk{suffix} is (no PyTorch|damaged)")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.999])
def test_files_that_were_cut_short_are_refused(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"short{suffix}"
    save_file(published(), path) if suffix == ".safetensors" else torch.save(published(), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    refused(path, f"short{suffix} is damaged.*Copy or fetch it again")


def test_random_weights_are_those_of_the_seed() -> None:
    one, other = small(), small()
    random_weights(one, 3)
    random_weights(other, 3)
    assert_has(one, other.state_dict())
    random_weights(other, 4)
    assert not torch.equal(one.pos_embed, other.pos_embed)
    assert not torch.equal(one.phi[0].weight, other.phi[0].weight)


def test_random_weights_leave_other_random_numbers_alone() -> None:
    network = small()
    before = torch.random.get_rng_state()
    random_weights(network, 3)
    assert torch.equal(torch.random.get_rng_state(), before)
