"""Set 2, recurrent networks: the questions, their hidden checks, and the variants."""

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, pick, tensor

INFO = {
    "title": "An RNN language model and its gradients",
    "chapters": "2 and 3",
    "hours": 3.0,
    "pages": ["02_rnn/sequences", "02_rnn/rnn", "03_bptt/bptt", "03_bptt/gradients"],
    "goals": [
        "Run a recurrent network over a padded batch so that no sentence notices its neighbours.",
        "Pair each step with the right label, and count exactly the predictions that are real.",
        "Derive and write backpropagation through time without autograd.",
        "Say what the spectral radius, the singular values and the inputs each do to a gradient.",
        "Design an experiment that tells forgetting forwards from not learning backwards.",
    ],
    "tools": (
        "Allowed: torch, numpy and the standard library, the book and your notes; not allowed in "
        "the answers: the book's library `softalign`, and autograd in `bptt_gradients`."
    ),
}


def variant(number):
    """Numbers of the warm-up, drawn again until no two mistakes give the same answer."""
    rng = np.random.default_rng(number)
    while True:
        vocab, n = 10 * int(rng.integers(2, 6)), 10 * int(rng.integers(1, 3))
        d = int(rng.integers(3, 8))
        bits = [int(b) for b in rng.integers(1, 6, size=6)]
        w, h_0 = int(rng.integers(2, 4)), int(rng.integers(1, 3))
        x_1, x_2, x_3 = (int(x) for x in rng.choice([-3, -2, -1, 1, 2, 3, 4], 3, replace=False))
        first, second = bits[:2], bits[2:]
        # each list: the right answer, then those of the planted mistakes
        added = d * n + 3 * n**2 + n + n * vocab
        cell = d * n + n**2 + n
        counts = [added, added - 2 * n**2, cell + (vocab * (d + n + 1)), added - n * vocab]
        counts += [added - n, added + n]
        mean, by_sentence = np.mean(bits), [np.mean(first), np.mean(second)]
        surprises = [2**mean, np.mean([2**m for m in by_sentence]), 2 ** np.mean(by_sentence)]
        surprises += [np.exp(mean), 2 ** (sum(bits) / 4), np.mean([2**b for b in bits])]
        h_1 = w * h_0 + x_1
        h_2 = w * h_1 + x_2
        slopes = [h_2 + w * h_1 + w**2 * h_0, h_2, h_2 + 2 * w * h_1 + 3 * w**2 * h_0]
        slopes += [h_2 + w * h_1, h_2 + h_1 + h_0]
        far = all(np.diff(np.sort(a)).min() > 0.1 for a in (counts, surprises, slopes))
        if far and sum(bits) in (12, 18) and min(h_1, h_2) > 0:
            break
    return {
        "vocab": vocab,
        "hidden": n,
        "features": d,
        "probs_first": " and ".join(f"1/{2**b}" for b in first),
        "probs_second": ", ".join(f"1/{2**b}" for b in second[:3]) + f" and 1/{2 ** second[3]}",
        "bits_first": first,
        "bits_second": second,
        "by_sentence": round(float(surprises[1]), 4),
        "weight": w,
        "start": h_0,
        "x_1": x_1,
        "x_2": x_2,
        "x_3": x_3,
        "last_use": h_2,
    }


# --- the warm-up --------------------------------------------------------------------------------


WARM_UP = Question(
    "warm_up_numbers",
    [
        Check(
            "parameters that are added",
            1,
            "Go through the five tensors one by one: which of them have hidden_size in their shape "
            "once, which twice, which not at all?",
            lambda rng: [Case((0,))],
        ),
        Check(
            "perplexity",
            1,
            "Perplexity is the exponential of the mean surprise, and the mean is over all "
            "predictions of the text, the end symbols included.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "one weight, used three times",
            1,
            "The weight is used at each of the three steps, and each use has its own way to the "
            "last state.",
            lambda rng: [Case((2,))],
        ),
    ],
    driver=pick,
    rtol=1e-6,
    atol=5e-3,
)


# --- rnn_forward --------------------------------------------------------------------------------


