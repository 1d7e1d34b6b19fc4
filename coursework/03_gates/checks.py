"""Set 3, gates and gradient flow: the questions, their hidden checks, and the variants."""

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, pick, tensor

INFO = {
    "title": "Gates and gradient flow",
    "chapters": "3 and 4",
    "hours": 3.0,
    "pages": ["03_bptt/gradients", "04_lstm/lstm", "04_lstm/variants"],
    "goals": [
        "Say how much of a cell, and of its gradient, a run of gates lets through.",
        "Write a step of the LSTM and of the GRU in a convention that is not the library's.",
        "Clip a gradient by one norm, with all its empty, zero and huge cases.",
        "Tell the path along the cell from all others, and measure both.",
        "Choose biases and a limit for clipping with numbers, and say what they do not mend.",
    ],
    "tools": (
        "Allowed: torch (autograd included), numpy and the standard library, the book and your "
        "notes; not allowed in the answers: the book's library `softalign`."
    ),
}


def variant(number):
    """Numbers of the warm-up, drawn again until no two mistakes give the same answer."""
    rng = np.random.default_rng(number)
    while True:
        odds = [int(a) for a in rng.choice([2, 3, 4, 9], 3, replace=False)]
        start = int(rng.integers(2, 7))
        gate = float(rng.choice([0.2, 0.25, 0.5]))
        candidate = float(rng.choice([-0.8, -0.6, -0.4, 0.4, 0.6, 0.8]))
        steps, replaced = int(rng.integers(2, 5)), float(rng.choice([0.1, 0.2, 0.25]))
        state, towards = (float(a) for a in rng.choice([-0.8, -0.6, -0.4, 0.4, 0.6, 0.8], 2))
        if state * towards > 0:
            continue
        f = [a / (1 + a) for a in odds]
        # each list: the right answer, then those of the planted mistakes
        kept, forgotten = np.prod(f) * start, np.prod([1 - a for a in f]) * start
        bent = [np.tanh(np.log(a)) for a in odds]
        firsts = [kept, forgotten, np.prod(bent) * start, (1 - sum(1 - a for a in f)) * start]
        firsts += [f[0] * f[1] * start, f[2] * start]
        put = gate * candidate
        seconds = [kept + f[2] * put, forgotten + (1 - f[2]) * put, kept + put, kept]
        seconds += [kept + f[2] * candidate, kept + f[1] * f[2] * put, kept + (1 - f[2]) * put]
        seconds += [np.prod(bent) * start + bent[2] * put]
        keep = (1 - replaced) ** steps
        thirds = [towards + keep * (state - towards)]
        thirds += [towards + replaced**steps * (state - towards)]
        thirds += [towards + (1 - steps * replaced) * (state - towards)]
        thirds += [keep * state + replaced * towards, keep * state]
        thirds += [towards + (1 - replaced) ** (steps - 1) * (state - towards)]
        thirds += [state + steps * replaced * towards]
        if all(np.diff(np.sort(a)).min() > 0.008 for a in (firsts, seconds, thirds)):
            break
    return {
        "start": start,
        "odds_1": odds[0],
        "odds_2": odds[1],
        "odds_3": odds[2],
        "gate": gate,
        "candidate": candidate,
        "state": state,
        "towards": towards,
        "steps": steps,
        "replaced": replaced,
        "forgotten": round(float(forgotten), 4),
        "kept_instead": round(float(thirds[1]), 4),
    }


# --- the warm-up --------------------------------------------------------------------------------


WARM_UP = Question(
    "warm_up_numbers",
    [
        Check(
            "nothing is written",
            1,
            "The sigmoid of log a is a / (1 + a), and that is the share of the cell that a step "
            "keeps. Three steps, three shares.",
            lambda rng: [Case((0,))],
        ),
        Check(
            "something is written",
            1,
            "What is written at step 2 is the input gate times the candidate, and it goes through "
            "the forget gates of the steps after it.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "a share is replaced",
            1,
            "Each step moves the state by the share z of what is left of the way to the candidate.",
            lambda rng: [Case((2,))],
        ),
    ],
    driver=pick,
    rtol=1e-6,
    atol=1e-3,
)


