"""Tokenising, vocabularies and batches: by hand and as laws."""

import inspect
import os
import random
import subprocess
import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.text import (
    SPECIALS,
    Vocabulary,
    batches_by_length,
    detokenise,
    pad,
    tokenise,
)

LAW = settings(derandomize=True, deadline=None, max_examples=150)
# Letters of several kinds, digits, marks, blanks, full-width forms, a character of the second plane
ALPHABET = "ab Zé19.,:!?'-_%()\"\t我爱北京，。？！、《》…々〇𠮷ｗ３\u3000\u200bω"
LINE = st.text(alphabet=ALPHABET, max_size=25)


# ------------------------------------------------------------------------------ tokenising


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("我爱北京天安门。", ["我", "爱", "北", "京", "天", "安", "门", "。"]),
        ("T恤3.5元", ["T", "恤", "3.5", "元"]),
        ("He doesn't — well-known!", ["He", "doesn't", "—", "well-known", "!"]),
        ("at 12:30, 1,000 MP3s.", ["at", "12:30", ",", "1,000", "MP3s", "."]),
        ("end.Start 'quoted' a--b", ["end", ".", "Start", "'", "quoted", "'", "a", "-", "-", "b"]),
        ("3.a b,5 c:d", ["3", ".", "a", "b", ",", "5", "c", ":", "d"]),
        ("snake_case 3.", ["snake", "_", "case", "3", "."]),
        ("café cafe\u0301", ["café", "cafe\u0301"]),
        ("𠮷野家々〇", ["𠮷", "野", "家", "々", "〇"]),
        ("\ufeff我\u200b\u3000好", ["我", "好"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_char_by_hand(line, tokens):
    assert tokenise(line, "char") == tokens


def test_word_by_hand():
    assert tokenise("我来到北京清华大学。", "word") == ["我", "来到", "北京", "清华大学", "。"]
    # Latin words and numbers stay as under char, whatever jieba makes of them
    assert tokenise("he's 3.5 岁", "word") == ["he's", "3.5", "岁"]
    assert tokenise("", "word") == []


def test_space_splits_at_white_space_only():
    assert tokenise("  don't 3.5,  我 爱\t北京 。\n", "space") == [
        "don't",
        "3.5,",
        "我",
        "爱",
        "北京",
        "。",
    ]


@LAW
@given(LINE)
def test_no_character_is_lost_or_invented(line):
    visible = "".join(line.replace("\u200b", "").split())
    assert "".join(tokenise(line, "char")) == visible
    assert "".join(tokenise(line, "word")) == visible


@LAW
@given(LINE)
def test_tokens_have_no_white_space(line):
    for how in ("char", "word"):
        assert all(token.split() == [token] for token in tokenise(line, how))


@LAW
@given(LINE)
def test_detokenise_is_undone_by_char(line):
    tokens = tokenise(line, "char")
    assert tokenise(detokenise(tokens), "char") == tokens


def test_detokenise_by_hand():
    assert (
        detokenise(tokenise("我们 在 Google ， 工作 了 3 年 。", "space"))
        == "我们在Google，工作了3年。"
    )
    assert detokenise(["Yes", ",", "two", "(", "2", ")", "."]) == "Yes, two (2)."
    assert detokenise([]) == ""


@pytest.mark.parametrize(
    "line",
    [
        "我喜欢北京",
        "你好。",
        "你好!",
        "我在Google工作",
        "他昨天没有来 因为他生病了",
        "a dog 一只小狗跑了",
    ],
)
def test_unsegmented_chinese_gets_a_warning(line):
    with pytest.warns(
        UserWarning, match=r"no spaces between the Chinese words of '.*'char' or 'word'"
    ):
        assert tokenise(line, "space") == line.split()


@pytest.mark.parametrize(
    "line",
    [
        "我 喜欢 北京 。",
        "中华人民共和国 成立 了",
        "图书馆",
        "a dog , 3.5 !",
        "",
        "。 ！",
        "把 书 放 在 桌子 上",
    ],
)
def test_segmented_text_gets_none(line):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tokenise(line, "space") == line.split()
        tokenise("我喜欢北京。", "char")


def test_the_warning_points_at_the_caller():
    with pytest.warns(UserWarning, match="no spaces") as caught:
        inspect.unwrap(tokenise)("我喜欢北京", "space")  # without the type checks of the tests
    assert caught[0].filename == __file__


def test_unknown_way_is_refused():
    with pytest.raises(ValueError, match="how is 'words', expected 'space', 'char' or 'word'"):
        tokenise("a", "words")


def test_jieba_is_lazy_silent_and_leaves_no_file(tmp_path):
    # A fresh interpreter, warnings as errors, nothing compiled beforehand, its own temporary folder
    # with a poisoned cache in it: jieba itself would print five lines and load that file.
    (tmp_path / "jieba.cache").write_bytes(b"poison")
    code = (
        "import sys, softalign.text as t\n"
        "assert 'jieba' not in sys.modules and 'torch' not in sys.modules\n"
        "t.tokenise('我爱北京', 'char'); assert 'jieba' not in sys.modules\n"
        "print(ascii(t.tokenise('我来到北京', 'word')))\n"
    )
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "pyc"),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == ascii(["我", "来到", "北京"])
    assert (tmp_path / "jieba.cache").read_bytes() == b"poison"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "pyc") == ["jieba.cache"]