def network(rng, batch, time, features, hidden, lengths=None, start=True, dtype=torch.float32):
    """Arguments of `rnn_forward`; what stands at the padding is large."""
    lengths = torch.full((batch,), time) if lengths is None else torch.tensor(lengths)
    inputs = tensor(rng, batch, time, features, dtype=dtype)
    padding = torch.arange(time) >= lengths[:, None]
    inputs[padding] = 3 * inputs[padding] + 2
    state = tensor(rng, batch, hidden, scale=0.5, dtype=dtype)
    return (
        inputs,
        state if start else torch.zeros_like(state),
        tensor(rng, features, hidden, scale=0.7, dtype=dtype),
        tensor(rng, hidden, hidden, scale=hidden**-0.5, dtype=dtype),
        tensor(rng, hidden, scale=0.5, dtype=dtype),
        lengths,
    )


RNN_FORWARD = Question(
    "rnn_forward",
    [
        Check(
            "sentences of one length",
            1,
            "Step t applies tanh to inputs[:, t] @ W_xh + (state of the step before) @ W_hh + b_h; "
            "states[:, t] is what comes out.",
            lambda rng: [
                Case(network(rng, 3, 5, 2, 4, start=False)),
                Case(network(rng, 4, 4, 4, 4, start=False)),
                Case(network(rng, 1, 1, 3, 2, start=False)),
            ],
        ),
        Check(
            "an initial state",
            1,
            "The first step starts from the state that is given, which need not be zero.",
            lambda rng: [
                Case(network(rng, 2, 3, 2, 3)),
                Case(network(rng, 3, 4, 2, 5, dtype=torch.float64)),
            ],
        ),
        Check(
            "unequal lengths",
            1,
            "A sentence in a batch gets what it would get alone: it stops at its own last real "
            "step, and its states at the padding are 0.",
            lambda rng: [
                Case(network(rng, 3, 5, 2, 4, [5, 2, 3])),
                # the last two columns are all padding
                Case(network(rng, 4, 6, 3, 3, [1, 4, 2, 4])),
                Case(network(rng, 1, 4, 2, 3, [2])),
            ],
        ),
        Check(
            "length 0",
            1,
            "A sentence of length 0 reads nothing: its final state is its initial state.",
            lambda rng: [
                Case(network(rng, 3, 4, 2, 3, [0, 4, 2])),
                Case(network(rng, 2, 3, 2, 2, [0, 0])),
            ],
        ),
        Check(
            "gradients",
            0.5,
            "Autograd must be able to go back through every step, to the inputs, the weights and "
            "the initial state.",
            lambda rng: [Case(network(rng, 3, 5, 2, 3, [5, 2, 0]), grad=[0, 1, 2, 3, 4])],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs what he gave you: do not write into the arguments.",
            lambda rng: [Case(network(rng, 3, 4, 2, 3, [4, 1, 2]), unchanged=True)],
        ),
    ],
)


# --- language_model_loss ------------------------------------------------------------------------


def scored(rng, batch, time, vocab, lengths=None, scale=1.0):
    """Arguments of `language_model_loss`; ids at the padding are as good as any."""
    lengths = torch.full((batch,), time) if lengths is None else torch.tensor(lengths)
    ids = torch.from_numpy(rng.integers(0, vocab, size=(batch, time)))
    return tensor(rng, batch, time, vocab, scale=scale), ids, lengths


def scored_with_zeros(rng):
    """Real tokens with the id 0, and padding with other ids."""
    logits, ids, lengths = scored(rng, 4, 6, 5, [6, 4, 5, 2])
    ids[0, 2] = ids[1, 3] = ids[2, 1] = 0
    padding = torch.arange(6) >= lengths[:, None]
    ids[padding] = ids[padding].clamp(min=1)
    return logits, ids, lengths


