"""HIPT's two stages as repositories have them: float32, attention written out, a region's 256 patches at once."""

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        b, n, dim = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attention = (q @ k.transpose(-2, -1) * (dim // self.heads) ** -0.5).softmax(dim=-1)
        x = x + self.proj((attention @ v).transpose(1, 2).reshape(b, n, dim))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Stage(nn.Module):
    """A vision transformer from tokens on, with positions already of the right number."""

    def __init__(self, embed: nn.Module, tokens: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embed = embed
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.zeros(1, tokens + 1, dim))
        self.layers = nn.Sequential(*(Layer(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x)
        if tokens.ndim == 4:
            tokens = tokens.flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1) + self.positions
        out: Tensor = self.norm(self.layers(x))[:, 0]
        return out


class Hierarchy(nn.Module):
    """Both stages on one region of side x side patches."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.cells = Stage(nn.Conv2d(3, 384, 16, 16), 256, 384, 12, 6)
        self.patches = Stage(nn.Sequential(nn.Linear(384, 192), nn.GELU()), side * side, 192, 6, 6)

    @torch.no_grad()
    def forward(self, region: Tensor) -> Tensor:
        """Return the vector of a region [h, w, 3] of bytes."""
        image = (region.permute(2, 0, 1).float() / 255 - 0.5) / 0.5
        patches = image.unfold(1, 256, 256).unfold(2, 256, 256).permute(1, 2, 0, 3, 4).reshape(-1, 3, 256, 256)
        vectors = torch.cat([self.cells(part) for part in patches.split(256)])
        out: Tensor = self.patches(vectors[None])
        return out