# ------------------------------------------------------------------------------ vocabulary

TRAIN = [["b", "a", "a"], ["c", "a", "b"], ["d"]]


def test_vocabulary_by_hand():
    vocabulary = Vocabulary.from_training(TRAIN)
    # a three times, b twice; c and d once, in order of the word
    assert vocabulary.words == ("<pad>", "<s>", "</s>", "<unk>", "a", "b", "c", "d")
    assert len(vocabulary) == 8
    ids = [vocabulary.pad_id, vocabulary.bos_id, vocabulary.eos_id, vocabulary.unk_id]
    assert ids == [0, 1, 2, 3]
    assert vocabulary.encode(["d", "x", "a"]) == [7, 3, 4]
    assert vocabulary.encode([], bos=True, eos=True) == [1, 2]
    assert vocabulary.decode([1, 5, 0, 3, 2, 4, 0]) == ["b", "<unk>"]
    assert vocabulary.decode(np.array([4, 2])) == ["a"]
    assert "a" in vocabulary
    assert "x" not in vocabulary
    assert "<s>" not in vocabulary


def test_rare_words_and_large_vocabularies_are_cut():
    assert Vocabulary.from_training(TRAIN, min_count=2).words[4:] == ("a", "b")
    assert Vocabulary.from_training(TRAIN, max_size=3).words[4:] == ("a", "b", "c")
    assert Vocabulary.from_training(TRAIN, min_count=2, max_size=1).words[4:] == ("a",)
    assert Vocabulary.from_training(TRAIN, max_size=99).words[4:] == ("a", "b", "c", "d")
    assert Vocabulary.from_training(TRAIN, min_count=9).words == SPECIALS


@LAW
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "我", "好"]), max_size=5), min_size=1, max_size=6
    )
)
def test_vocabulary_laws(train):
    if not any(train):
        with pytest.raises(ValueError, match="contain no words"):
            Vocabulary.from_training(train)
        return
    vocabulary = Vocabulary.from_training(train)
    assert vocabulary == Vocabulary.from_training(reversed(train))  # order does not matter
    for sentence in train:
        ids = vocabulary.encode(sentence, bos=True, eos=True)
        assert vocabulary.decode(ids) == sentence
        assert min(ids[1:-1], default=4) >= 4  # nothing of the training data is unknown or special
    counts = [sum(sentence.count(word) for sentence in train) for word in vocabulary.words[4:]]
    assert counts == sorted(counts, reverse=True)


def test_a_word_spelt_like_a_symbol_is_unknown_not_the_symbol():
    assert Vocabulary.from_training(TRAIN).encode(["</s>", "<pad>", "<s>", "<unk>"]) == [3, 3, 3, 3]


@pytest.mark.parametrize("symbol", SPECIALS)
def test_special_symbols_in_training_are_an_error_with_the_number(symbol):
    with pytest.raises(ValueError, match=f"sentence 2 contains '{symbol}'"):
        Vocabulary.from_training([["a"], ["b", symbol]])


@pytest.mark.parametrize(
    ("train", "options", "error", "message"),
    [
        ([], {}, ValueError, "the training sentences contain no words"),
        (
            [["a"], ["b c"]],
            {},
            ValueError,
            "sentence 2 contains 'b c', expected words without spaces",
        ),
        ([["a", ""]], {}, ValueError, "sentence 1 contains ''"),
        (["a b"], {}, TypeError, "sentence 1 is one string, expected a sequence of words"),
        ([["a"]], {"min_count": 0}, ValueError, "min_count is 0 and max_size is None, expected 1"),
        ([["a"]], {"max_size": 0}, ValueError, "max_size is 0, expected 1"),
    ],
)
def test_bad_training_data_is_named(train, options, error, message):
    with pytest.raises(error, match=message):
        Vocabulary.from_training(train, **options)


def test_bad_ids_and_sentences_are_named():
    vocabulary = Vocabulary.from_training(TRAIN)
    for number in (-1, 8):
        with pytest.raises(ValueError, match=f"no word has the id {number}, expected 0 to 7"):
            vocabulary.decode([number])
    with pytest.raises(TypeError, match="expected a sequence of words"):
        vocabulary.encode("a b")


def test_vocabulary_file(tmp_path):
    path = tmp_path / "words.txt"
    vocabulary = Vocabulary.from_training([*TRAIN, ["我", "é"]])
    vocabulary.save(path)
    assert path.read_bytes() == "<pad>\n<s>\n</s>\n<unk>\na\nb\nc\nd\né\n我\n".encode()
    assert Vocabulary.load(path) == vocabulary
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # what an editor may do to it
    assert Vocabulary.load(str(path)) == vocabulary


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n", "words.txt: a vocabulary begins with <pad> <s> </s> <unk>"),
        (b"<pad>\n<s>\n</s>\n<unk>\na\nb\na\n", "words.txt: .* but 'a' is there twice"),
        (b"<pad>\n<s>\n</s>\n<unk>\na\n\nb\n", "words.txt, line 6: '', expected one word"),
        (b"<pad>\n<s>\n</s>\n<unk>\na b\n", "words.txt, line 5: 'a b', expected one word"),
        (b"<pad>\n<s>\n</s>\n<unk>\n\xff\n", "words.txt: not UTF-8"),
        (b"", "words.txt, line 1: '', expected one word"),
    ],
)
def test_bad_vocabulary_files_are_named(tmp_path, content, message):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Vocabulary.load(path)


