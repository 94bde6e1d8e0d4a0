"""Each model against its formulas, written out for one bag without padding, with the model's weights."""

import math

import numpy as np
import pytest
import torch
from einops import rearrange
from torch import Tensor, nn

from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.models.factory import make_model
from hiptbench.heads.models.nystrom import NystromAttention

N = 20


def run(model: MILModel, bag: Tensor, target: Tensor | None = None) -> Output:
    return model(bag[None], torch.ones(1, len(bag), dtype=torch.bool), target)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def affine(w: dict[str, np.ndarray], layer: str, x: np.ndarray) -> np.ndarray:
    return w[f"{layer}.weight"] @ x + w[f"{layer}.bias"]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def gated(w: dict[str, np.ndarray], at: str, h: np.ndarray) -> float:
    return float(
        affine(w, f"{at}.weight", np.tanh(affine(w, f"{at}.value", h)) * sigmoid(affine(w, f"{at}.gate", h)))[0]
    )


def gated_pool(w: dict[str, np.ndarray], at: str, h: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    attention = softmax(np.array([gated(w, at, x) for x in h]))
    return sum(a * x for a, x in zip(attention, h, strict=True)), attention


def check(output: Output, logits: np.ndarray, attention: np.ndarray | None = None) -> None:
    np.testing.assert_allclose(output.logits[0].detach(), logits, rtol=1e-9, atol=1e-9)
    if attention is not None:
        np.testing.assert_allclose(output.attention[0].detach(), attention, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "pool"), [("mean", np.mean), ("max", np.max)])
def test_mean_and_max(name, pool, small_model, random_bags) -> None:
    model, bag = small_model(name), random_bags(name, 1, N)[0]
    w = weights(model)
    h = [relu(affine(w, "embed.0", x)) for x in bag.numpy()]
    check(run(model, bag), affine(w, "classifier", pool(h, axis=0)))


def test_abmil_gated(small_model, random_bags) -> None:
    model, bag = small_model("abmil"), random_bags("abmil", 1, N)[0]
    w = weights(model)
    vector, attention = gated_pool(w, "score", [relu(affine(w, "embed.0", x)) for x in bag.numpy()])
    check(run(model, bag), affine(w, "classifier", vector), attention)


def test_abmil_ungated(small_model, random_bags) -> None:
    model, bag = small_model("abmil", gated=False), random_bags("abmil", 1, N)[0]
    w = weights(model)
    h = [relu(affine(w, "embed.0", x)) for x in bag.numpy()]
    attention = softmax(np.array([affine(w, "score.weight", np.tanh(affine(w, "score.value", x)))[0] for x in h]))
    check(run(model, bag), affine(w, "classifier", attention @ np.array(h)), attention)


def test_abmil_with_equal_scores_is_the_mean_by_hand() -> None:
    model = make_model("abmil", d_in=2, n_out=1, settings={"hidden": 2, "attention": 1, "dropout": 0.0})
    for weight in model.parameters():
        nn.init.zeros_(weight)
    model.embed[0].weight.data = torch.eye(2)
    model.classifier.weight.data = torch.tensor([[1.0, 10.0]])
    output = run(model, torch.tensor([[1.0, -1.0], [3.0, 2.0]]))  # relu, mean: (2, 1)
    assert output.logits.tolist() == [[12.0]]
    assert output.attention.tolist() == [[0.5, 0.5]]


def test_attention_softmax(small_model, random_bags) -> None:
    model, bag = small_model("attention_softmax"), random_bags("attention_softmax", 1, N)[0]
    w = weights(model)
    hidden = [affine(w, "score.0", x) for x in bag.numpy()]
    attention = softmax(np.array([affine(w, "score.3", np.where(x > 0, x, 0.01 * x))[0] for x in hidden]))
    check(run(model, bag), affine(w, "classifier", attention @ bag.numpy()), attention)


@pytest.mark.parametrize("n_out", [1, 2, 3])
def test_mil(n_out, small_model, random_bags) -> None:
    model, bag = small_model("mil", n_out), random_bags("mil", 1, N)[0]
    w = weights(model)
    logits = np.array([affine(w, "classifier", relu(affine(w, "embed.0", x))) for x in bag.numpy()])
    probabilities = np.array([softmax(row) for row in logits])
    rank = {1: logits[:, 0], 2: probabilities[:, -1], 3: probabilities.max(axis=1)}[n_out]
    check(run(model, bag), logits[rank.argmax()], np.eye(N)[rank.argmax()])