# --- cell_path_gradient -------------------------------------------------------------------------


def gates(rng, *shape, shut=(), dtype=torch.float32):
    """Gates between 0.2 and 0.95; those of the places in `shut` are 0."""
    drawn = torch.from_numpy(0.2 + 0.75 * rng.random(shape)).to(dtype)
    for place in shut:
        drawn[place] = 0.0
    return drawn


CELL_PATH_GRADIENT = Question(
    "cell_path_gradient",
    [
        Check(
            "a product of gates",
            1,
            "Entry k is the product of the last k forget gates, each component for itself; for "
            "k = 0 no factor is left, and the product is 1.",
            lambda rng: [
                Case((gates(rng, 1, 1, 1),)),
                Case((gates(rng, 2, 5, 3),)),
                Case((gates(rng, 4, 4, 4),)),
                Case((gates(rng, 3, 2, 1, dtype=torch.float64),)),
            ],
        ),
        Check(
            "shut and open gates",
            0.5,
            "A gate of 0 stops what came before it in its own component, and nothing else; a gate "
            "of 1 lets all through.",
            lambda rng: [
                Case((gates(rng, 2, 5, 3, shut=[(0, 2, 1), (1, 4, 0), (1, 0, 2)]),)),
                Case((gates(rng, 1, 4, 2).round(),)),
            ],
        ),
        Check(
            "no steps",
            0.5,
            "With no steps there is lag 0 only: the shape is (batch, 1, n), and all is 1.",
            lambda rng: [Case((torch.zeros(3, 0, 2),))],
        ),
        Check(
            "gradients",
            0.5,
            "Autograd must be able to go back to the gates, and no gradient may be NaN where a "
            "gate is 0.",
            lambda rng: [
                Case((gates(rng, 2, 4, 3),), grad=[0]),
                Case((gates(rng, 2, 5, 2, shut=[(0, 2, 1), (0, 4, 1), (1, 0, 0)]),), grad=[0]),
            ],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs the gates: do not write into them.",
            lambda rng: [Case((gates(rng, 2, 4, 3),), unchanged=True)],
        ),
    ],
    atol=1e-8,
)


# --- lstm_step ----------------------------------------------------------------------------------


def loud(rng, blocks, hidden):
    """A bias that saturates one unit of each block on either side."""
    bias = torch.zeros(blocks, hidden)
    for block in bias:
        low, high = rng.permutation(hidden)[:2]
        block[low], block[high] = -200 - 200 * rng.random(), 200 + 200 * rng.random()
    return bias.flatten()


def lstm(rng, batch, features, hidden, *, h=True, c=True, large=False, dtype=torch.float32):
    """Arguments of `lstm_step`; `h` and `c` say whether there is an old state, an old cell."""
    draw = {"dtype": dtype}
    return (
        tensor(rng, batch, features, **draw),
        tensor(rng, batch, hidden, scale=0.6 * h, **draw),
        tensor(rng, batch, hidden, scale=1.2 * c, **draw),
        tensor(rng, features, 4 * hidden, scale=features**-0.5, **draw),
        tensor(rng, hidden, 4 * hidden, scale=1.5 * hidden**-0.5, **draw),
        tensor(rng, 4 * hidden, scale=0.7, **draw) + (loud(rng, 4, hidden) if large else 0),
    )


