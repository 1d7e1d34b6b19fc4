"""The figure of beam search: its trees are those of the library's search."""

from __future__ import annotations

import json
import math

import matplotlib as mpl
import pytest
import torch
from figure_cases import END, FILM, Tree, random_tree
from matplotlib import pyplot as plt
from torch import nn

from softalign.interactive.searching import beam_figure
from softalign.plotting import use_book_style
from softalign.search import beam, beam_steps, force, greedy
from softalign.text import Vocabulary

SIZES = (1, 2, 3, 4)
MODEL = Tree(FILM)
LIMIT = {"max_length": 5}


def film(**options):
    source = {"source_words": ["电影"], "pinyin": ["diànyǐng"]}
    return beam_figure(MODEL, [], MODEL.words, **LIMIT, **source, **options)


def ids_of(run, node, words):
    ids = []
    while node >= 0:
        ids.append(words.index(run["nodes"][node]["token"]))
        node = run["nodes"][node]["parent"]
    return tuple(reversed(ids))


def hypotheses(run, nodes, words):
    """What nodes stand for: tokens, sum, score, finished."""
    found = []
    for node in nodes:
        shown = run["nodes"][node]
        ids = ids_of(run, node, words)
        assert len(ids) == shown["depth"]
        found.append((ids, shown["sum"], shown["score"], shown["finished"]))
    return found


def check(found, expected):
    """The same tokens exactly, the same numbers to 1e-6."""
    assert [(ids, end) for ids, _, _, end in found] == [(h.ids, h.finished) for h in expected]
    for (_, total, score, _), hypothesis in zip(found, expected, strict=True):
        assert total == pytest.approx(hypothesis.log_prob, abs=1e-6)
        assert score == pytest.approx(hypothesis.score, abs=1e-6)


def candidates(tree, written, words, alpha):
    """Continuations of what was kept, and what is finished, from a dictionary."""
    found = []
    for ids, total, score, finished in written:
        if finished:
            found.append((ids, total, score, True))
            continue
        row = tree.get(tuple(words[k] for k in ids), {END: 1.0})
        for token, word in enumerate(words):
            if row.get(word, 0) > 0:
                longer, more = (*ids, token), total + math.log(row[word])
                found.append((longer, more, more / len(longer) ** alpha, word == END))
    return sorted(found, key=lambda one: (-one[2], one[0]))


TREES = [FILM, *(random_tree(seed) for seed in range(6))]


@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_what_is_kept_and_found_is_what_the_library_keeps_and_finds(tree, alpha):
    model, limit = Tree(tree), 4
    figure = beam_figure(model, [], model.words, max_length=limit, alpha=alpha, pruned=2)
    data = json.loads(figure.json())
    options = {"max_length": limit, "alpha": alpha}
    wanted = set()
    for size in SIZES:
        best = beam(model, [[]], size=size, **options)[0][0].ids
        wanted |= {best[:n] for n in range(1, len(best) + 1)}
    for size, run in zip(SIZES, data["runs"], strict=True):
        assert run["size"] == size
        steps = beam_steps(model, [], size=size, **options)
        assert len(run["steps"]) == len(steps)
        assert run["limit"] == (len(steps) == limit)
        before, seen = [((), 0.0, 0.0, False)], set()
        for shown, step in zip(run["steps"], steps, strict=True):
            kept = hypotheses(run, shown["kept"], model.words)
            check(kept, step.kept)
            all_ = candidates(tree, before, model.words, alpha)
            assert [one[0] for one in all_[:size]] == [one[0] for one in kept]
            rest = all_[size:]
            expected = [
                one for k, one in enumerate(rest) if k < 2 or one[0] in wanted or one[0] in seen
            ]
            cut = hypotheses(run, shown["cut"], model.words)
            assert [one[0] for one in cut] == [one[0] for one in expected]
            for one, other in zip(cut, expected, strict=True):
                assert one[1:] == pytest.approx(other[1:], abs=1e-6)
            assert shown["others"] == len(rest) - len(cut)
            before, seen = kept, seen | {one[0] for one in (*kept, *cut)}
        found = hypotheses(run, [run["found"]], model.words)
        check(found, beam(model, [[]], size=size, **options)[0])
        if size == 1 and not alpha:
            check(found, greedy(model, [[]], max_length=limit))