LANGUAGE_MODEL_LOSS = Question(
    "language_model_loss",
    [
        Check(
            "sentences of one length",
            1,
            "The label of step t is the token of step t + 1; the last step of a sentence has no "
            "label.",
            lambda rng: [Case(scored(rng, 3, 5, 4)), Case(scored(rng, 4, 4, 4))],
        ),
        Check(
            "unequal lengths",
            1,
            "A position counts if its label is a real token. Divide by the number of the positions "
            "that count, in the whole batch.",
            lambda rng: [
                Case(scored(rng, 3, 6, 5, [6, 2, 4])),
                Case(scored(rng, 4, 7, 3, [2, 5, 3, 5])),
            ],
        ),
        Check(
            "every id is a word",
            1,
            "No id means padding: only the lengths tell what is real.",
            lambda rng: [Case(scored_with_zeros(rng)) for _ in range(2)],
        ),
        Check(
            "large logits",
            0.5,
            "exp overflows or underflows in float32 where the logits are large: take the logarithm "
            "of the softmax in one step.",
            lambda rng: [
                Case(scored(rng, 3, 5, 4, [5, 3, 4], scale=200.0)),
                Case((scored(rng, 2, 4, 3)[0] - 500.0, *scored(rng, 2, 4, 3)[1:])),
            ],
        ),
        Check(
            "nothing to predict",
            1,
            "A sentence of one token or none has no prediction; if the whole batch has none, the "
            "loss is 0 and not NaN.",
            lambda rng: [
                Case(scored(rng, 4, 5, 4, [1, 5, 0, 3])),
                Case(scored(rng, 2, 3, 4, [1, 0])),
                Case(scored(rng, 2, 1, 3)),
            ],
        ),
        Check(
            "gradient and purity",
            0.5,
            "The loss is a tensor through which autograd can go back to the logits, and the logits "
            "of the caller stay as they were.",
            lambda rng: [
                Case(scored(rng, 3, 5, 4, [5, 3, 4]), grad=[0]),
                Case(scored(rng, 3, 5, 4, [5, 3, 4]), unchanged=True),
            ],
        ),
    ],
)


# --- bptt_gradients -----------------------------------------------------------------------------


def without_autograd(answer, *args):
    """Call where autograd does not work."""
    import torch

    with torch.inference_mode():
        return answer(*args)


def traced(rng, batch, time, features, hidden, losses=None):
    """Arguments of `bptt_gradients`, in float64, from a forward pass of a random network."""
    draw = {"dtype": torch.float64}
    inputs, state = tensor(rng, batch, time, features, **draw), tensor(rng, batch, hidden, **draw)
    W_xh = tensor(rng, features, hidden, scale=0.5, **draw)
    # a number must not be near 0, or no gradient gets through
    W_hh = tensor(rng, hidden, hidden, scale=0.9 * hidden**-0.5, **draw)
    W_hh = W_hh if hidden > 1 else 0.6 + 0.2 * torch.tanh(W_hh)
    b_h = tensor(rng, hidden, scale=0.3, **draw)
    states, h = [], state
    for t in range(time):
        h = torch.tanh(inputs[:, t] @ W_xh + h @ W_hh + b_h)
        states.append(h)
    own = tensor(rng, batch, time, hidden, **draw)
    if losses is not None:
        own[:, [t for t in range(time) if t not in losses]] = 0
    return inputs, state, torch.stack(states, dim=1), own, W_hh


BPTT_GRADIENTS = Question(
    "bptt_gradients",
    [
        Check(
            "one step",
            1,
            "With one step nothing goes back in time. The loss is a sum over the batch, the slope "
            "of tanh is 1 minus the square of the state, and the state before is the initial one.",
            lambda rng: [Case(traced(rng, 3, 1, 2, 4)), Case(traced(rng, 1, 1, 1, 1))],
        ),
        Check(
            "one unit, several steps",
            1,
            "In each product one factor is total and one immediate: a state also answers for the "
            "losses of all later steps, and each path counts once.",
            lambda rng: [Case(traced(rng, 1, 4, 1, 1)), Case(traced(rng, 2, 3, 1, 1))],
        ),
        Check(
            "several units",
            2,
            "What step t + 1 hands back to the state before it has passed the slope of tanh of "
            "step t + 1 and then the transposed W_hh.",
            lambda rng: [
                Case(traced(rng, 3, 5, 2, 4)),
                Case(traced(rng, 4, 3, 3, 3)),
                Case(traced(rng, 2, 4, 5, 2)),
            ],
        ),
        Check(
            "a loss at some steps only",
            1,
            "A single loss blames every use of the weights before it, however far back, and no use "
            "after it.",
            lambda rng: [
                Case(traced(rng, 2, 9, 2, 3, losses=[8])),
                Case(traced(rng, 2, 6, 2, 3, losses=[2])),
            ],
        ),
        Check(
            "purity",
            1,
            "The caller still needs what he gave you: do not write into the arguments.",
            lambda rng: [Case(traced(rng, 2, 4, 2, 3), unchanged=True)],
        ),
    ],
    driver=without_autograd,
    rtol=1e-8,
    atol=1e-10,
)

QUESTIONS = [WARM_UP, RNN_FORWARD, LANGUAGE_MODEL_LOSS, BPTT_GRADIENTS]
