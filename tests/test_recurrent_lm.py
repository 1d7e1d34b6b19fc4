"""The recurrent language model: counts, causality, padding, one step at a time, sampling."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign import language_model as ngrams
from softalign.gru import GRU
from softalign.interfaces import LanguageModel
from softalign.lstm import LSTM
from softalign.masking import lengths_mask
from softalign.metrics import bits_per_char, perplexity
from softalign.recurrent_lm import (
    RecurrentLM,
    as_language_model,
    evaluate_lm,
    sample,
    score,
    sentence_batches,
    sentence_loss,
)
from softalign.rnn import RNN
from softalign.stacks import Bidirectional, Stacked
from softalign.text import Vocabulary
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=30)
VOCABULARY = Vocabulary.from_training([list("abcde")])
LAYERS = {
    "rnn": lambda: RNN(3, 4),
    "lstm": lambda: LSTM(3, 4),
    "gru": lambda: GRU(3, 4),
    "stacked": lambda: Stacked([RNN(3, 4), GRU(4, 4)], residual=True, normalise=True, dropout=0.3),
}
sentences_of_letters = st.lists(
    st.lists(st.sampled_from("abcdeX"), min_size=0, max_size=6), min_size=1, max_size=5
)


def model_with(kind="rnn", seed=0, dropout=0.0):
    with seeded(seed):
        return RecurrentLM(len(VOCABULARY), LAYERS[kind](), dropout=dropout).double()


def test_labels_are_the_inputs_shifted_left():
    (batch,) = sentence_batches([list("abc"), list("d")], VOCABULARY, batch_size=2, seed=0)
    rows = {len(VOCABULARY.decode(row)): row for row in batch.tgt}
    words = np.array(VOCABULARY.words)
    assert words[rows[3]].tolist() == ["a", "b", "c", "</s>"]
    assert words[rows[1]].tolist() == ["d", "</s>", "<pad>", "<pad>"]
    for src, tgt, length in zip(batch.src, batch.tgt, batch.src_lengths, strict=True):
        assert src[0] == VOCABULARY.bos_id
        assert (tgt[: length - 1] == src[1:length]).all()
        assert tgt[length - 1] == VOCABULARY.eos_id
    assert (batch.src_lengths == batch.tgt_lengths).all()


def test_the_loss_by_hand_of_a_model_that_knows_nothing():
    model = model_with()
    with torch.no_grad():
        for parameter in model.output.parameters():
            parameter.zero_()
    (batch,) = sentence_batches([list("abc"), list("d")], VOCABULARY, batch_size=2, seed=0)
    total, count = sentence_loss(model, batch)
    assert count == 4 + 2
    assert math.isclose(total.item(), 6 * math.log(len(VOCABULARY)))
    found = evaluate_lm(model, [list("abc"), list("d")], VOCABULARY)
    assert math.isclose(found.perplexity, len(VOCABULARY))
    assert math.isclose(found.bits_per_word, math.log2(len(VOCABULARY)))


@LAW
@given(sentences_of_letters, st.sampled_from(sorted(LAYERS)))
def test_the_count_is_that_of_the_n_gram_model(sentences, kind):
    model = model_with(kind).eval()
    found = evaluate_lm(model, sentences, VOCABULARY, batch_size=2)
    theirs = ngrams.evaluate(ngrams.train([list("abcde")], 1, "add_k", k=1), sentences)
    counts = ("predictions", "characters", "unknown")
    assert all(getattr(found, name) == getattr(theirs, name) for name in counts)
    total, count = 0.0, 0
    for batch in sentence_batches(sentences, VOCABULARY, batch_size=3, seed=1):
        nats, n = sentence_loss(model, batch)
        total, count = total + nats.item(), count + n
    assert count == found.predictions
    assert math.isclose(total, -found.log_prob, rel_tol=1e-10)
    assert math.isclose(found.perplexity, perplexity(-total, count), rel_tol=1e-10)
    assert math.isclose(found.bits_per_word, bits_per_char(-total, count), rel_tol=1e-10)


@LAW
@given(sentences_of_letters, st.sampled_from(sorted(LAYERS)))
def test_a_sentence_scores_the_same_alone_and_in_any_batch(sentences, kind):
    model = model_with(kind, dropout=0.4)  # in training mode: scoring must leave it out
    together = score(model, sentences, VOCABULARY, batch_size=4)
    assert model.training
    for sentence, scores in zip(sentences, together, strict=True):
        assert scores.shape == (len(sentence) + 1,)
        (alone,) = score(model, [sentence], VOCABULARY)
        assert np.allclose(alone, scores, atol=1e-12)


@LAW
@given(sentences_of_letters, st.sampled_from(sorted(LAYERS)))
def test_word_by_word_is_the_whole_sentence(sentences, kind):
    model = model_with(kind)
    as_model = as_language_model(model, VOCABULARY)
    assert isinstance(as_model, LanguageModel)
    sentence = sentences[0]
    (scores,) = score(model, [sentence], VOCABULARY)
    words = [*sentence, "</s>"]
    each = [as_model.log_prob(word, sentence[:t]) for t, word in enumerate(words)]
    assert np.allclose(each, scores, atol=1e-12)
    assert math.isclose(as_model.sentence_log_prob(sentence), sum(each), abs_tol=1e-12)
    assert model.training


def test_the_probabilities_of_the_next_word_sum_to_one_with_what_never_comes():
    as_model = as_language_model(model_with(), VOCABULARY)
    words = ["a", "b", "c", "d", "e", "</s>", "not a word"]
    with_history = [math.exp(as_model.log_prob(word, ["a", "b"])) for word in words]
    logits, _ = as_model.model(torch.tensor([VOCABULARY.encode(["a", "b"], bos=True)]))
    never = logits[0, -1].softmax(-1)[[VOCABULARY.pad_id, VOCABULARY.bos_id]].sum().item()
    assert math.isclose(sum(with_history) + never, 1)


@LAW
@given(st.sampled_from(sorted(LAYERS)), st.integers(2, 7), st.data())
def test_one_step_at_a_time_is_all_at_once(kind, time, data):
    model = model_with(kind).eval()
    ids = torch.tensor([data.draw(st.lists(st.integers(0, 8), min_size=time, max_size=time))] * 2)
    whole, last = model(ids)
    state, steps = None, []
    for t in range(time):
        logits, state = model(ids[:, t : t + 1], state)
        steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, last, rtol=0, atol=1e-12)


@LAW
@given(st.sampled_from(sorted(LAYERS)), st.integers(1, 6), st.booleans(), st.data())
def test_scores_do_not_see_the_token_they_predict_nor_later_ones(kind, time, training, data):
    model = model_with(kind, dropout=0.0)
    for module in model.modules():  # with dropout the two passes would draw other zeros
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train(training)
    t = data.draw(st.integers(0, time - 1))
    ids = torch.full((1, time), 4)
    changed = ids.clone()
    changed[0, t] = 7
    a, b = model(ids)[0], model(changed)[0]
    assert torch.equal(a[:, :t], b[:, :t])
    assert (a[:, t:] != b[:, t:]).any()


@LAW
@given(st.sampled_from(sorted(LAYERS)), st.integers(1, 4))
def test_the_last_state_is_that_of_the_last_real_token(kind, length):
    model = model_with(kind).eval()
    ids = torch.tensor([[1, 4, 5, 6, 7], [1, 8, 4, 8, 4]])
    _, padded = model(ids, mask=lengths_mask([length, 5]))
    _, alone = model(ids[:1, :length])
    model_ends = model.layer.initial_state(1)
    for a, b, zero in zip(*(leaves(s) for s in (padded, alone, model_ends)), strict=True):
        torch.testing.assert_close(a[:1], b, rtol=0, atol=1e-12)
        assert (b != zero).any()


def leaves(state):
    """The tensors of a state, however it is nested."""
    return (
        [state] if isinstance(state, torch.Tensor) else [t for part in state for t in leaves(part)]
    )


def test_epochs_have_their_sentences_in_another_order():
    text = [[letter] for letter in "abcdeabcde"]
    order = [
        [
            tuple(batch.index)
            for batch in sentence_batches(text, VOCABULARY, batch_size=2, seed=0, epoch=epoch)
        ]
        for epoch in (0, 0, 1)
    ]
    assert order[0] == order[1] != order[2]
    assert sorted(k for batch in order[2] for k in batch) == list(range(10))


def test_padding_earns_no_gradient_and_changes_none():
    model = model_with()
    ids, labels = torch.tensor([[1, 4, 5, 0, 0]]), torch.tensor([[4, 5, 2, 0, 0]])
    gradients = []
    for width in (3, 5):
        model.zero_grad()
        mask = lengths_mask([3], width)
        logits, _ = model(ids[:, :width], mask=mask)
        torch.nn.functional.cross_entropy(logits[mask], labels[:, :width][mask]).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)
    assert (model.embedding.weight.grad[0] == 0).all()


def test_a_model_with_few_states_learns_to_end_and_samples_what_it_learnt():
    with seeded(0):
        model = RecurrentLM(len(VOCABULARY), RNN(8, 16))
    text = [list("abcab"), list("de")] * 8
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(60):
        for batch in sentence_batches(text, VOCABULARY, batch_size=8, seed=0, epoch=epoch):
            total, count = sentence_loss(model, batch)
            optimiser.zero_grad()
            (total / count).backward()
            optimiser.step()
    # one bit of choice for each sentence; 8 sentences of 6 and 8 of 3 predictions
    floor = 2 / 9
    assert floor - 1e-9 < evaluate_lm(model, text, VOCABULARY).bits_per_word < floor + 0.03
    drawn = ["".join(sample(model, VOCABULARY, seed=seed)) for seed in range(40)]
    assert {"abcab", "de"} <= set(drawn)
    assert sum(s in ("abcab", "de") for s in drawn) >= 36
    assert 10 <= drawn.count("de") <= 30


def test_temperature_by_the_frequencies_it_draws():
    model = model_with()
    weights = torch.log(torch.tensor([9.0, 9.0, 1e-9, 9.0, 1.0, 2.0, 4.0, 1e-9, 1e-9]))
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.copy_(weights)
    for temperature, expected in ((1.0, [1, 2, 4]), (0.5, [1, 4, 16]), (2.0, [1, 2**0.5, 2])):
        drawn = sample(model, VOCABULARY, temperature=temperature, seed=1, max_length=4000)
        found = np.array([drawn.count(letter) for letter in "abc"]) / len(drawn)
        expected = np.array(expected) / sum(expected)
        assert np.abs(found - expected).max() < 0.025
        assert set(drawn) <= set("abcde")
    assert sample(model, VOCABULARY, temperature=0.0, max_length=3) == ["c", "c", "c"]
    assert sample(model, VOCABULARY, temperature=5e-309, max_length=3) == ["c", "c", "c"]


def test_a_seed_decides_a_sample_and_nothing_else_does():
    model = model_with("lstm", dropout=0.5)
    state = torch.random.get_rng_state()
    first = sample(model, VOCABULARY, seed=5, max_length=30)
    torch.manual_seed(99)
    assert sample(model, VOCABULARY, seed=5, max_length=30) == first
    assert len({tuple(sample(model, VOCABULARY, seed=k, max_length=30)) for k in range(5)}) > 1
    assert model.training
    torch.random.set_rng_state(state)


def test_a_sample_reads_its_own_words_through_the_state():
    # after the same letter a, first another a, then b
    with seeded(0):
        model = RecurrentLM(len(VOCABULARY), RNN(8, 16))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        (batch,) = sentence_batches([list("aab")], VOCABULARY, batch_size=1, seed=0)
        total, count = sentence_loss(model, batch)
        optimiser.zero_grad()
        (total / count).backward()
        optimiser.step()
    assert sample(model, VOCABULARY, temperature=0.0) == list("aab")


def test_calls_change_neither_arguments_nor_weights():
    model = model_with("gru")
    sentences = [list("abX"), list("d")]
    (batch,) = sentence_batches(sentences, VOCABULARY, batch_size=2, seed=0)
    before = copy.deepcopy((sentences, model.state_dict(), batch.src, batch.tgt))
    sentence_loss(model, batch)
    score(model, sentences, VOCABULARY)
    sample(model, VOCABULARY, max_length=3)
    assert sentences == before[0]
    torch.testing.assert_close(dict(model.state_dict()), dict(before[1]), rtol=0, atol=0)
    assert (batch.src == before[2]).all()
    assert (batch.tgt == before[3]).all()


def test_scoring_gives_the_mode_back_when_it_fails():
    model = model_with()
    with pytest.raises(TypeError):
        score(model, ["abc"], VOCABULARY)
    assert model.training
    assert score(model, [], VOCABULARY) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluate_lm(model_with(), [], VOCABULARY), "no sentences to evaluate on"),
        (lambda: sample(model_with(), VOCABULARY, temperature=-1.0), "expected 0 or more"),
        (lambda: sample(model_with(), VOCABULARY, temperature=math.inf), "temperature is inf"),
        (
            lambda: RecurrentLM(9, Stacked([Bidirectional(RNN(3, 2), RNN(3, 2)), RNN(4, 4)])),
            "bidirectional: it has read the token that it is to predict",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
