"""The loop that most repositories have: PyTorch's own layers and optimiser, one bag a step, every core on one fold."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SlideTransformer(nn.Module):
    """HIPT's slide stage as its authors built it, from PyTorch's layers."""

    def __init__(self, d_in: int, n_out: int, rate: float = 0.25) -> None:
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(d_in, 192), nn.ReLU(), nn.Dropout(rate))
        layer = nn.TransformerEncoderLayer(192, 3, 192, rate, "relu", batch_first=True)
        self.transformer = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.attention = GatedAttention(192, 192, rate)
        self.rho = nn.Sequential(nn.Linear(192, 192), nn.ReLU(), nn.Dropout(rate))
        self.classifier = nn.Linear(192, n_out)

    def forward(self, bag: Tensor) -> Tensor:
        instances = self.transformer(self.phi(bag))
        pooled = (self.attention(instances).softmax(dim=1) * instances).sum(dim=1)
        logits: Tensor = self.classifier(self.rho(pooled))
        return logits


class AttentionMIL(nn.Module):
    """Gated attention-based MIL from PyTorch's layers."""

    def __init__(self, d_in: int, n_out: int, rate: float = 0.25) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(d_in, 256), nn.ReLU(), nn.Dropout(rate))
        self.attention = GatedAttention(256, 128, rate)
        self.classifier = nn.Linear(256, n_out)

    def forward(self, bag: Tensor) -> Tensor:
        instances = self.embed(bag)
        logits: Tensor = self.classifier((self.attention(instances).softmax(dim=1) * instances).sum(dim=1))
        return logits


class GatedAttention(nn.Module):
    """Scores of instances, with dropout on both branches."""

    def __init__(self, d: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.value = nn.Sequential(nn.Linear(d, hidden), nn.Tanh(), nn.Dropout(rate))
        self.gate = nn.Sequential(nn.Linear(d, hidden), nn.Sigmoid(), nn.Dropout(rate))
        self.weight = nn.Linear(hidden, 1)

    def forward(self, instances: Tensor) -> Tensor:
        scores: Tensor = self.weight(self.value(instances) * self.gate(instances))
        return scores


def train(model: nn.Module, bags: Sequence[Tensor], labels: Tensor, epochs: int) -> None:
    """Train one bag a step."""
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-5)
    for _ in range(epochs):
        for position in torch.randperm(len(bags)).tolist():
            loss = nn.functional.cross_entropy(model(bags[position][None]), labels[position, None])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
