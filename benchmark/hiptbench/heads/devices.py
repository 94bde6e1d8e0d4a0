"""Where a model is trained, and in which precision."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

import torch

from hiptbench.errors import HeadError
from hiptbench.recipes import Precision

Device = Literal["auto", "cpu", "cuda", "mps"]


def is_there(device: Device) -> bool:
    """Whether this machine has a device."""
    if device == "cuda":
        return torch.cuda.is_available()
    return device == "cpu" or (device == "mps" and torch.backends.mps.is_available())


def resolve_device(device: Device) -> Device:
    """Return the device to use; "auto" is CUDA where there is one, then Apple's MPS, then the CPU.

    Raises:
        HeadError: If the device that was asked for is not there.
    """
    devices: tuple[Device, ...] = ("cuda", "mps", "cpu")
    here = [one for one in devices if is_there(one)]
    if device == "auto":
        return here[0]
    if device not in here:
        raise HeadError(f"There is no device '{device}' here. Take 'auto' or one of {here}.")
    return device


def resolve_precision(precision: Precision, device: Device) -> Precision:
    """Return the precision to use; "auto" is bfloat16 where the device multiplies it faster than float32."""
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device == "cpu":
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"
    return "float32"


def products_in(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Return the context in which matrix products are computed in a precision; weights and sums stay float32."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bfloat16")


@contextmanager
def seeded(seed: int, device: Device) -> Iterator[None]:
    """Seed PyTorch's generators and compute on one CPU thread inside the block.

    The number of threads and the generators of the CPU and of the current CUDA device are put back afterwards.

    One thread makes the sums, and so the numbers, independent of the machine's load and number of cores.
    """
    threads = torch.get_num_threads()
    others = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=others):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