# ------------------------------------------------------------------------------ batches

IDS = st.lists(st.integers(1, 9), min_size=1, max_size=7)
PAIRS = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=30)


def test_pad_by_hand():
    ids, lengths = pad([[5], [6, 7, 8], [9, 9]], pad_id=1)
    assert ids.tolist() == [[5, 1, 1], [6, 7, 8], [9, 9, 1]]
    assert lengths.tolist() == [1, 3, 2]
    assert ids.dtype == lengths.dtype == np.int64


@LAW
@given(PAIRS, st.integers(1, 9), st.integers(0, 5))
def test_an_epoch_has_every_pair_exactly_once(pairs, batch_size, seed):
    src, tgt = zip(*pairs, strict=True)
    seen = []
    for batch in batches_by_length(src, tgt, batch_size=batch_size, seed=seed):
        assert 1 <= len(batch) <= batch_size
        for array in (batch.src, batch.src_lengths, batch.tgt, batch.tgt_lengths, batch.index):
            assert array.dtype == np.int64
            assert len(array) == len(batch)
        for row, example in enumerate(batch.index):
            for ids, lengths, side in (
                (batch.src, batch.src_lengths, src),
                (batch.tgt, batch.tgt_lengths, tgt),
            ):
                assert ids[row, : lengths[row]].tolist() == side[example]
                assert not ids[row, lengths[row] :].any()
        assert batch.src.shape[1] == batch.src_lengths.max()
        assert batch.tgt.shape[1] == batch.tgt_lengths.max()
        seen.extend(batch.index.tolist())
    assert sorted(seen) == list(range(len(pairs)))


@LAW
@given(PAIRS, st.integers(1, 9))
def test_source_lengths_of_two_batches_overlap_at_most_at_their_ends(pairs, batch_size):
    src, tgt = zip(*pairs, strict=True)
    batches = batches_by_length(src, tgt, batch_size=batch_size, seed=1)
    spans = sorted((int(b.src_lengths.min()), int(b.src_lengths.max())) for b in batches)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


def orders(**options):
    ids = [[1] * (1 + i % 3) for i in range(40)]
    return [batch.index.tolist() for batch in batches_by_length(ids, ids, batch_size=4, **options)]


def test_seed_and_epoch_decide_the_order():
    assert orders(seed=3) == orders(seed=3)
    assert orders(seed=3) != orders(seed=4)
    assert orders(seed=3) != orders(seed=3, epoch=1)
    lengths = [len({i % 3 for i in index}) for index in orders(seed=3)]
    assert sum(lengths) < len(lengths) + 3  # nearly all batches hold one length only
    first = [index[0] % 3 for index in orders(seed=3)]
    assert first != sorted(first)  # the batches are not in order of length


def test_the_same_batches_on_every_machine():
    # random.Random(0).random() gives .844, .758, .421, .259, .511, .405, and so on: pairs
    # of one length are ordered by these keys (3, 5, 2, 4, 1, 0), then the three batches by the next
    # three numbers .784, .303, .477.
    ids = [[1]] * 6
    batches = batches_by_length(ids, ids, batch_size=2, seed=0)
    assert [batch.index.tolist() for batch in batches] == [[2, 4], [1, 0], [3, 5]]


def test_batching_changes_no_argument_and_ignores_the_global_generators():
    src, tgt = [[1], [2, 3]], [[4, 5], [6]]
    found = []
    for state in (1, 2):
        random.seed(state)
        np.random.seed(state)  # noqa: NPY002
        found.append([b.index.tolist() for b in batches_by_length(src, tgt, batch_size=1, seed=0)])
    assert (src, tgt) == ([[1], [2, 3]], [[4, 5], [6]])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("src", "tgt", "size", "message"),
    [
        ([[1]], [[1], [2]], 1, "1 source but 2 target sentences, expected as many"),
        ([], [], 1, "there are no sequences to pad"),
        ([[1], []], [[1], [2]], 1, r"sequence 1 \(counted from 0\) is empty"),
        ([[1]], [[]], 1, r"sequence 0 \(counted from 0\) is empty"),
        ([[1], [2]], [[1], [2, 0]], 1, "sequence 1 .* contains the padding id 0"),
        ([[1]], [[1]], 0, "batch_size is 0, expected 1 or more"),
    ],
)
def test_bad_batches_are_named_by_the_call_itself(src, tgt, size, message):
    with pytest.raises(ValueError, match=message):
        batches_by_length(src, tgt, batch_size=size, seed=0)