def test_a_finished_hypothesis_that_is_cut_later_is_one_node():
    for seed in range(200):
        model = Tree(random_tree(seed))
        (run,) = beam_figure(model, [], model.words, max_length=4, sizes=(2,), pruned=0).data[
            "runs"
        ]
        first, later = run["steps"][0]["kept"], run["steps"][1:]
        if any(run["nodes"][n]["finished"] and n in step["cut"] for n in first for step in later):
            break
    else:
        raise AssertionError("none of the models cuts a finished hypothesis")
    ids = [ids_of(run, n, model.words) for n in range(len(run["nodes"]))]
    assert len(set(ids)) == len(ids)


class Network(nn.Module):
    """A recurrent stepper with dropout: only in evaluation mode does it say the same twice."""

    bos_id, eos_id, never = 1, 2, (0, 1)

    def __init__(self):
        super().__init__()
        self.embedding, self.cell = nn.Embedding(7, 6), nn.GRUCell(6, 6)
        self.drop, self.out = nn.Dropout(0.5), nn.Linear(6, 7)

    def start(self, sources):
        return torch.stack([self.embedding(torch.tensor(source)).sum(0) for source in sources])

    def step(self, tokens, state):
        state = self.cell(self.embedding(tokens), state)
        return (3 * self.out(self.drop(state))).log_softmax(-1), state

    def reorder(self, state, rows):
        return state[rows]


def test_of_a_network_the_log_probabilities_of_the_words_are_its_own():
    torch.manual_seed(0)
    model = Network().train()
    words = Vocabulary.from_training([["w", "x", "y"]])
    assert len(words.words) == 7
    data = json.loads(beam_figure(model, [3, 4, 5], words, max_length=6).json())
    assert model.training
    model.eval()
    for size, run in zip(SIZES, data["runs"], strict=True):
        check(
            hypotheses(run, [run["found"]], words.words),
            beam(model, [[3, 4, 5]], size=size, max_length=6)[0],
        )
        for n, node in enumerate(run["nodes"]):
            ids = ids_of(run, n, words.words)
            given = force(model, [[3, 4, 5]], [ids])[0]
            assert node["log_prob"] == pytest.approx(given[-1], abs=1e-6)
            assert node["sum"] == pytest.approx(given.sum(), abs=1e-6)


def test_what_another_size_finds_is_shown_where_it_is_cut():
    narrow, wide = film(sizes=(1, 2), pruned=0).data["runs"]
    assert [narrow["nodes"][n]["token"] for n in narrow["steps"][0]["cut"]] == ["the"]
    assert narrow["steps"][0]["others"] == 1
    assert [s["others"] for s in wide["steps"]] == [1, 3, 2]


def test_the_question_has_its_answer():
    """Size 1 loses at step 1 the sentence that size 2 finds."""
    narrow, wide = film().data["runs"][:2]
    words = MODEL.words
    assert [words[k] for k in ids_of(wide, wide["found"], words)] == ["the", "film", END]
    assert math.exp(wide["nodes"][wide["found"]]["sum"]) == pytest.approx(0.306)
    assert math.exp(narrow["nodes"][narrow["found"]]["sum"]) == pytest.approx(0.12)
    assert [narrow["nodes"][n]["token"] for n in narrow["steps"][0]["kept"]] == ["a"]
    assert "the" in [narrow["nodes"][n]["token"] for n in narrow["steps"][0]["cut"]]


