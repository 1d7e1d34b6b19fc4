from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.corpus import (
    AMBIGUITIES,
    RECURRING,
    SIZES,
    CorpusError,
    build,
    card,
    load,
    occurrences,
    store,
)
from softalign.corpus.ambiguities import NEAR, is_far
from softalign.corpus.card import Nearest, entropy, unseen_share
from softalign.grammar import derivations, nested, read_grammar, translations
from softalign.grammar.derive import collocations, repeats

# Built once, in a process of its own: here every call of the library has its types checked, and
# a whole corpus would take minutes.
CACHE = Path(tempfile.mkdtemp(prefix="softalign-"))
DRAW = """
import sys
from pathlib import Path
from softalign.corpus import load, store
store.user_cache_path = lambda name: Path(sys.argv[1])
print(load().digest)
"""


def run_python(code: str, *arguments: str, seed: str = "0") -> str:
    """Run code in a fresh interpreter and return what it prints."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TQDM_DISABLE": "1"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


DRAWN = run_python(DRAW, str(CACHE))
with pytest.MonkeyPatch.context() as patch:
    patch.setattr(store, "user_cache_path", lambda name: CACHE)
    CORPUS = load()
shutil.rmtree(CACHE)
SPLITS = CORPUS._asdict()
GRAMMAR = read_grammar()
LAW = settings(derandomize=True, deadline=None, max_examples=100)
STORED = Path(__file__).with_name("corpus.sha256")


SMALL = """Top -> N V 。 => the~N N V.past@N .=。
N 猫 māo cat
N 狗 gǒu dog
V 笑 xiào laugh
V 跑 pǎo run/ran/run
Long -> Top => Top
W 。 。
"""
NOTHING = dict.fromkeys(SIZES, 0)


# ------------------------------------------------------------------------------------ the splits


def test_sizes():
    assert {name: len(pairs) for name, pairs in SPLITS.items()} == SIZES
    assert SIZES["train"] == 20_000
    assert SIZES["validation"] == SIZES["test"] == 1_000


def test_no_sentence_is_in_two_splits():
    sources = {name: {pair.source for pair in pairs} for name, pairs in SPLITS.items()}
    targets = {name: {r for p in pairs for r in p.references} for name, pairs in SPLITS.items()}
    for first, second in combinations(SPLITS, 2):
        assert not sources[first] & sources[second], (first, second)
        assert not targets[first] & targets[second], (first, second)
    assert all(len(sources[name]) == len(pairs) for name, pairs in SPLITS.items())


def test_a_split_is_decided_by_the_hash_of_the_source():
    for name in ("train", "validation", "test"):
        assert all(build.split_of(" ".join(pair.source)) == name for pair in SPLITS[name])


def test_lengths_have_the_same_distribution():
    """Kolmogorov and Smirnov's distance stays under the bound of a test at 1 in 1,000."""
    lengths = {n: np.sort([len(p.source) for p in SPLITS[n]]) for n in list(SIZES)[:3]}
    grid = np.arange(build.LONGEST + 1)
    for first, second in combinations(lengths.values(), 2):
        one = np.searchsorted(first, grid, side="right") / len(first)
        two = np.searchsorted(second, grid, side="right") / len(second)
        bound = 1.95 * np.sqrt((len(first) + len(second)) / (len(first) * len(second)))
        assert np.abs(one - two).max() < bound


def test_pairs_are_consistent():
    for pairs in SPLITS.values():
        for pair in pairs:
            assert pair.references[0] == pair.target
            assert len(set(pair.references)) == len(pair.references) <= build.MOST_REFERENCES
            assert len(pair.pinyin) == len(pair.source)
            assert pair.sure <= pair.possible
            assert all(i < len(pair.source) and j < len(pair.target) for i, j in pair.possible)


def test_the_recurring_pairs_are_what_the_grammar_says_and_are_in_no_split():
    assert [len(pair.source) for pair in RECURRING] == [10, 22]
    everything = {p.source for ps in SPLITS.values() for p in ps}
    english = {r for ps in SPLITS.values() for p in ps for r in p.references}
    known = {word for pair in CORPUS.train for word in pair.source}
    for pair in RECURRING:
        assert pair.source not in everything
        assert not english & set(pair.references)
        assert known.issuperset(pair.source)
        found = translations(GRAMMAR, pair.source)
        assert tuple(sentence.words for sentence in found) == pair.references
        assert (found[0].sure, found[0].possible) == (pair.sure, pair.possible)
        assert len(pair.pinyin) == len(pair.source)


