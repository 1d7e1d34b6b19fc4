"""Every row of the table of torch's names, tried on torch itself."""

from __future__ import annotations

import pytest
import torch
from test_front_matter import NOTATION, tables
from torch import nn
from torch.nn import functional

from softalign.gru import GRU, gru_step
from softalign.lstm import LSTM, LSTMState, lstm_step
from softalign.masking import causal_mask, masked_softmax
from softalign.rnn import RNN
from softalign.training import cross_entropy
from softalign.transformer import MultiHeadAttention

TABLE = next(table for table in tables(NOTATION) if table[0][0] == "Where in torch")
close = torch.testing.assert_close


def normal(*shape: int) -> torch.Tensor:
    """Numbers from the generator that the test has seeded."""
    return torch.randn(*shape, dtype=torch.float64)


def linear():
    layer, x = nn.Linear(3, 2).double(), normal(5, 3)
    assert layer.weight.shape == (2, 3)
    close(layer(x), x @ layer.weight.T + layer.bias)


def embedding():
    layer = nn.Embedding(7, 4)
    close(layer(torch.tensor([3, 0])), layer.weight[[3, 0]])


def batch_first():
    inputs = normal(2, 5, 3)
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        first, last = kind(3, 4, batch_first=True).double(), kind(3, 4).double()
        last.load_state_dict(first.state_dict())
        assert not last.batch_first
        close(first(inputs)[0], last(inputs.transpose(0, 1))[0].transpose(0, 1))


def rnn():
    theirs, inputs = nn.RNN(3, 4, batch_first=True).double(), normal(2, 5, 3)
    W_xh, W_hh, state = theirs.weight_ih_l0.T, theirs.weight_hh_l0.T, torch.zeros(2, 4).double()
    for t in range(5):
        state = torch.tanh(
            inputs[:, t] @ W_xh + state @ W_hh + theirs.bias_ih_l0 + theirs.bias_hh_l0
        )
    close(theirs(inputs)[1][0], state)
    close(RNN.from_torch(theirs).W_xh, W_xh)


def lstm_order():
    """By hand, gate by gate, in the order that the row names."""
    theirs, x = nn.LSTM(3, 4, batch_first=True).double(), normal(2, 3)
    assert theirs.weight_ih_l0.shape == (4 * 4, 3)
    gates = (x @ theirs.weight_ih_l0.T + theirs.bias_ih_l0 + theirs.bias_hh_l0).split(4, dim=1)
    i, f, g, o = gates
    before = normal(2, 4)
    cell = torch.sigmoid(f) * before + torch.sigmoid(i) * torch.tanh(g)
    outputs, (_, c_n) = theirs(x[:, None], (torch.zeros(1, 2, 4).double(), before[None]))
    close(c_n[0], cell)
    close(outputs[:, 0], torch.sigmoid(o) * torch.tanh(cell))
    ours = LSTM.from_torch(theirs)
    close(ours(x[:, None])[0], theirs(x[:, None])[0])


def lstm_biases():
    theirs, x = nn.LSTM(3, 4, batch_first=True).double(), normal(2, 3)
    state, b = LSTMState(normal(2, 4), normal(2, 4)), theirs.bias_ih_l0 + theirs.bias_hh_l0
    ours = lstm_step(x, state, theirs.weight_ih_l0.T, theirs.weight_hh_l0.T, b)
    _, (h_n, c_n) = theirs(x[:, None], (state.hidden[None], state.cell[None]))
    close((ours.hidden, ours.cell), (h_n[0], c_n[0]))


def lstm_outputs():
    theirs, inputs = nn.LSTM(3, 4, batch_first=True).double(), normal(2, 5, 3)
    outputs, (h_n, c_n) = theirs(inputs)
    ours, last = LSTM.from_torch(theirs)(inputs)
    assert h_n.shape == c_n.shape == (1, 2, 4)
    close(outputs, ours)
    close((h_n[0], c_n[0]), (last.hidden, last.cell))
    close(outputs[:, -1], h_n[0])