def test_source_and_opening():
    data = film(sizes=(3, 2), opens=2, alpha=0.5).data
    assert data["source"] == [{"text": "电影", "pinyin": "diànyǐng", "lang": "zh"}]
    end = beam_figure(MODEL, [], MODEL.words, **LIMIT, source_words=["。"], pinyin=["。"]).data
    assert end["source"] == [{"text": "。", "pinyin": "", "lang": "zh"}]
    assert (data["opens"], data["alpha"]) == (1, 0.5)
    assert film().data["opens"] == 0
    assert beam_figure(MODEL, [], MODEL.words, **LIMIT).data["source"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sizes": ()}, r"sizes is \(\), expected 1 to 6 different sizes"),
        ({"sizes": range(1, 8)}, "expected 1 to 6 different sizes"),
        ({"sizes": (2, 2)}, r"sizes is \(2, 2\), expected 1 to 6 different sizes"),
        ({"sizes": (0, 1)}, r"sizes is \(0, 1\), expected sizes from 1 to 8"),
        ({"sizes": (9,)}, r"sizes is \(9,\), expected sizes from 1 to 8"),
        ({"opens": 5}, r"opens is 5, expected one of the sizes \(1, 2, 3, 4\)"),
        ({"pruned": -1}, "pruned is -1, expected 0 or more"),
        ({"alpha": -1.0}, "alpha is -1.0, expected 0 or more"),
        ({"pinyin": ["a", "b"]}, "there are 1 source words but pinyin of 2"),
        ({"words": ["a"]}, f"the model writes {len(MODEL.words)} words, and words has 1"),
        ({"max_length": 0}, "a length limit is 0, expected 1 or more"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, sentence):
    given = {"words": MODEL.words, "source_words": ["电影"], **LIMIT} | options
    with pytest.raises(ValueError, match=f"{sentence}$"):
        beam_figure(MODEL, [], **given)


@pytest.mark.parametrize("opens", [1, 2])
def test_the_picture_and_its_words_show_the_last_step(opens):
    figure = film(opens=opens)
    finds = "size 1 finds a film </s> (−2.12)", "size 2 finds the film </s> (−1.18)"
    wide = "a film </s> (−2.12). Cut: a film show (−2.53), the film show (−3.38)."
    listed = {
        1: "Kept: a film </s> (−2.12). Cut: a film show (−2.53).",
        2: f"Kept: the film </s> (−1.18), {wide}",
    }[opens]
    assert figure.says.startswith(
        f"Tree of the beam search of size {opens} after step 3 of 3, with sums of "
        f"log-probabilities in nats. {listed} In the end {', '.join(finds)}, "
    )
    with mpl.rc_context():
        use_book_style()
        (ax,) = figure.draw().axes
        run = figure.data["runs"][opens - 1]
        kept = {n for step in run["steps"] for n in step["kept"]}
        expected = ["start"]
        for n, node in enumerate(run["nodes"]):
            cut = "" if n in kept else " cut"
            expected.append(f"{node['token']}\n{node['sum']:.2f}{cut}".replace("-", "−"))
        assert sorted(text.get_text() for text in ax.texts) == sorted(expected)
        for text in ax.texts[1:]:
            dashed = text.get_bbox_patch().get_linestyle() == "--"
            assert dashed == text.get_text().endswith(" cut")
            # the sum of a step falls from its top
            x = text.get_position()[0]
            sums = [
                (-b.get_position()[1], -float(b.get_text().split()[1].replace("−", "-")))
                for b in ax.texts[1:]
                if b.get_position()[0] == x
            ]
            assert sorted(sums) == sorted(sums, key=lambda one: one[1])
        assert ax.get_xlabel().startswith(
            f"step of the beam of size {opens}\n{finds[0]}\n{finds[1]}"
        )
        # thick are the lines to what is found
        assert sum(line.get_linewidth() == 3 for line in ax.lines) == 3
        plt.close("all")