def test_noisy_and(small_model, random_bags) -> None:
    model, bag = small_model("noisy_and", a=7.5), random_bags("noisy_and", 1, N)[0]
    w = weights(model)
    p = np.mean([sigmoid(affine(w, "instances.1", relu(affine(w, "instances.0.0", x)))) for x in bag.numpy()], axis=0)
    low, high = sigmoid(-7.5 * w["b"]), sigmoid(7.5 * (1 - w["b"]))
    probability = (sigmoid(7.5 * (p - w["b"])) - low) / (high - low)
    check(run(model, bag), np.log(probability / (1 - probability)))


@pytest.mark.parametrize("n", [1, 5, 15, 16, 40])
def test_clam(n, small_model, random_bags) -> None:
    model, bag = small_model("clam_sb").train(), random_bags("clam_sb", 1, n)[0]
    w = weights(model)
    h = [relu(affine(w, "embed.0", x)) for x in bag.numpy()]
    vector, attention = gated_pool(w, "score", h)
    output = run(model, bag, torch.tensor([2]))
    check(output, affine(w, "classifier", vector), attention)
    k, order, losses = min(8, n // 2), np.argsort(attention), []
    for label, chosen in ((1, order[n - k :]), (0, order[:k])):
        for i in chosen:
            s = affine(w, "instance_classifiers", h[i])[4:6]  # the pair of class 2
            losses.append(math.log(sum(math.exp(s[j] + (j != label) - s[label]) for j in range(2))))
    assert output.extra_loss.item() == pytest.approx(0.3 * np.mean(losses) if losses else 0.0)
    assert output.bag_weight == 0.7


def test_dsmil(small_model, random_bags) -> None:
    model, bag = small_model("dsmil"), random_bags("dsmil", 1, N)[0]
    w, x = weights(model), bag.numpy()
    scores = np.array([affine(w, "instances", row) for row in x])
    queries, values = (np.array([affine(w, layer, row) for row in x]) for layer in ("query", "value"))
    attention = np.array([softmax(queries @ queries[scores[:, c].argmax()] / math.sqrt(128)) for c in range(3)])
    vectors = attention @ values
    bag_logits = [
        sum(w["classifier.weight"][c, j] @ vectors[j] for j in range(3)) + w["classifier.bias"][c] for c in range(3)
    ]
    check(run(model, bag), (scores.max(axis=0) + bag_logits) / 2, attention.mean(axis=0))


def torch_encoder(model: MILModel) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(192, 3, 192, dropout=0.0, activation="relu", batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).double()
    names = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj": "attn.proj", "linear": "fc"}
    state = model.slide.layers.state_dict()
    for key in list(encoder.state_dict()):
        own = key.removeprefix("layers.")
        for theirs, ours in names.items():
            own = own.replace(theirs, ours)
        state[key] = state.pop(own)
    encoder.load_state_dict(state)
    return encoder.train()  # its shortcut for evaluation is another algorithm


def slide_reference(model: MILModel, regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w = weights(model)
    h = np.array([relu(affine(w, "slide.phi.0", x)) for x in regions])
    h = torch_encoder(model)(torch.from_numpy(h)[None])[0].detach().numpy()
    vector, attention = gated_pool(w, "slide.score", list(h))
    return affine(w, "classifier", relu(affine(w, "slide.rho.0", vector))), attention


def test_hipt_gp(small_model, random_bags) -> None:
    model, bag = small_model("hipt_gp"), random_bags("hipt_gp", 1, N)[0]
    check(run(model, bag), *slide_reference(model, bag.numpy()))


def test_hipt_gp_starts_as_pytorch_would() -> None:
    model = make_model("hipt_gp", d_in=192, n_out=2)
    first, second = (weights(layer) for layer in model.slide.layers)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    theirs = nn.TransformerEncoderLayer(192, 3, 192)
    for ours, reference in (("attn.qkv", theirs.self_attn.in_proj_weight), ("fc1", theirs.linear1.weight)):
        assert first[f"{ours}.weight"].std() == pytest.approx(reference.std().item(), rel=0.03)
    assert not first["attn.qkv.bias"].any()
    assert not first["attn.proj.bias"].any()


def test_hipt_lgp(small_model, random_bags) -> None:
    model, bag = small_model("hipt_lgp"), random_bags("hipt_lgp", 1, 4)[0]
    regions = torch.stack([model.vit(region[None].unflatten(1, (2, 2)))[0] for region in bag]).detach().numpy()
    check(run(model, bag), *slide_reference(model, regions))


def test_hipt_n(small_model, random_bags) -> None:
    model, bag = small_model("hipt_n"), random_bags("hipt_n", 1, 5)[0]
    w = weights(model)
    regions = []
    for region in bag.numpy():
        vector, _ = gated_pool(w, "patch_score", [relu(affine(w, "patch_phi.0", x)) for x in region])
        regions.append(relu(affine(w, "region_phi.0", vector)))
    vector, attention = gated_pool(w, "region_score", regions)
    check(run(model, bag), affine(w, "classifier", relu(affine(w, "rho.0", vector))), attention)


def six_iterations(a: Tensor) -> Tensor:
    """Of the third-order iteration, from its polynomial multiplied out."""
    z = a.T / (a.abs().sum(0).max() * a.abs().sum(1).max())
    for _ in range(6):
        az = a @ z
        z = z @ (13 * torch.eye(len(a)) - 15 * az + 7 * az @ az - az @ az @ az) / 4
    return z


def nystrom_reference(layer: NystromAttention, x: Tensor) -> Tensor:
    """Attention of one sequence [n, dim], head by head."""
    q, k, v = rearrange(layer.qkv(x), "n (three h e) -> three h n e", three=3, h=layer.heads)
    n, m = len(x), min(layer.landmarks, len(x))
    parts = [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
    heads = []
    for h in range(layer.heads):
        q_marks, k_marks = (torch.stack([y[h, part].mean(0) for part in parts]) for y in (q, k))
        scale = math.sqrt(q.shape[-1])
        near, middle, far = (
            (a @ b.T / scale).softmax(1) for a, b in ((q[h], k_marks), (q_marks, k_marks), (q_marks, k[h]))
        )
        around = nn.functional.pad(v[h], (0, 0, 16, 16))
        kernel = layer.neighbours.weight[h, 0, :, 0]
        residual = torch.stack([kernel @ around[i : i + 33] for i in range(n)])
        heads.append(near @ (six_iterations(middle) if n > m else torch.linalg.pinv(middle)) @ far @ v[h] + residual)
    return layer.proj(torch.cat(heads, dim=1))


@pytest.mark.parametrize("n", [1, 7, 9, 20])  # there are 16 landmarks, and 2 x 2, 3 x 3 or 5 x 5 + 1 tokens
def test_transmil(n, small_model, random_bags) -> None:
    model, bag = small_model("transmil"), random_bags("transmil", 1, n)[0]
    side = math.ceil(math.sqrt(n))
    x = torch.relu(model.embed[0](bag))
    x = torch.cat([model.cls_token[0], x, x[: side**2 - n]])
    x = x + nystrom_reference(model.attentions[0], model.norms[0](x))
    square = x[1:].reshape(side, side, -1).permute(2, 0, 1)
    square = square + sum(convolution(square[None])[0] for convolution in model.positions.convolutions)
    x = torch.cat([x[:1], square.flatten(1).T])
    x = x + nystrom_reference(model.attentions[1], model.norms[1](x))
    logits = model.classifier(model.norm(x[0]))
    torch.testing.assert_close(run(model, bag).logits[0], logits)


@pytest.mark.parametrize(
    ("name", "d_in", "counts"),
    [
        ("hipt_gp", 192, (595_011, 595_204, 595_397)),
        ("hipt_lgp", 384, (3_376_515, 3_376_708, 3_376_901)),
        ("hipt_n", 384, (494_340, 494_597, 494_854)),
    ],
)
def test_hipt_has_its_published_numbers_of_parameters(name, d_in, counts) -> None:
    for n_out, count in zip((2, 3, 4), counts, strict=True):
        assert sum(weight.numel() for weight in make_model(name, d_in=d_in, n_out=n_out).parameters()) == count


def test_transmil_has_its_published_number_of_parameters() -> None:
    assert sum(weight.numel() for weight in make_model("transmil", d_in=1024, n_out=2).parameters()) == 2_672_146