def gru():
    theirs, x, state = nn.GRU(3, 4, batch_first=True).double(), normal(2, 3), normal(2, 4)
    of_x = (x @ theirs.weight_ih_l0.T + theirs.bias_ih_l0).split(4, dim=1)
    of_h = (state @ theirs.weight_hh_l0.T + theirs.bias_hh_l0).split(4, dim=1)
    r, z = torch.sigmoid(of_x[0] + of_h[0]), torch.sigmoid(of_x[1] + of_h[1])
    n = torch.tanh(of_x[2] + r * of_h[2])
    expected = theirs(x[:, None], state[None])[1][0]
    close(z * state + (1 - z) * n, expected)
    ours = GRU.from_torch(theirs)
    close(gru_step(x @ ours.W_xh + ours.b_x, state, ours.W_hh, ours.b_h), expected)


def twins() -> tuple[nn.MultiheadAttention, MultiHeadAttention]:
    """Torch's attention and ours with the same weights: 8 components, 2 heads."""
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double().eval()
    nn.init.normal_(theirs.in_proj_bias)
    ours = MultiHeadAttention(8, 2).double()
    with torch.no_grad():
        ours.W_qkv.copy_(theirs.in_proj_weight.T)
        ours.b_qkv.copy_(theirs.in_proj_bias)
        ours.W_o.copy_(theirs.out_proj.weight.T)
        ours.b_o.copy_(theirs.out_proj.bias)
    return theirs, ours


def heads():
    theirs, ours = twins()
    assert (theirs.embed_dim, theirs.num_heads) == (ours.W_o.shape[1], ours.n_heads) == (8, 2)
    assert theirs.head_dim == ours.d_k == 4


def in_proj():
    """Head by head, from the blocks of rows that the row names."""
    theirs, x = twins()[0], normal(2, 3, 8)
    W_q, W_k, W_v = (block.T for block in theirs.in_proj_weight.split(8))
    b_q, b_k, b_v = theirs.in_proj_bias.split(8)
    contexts = []
    for h in (slice(0, 4), slice(4, 8)):
        q, k, v = x @ W_q[:, h] + b_q[h], x @ W_k[:, h] + b_k[h], x @ W_v[:, h] + b_v[h]
        contexts.append(torch.softmax(q @ k.mT / 2, -1) @ v)
    expected = torch.cat(contexts, -1) @ theirs.out_proj.weight.T + theirs.out_proj.bias
    close(theirs(x, x, x)[0], expected)


def out_proj():
    theirs, ours = twins()
    x = normal(2, 3, 8)
    close(theirs(x, x, x)[0], ours(x).outputs)
    close(theirs.out_proj.weight.T, ours.W_o)


def hidden_masks():
    theirs, ours = twins()
    x, mask = normal(2, 3, 8), causal_mask(3)
    close(theirs(x, x, x, attn_mask=~mask)[0], ours(x, mask=mask).outputs)
    seen = torch.tensor([[True, True, False], [True, True, True]])
    close(theirs(x, x, x, key_padding_mask=~seen)[0], ours(x, mask=seen[:, None, None]).outputs)
    wrong = theirs(x, x, x, attn_mask=mask)[0]  # the first word would see what comes after it
    assert not torch.allclose(wrong, ours(x, mask=mask).outputs, equal_nan=True)


def fused():
    q, k, v, mask = normal(1, 3, 4), normal(1, 3, 4), normal(1, 3, 4), causal_mask(3)
    ours = masked_softmax(q @ k.mT / 2, mask) @ v
    close(functional.scaled_dot_product_attention(q, k, v, attn_mask=mask), ours)


def transformer():
    model = nn.Transformer(
        8, 2, num_encoder_layers=3, num_decoder_layers=1, dim_feedforward=5, batch_first=True
    )
    layers = model.encoder.layers
    assert (len(layers), layers[0].self_attn.num_heads) == (3, 2)
    assert layers[0].linear1.weight.shape == (5, 8)
    assert not layers[0].norm_first
    layer = nn.TransformerEncoderLayer(8, 2, 5, norm_first=True, batch_first=True).double().eval()
    x = normal(2, 3, 8)
    middle = x + layer.self_attn(*[layer.norm1(x)] * 3)[0]
    pre = middle + layer.linear2(torch.relu(layer.linear1(layer.norm2(middle))))
    close(layer(x), pre)


def square_mask():
    theirs = nn.Transformer.generate_square_subsequent_mask(4)
    close(theirs, torch.where(causal_mask(4), 0.0, -torch.inf))