LSTM_STEP = Question(
    "lstm_step",
    [
        Check(
            "a first step",
            1,
            "Nothing is there yet: the cell becomes input gate times candidate, and the output "
            "gate times its tanh is shown. Mind the order f, i, o, candidate.",
            lambda rng: [
                Case(lstm(rng, 3, 2, 4, h=False, c=False)),
                Case(lstm(rng, 4, 4, 4, h=False, c=False)),
                Case(lstm(rng, 1, 3, 2, h=False, c=False)),
            ],
        ),
        Check(
            "an old cell",
            1,
            "The forget gate is the share of the old cell that is kept, component by component.",
            lambda rng: [
                Case(lstm(rng, 3, 2, 4, h=False)),
                Case(lstm(rng, 2, 3, 1, h=False, dtype=torch.float64)),
            ],
        ),
        Check(
            "an old state",
            1,
            "All gates and the candidate read the old hidden state too, and nothing reads the old "
            "cell but the line that keeps it.",
            lambda rng: [
                Case(lstm(rng, 3, 2, 4)),
                Case(lstm(rng, 4, 4, 4)),
                Case(lstm(rng, 1, 5, 3)),
                Case(lstm(rng, 2, 1, 1)),
            ],
        ),
        Check(
            "large pre-activations",
            0.5,
            "exp of some hundreds is infinite in single precision: a sigmoid or tanh made of it "
            "breaks, on the way there or on the way back.",
            lambda rng: [
                Case(lstm(rng, 4, 3, 4, large=True)),
                Case(lstm(rng, 4, 3, 4, large=True), grad=[0, 1, 2, 3, 4, 5]),
            ],
        ),
        Check(
            "gradients",
            1,
            "Autograd must be able to go back to all six arguments, through the state and through "
            "the cell.",
            lambda rng: [Case(lstm(rng, 3, 2, 4), grad=[0, 1, 2, 3, 4, 5])],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs what he gave you: do not write into the arguments.",
            lambda rng: [Case(lstm(rng, 3, 2, 4), unchanged=True)],
        ),
    ],
)


# --- gru_step -----------------------------------------------------------------------------------


def gru(rng, batch, features, hidden, *, h=True, b_h=True, large=False, dtype=torch.float32):
    """Arguments of `gru_step`; `h` and `b_h` say whether the hidden part has a state, a bias."""
    draw = {"dtype": dtype}
    return (
        tensor(rng, batch, features, **draw),
        tensor(rng, batch, hidden, scale=0.8 * h, **draw),
        tensor(rng, features, 3 * hidden, scale=features**-0.5, **draw),
        tensor(rng, hidden, 3 * hidden, scale=1.5 * hidden**-0.5, **draw),
        tensor(rng, 3 * hidden, scale=0.7, **draw) + (loud(rng, 3, hidden) if large else 0),
        tensor(rng, 3 * hidden, scale=1.2 * b_h, **draw),
    )


GRU_STEP = Question(
    "gru_step",
    [
        Check(
            "no old state",
            0.5,
            "The new state is z times the candidate. Mind the order z, r, candidate, and that "
            "z = 1 replaces.",
            lambda rng: [
                Case(gru(rng, 3, 2, 4, h=False, b_h=False)),
                Case(gru(rng, 3, 3, 3, h=False, b_h=False)),
            ],
        ),
        Check(
            "an old state",
            1,
            "The new state is an average of the old one and the candidate; the reset gate weakens "
            "what the candidate hears of the old state, after the product with the weights.",
            lambda rng: [
                Case(gru(rng, 3, 2, 4, b_h=False)),
                Case(gru(rng, 4, 4, 4, b_h=False)),
                Case(gru(rng, 1, 2, 3, b_h=False, dtype=torch.float64)),
            ],
        ),
        Check(
            "two biases",
            1,
            "Both biases belong to all three blocks, and in the candidate the reset gate weakens "
            "that of the hidden part and not that of the input's part.",
            lambda rng: [
                Case(gru(rng, 3, 2, 4)),
                Case(gru(rng, 3, 2, 4, h=False)),
                Case(gru(rng, 2, 1, 1)),
            ],
        ),
        Check(
            "large pre-activations",
            0.5,
            "exp of some hundreds is infinite in single precision: a sigmoid or tanh made of it "
            "breaks, on the way there or on the way back.",
            lambda rng: [
                Case(gru(rng, 4, 3, 4, large=True)),
                Case(gru(rng, 4, 3, 4, large=True), grad=[0, 1, 2, 3, 4, 5]),
            ],
        ),
        Check(
            "gradients",
            0.5,
            "Autograd must be able to go back to all six arguments.",
            lambda rng: [Case(gru(rng, 3, 2, 4), grad=[0, 1, 2, 3, 4, 5])],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs what he gave you: do not write into the arguments.",
            lambda rng: [Case(gru(rng, 3, 2, 4), unchanged=True)],
        ),
    ],
)