def test_novel_has_known_words_in_new_company():
    known = {word for pair in CORPUS.train for word in pair.source}
    together = defaultdict(set)
    for pair in CORPUS.train:
        for word in pair.source:
            together[word].add(pair.source)
    for pair in CORPUS.novel[:12]:
        assert known.issuperset(pair.source)
        found = {c for d in derivations(GRAMMAR, pair.source) for c in collocations(d)}
        new = {c for c in found if build.is_held_out(c)}
        assert new
        first, second = min(new)
        for source in sorted(together[first] & together[second])[:5]:
            held = {c for d in derivations(GRAMMAR, source) for c in collocations(d)}
            assert (first, second) not in held or len(derivations(GRAMMAR, source)) > 1


def test_deep_is_one_level_deeper_and_long_is_longer():
    for pair in CORPUS.deep[:8]:
        assert max(nested(d) for d in derivations(GRAMMAR, pair.source)) == build.DEPTH + 1
    for pair in CORPUS.train[:20]:
        assert min(nested(d) for d in derivations(GRAMMAR, pair.source)) <= build.DEPTH
    assert max(len(pair.source) for pair in CORPUS.train) <= build.LENGTHS[1]
    assert all(40 < len(pair.source) <= 60 for pair in CORPUS.long)


# -------------------------------------------------------------------------------- the references


def test_the_references_are_all_sentences_of_all_derivations():
    """The slow, exhaustive analysis is the oracle."""
    for pair in (*CORPUS.test[:30], *CORPUS.train[:20], *CORPUS.deep[:2], CORPUS.long[0]):
        assert {s.words for s in translations(GRAMMAR, pair.source)} == set(pair.references)


def test_the_shelf_unites_the_references_of_one_source():
    shelf = build.Shelf({"train": 5, "test": 5}, RECURRING)
    pair = RECURRING[0]._replace(source=("x",), references=(("a",),), target=("a",))
    assert shelf.add("train", pair)
    assert not shelf.add("train", pair._replace(references=(("b",),)))
    assert shelf.found["train"][("x",)].references == (("a",), ("b",))
    assert not shelf.add("test", pair._replace(source=("y",), references=(("b",),)))
    assert not shelf.add("test", RECURRING[0])


# ---------------------------------------------------------------------------------- the same bytes


def test_the_stored_digest():
    assert STORED.read_text().strip() == DRAWN
    assert CORPUS.digest == DRAWN


def test_the_order_of_sets_is_of_no_account():
    sizes = "train=300, validation=30, test=30, novel=0, deep=10, long=10"
    code = f"from softalign.corpus import load; print(load(3, cache=False, {sizes}).digest)"
    assert len({run_python(code, seed=seed) for seed in ("0", "1", "424242")}) == 1


def test_only_uniform_numbers_are_drawn():
    source = Path(build.__file__).read_text(encoding="utf-8")
    for name in ("choice", "shuffle", "sample", "randint", "gauss", "hash("):
        assert f".{name}" not in source
    assert "Random(" in source


def test_another_seed_gives_other_sentences():
    code = "from softalign.corpus import load; print(load({}, cache=False, **{}).train[:5])"
    sizes = {**NOTHING, "train": 5}
    assert run_python(code.format(1, sizes)) != run_python(code.format(2, sizes))


# --------------------------------------------------------------------------- what is asked for


def test_asking_for_more_than_exists_says_how_many_exist(tmp_path, monkeypatch):
    path = tmp_path / "small.grammar"
    path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(build, "PATIENCE", 500)
    streams = tuple(s._replace(lengths=(1, 40)) for s in build.STREAMS)
    monkeypatch.setattr(build, "STREAMS", streams)
    some = {**NOTHING, "train": 3}
    assert len(load(grammar=path, cache=False, **some).train) == 3
    with pytest.raises(CorpusError, match=r"500 draws in a row were not new; found \d of 9 train"):
        load(grammar=path, cache=False, **{**some, "train": 9})


def test_a_wrong_split_or_size_is_refused():
    with pytest.raises(ValueError, match="there is no split 'dev'; the splits are train, valid"):
        load(dev=3)
    with pytest.raises(ValueError, match="the size of test must be 0 or more, got -1"):
        load(test=-1)


# --------------------------------------------------------------------------------------- the cache


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "user_cache_path", lambda name: tmp_path / "cache" / name)
    path = tmp_path / "small.grammar"
    path.write_text(SMALL, encoding="utf-8")
    streams = tuple(s._replace(lengths=(1, 40)) for s in build.STREAMS)
    monkeypatch.setattr(build, "STREAMS", streams)
    return tmp_path / "cache" / "softalign", {**NOTHING, "train": 3, "grammar": path}


def test_the_cache_gives_back_the_same_pairs(tiny):
    folder, sizes = tiny
    first = load(**sizes)
    assert [path.suffix for path in folder.iterdir()] == [".json"]
    assert load(**sizes) == first


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "text", "binary"])
def test_a_damaged_cache_is_not_used(tiny, damage):
    folder, sizes = tiny
    first = load(**sizes)
    (path,) = folder.iterdir()
    body = path.read_bytes()
    middle = len(body) // 2
    path.write_bytes(
        {
            "cut": body[:middle],
            "byte": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
            "empty": b"",
            "text": b"{}",
            "binary": bytes(range(256)),
        }[damage]
    )
    assert load(**sizes) == first
    assert path.read_bytes() == body


