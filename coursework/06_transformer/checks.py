"""Set 6, the Transformer: the questions, their hidden checks, and the variants."""

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, tensor

INFO = {
    "title": "The Transformer: heads, positions, cache, and a bug hunt",
    "chapters": "7",
    "hours": 3.0,
    "pages": [
        "07_transformer/self_attention",
        "07_transformer/positions",
        "07_transformer/multi_head",
        "07_transformer/transformer",
        "07_transformer/ablations",
    ],
    "goals": [
        "Write attention with several heads whose shapes, scale and masks are right in every case.",
        "Keep keys and values between steps so that writing equals one causal pass, in a beam too.",
        "Find bugs that raise no error, by reading code against equations and by testing laws.",
        "Say how far information travels through layers that each see only a window.",
        "Plan an ablation whose result could change somebody's mind.",
    ],
    "tools": (
        "Allowed: torch, numpy and the standard library, the book and your notes; not allowed in "
        "the answers: the book's library `softalign`."
    ),
}


def variant(number):
    """Sizes of the warm-up, drawn again until no two counts can be confused."""
    rng = np.random.default_rng(number)
    while True:
        n_heads, n_layers = int(rng.integers(2, 5)), int(rng.integers(3, 7))
        d = n_heads * int(rng.integers(2, 5))
        d_ff = 2 * int(rng.integers(d // 2 + 1, d + 3))
        tgt, src = (int(n) for n in rng.choice(np.arange(3, 10), 2, replace=False))
        products = [2 * d * (tgt * d + src * d + tgt * src), 2 * d * (2 * tgt * d + tgt * tgt)]
        products.append(2 * d * (tgt * d + src * d) + d * tgt * src)
        tables = [n_heads * tgt * (tgt + src), n_heads * tgt * tgt, tgt * (tgt + src)]
        kept = [2 * n_layers * tgt, 2 * n_layers * tgt * n_heads, n_layers * tgt, 2 * tgt]
        apart = all(len(set(counts)) == len(counts) for counts in (products, tables, kept))
        # what is no multiple of these gives some mistakes away in the public checks
        if d <= 12 and apart and tgt * (tgt + src) % n_heads and tgt % n_layers:
            break
    return {
        "n_layers": n_layers,
        "d": d,
        "n_heads": n_heads,
        "d_ff": d_ff,
        "tgt": tgt,
        "src": src,
    }


# --- the warm-up ----------------------------------------------------------------------------------


def one_count(answer, which):
    """One of the numbers, so that each is worth something by itself."""
    return answer()[which]


WARM_UP = Question(
    "warm_up_counts",
    [
        Check(
            "parameters",
            0.5,
            "A decoder layer has two attentions of four matrices and four biases each, one network "
            "of two matrices and two biases, and three norms with a gain and a bias each.",
            lambda rng: [Case((0,))],
        ),
        Check(
            "multiply-adds",
            0.5,
            "In cross-attention queries and outputs are made for the target, keys and values for "
            "the source, and scores and averages for every pair of positions.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "weights",
            0.5,
            "Each head of each attention has a weight for every pair of who asks and who is asked.",
            lambda rng: [Case((2,))],
        ),
        Check(
            "cache",
            0.5,
            "Each layer keeps a key and a value of each target position; all heads together share "
            "the components of the model.",
            lambda rng: [Case((3,))],
        ),
    ],
    driver=one_count,
    rtol=0.0,
    atol=1e-3,
)


# --- positions ------------------------------------------------------------------------------------

POSITIONAL = Question(
    "positional_encoding",
    [
        Check(
            "from the beginning",
            1,
            "Pair k has a sine in component 2k and a cosine in component 2k + 1, both of the same "
            "angle, the position times 10000 to the power -2k/d_model.",
            lambda rng: [
                Case((0, 7, 6)),
                Case((0, 1, 2)),
                Case((0, 12, 2 * int(rng.integers(4, 20)))),
            ],
        ),
        Check(
            "from anywhere",
            1.5,
            "The encoding of a position is the same wherever a call begins: row r is that of "
            "position start + r, and there are `length` rows.",
            lambda rng: [
                Case((int(rng.integers(3, 40)), 1, 8)),
                Case((int(rng.integers(10, 100)), int(rng.integers(3, 6)), 10)),
                Case((5, 3, 2)),
            ],
        ),
        Check(
            "far away",
            0.5,
            "Positions of some hundreds are encoded by the same formula.",
            lambda rng: [Case((int(rng.integers(300, 490)), 4, 16))],
        ),
    ],
    atol=2e-3,
)


# --- several heads --------------------------------------------------------------------------------


def heads(rng, batch, tgt, src, n_heads, d_k, d_v, d_model, mask=None, same=False, loud=1.0):
    """Arguments of `multi_head_attention`."""
    x = tensor(rng, batch, tgt, d_model)
    memory = x.clone() if same else tensor(rng, batch, src, d_model)
    w_q, w_k = (tensor(rng, d_model, n_heads * d_k, scale=loud * d_model**-0.5) for _ in range(2))
    w_v = tensor(rng, d_model, n_heads * d_v, scale=d_model**-0.5)
    w_o = tensor(rng, n_heads * d_v, d_model, scale=(n_heads * d_v) ** -0.5)
    arguments = [x, memory, w_q, w_k, w_v, w_o, n_heads]
    return tuple(arguments if mask is None else [*arguments, mask])


def some(rng, *shape):
    """A mask in which every row sees something and some place is hidden."""
    mask = torch.from_numpy(rng.random(shape) < 0.5)
    mask[..., 0], mask[..., -1] = True, False
    return mask


def gaps(rng, *shape):
    """A mask in which the first row of the last example sees nothing, in every head it has."""
    mask = some(rng, *shape)
    mask[-1, :, 0] = False
    return mask


MULTI_HEAD = Question(
    "multi_head_attention",
    [
        Check(
            "two heads",
            1,
            "Cut the product into heads next to the components, then move the axis of heads before "
            "that of time; undo both, in reverse order, before the output projection.",
            lambda rng: [
                Case(heads(rng, 2, 5, 5, 2, 4, 4, 8, same=True)),
                Case(heads(rng, 2, 3, 6, 2, 4, 4, 8, loud=1.5)),
                Case(heads(rng, 1, 4, 4, 1, 6, 6, 6, same=True)),
            ],
        ),
        Check(
            "sizes that differ",
            1,
            "Queries and keys have d_k components a head and values d_v; neither follows from "
            "d_model. The divisor is the root of a head's d_k.",
            lambda rng: [
                Case(heads(rng, 2, 4, 5, 3, 2, 4, 10, loud=2.0)),
                Case(heads(rng, 3, 2, 7, 2, 5, 1, 6, loud=2.0)),
                Case(heads(rng, 1, 1, 4, 4, 2, 3, 8, loud=2.0)),
            ],
        ),
        Check(
            "masks of every shape",
            1,
            "The mask has four axes and broadcasts to (batch, n_heads, tgt, src): a size of 1 "
            "serves every example, head or query. What may not be seen gets no weight, and the "
            "rest sums to 1.",
            lambda rng: [
                Case(heads(rng, 2, 4, 6, 2, 3, 3, 6, some(rng, 2, 1, 1, 6))),
                Case(heads(rng, 2, 4, 6, 2, 3, 3, 6, some(rng, 1, 1, 4, 6))),
                Case(heads(rng, 2, 4, 6, 2, 3, 3, 6, some(rng, 2, 1, 4, 6))),
                Case(heads(rng, 3, 4, 6, 2, 3, 3, 6, some(rng, 1, 2, 4, 6))),
                Case(heads(rng, 3, 3, 3, 3, 3, 2, 5, some(rng, 3, 3, 3, 3), same=True)),
            ],
        ),
        Check(
            "who sees nothing",
            1,
            "A query that may see nothing has weights of exactly 0 in that head: no NaN, and no "
            "average over what is hidden.",
            lambda rng: [
                Case(heads(rng, 2, 3, 5, 2, 3, 3, 6, gaps(rng, 2, 1, 3, 5))),
                Case(heads(rng, 3, 3, 5, 2, 3, 3, 6, gaps(rng, 3, 2, 3, 5))),
                Case(heads(rng, 2, 3, 4, 2, 3, 3, 6, torch.tensor([[[[True]]], [[[False]]]]))),
            ],
        ),
        Check(
            "gradients",
            1,
            "Gradients must reach all six tensors and be finite, also where nothing may be seen: a "
            "NaN that is replaced afterwards comes back in the backward pass.",
            lambda rng: [
                Case(heads(rng, 2, 3, 5, 2, 3, 2, 6), grad=[0, 1, 2, 3, 4, 5], unchanged=True),
                Case(
                    heads(rng, 2, 3, 5, 2, 3, 2, 6, gaps(rng, 2, 2, 3, 5)),
                    grad=[0, 1, 2, 3, 4, 5],
                    unchanged=True,
                ),
            ],
        ),
    ],
    rtol=1e-3,
)


# --- a step with a cache --------------------------------------------------------------------------


def step(rng, rows, new, before=None, past=0, parents=None, sizes=(6, 3, 4), loud=2.0):
    """A call of `cached_step`; the cache is of the size that a step would have kept."""

    def eighths(*shape, scale=1.0):
        # products of these are exact, so that what is kept is the same in every process
        return (8 * tensor(rng, *shape, scale=scale)).round() / 8

    d_model, d_k, d_v = sizes
    x = eighths(rows, new, d_model)
    cache = None
    if past:
        count = before or rows
        cache = {
            "keys": tensor(rng, count, past, d_k, scale=loud),
            "values": tensor(rng, count, past, d_v),
        }
    w_q, w_k = (eighths(d_model, d_k, scale=loud * d_model**-0.5) for _ in range(2))
    w_v = eighths(d_model, d_v, scale=d_model**-0.5)
    parents = None if parents is None else torch.tensor(parents)
    return Case((x, cache, parents, w_q, w_k, w_v), unchanged=True)


CACHED = Question(
    "cached_step",
    [
        Check(
            "one more word",
            1,
            "The newest word asks with its own query; its key and value are appended to those "
            "kept, and it sees all of them. What was handed in stays as it was.",
            lambda rng: [step(rng, 3, 1, past=4), step(rng, 1, 1, past=1), step(rng, 2, 1, past=7)],
        ),
        Check(
            "the beginning",
            1,
            "Without a cache the new positions are the whole sentence: each sees itself and those "
            "before it, and all their keys and values are kept.",
            lambda rng: [step(rng, 2, 1), step(rng, 2, 5), step(rng, 3, 3, sizes=(4, 4, 4))],
        ),
        Check(
            "several words at once",
            1,
            "New word number n, from 0, sees all that is kept and the new words 0 to n, itself "
            "included: the mask has new rows and past + new columns.",
            lambda rng: [
                step(rng, 2, 3, past=4),
                step(rng, 3, 4, past=1),
                step(rng, 1, 2, past=5, sizes=(5, 5, 2)),
                step(rng, 2, 4, past=4, sizes=(4, 4, 4)),
            ],
        ),
        Check(
            "beams",
            1.5,
            "Row r continues hypothesis parents[r]: take that row of the old keys and of the old "
            "values, and only of the old ones.",
            lambda rng: [
                step(rng, 3, 1, past=3, parents=[1, 2, 0]),
                step(rng, 2, 1, before=4, past=3, parents=[3, 1]),
                step(rng, 4, 2, before=2, past=3, parents=[1, 1, 0, 1]),
                step(rng, 3, 2, past=2, parents=[0, 0, 2]),
            ],
        ),
        Check(
            "another size",
            0.5,
            "The scores are divided by the root of the number of components of a key.",
            lambda rng: [
                step(rng, 2, 2, past=3, sizes=(8, 2, 8)),
                step(rng, 2, 2, past=3, parents=[1, 0], sizes=(3, 9, 1)),
            ],
        ),
    ],
    rtol=1e-3,
)


# --- the bug hunt ---------------------------------------------------------------------------------


def probe(answer, what, y, memory, seen, w):
    """Call the layer once, or a few times in order to test one law of it."""
    import torch

    def without(*names):
        return {name: 0 * part if name in names else part for name, part in w.items()}

    def layer(y, memory, w):
        copies = {name: part.clone() for name, part in w.items()}
        found = answer(y.clone(), memory.clone(), seen.clone(), copies)
        return torch.as_tensor(found).detach()

    def moves(before, after):
        return (after - before).abs() > 1e-4

    if what == "output":
        return answer(y, memory, seen, w)
    if what == "future":  # which outputs move when one input does
        before, rows = layer(y, memory, w), []
        for place in range(y.shape[1]):
            other = y.clone()
            other[:, place] = other[:, place].flip(-1)
            rows.append(moves(before, layer(other, memory, w)).any(dim=2).any(dim=0))
        return torch.stack(rows)
    if what == "padding":  # which source positions each sentence hears
        before, columns = layer(y, memory, w), []
        for place in range(memory.shape[1]):
            other = memory.clone()
            other[:, place] = -other[:, place]
            columns.append(moves(before, layer(y, other, w)).any(dim=2).any(dim=1))
        return torch.stack(columns, dim=1)
    if what == "residual":  # what becomes of a number that is added to all features
        more = 0.5 + torch.arange(y.shape[1], dtype=y.dtype)[:, None].expand(y.shape)
        return layer(y + more, memory, w) - layer(y, memory, w)
    off = {"cross": ["cross_o"], "network": ["W_2", "b_2"]}[what]  # what a part adds to the stream
    return layer(y, memory, w) - layer(y, memory, without(*off))


def weights(rng, d_model, d_k, d_v, d_ff, loud=1.5, **given):
    """Weights of a layer; `given` are factors by which some are multiplied."""
    w = {}
    for side in ("self", "cross"):
        for name, size in (("q", d_k), ("k", d_k), ("v", d_v)):
            scale = d_model**-0.5 * (1 if name == "v" else loud)
            w[f"{side}_{name}"] = tensor(rng, d_model, size, scale=scale)
        w[f"{side}_o"] = tensor(rng, d_v, d_model, scale=d_v**-0.5)
    w["W_1"], w["b_1"] = tensor(rng, d_model, d_ff, scale=d_model**-0.5), tensor(rng, d_ff)
    w["W_2"], w["b_2"] = tensor(rng, d_ff, d_model, scale=d_ff**-0.5), tensor(rng, d_model)
    for side in ("self", "cross", "net"):
        w[f"{side}_gain"] = 1 + 0.3 * tensor(rng, d_model)
        w[f"{side}_bias"] = 0.3 * tensor(rng, d_model)
    for name, factor in given.items():
        w[name] = factor * w[name]
    return w


def sentences(rng, batch, tgt, src, d_model, scale=1.0):
    """A stream, a memory and a mask; the first sentence's source is not the longest."""
    lengths = rng.permutation(np.arange(src, src - batch, -1))
    if lengths[0] == src:
        lengths = lengths[::-1].copy()
    seen = torch.arange(src) < torch.from_numpy(lengths)[:, None]
    return tensor(rng, batch, tgt, d_model, scale=scale), tensor(rng, batch, src, d_model), seen


def everything(rng, batch, tgt, src, d_model):
    """The same, without padding."""
    y, memory, seen = sentences(rng, batch, tgt, src, d_model)
    return y, memory, torch.ones_like(seen)


def law(rng, what, tgt=5, src=6, d_model=8):
    """A case of one of the laws, with all parts at work."""
    y, memory, seen = sentences(rng, 3, tgt, src, d_model)
    return Case((what, y, memory, seen, weights(rng, d_model, 3, 4, 10)))


def norm_case(rng):
    """Only the norm counts: attention is off, and each unit of the network is far above 0."""
    y, memory, seen = everything(rng, 2, 3, 4, 4)
    w = weights(rng, 4, 3, 3, 6, self_o=0, cross_o=0, self_bias=0, cross_bias=0)
    w["self_gain"], w["cross_gain"] = torch.ones(4), torch.ones(4)
    w["W_1"], w["W_2"] = 3 * w["W_1"], w["W_2"].abs()
    w["b_1"], w["b_2"] = w["b_1"] + 30, torch.zeros(4)
    return Case(("network", 3 * y, memory, seen, w))


def root_case(rng, d_model, d_k):
    """Only the scale counts: each position asks with the bias of the norm."""
    y, memory, seen = everything(rng, 2, 2, 5, d_model)
    w = weights(rng, d_model, d_k, 3, 6, self_o=0, W_2=0, b_2=0, cross_gain=0, loud=4)
    w["cross_bias"] = tensor(rng, d_model)
    return Case(("cross", y, memory, seen, w))


def relu_case(rng):
    """Only the network counts: it reads the bias of the norm."""
    y, memory, seen = everything(rng, 2, 2, 3, 6)
    w = weights(rng, 6, 3, 3, 12, self_o=0, cross_o=0, net_gain=0)
    w["net_bias"] = 2 * tensor(rng, 6)
    return Case(("network", y, memory, seen, w))


def whole(rng, batch, tgt, src, sizes, scale=1.0):
    """A plain call."""
    y, memory, seen = sentences(rng, batch, tgt, src, sizes[0], scale)
    return Case(("output", y, memory, seen, weights(rng, *sizes)), unchanged=True)


BUG_HUNT = Question(
    "decoder_layer",
    [
        Check(
            "the future",
            1,
            "A position sees itself and those before it, no more and no less: change one input, "
            "and see which outputs move.",
            lambda rng: [law(rng, "future"), law(rng, "future", tgt=1), law(rng, "future", tgt=3)],
        ),
        Check(
            "padding",
            1,
            "Each sentence has its own source positions that may be seen, and hears these and no "
            "others.",
            lambda rng: [law(rng, "padding"), law(rng, "padding", tgt=6)],
        ),
        Check(
            "the residual",
            1,
            "The stream itself goes around every part. With pre-norm all parts read normed "
            "vectors, so a number that is added to all features of a position comes out as it "
            "went in.",
            lambda rng: [law(rng, "residual")],
        ),
        Check(
            "the norm",
            1,
            "The variance is the mean of the squared distances from the mean: divided by the "
            "number of features.",
            lambda rng: [norm_case(rng), norm_case(rng)],
        ),
        Check(
            "the root",
            1,
            "Scores are divided by the root of what a product of query and key sums over.",
            lambda rng: [root_case(rng, 12, 3), root_case(rng, 4, 9)],
        ),
        Check(
            "the network",
            1,
            "The hidden layer goes through max(0, ·), and what the second product gives does not.",
            lambda rng: [relu_case(rng), relu_case(rng)],
        ),
        Check(
            "the whole layer",
            1,
            "Each part is right by itself in what was checked before; as a whole the layer still "
            "differs from the equations, or changes what it is given.",
            lambda rng: [
                whole(rng, 3, 4, 5, (8, 3, 5, 10)),
                whole(rng, 2, 5, 5, (6, 6, 6, 6)),
                whole(rng, 2, 1, 3, (5, 2, 3, 7)),
                whole(rng, 2, 3, 4, (6, 4, 4, 8), scale=2e-3),
            ],
        ),
    ],
    driver=probe,
    atol=2e-4,
)

QUESTIONS = [WARM_UP, POSITIONAL, MULTI_HEAD, CACHED, BUG_HUNT]