# --- clip_by_norm -------------------------------------------------------------------------------


def and_write(answer, grads, limit):
    """Call, note what came back, and then write into it, as the next line of a loop may."""
    import torch

    result = answer(grads, limit)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    clipped, norm = result
    if not isinstance(clipped, (tuple, list)):
        return result
    noted = [part.detach().clone() if isinstance(part, torch.Tensor) else part for part in clipped]
    with torch.no_grad():
        for part in clipped:
            if isinstance(part, torch.Tensor):
                part.add_(1.0)
    return noted, norm


def gradients(rng, *shapes, norm=1.0):
    """Tensors of these shapes with this norm; a shape of None gives None."""
    drawn = [None if shape is None else rng.standard_normal(shape) for shape in shapes]
    length = np.sqrt(sum(np.sum(np.square(g)) for g in drawn if g is not None))
    return [
        None if g is None else torch.tensor(g * norm / length, dtype=torch.float32) for g in drawn
    ]


CLIP_BY_NORM = Question(
    "clip_by_norm",
    [
        Check(
            "too long",
            1,
            "There is one norm, the root of the sum of all squares, and one factor for all "
            "tensors.",
            lambda rng: [
                Case((gradients(rng, (3, 2), (4,), norm=5.0), 1.0)),
                Case((gradients(rng, (1,), (2, 2, 2), (3, 3), norm=12.0), 2.5)),
                Case(([*gradients(rng, (5,), norm=0.3), *gradients(rng, (2, 3), norm=7.0)], 2.0)),
            ],
        ),
        Check(
            "short enough",
            1,
            "A gradient whose norm is not above the limit keeps its length; the norm is returned "
            "all the same.",
            lambda rng: [
                Case((gradients(rng, (3, 2), (4,), norm=0.7), 1.0)),
                Case((gradients(rng, (2,), (5,), norm=3.0), 4.0)),
                Case(([torch.tensor([3.0]), torch.tensor([4.0])], 5.0)),
            ],
        ),
        Check(
            "None, and shapes without axes or components",
            1,
            "None has no components and stays None at its place; a list without components has "
            "the norm 0.",
            lambda rng: [
                Case((gradients(rng, (3, 2), None, (4,), None, norm=5.0), 1.0)),
                Case((gradients(rng, None, (), (2,), (0, 3), norm=3.0), 1.0)),
                Case((gradients(rng, (2, 2), None, (), norm=0.5), 1.0)),
                Case(([None, None], 1.0)),
                Case(([], 1.0)),
                Case(([torch.zeros(0, 3), None], 2.0)),
            ],
        ),
        Check(
            "zeros",
            0.5,
            "A gradient of zeros has the norm 0 and stays zero: limit / norm is no number here.",
            lambda rng: [
                Case(([torch.zeros(2, 3), torch.zeros(4)], 1.0)),
                Case(([torch.zeros(3), *gradients(rng, (2,), norm=4.0)], 1.0)),
            ],
        ),
        Check(
            "huge and tiny",
            0.5,
            "The squares of 1e25 and of 1e-25 are infinite and 0 in single precision: make the "
            "numbers fit before you square them.",
            lambda rng: [
                Case((gradients(rng, (3, 2), (4,), norm=3e26), 1.0)),
                Case((gradients(rng, (3,), None, (2, 2), norm=2e-24), 1e-25)),
            ],
        ),
        Check(
            "purity",
            1,
            "What you return must be new tensors, also where nothing is clipped: the caller still "
            "needs the old ones, and may write into yours.",
            lambda rng: [
                Case((gradients(rng, (3, 2), None, (4,), norm=5.0), 1.0), unchanged=True),
                Case((gradients(rng, (3, 2), (4,), norm=0.5), 1.0), unchanged=True),
            ],
        ),
    ],
    driver=and_write,
    atol=0.0,
)

QUESTIONS = [WARM_UP, CELL_PATH_GRADIENT, LSTM_STEP, GRU_STEP, CLIP_BY_NORM]
