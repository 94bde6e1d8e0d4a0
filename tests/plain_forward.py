"""Vision transformers from their formulas alone: nothing here uses the package, so that it can be held against it."""

import math

import torch
from torch import Tensor
from torch.nn import functional

State = dict[str, Tensor]


def norm(state: State, name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-6)
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def linear(state: State, name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def plain_positions(table: Tensor, rows: int, columns: int) -> Tensor:
    if (rows, columns) == (14, 14):
        return table[0]
    grid = table[0, 1:].T.reshape(1, -1, 14, 14)
    grid = functional.interpolate(grid, scale_factor=((rows + 0.1) / 14, (columns + 0.1) / 14), mode="bicubic")
    assert grid.shape[2:] == (rows, columns)
    return torch.cat([table[0, :1], grid[0].reshape(table.shape[2], -1).T])


def plain_block(state: State, x: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Return one image's tokens after a block, and its attention weights [heads, n, n]."""
    qkv = linear(state, "attn.qkv", norm(state, "norm1", x))
    q, k, v = qkv.reshape(len(x), 3, heads, -1).permute(1, 2, 0, 3)
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[2])
    scores = torch.exp(scores - scores.max())
    weights = scores / scores.sum(-1, keepdim=True)
    x = x + linear(state, "attn.proj", (weights @ v).transpose(0, 1).reshape(x.shape))
    hidden = gelu(linear(state, "mlp.fc1", norm(state, "norm2", x)))
    return x + linear(state, "mlp.fc2", hidden), weights


def plain_tokens(state: State, x: Tensor) -> Tensor:
    """Return one input's tokens [rows, columns, dim]: pixels [3, h, w] cut by hand, or vectors [rows, columns, d]."""
    if "phi.0.weight" in state:
        return gelu(linear(state, "phi.0", x))
    rows, columns = x.shape[1] // 16, x.shape[2] // 16
    squares = x.reshape(3, rows, 16, columns, 16).permute(1, 3, 0, 2, 4).reshape(rows, columns, 768)
    return squares @ state["patch_embed.proj.weight"].reshape(-1, 768).T + state["patch_embed.proj.bias"]


def plain_forward(state: State, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return one input's CLS vector, and the CLS token's attention in the last block [heads, rows x columns]."""
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    tokens = plain_tokens(state, x)
    table = plain_positions(state["pos_embed"], *tokens.shape[:2])
    tokens = torch.cat([state["cls_token"][0], tokens.reshape(-1, tokens.shape[2])]) + table
    for i in range(depth):
        prefix = f"blocks.{i}."
        block = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        tokens, weights = plain_block(block, tokens, 6)
    return norm(state, "norm", tokens)[0], weights[:, 0, 1:]


def plain_region(patches: State, regions: State, image: Tensor) -> Tensor:
    """Return HIPT's vector of a region [3, h, w] of bytes, one patch of 256 x 256 after the other."""
    scaled = (image.float() / 255 - 0.5) / 0.5
    rows, columns = scaled.shape[1] // 256, scaled.shape[2] // 256
    grid = [
        [plain_forward(patches, scaled[:, 256 * i : 256 * (i + 1), 256 * j : 256 * (j + 1)])[0] for j in range(columns)]
        for i in range(rows)
    ]
    return plain_forward(regions, torch.stack([torch.stack(line) for line in grid]))[0]
