"""Backpropagation through time in NumPy: every gradient of a recurrent language model by hand.

The network is the one of the page on recurrent networks, for a batch of equally long sequences:

    a_t = x_t W_xh + h_(t-1) W_hh + b_h,   h_t = tanh(a_t),   y_t = h_t W_hy + b_y,

with a softmax and a cross-entropy at each step. The loss L is the *sum* over the steps and over the
batch. `forward` returns all it computed, and `backward` walks over it from the last step to the
first. All else here is a question about the paths between the steps: `by_lag` keeps them apart by
their length, `truncated` leaves the long ones out, `chunk_cuts` and `random_cuts` cut some of them.

Nothing here imports torch, so that the tests can hold it against torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

__all__ = [
    "Gradients",
    "Parameters",
    "Trace",
    "backward",
    "by_lag",
    "chunk_cuts",
    "forward",
    "initialise",
    "jacobian",
    "random_cuts",
    "randomised_truncation",
    "truncated",
]


class Parameters(NamedTuple):
    """The parameters of a recurrent network, shared by all steps.

    Attributes
    ----------
    W_xh : array of shape (feature, hidden)
        From the input to the state.
    W_hh : array of shape (hidden, hidden)
        From the state to the next state.
    b_h : array of shape (hidden,)
        Bias of the state.
    W_hy : array of shape (hidden, vocab)
        From the state to the logits.
    b_y : array of shape (vocab,)
        Bias of the logits.

    Page: 03_bptt/bptt
    """

    W_xh: Float[np.ndarray, "feature hidden"]
    W_hh: Float[np.ndarray, "hidden hidden"]
    b_h: Float[np.ndarray, "hidden"]
    W_hy: Float[np.ndarray, "hidden vocab"]
    b_y: Float[np.ndarray, "vocab"]


class Trace(NamedTuple):
    """All that a forward pass computed, and what it computed it from: what `backward` needs.

    Attributes
    ----------
    inputs : array of shape (batch, time, feature)
        What was read.
    labels : array of int of shape (batch, time)
        What was to be predicted.
    weights : array of shape (batch, time)
        How much each step's loss counts.
    initial_state : array of shape (batch, hidden)
        The state before the first step.
    states : array of shape (batch, time, hidden)
        The state after each step.
    probs : array of shape (batch, time, vocab)
        The softmax of the logits.
    losses : array of shape (batch, time)
        Weighted cross-entropies, in nats.

    Page: 03_bptt/bptt
    """

    inputs: Float[np.ndarray, "batch time feature"]
    labels: Integer[np.ndarray, "batch time"]
    weights: Float[np.ndarray, "batch time"]
    initial_state: Float[np.ndarray, "batch hidden"]
    states: Float[np.ndarray, "batch time hidden"]
    probs: Float[np.ndarray, "batch time vocab"]
    losses: Float[np.ndarray, "batch time"]

    @property
    def loss(self) -> float:
        """The loss L: the sum over the batch and the steps, in nats."""
        return float(self.losses.sum())

    @property
    def previous_states(self) -> Float[np.ndarray, "batch time hidden"]:
        """The state that each step began with: `states`, one step later."""
        return np.concatenate([self.initial_state[:, None], self.states[:, :-1]], axis=1)


class Gradients(NamedTuple):
    """The gradient of the loss with respect to all that it depends on, each of its shape.

    Attributes
    ----------
    W_xh, W_hh, b_h, W_hy, b_y : arrays
        As in `Parameters`.
    inputs : array of shape (batch, time, feature)
        With respect to the inputs.
    initial_state : array of shape (batch, hidden)
        With respect to the state before the first step.

    Page: 03_bptt/bptt
    """

    W_xh: Float[np.ndarray, "feature hidden"]
    W_hh: Float[np.ndarray, "hidden hidden"]
    b_h: Float[np.ndarray, "hidden"]
    W_hy: Float[np.ndarray, "hidden vocab"]
    b_y: Float[np.ndarray, "vocab"]
    inputs: Float[np.ndarray, "batch time feature"]
    initial_state: Float[np.ndarray, "batch hidden"]


def initialise(
    rng: np.random.Generator, feature: int, hidden: int, vocab: int, *, scale: float = 1.0
) -> Parameters:
    """Draw parameters in float64: weights normal, biases zero.

    Parameters
    ----------
    rng : numpy Generator
        Where the numbers come from.
    feature, hidden, vocab : int
        Sizes of an input, of the state and of the logits.
    scale : float
        The standard deviation of a weight, times the root of the number of its inputs.

    Examples
    --------
    >>> [p.shape for p in initialise(np.random.default_rng(0), 2, 3, 5)]
    [(2, 3), (3, 3), (3,), (3, 5), (5,)]

    Page: 03_bptt/bptt
    """

    def weights(inputs: int, outputs: int) -> np.ndarray:
        return rng.normal(size=(inputs, outputs)) * scale / np.sqrt(inputs)

    return Parameters(
        weights(feature, hidden),
        weights(hidden, hidden),
        np.zeros(hidden),
        weights(hidden, vocab),
        np.zeros(vocab),
    )


def forward(
    parameters: Parameters,
    inputs: Float[np.ndarray, "batch time feature"],
    labels: Integer[np.ndarray, "batch time"],
    state: Float[np.ndarray, "batch hidden"] | None = None,
    weights: Float[np.ndarray, "batch time"] | None = None,
) -> Trace:
    """Run the network over a batch of sequences, and keep everything.

    Parameters
    ----------
    parameters : Parameters
        Of the network.
    inputs : array of shape (batch, time, feature)
        One step or more.
    labels : array of int of shape (batch, time)
        The id that each step has to predict.
    state : array of shape (batch, hidden), optional
        The state before the first step; zeros if left out.
    weights : array of shape (batch, time), optional
        What each step's cross-entropy is multiplied by: 0 for padding, and for every step whose
        loss is not asked for. Ones if left out.

    Returns
    -------
    Trace
        States, probabilities, losses, and the arguments.

    Raises
    ------
    ValueError
        Shapes that do not fit each other; a label that is no id; no step at all.

    Notes
    -----
    Elman (1990), "Finding structure in time", Cognitive Science 14, 179-211, with a softmax.

    Examples
    --------
    One weight of each kind, and nothing to predict but one word: the loss is 0.

    >>> one = np.ones((1, 1))
    >>> net = Parameters(one, 0.5 * one, np.zeros(1), one, np.zeros(1))
    >>> trace = forward(net, np.zeros((1, 2, 1)), np.zeros((1, 2), int), state=2 * one)
    >>> trace.states.round(3).ravel().tolist(), abs(trace.loss)
    ([0.762, 0.363], 0.0)

    Page: 03_bptt/bptt
    """
    W_xh, W_hh, b_h, W_hy, b_y = parameters
    state = np.zeros((len(inputs), len(b_h)), W_hh.dtype) if state is None else state
    weights = np.ones(labels.shape, W_hh.dtype) if weights is None else weights
    _check(parameters, inputs, labels, state, weights)
    read = inputs @ W_xh + b_h  # no step waits for another: one product for all
    states = np.empty_like(read)
    previous = state
    for t in range(read.shape[1]):  # each step waits for the one before it
        previous = states[:, t] = np.tanh(read[:, t] + previous @ W_hh)
    logits = states @ W_hy + b_y
    logits = logits - logits.max(axis=-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    losses = -weights * np.take_along_axis(log_probs, labels[..., None], axis=-1)[..., 0]
    return Trace(inputs, labels, weights, state, states, np.exp(log_probs), losses)


def backward(
    parameters: Parameters, trace: Trace, keep: Float[np.ndarray, "time"] | None = None
) -> Gradients:
    """Return the gradient of the loss with respect to parameters, inputs and initial state.

    One walk from the last step to the first. The gradient with respect to a state has two sources:
    the loss of its own step, and the step after it.

    Parameters
    ----------
    parameters : Parameters
        With which the trace was computed.
    trace : Trace
        What `forward` returned.
    keep : array of shape (time,), optional
        What each step multiplies the gradient by before it hands it to the state that it began
        with. Ones, if left out: the exact gradient. A 0 cuts the past off; `chunk_cuts` and
        `random_cuts` make such arrays.

    Returns
    -------
    Gradients
        Of the sum of the losses.

    Raises
    ------
    ValueError
        `keep` does not have one number for each step.

    Notes
    -----
    Werbos (1990), "Backpropagation through time: what it does and how to do it", Proceedings of
    the IEEE 78(10), 1550-1560.

    Examples
    --------
    At a state of 0 the slope of tanh is 1, and the two words are a coin.

    >>> one = np.ones((1, 1))
    >>> net = Parameters(one, 3 * one, np.zeros(1), np.array([[1.0, -1.0]]), np.zeros(2))
    >>> trace = forward(net, np.zeros((1, 2, 1)), np.zeros((1, 2), int))
    >>> backward(net, trace).inputs.ravel().tolist()
    [-4.0, -1.0]

    Page: 03_bptt/bptt
    """
    steps = trace.states.shape[1]
    keep = np.ones(steps, trace.states.dtype) if keep is None else keep
    if keep.shape != (steps,):
        raise ValueError(
            f"keep has shape {keep.shape}, expected one number for each of {steps} steps"
        )
    from_loss, slope = _from_loss(parameters, trace), 1 - trace.states**2
    grad_a = np.empty_like(trace.states)
    from_later = np.zeros_like(trace.initial_state)
    for t in reversed(range(steps)):
        grad_a[:, t] = (from_loss[:, t] + from_later) * slope[:, t]
        from_later = keep[t] * (grad_a[:, t] @ parameters.W_hh.T)
    return _collect(parameters, trace, grad_a, from_later)


def by_lag(
    parameters: Parameters, trace: Trace, lags: int | None = None
) -> Float[np.ndarray, "lags batch time hidden"]:
    """Return what each state owes to the loss of its own step, of the next step, and so on.

    Parameters
    ----------
    parameters : Parameters
        With which the trace was computed.
    trace : Trace
        What `forward` returned.
    lags : int, optional
        How many lags; all of them, as many as there are steps, if left out.

    Returns
    -------
    array of shape (lags, batch, time, hidden)
        Entry ``[m, :, t]`` is the gradient of the loss at step t + m with respect to the state at
        step t; zero where there is no such step. The sum over all lags is the gradient of the loss
        with respect to the states.

    Raises
    ------
    ValueError
        `lags` is below 1 or above the number of steps.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> net = Parameters(one, 3 * one, np.zeros(1), np.array([[1.0, -1.0]]), np.zeros(2))
    >>> trace = forward(net, np.zeros((1, 2, 1)), np.zeros((1, 2), int))
    >>> by_lag(net, trace)[:, 0, :, 0].tolist()
    [[-1.0, -1.0], [-3.0, 0.0]]

    Page: 03_bptt/bptt
    """
    steps = trace.states.shape[1]
    lags = steps if lags is None else lags
    if not 1 <= lags <= steps:
        raise ValueError(f"lags is {lags}, expected 1 to {steps}, the number of steps")
    share, slope = _from_loss(parameters, trace), 1 - trace.states**2
    shares = np.zeros((lags, *share.shape), share.dtype)
    for lag in range(lags):
        shares[lag] = share
        earlier = (share * slope)[:, 1:] @ parameters.W_hh.T  # all steps at once
        share = np.concatenate([earlier, np.zeros_like(share[:, :1])], axis=1)
    return shares


def truncated(parameters: Parameters, trace: Trace, k: int) -> Gradients:
    """Return the gradient through the last `k` steps only: a loss looks back on `k` uses of `W_hh`.

    Parameters
    ----------
    parameters : Parameters
        With which the trace was computed.
    trace : Trace
        What `forward` returned.
    k : int
        1 means: the step of the loss and no other. From the number of steps on, it is `backward`.

    Returns
    -------
    Gradients
        A biased estimate of what `backward` returns; exact for `W_hy` and `b_y`.

    Raises
    ------
    ValueError
        `k` is below 1.

    Notes
    -----
    Williams & Peng (1990), "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories", Neural Computation 2(4), 490-501. The cheaper variant that cuts the
    sequence into pieces is ``backward(parameters, trace, chunk_cuts(steps, k))``.

    Page: 03_bptt/bptt
    """
    if k < 1:
        raise ValueError(f"k is {k}, expected 1 step or more")
    shares = by_lag(parameters, trace, min(k, trace.states.shape[1]))
    grad_a = shares.sum(axis=0) * (1 - trace.states**2)
    return _collect(parameters, trace, grad_a, grad_a[:, 0] @ parameters.W_hh.T)


def randomised_truncation(
    parameters: Parameters, trace: Trace, keep_prob: float, rng: np.random.Generator
) -> Gradients:
    """Return one draw of an estimate of the gradient whose expectation is the gradient.

    Parameters
    ----------
    parameters : Parameters
        With which the trace was computed.
    trace : Trace
        What `forward` returned.
    keep_prob : float
        Probability that a step is joined to the one before it; the mean length of an uncut stretch
        is 1 / (1 - keep_prob).
    rng : numpy Generator
        Where the cuts come from.

    Returns
    -------
    Gradients
        Unbiased; the smaller `keep_prob`, the larger its variance.

    Raises
    ------
    ValueError
        As `random_cuts`.

    Notes
    -----
    Tallec & Ollivier (2017), "Unbiasing truncated backpropagation through time", arXiv:1705.08209,
    with the same probability at every step.

    Page: 03_bptt/bptt
    """
    cuts = random_cuts(trace.states.shape[1], keep_prob, rng)
    return backward(parameters, trace, cuts.astype(trace.states.dtype))


def chunk_cuts(steps: int, k: int) -> Float[np.ndarray, "time"]:
    """Cut a sequence into pieces of k steps: the `keep` of everyday truncation.

    Parameters
    ----------
    steps : int
        Length of the sequence.
    k : int
        Length of a piece; the last may be shorter.

    Returns
    -------
    array of shape (time,)
        0 at the first step of each piece but the first, else 1. (In torch: ``state.detach()``
        before these steps.)

    Raises
    ------
    ValueError
        `k` is below 1.

    Examples
    --------
    >>> chunk_cuts(5, 2).tolist()
    [1.0, 1.0, 0.0, 1.0, 0.0]

    Page: 03_bptt/bptt
    """
    if k < 1:
        raise ValueError(f"k is {k}, expected 1 step or more")
    step = np.arange(steps)
    return np.where((step > 0) & (step % k == 0), 0.0, 1.0)


def random_cuts(
    steps: int, keep_prob: float, rng: np.random.Generator
) -> Float[np.ndarray, "time"]:
    """Draw independent factors with expectation 1: 0 cuts, ``1 / keep_prob`` makes up for that.

    Parameters
    ----------
    steps : int
        Length of the sequence.
    keep_prob : float
        Probability of not cutting before a step, above 0 and at most 1.
    rng : numpy Generator
        Where the cuts come from.

    Returns
    -------
    array of shape (time,)
        1 at the first step, which begins with the initial state and is never cut.

    Raises
    ------
    ValueError
        `keep_prob` is not above 0 and at most 1.

    Examples
    --------
    >>> random_cuts(6, 0.5, np.random.default_rng(0)).tolist()
    [1.0, 2.0, 2.0, 2.0, 0.0, 0.0]

    Page: 03_bptt/bptt
    """
    if not 0 < keep_prob <= 1:
        raise ValueError(f"keep_prob is {keep_prob}, expected a number above 0 and at most 1")
    cuts = np.where(rng.random(steps) < keep_prob, 1 / keep_prob, 0.0)
    cuts[:1] = 1.0
    return cuts


def jacobian(
    parameters: Parameters, state: Float[np.ndarray, "*batch hidden"]
) -> Float[np.ndarray, "*batch hidden hidden"]:
    """Return the Jacobian of one step, with outputs as rows: of this state by the one before it.

    Parameters
    ----------
    parameters : Parameters
        Of the network.
    state : array of shape (..., hidden)
        The state *after* the step: the slope of tanh at a_t is 1 - h_t squared.

    Returns
    -------
    array of shape (..., hidden, hidden)
        Row k, column l: how component k of the new state depends on component l of the old one.

    Examples
    --------
    >>> net = Parameters(np.ones((1, 2)), np.array([[1.0, 2], [3, 4]]), *[np.zeros(2)] * 3)
    >>> jacobian(net, np.array([0.0, 0.5])).tolist()
    [[1.0, 3.0], [1.5, 3.0]]

    Page: 03_bptt/bptt
    """
    return (1 - state**2)[..., :, None] * parameters.W_hh.T


def _from_loss(parameters: Parameters, trace: Trace) -> np.ndarray:
    """Gradient of each step's own loss with respect to its state, (batch, time, hidden)."""
    return _grad_logits(trace) @ parameters.W_hy.T