def test_a_folder_that_cannot_be_written_does_no_harm(tiny):
    folder, sizes = tiny
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    assert load(**sizes) == load(cache=False, **sizes)
    assert folder.is_file()


def test_another_grammar_has_another_key(tiny, tmp_path):
    folder, sizes = tiny
    load(**sizes)
    path = tmp_path / "mine.grammar"
    path.write_text(SMALL + "N 鹅 é goose/geese\n", encoding="utf-8")
    load(**{**sizes, "grammar": path})
    assert len(list(folder.iterdir())) == 2


# ---------------------------------------------------------------------------------------- the card


def test_the_card_keeps_its_promises():
    numbers = card(CORPUS).numbers
    words, base = numbers["words"], numbers["baselines on test"]
    assert words["English word types in train"] >= 600
    assert words["English types seen fewer than 20 times in train"] >= 60
    assert words["English types of the test references unknown to train"] >= 1
    assert base["nearest, BLEU"] < 40
    assert base["copy, BLEU"] < 1
    assert base["nearest, exact match (%)"] < 1
    assert base["word for word, exact match (%)"] < 2
    for name in ("validation", "test"):
        assert numbers[name]["English 3-grams not in train (%)"] > 8
        assert numbers[name]["English 6-grams not in train (%)"] > 40


def test_the_frequencies_are_like_zipf():
    """On a log-log plot frequency falls with rank, with a slope near -1."""
    counts = Counter(word for pair in CORPUS.train for word in pair.target)
    ranked = np.array(sorted(counts.values(), reverse=True), dtype=float)
    ranks = np.arange(1, len(ranked) + 1)
    slope = np.polyfit(np.log(ranks[:500]), np.log(ranked[:500]), 1)[0]
    assert -1.6 < slope < -0.7


WORDS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12).map(tuple)


def distance(one, two):
    """Levenshtein's distance by the table, cell by cell."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        new = [i]
        for j, b in enumerate(two, 1):
            new.append(min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (a != b)))
        row = new
    return row[-1]


@given(st.lists(WORDS, min_size=1, max_size=60), WORDS)
@LAW
def test_the_nearest_sentence_is_the_nearest(sentences, query):
    nearest = Nearest(sentences)
    nearest.at_once = 1  # so that the bound decides almost everything
    found, best = nearest.find(query)
    distances = [distance(query, sentence) for sentence in sentences]
    assert best == min(distances)
    assert found == distances.index(best)


def test_the_nearest_training_sentence_by_brute_force():
    sources = [pair.source for pair in CORPUS.train[:400]]
    nearest = Nearest(sources)
    for pair in (*CORPUS.test[:8], CORPUS.long[0]):
        distances = [distance(pair.source, source) for source in sources]
        assert nearest.find(pair.source) == (distances.index(min(distances)), min(distances))


def test_entropy_and_unseen_shares_by_hand():
    assert entropy(list("aabbccdd")) == pytest.approx(2.0)
    train = [tuple("abcd")]
    assert unseen_share([tuple("abce")], train, 3) == pytest.approx(0.5)
    assert unseen_share([tuple("ab")], train, 3) == 0


# --------------------------------------------------------------------------------- the ambiguities


@cache
def all_occurrences(split: str, index: int) -> list:
    return list(occurrences(SPLITS[split], AMBIGUITIES[index]))


def test_there_are_enough_ambiguities():
    assert sum(a.far for a in AMBIGUITIES) >= 6
    assert sum(not a.far for a in AMBIGUITIES) >= 6


@pytest.mark.parametrize("ambiguity", AMBIGUITIES, ids=lambda a: a.name)
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_reading_occurs_where_it_should(ambiguity, split):
    found = all_occurrences(split, AMBIGUITIES.index(ambiguity))
    good = [o for o in found if (is_far(o) if ambiguity.far else o.distance <= NEAR)]
    missing = {r.name for r in ambiguity.readings} - {o.reading for o in good}
    assert not missing


@pytest.mark.parametrize("ambiguity", [a for a in AMBIGUITIES if a.far], ids=lambda a: a.name)
def test_no_window_settles_a_far_ambiguity(ambiguity):
    """The same two words on either side stand in training with different readings."""
    windows = defaultdict(set)
    for found in all_occurrences("train", AMBIGUITIES.index(ambiguity)):
        if is_far(found):
            window = found.pair.source[max(0, found.place - 2) : found.place + 3]
            windows[window].add(found.reading)
    assert any(len(readings) > 1 for readings in windows.values())


def test_no_word_is_repeated_that_should_stand_once():
    for pair in CORPUS.test[:10]:
        assert not all(repeats(GRAMMAR, d) for d in derivations(GRAMMAR, pair.source))
