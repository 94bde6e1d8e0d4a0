"""PyTorch files: layouts, dtypes that only torch has, and what must never be loaded."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hiptbench.errors import FormatError
from hiptbench.formats import problems, read_features

EMBEDDINGS = "3-Self-Supervised-Eval/embeddings_slide_lib/embeddings_slide_lib/vit256mean_tcga_slide_embeddings"


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((5, 192), "hipt-regions"),
        ((5, 1024), "clam-pt"),
        ((2, 256, 384), "hipt-hierarchical"),
        ((768,), "clam-pt"),
    ],
)
def test_layouts(tmp_path: Path, shape: tuple[int, ...], layout: str) -> None:
    torch.save(torch.zeros(shape), tmp_path / "slide.pt")
    file = read_features(tmp_path / "slide.pt")
    assert file.layout == layout
    assert file.features.shape == (shape if len(shape) > 1 else (1, *shape))
    assert file.attributes == {}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_dtypes_without_numpy_become_float32_exactly(tmp_path: Path, dtype: torch.dtype) -> None:
    values = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    torch.save(values, tmp_path / "slide.pt")
    features = read_features(tmp_path / "slide.pt").features
    np.testing.assert_array_equal(features, values.float().numpy(), strict=True)


def test_tensor_with_gradient(tmp_path: Path) -> None:
    torch.save(torch.ones(2, 3, requires_grad=True), tmp_path / "slide.pt")
    np.testing.assert_array_equal(read_features(tmp_path / "slide.pt").features, np.ones((2, 3)))


def test_old_serialisation(tmp_path: Path) -> None:
    torch.save(torch.ones(2, 3), tmp_path / "slide.pt", _use_new_zipfile_serialization=False)
    np.testing.assert_array_equal(read_features(tmp_path / "slide.pt").features, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"features": torch.ones(2, 3), "label": 1}, "a dict with the keys features, label"),
        ([torch.ones(2, 3)], "a list"),
        (torch.ones(2, 3).to_sparse(), "a Tensor"),
    ],
)
def test_only_one_dense_tensor_is_taken(tmp_path: Path, content: object, found: str) -> None:
    torch.save(content, tmp_path / "slide.pt")
    with pytest.raises(FormatError, match=rf"slide\.pt holds {found}, expected one dense tensor"):
        read_features(tmp_path / "slide.pt")


class Harmful:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save(Harmful(tmp_path / "trace"), tmp_path / "slide.pt")
    with pytest.raises(FormatError, match=r"holds Python objects, which could run code: not loaded"):
        read_features(tmp_path / "slide.pt")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_any_cut_is_told(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "slide.pt"
    torch.save(torch.ones(3, 4), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in range(1, len(whole), 13):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"slide\.pt is (damaged or truncated|not a PyTorch file)"):
            read_features(path)


def test_region_embeddings_of_hipt(real_data: Path) -> None:
    path = min((real_data / "HIPT" / EMBEDDINGS).glob("*.pt"))
    file = read_features(path)
    assert file.layout == "hipt-regions"
    assert file.features.dtype == np.float32
    assert file.features.shape[1] == 192
    assert problems(file) == []