def _grad_logits(trace: Trace) -> np.ndarray:
    """Predicted minus true, times the weight of the step, (batch, time, vocab)."""
    true = np.zeros_like(trace.probs)
    np.put_along_axis(true, trace.labels[..., None], 1.0, axis=-1)
    return trace.weights[..., None] * (trace.probs - true)


def _collect(
    parameters: Parameters, trace: Trace, grad_a: np.ndarray, initial_state: np.ndarray
) -> Gradients:
    """Add up the uses of each parameter, given the gradient by what goes into the tanh."""

    def rows(array: np.ndarray) -> np.ndarray:
        return array.reshape(-1, array.shape[-1])  # (batch * time, feature)

    grad_y = rows(_grad_logits(trace))
    return Gradients(
        W_xh=rows(trace.inputs).T @ rows(grad_a),
        W_hh=rows(trace.previous_states).T @ rows(grad_a),
        b_h=rows(grad_a).sum(axis=0),
        W_hy=rows(trace.states).T @ grad_y,
        b_y=grad_y.sum(axis=0),
        inputs=grad_a @ parameters.W_xh.T,
        initial_state=initial_state,
    )


def _check(
    parameters: Parameters,
    inputs: np.ndarray,
    labels: np.ndarray,
    state: np.ndarray,
    weights: np.ndarray,
) -> None:
    feature, hidden = parameters.W_xh.shape
    vocab = len(parameters.b_y)
    expected = {
        "W_hh": (parameters.W_hh, (hidden, hidden)),
        "b_h": (parameters.b_h, (hidden,)),
        "W_hy": (parameters.W_hy, (hidden, vocab)),
        "inputs": (inputs, (*labels.shape, feature)),
        "state": (state, (len(labels), hidden)),
        "weights": (weights, labels.shape),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    if labels.size == 0:
        raise ValueError(f"the labels have shape {labels.shape}, expected one step or more")
    if not 0 <= labels.min() <= labels.max() < vocab:
        found = f"the labels go from {labels.min()} to {labels.max()}"
        raise ValueError(f"{found}, expected ids from 0 to {vocab - 1}")