def layer_norm():
    layer, x = nn.LayerNorm(6).double(), normal(3, 6)
    nn.init.normal_(layer.weight)
    variance = x.var(-1, unbiased=False, keepdim=True)
    found = (x - x.mean(-1, keepdim=True)) / torch.sqrt(variance + layer.eps)
    close(layer(x), found * layer.weight + layer.bias)


def dropout():
    kept = (nn.Dropout(0.1)(torch.ones(20_000)) > 0).double().mean()
    assert kept == pytest.approx(0.9, abs=0.01)


def logits():
    z, ids = normal(5, 7), torch.tensor([0, 6, 2, 2, 1])
    close(functional.cross_entropy(z, ids), -torch.log_softmax(z, -1)[range(5), ids].mean())
    total, count = cross_entropy(z.float(), ids)
    close(total / count, functional.cross_entropy(z.float(), ids))


def smoothing():
    z, ids = normal(5, 7), torch.tensor([0, 6, 2, 2, 1])
    asked = 0.9 * functional.one_hot(ids, 7) + 0.1 / 7
    expected = -(asked * torch.log_softmax(z, -1)).sum(-1).mean()
    close(functional.cross_entropy(z, ids, label_smoothing=0.1), expected)


def clipping():
    weights = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    weights[0].grad, weights[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    assert nn.utils.clip_grad_norm_(weights, max_norm=1.0) == 5
    close(torch.cat([w.grad for w in weights]), torch.tensor([0.6, 0.0, 0.8]), atol=1e-6, rtol=0)


def backward():
    x = torch.tensor(3.0, requires_grad=True)
    for times in (1, 2):
        (x * x).backward()
        assert x.grad == 6 * times


# In the order of the table: the first words of both cells, and what tries the row.
CHECKS = [
    ("nn.Linear", "weight", linear),
    ("nn.Embedding", "weight", embedding),
    ("nn.RNN", "batch_first=False", batch_first),
    ("nn.RNN", "weight_ih_l0", rnn),
    ("nn.LSTM", "weight_ih_l0", lstm_order),
    ("nn.LSTM", "bias_ih_l0", lstm_biases),
    ("nn.LSTM", "output, (h_n, c_n)", lstm_outputs),
    ("nn.GRU", "r", gru),
    ("nn.MultiheadAttention", "embed_dim", heads),
    ("nn.MultiheadAttention", "in_proj_weight", in_proj),
    ("nn.MultiheadAttention", "out_proj.weight", out_proj),
    ("nn.MultiheadAttention", "attn_mask", hidden_masks),
    ("nn.functional.scaled_dot_product_attention", "attn_mask", fused),
    ("nn.Transformer", "nhead", transformer),
    ("nn.Transformer.generate_square_subsequent_mask", "$-", square_mask),
    ("nn.LayerNorm", "weight", layer_norm),
    ("nn.Dropout", "p", dropout),
    ("nn.functional.cross_entropy", "input", logits),
    ("nn.functional.cross_entropy", "label_smoothing", smoothing),
    ("nn.utils.clip_grad_norm_", "max_norm", clipping),
    ("Tensor.backward", ".grad", backward),
]


def test_every_row_has_its_check():
    rows = [(row[0], row[1]) for row in TABLE[1:]]
    assert len(rows) == len(CHECKS)
    for (where, theirs), (call, name, _) in zip(rows, CHECKS, strict=True):
        assert where.startswith(f"`{call}`"), where
        assert theirs.startswith((f"`{name}`", name)), theirs


@pytest.mark.parametrize("check", [c for *_, c in CHECKS], ids=[c.__name__ for *_, c in CHECKS])
def test_torch_does_as_the_row_says(check):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        check()


@pytest.mark.parametrize("row", next(t for t in tables(NOTATION) if t[0][0] == "Call")[1:])
def test_a_row_of_the_masks_names_a_call_that_exists(row):
    import importlib

    name = row[0].partition("(")[0].strip("`")
    if not name.startswith(("torch.", "softalign.")):
        assert row[0] == "a mask of floating-point numbers in any torch call"
        return
    module, attribute = name.split(".")[0], name.split(".")[1:]
    thing = importlib.import_module("softalign.masking" if module == "softalign" else module)
    for part in attribute[1:] if module == "softalign" else attribute:
        thing = getattr(thing, part)
    assert callable(thing)
