"""The tagger: labels by hand, padding that does not count, directions, and that it learns."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.corpus import AMBIGUITIES, RECURRING, Pair, load
from softalign.gru import GRU
from softalign.interfaces import Translator
from softalign.rnn import RNN
from softalign.stacks import Bidirectional
from softalign.tagger import (
    MostFrequent,
    Tagger,
    accuracy,
    gold_labels,
    settled,
    share_right,
    tag,
    tagging_batches,
    tagging_loss,
    vocabularies,
    words_of,
)
from softalign.training import fit, seeded

corpus = cache(load)  # reading it takes a second
LAW = settings(derandomize=True, deadline=None, max_examples=8)


def pair(source: str, target: str, sure: str, possible: str = "") -> Pair:
    def links(text):
        return frozenset(tuple(int(n) for n in link.split("-")) for link in text.split())

    words = tuple(target.split())
    both = links(sure) | links(possible)
    return Pair(tuple(source.split()), words, (words,), links(sure), both, ())


def small(dropout: float = 0.0) -> Tagger:
    with seeded(0):
        layer = Bidirectional(GRU(6, 5), GRU(6, 5))
        return Tagger(*vocabularies(RECURRING), layer, dropout=dropout)


def test_labels_by_hand():
    # two linked words stand in English order, possible links do not count, no link is NULL
    example = pair("王先生 看 了 书", "books Mr Wang reads", "0-2 0-1 1-3 3-0", "2-3")
    assert gold_labels(example) == ("Mr_Wang", "reads", "NULL", "books")
    assert words_of(gold_labels(example)) == ["Mr", "Wang", "reads", "books"]


def test_labels_of_the_recurring_sentences_say_each_linked_word_once():
    for example in RECURRING:
        labels = gold_labels(example)
        assert len(labels) == len(example.source)
        linked = sorted(example.target[j] for _, j in example.sure)
        assert sorted(words_of(labels)) == linked


@pytest.mark.parametrize("word", ["a_b", "NULL"])
def test_words_that_cannot_be_labels_are_refused(word):
    with pytest.raises(ValueError, match="kept for labels"):
        gold_labels(pair("书", word, "0-0"))


def test_every_model_here_is_a_translator():
    for model in (small(), MostFrequent.from_training(RECURRING)):
        assert isinstance(model, Translator)
        assert model.translate([]) == []
    assert small().translate(["从来", "没", "见过"]) is not None  # unknown words are read


def test_the_baseline_counts():
    known = [pair("看 书", "read books", "0-0 1-1"), pair("看 电视", "watch TV", "0-0 1-1")]
    tagger = MostFrequent.from_training([*known, known[1]])
    assert tagger.tag([("看", "书", "车")]) == [("watch", "books", "NULL")]
    tie = MostFrequent.from_training(known)
    assert tie.best["看"] == "read"  # as often as watch, and first in the alphabet


def test_accuracy_counts_every_word_alike():
    assert accuracy([["a", "b", "c"], ["x"]], [["a", "b", "z"], ["y"]]) == 0.5
    with pytest.raises(ValueError, match="sentence 2 has 1 labels, expected 2"):
        accuracy([["a"], ["b"]], [["a"], ["b", "c"]])
    with pytest.raises(ValueError, match="no words"):
        accuracy([], [])


@LAW
@given(st.integers(1, 6), st.integers(0, 1000))
def test_neither_the_loss_nor_the_labels_depend_on_the_batch(batch_size, seed):
    pairs = corpus().validation[:8]
    with seeded(seed):
        model = Tagger(*vocabularies(pairs), Bidirectional(GRU(6, 5), RNN(6, 5))).double()
    sentences = [p.source for p in pairs]
    assert tag(model, sentences, batch_size=batch_size) == tag(model, sentences, batch_size=1)
    losses = []
    for size in (batch_size, 1):
        parts = [
            tagging_loss(model, batch)
            for batch in tagging_batches(
                pairs, model.words, model.labels, batch_size=size, seed=seed
            )
        ]
        assert sum(count for _, count in parts) == sum(map(len, sentences))
        losses.append(sum(total for total, _ in parts))
    assert torch.allclose(*losses, atol=1e-9)


def test_the_loss_is_the_mean_surprise_of_the_gold_labels():
    model = small()
    (batch,) = tagging_batches(RECURRING, model.words, model.labels, batch_size=2, seed=0)
    total, count = tagging_loss(model, batch)
    by_hand = 0.0
    for example in RECURRING:
        log_probs = model(torch.tensor([model.words.encode(example.source)])).log_softmax(-1)
        labels = model.labels.encode(gold_labels(example))
        by_hand -= sum(log_probs[0, i, label].item() for i, label in enumerate(labels))
    assert count == sum(len(example.source) for example in RECURRING)
    assert total.item() == pytest.approx(by_hand, rel=1e-5)


def test_tagging_leaves_the_model_as_it_was_and_names_real_labels_only():
    model = small(dropout=0.9)
    with torch.no_grad():
        model.output.bias[:4] = 100.0  # the special symbols would win
    model.train()
    sentences = [RECURRING[1].source, (), RECURRING[0].source]
    found = tag(model, sentences)
    assert found == tag(small(), sentences)  # nothing was dropped
    assert [len(labels) for labels in found] == [len(s) for s in sentences]
    assert model.training
    assert all(label in model.labels for labels in found for label in labels)


def test_one_direction_cannot_tell_two_sentences_apart_before_they_differ():
    examples = [pair("昨天 她 看 了 书 。", "x", "0-0"), pair("昨天 她 看 了 电影 。", "x", "0-0")]
    known = vocabularies(examples)
    with seeded(0):
        one = Tagger(*known, GRU(6, 5))
        both = Tagger(*known, Bidirectional(GRU(6, 5), GRU(6, 5)))
    for model, same in ((one, True), (both, False)):
        ids = torch.tensor([model.words.encode(example.source) for example in examples])
        a, b = model(ids)[:, :4]
        assert torch.allclose(a, b, atol=1e-6) is same


def test_what_settles_an_ambiguity_lies_on_the_side_that_is_said():
    read = pair("她 看 了 一 本 书", "she read a book", "0-0 1-1 3-2 5-3")
    watch = pair("她 看 电影", "she watches films", "0-0 1-1 2-2")
    question = pair("他 回答 问题", "he answers questions", "0-0 1-1 2-2")
    problem = pair("他 解决 问题", "he solves problems", "0-0 1-1 2-2")
    found = {(p.name, p.sentence): p for p in settled([read, watch, question, problem])}
    assert found["看", 0].distance == 4
    assert found["看", 0].english == {"read"}
    assert found["看", 1].distance == 1
    assert found["问题", 2].distance == found["问题", 3].distance == -1
    assert not any(p.far for p in found.values())
    assert [p.place for p in found.values()] == [1, 1, 2, 2]
    # with one reading only, nothing is ambiguous
    assert settled([read]) == []
    labels = [gold_labels(p) for p in (read, watch, question, problem)]
    places = list(found.values())
    assert share_right(labels, places) == 1
    labels[1] = ("she", "watching", "films")  # the reading is right, the form is not
    assert share_right(labels, places) == 1
    labels[1] = ("she", "read", "films")
    assert share_right(labels, places) == 0.75
    with pytest.raises(ValueError, match="no ambiguous words"):
        share_right(labels, [])


def test_ambiguities_of_the_corpus_lie_on_both_sides_and_some_far_away():
    pairs = corpus().test
    places = settled(pairs)
    counts = [
        sum((p.distance > 0, p.far) == side for p in places)
        for side in [(False, False), (False, True), (True, False), (True, True)]
    ]
    assert min(counts) > 15
    shown = {p.name for p in places}
    assert {"看", "打 + duration", "问题", "杯", "几"} <= shown  # 几 is how_many: two words
    assert shown.isdisjoint({"自己", "dropped subject", "很 and the tense"})
    assert shown < {a.name for a in AMBIGUITIES}
    gold = [gold_labels(p) for p in pairs]
    assert share_right(gold, places) == 1
    assert share_right([("?",) * len(labels) for labels in gold], places) == 0


def test_it_learns_what_stands_to_the_right():
    pairs = [p for p in corpus().validation if "看" in p.source and len(p.source) < 12][:24]
    words, labels = vocabularies(pairs)
    with seeded(0):
        model = Tagger(words, labels, Bidirectional(GRU(12, 12), GRU(12, 12)))
    fit(
        model,
        lambda step: next(tagging_batches(pairs, words, labels, batch_size=24, seed=step)),
        tagging_loss,
        steps=40,
        learning_rate=0.05,
        seed=0,
        progress=False,
    )
    gold = [gold_labels(p) for p in pairs]
    assert accuracy(tag(model, [p.source for p in pairs]), gold) > 0.95
    assert accuracy(MostFrequent.from_training(pairs).tag([p.source for p in pairs]), gold) < 0.95
    assert model.translate(pairs[0].source) == words_of(gold[0])
