"""The statistical families on any text: training, and files that are whole, exact and harmless."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from softalign import corpus
from softalign.aligner import align
from softalign.language_model import NGramModel, read_arpa, train, write_arpa
from softalign.metrics import bleu
from softalign.phrases import PhraseTable, build_table
from softalign.stack_decoder import FEATURES, UNTUNED, StackDecoder
from softalign.systems import archives, statistical
from softalign.systems.archives import pack_words, read_words
from softalign.systems.errors import FolderError
from softalign.systems.statistical import load_statistical, save_statistical, train_statistical

FILES = ("phrases.npz", "language_model.npz", "decoder.json")
FAMILIES = ("word-for-word", "phrases")


def sides(pairs):
    """Give the two sides of pairs of the corpus, and nothing of their annotation."""
    return [(pair.source, pair.target) for pair in pairs]


@pytest.fixture(scope="module")
def text():
    """Pairs to train on, short ones to tune on, and others."""
    data = corpus.load()
    short = [pair for pair in sides(data.validation) if len(pair[0]) <= 6]
    return sides(data.train[:120]), short[:30], short[30:50]


@pytest.fixture(scope="module")
def systems(text):
    return {family: train_statistical(family, *text[:2]) for family in FAMILIES}


@pytest.fixture(scope="module")
def stored(systems, tmp_path_factory):
    folders = {family: tmp_path_factory.mktemp(family) for family in FAMILIES}
    for family, folder in folders.items():
        save_statistical(systems[family], folder)
    return folders


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A system of a few words, whose folder is soon copied and read."""
    pairs = [
        (["我", "看", "书"], ["I", "read", "books"]),
        (["我", "买", "书"], ["I", "buy", "books"]),
        (["书"], ["books"]),
        (["看"], ["read"]),
    ] * 2
    folder = tmp_path_factory.mktemp("tiny")
    save_statistical(train_statistical("phrases", pairs, []), folder)
    return folder


@pytest.fixture
def folder(tiny, tmp_path):
    return Path(shutil.copytree(tiny, tmp_path / "system"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def seal(folder):
    """Do what somebody evil does who has read the code: make the digests right."""
    path = folder / "decoder.json"
    settings = json.loads(path.read_bytes())
    settings.pop("sha256", None)
    if isinstance(settings.get("files"), dict):
        settings["files"] |= {
            name: sha256((folder / name).read_bytes()).hexdigest() for name in FILES[:2]
        }
    own = sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**settings, "sha256": own}))


def rewrite(path, change):
    """Change the arrays of an archive, and the digests with them."""
    with np.load(path) as archive:
        arrays = {name: archive[name].copy() for name in archive.files}
    change(arrays)
    np.savez(path, **arrays)
    seal(path.parent)


def refused(folder, name):
    """Load, expect one sentence that names the file, and return it."""
    with pytest.raises(FolderError) as caught:
        load_statistical(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / name}: ")
    assert "\n" not in message
    assert len(message) < len(str(folder)) + 250
    return message.removeprefix(f"{folder / name}: ")


# --- training ---------------------------------------------------------------------------------


def test_words_are_translated_one_by_one_by_their_likeliest_translation(systems, text):
    system = systems["word-for-word"]
    known = [word for word in system.table.numbers if system.table.get([word])]
    assert len(known) > 100
    for word in known:
        pairs = system.table.get([word])
        (said,) = system.translate([word])
        assert (said,) == max(pairs, key=lambda pair: pair.features[0]).target or (
            pairs[0].features[0] == pairs[1].features[0]
        )
    alone = {word: system.translate([word])[0] for word in {w for x, _ in text[2] for w in x}}
    for source, _ in text[2]:
        assert system.translate(source) == [alone[word] for word in source]


def test_words_are_translated_as_in_the_book(systems, text):
    pairs, _, others = text
    table = build_table(pairs, align(pairs), max_length=1)
    weights = {**dict.fromkeys(FEATURES, 0.0), "phrase_direct": 1.0, "copied": -10.0}
    english = train([target for _, target in pairs], 7, "kneser_ney")
    book = StackDecoder(table, english, weights, beam=10, max_options=10, distortion_limit=0)
    ours = systems["word-for-word"]
    assert [ours.translate(x) for x, _ in others] == [book.translate(x) for x, _ in others]
    assert (ours.beam, ours.max_options, ours.distortion_limit) == (10, 10, 0)
    assert ours.weights == weights
    assert ours.language_model.words == ("<unk>", "<s>", "</s>")  # it knows no word


def test_phrases_beat_words_and_tuning_does_no_harm(systems, text):
    others, references = [x for x, _ in text[2]], [[y] for _, y in text[2]]
    scores = {
        family: bleu([system.translate(x) for x in others], references).value
        for family, system in systems.items()
    }
    assert scores["phrases"] > scores["word-for-word"] + 8
    tuned = systems["phrases"]
    assert tuned.weights != UNTUNED
    assert tuned.weights["copied"] == UNTUNED["copied"]
    narrow = replace(tuned, beam=10, max_options=10)  # as it was tuned
    held, references = [x for x, _ in text[1]], [[y] for _, y in text[1]]
    found = [
        bleu([one.translate(x) for x in held], references).value
        for one in (narrow, narrow.with_weights(UNTUNED))
    ]
    assert found[0] > found[1]


def test_the_same_seed_gives_the_same_files(stored, text, tmp_path):
    for family in FAMILIES:
        save_statistical(train_statistical(family, *text[:2]), tmp_path / family)
        assert contents(tmp_path / family) == contents(stored[family])
        assert sorted(contents(tmp_path / family)) == sorted(FILES)


def test_what_is_tuned_on_and_with_which_seed(monkeypatch, text):
    calls = []

    def tune(decoder, sources, references, **options):
        calls.append((len(sources), sources, references, options["seed"]))
        return decoder, []

    monkeypatch.setattr(statistical, "tune", tune)
    pairs, validation, _ = text
    odd = [((), ("a",)), (("长",) * 51, ("long",)), (("a",), ())]
    many = [*validation, *validation]
    train_statistical("phrases", pairs[:20], [*odd, *many], tuned_on=31, seed=5)
    assert calls == [(31, [x for x, _ in many[:31]], [[y] for _, y in many[:31]], 5)]
    few = train_statistical("phrases", pairs[:20], validation[:29])
    unwanted = train_statistical("phrases", pairs[:20], validation, tuned_on=0)
    assert few.weights == unwanted.weights == UNTUNED
    train_statistical("word-for-word", pairs[:20], validation)
    assert len(calls) == 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "pairs",
    [
        [(["a"], ["A"])],
        [(["a"], ["A"]), (["a", "b"], ["A", "B"])],
        [(["书"], ["book"])] * 2 + [(["书"], ["</s>"]), (["报"], ["news"])],
        [(["a"], ["A"]), ([], ["lost"]), (["lost"], []), (["b"] * 10_000, ["B"]), (["b"], ["B"])],
    ],
    ids=["one", "two", "boundary", "unusable"],
)
def test_small_corpora_work_without_a_warning(family, pairs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        system = train_statistical(family, pairs, [])
    source, target = pairs[0]
    assert system.translate(source) == target
    assert system.translate(["ж"]) == ["ж"]
    assert system.translate(["</s>", "<s>", "<unk>"]) == ["</s>", "<s>", "<unk>"]
    assert "lost" not in system.table.numbers


def test_the_order_is_what_was_asked_for_or_what_the_sentences_fill(text):
    assert train_statistical("phrases", [(["a"], ["A"])], []).language_model.order == 3
    orders = (train_statistical("phrases", text[0][:20], [], order=n) for n in (1, 2, 5))
    assert [system.language_model.order for system in orders] == [1, 2, 5]


def test_sentences_of_failure(tmp_path):
    pair = (["a"], ["A"])
    same = [(["a"] * 60, ["b"] * 60)]  # no link is likelier than another
    cases = [
        (("neural", [pair], []), {}, "family is 'neural', expected one of word-for-word, phrases"),
        (("phrases", [], []), {}, "none of 0 training pairs can be used"),
        (("phrases", [([], ["a"])] * 3, []), {}, "none of 3 training pairs can be used"),
        (("phrases", same, []), {}, "1 training pairs teach no translation of any word"),
        (("word-for-word", same, []), {}, "1 training pairs teach no translation of any word"),
        (("phrases", [(["a"], ["<s>"])], []), {}, "every target sentence holds <s> or </s>"),
        (("phrases", [pair], []), {"order": 0}, "the order is 0"),
        (("phrases", [pair], [pair]), {"tuned_on": -1}, "tuned_on is -1"),
    ]
    for arguments, options, sentence in cases:
        with pytest.raises(ValueError, match=sentence) as caught:
            train_statistical(*arguments, **options)
        assert "\n" not in str(caught.value)
    for arguments in (("phrases", [("ab", "AB")], []), ("phrases", [pair], [("ab", "AB")])):
        with pytest.raises(TypeError, match="pair 1 is not"):
            train_statistical(*arguments)


def test_bars_are_shown_where_wanted(capfd, monkeypatch):
    pairs, wanted = [(["我"], ["I"])] * 30, []

    def linked(pairs, **options):
        wanted.append(options["progress"])  # these bars are shown on a terminal only
        return align(pairs, **options)

    monkeypatch.setattr(statistical, "align", linked)
    train_statistical("phrases", pairs, pairs)
    assert capfd.readouterr() == ("", "")
    train_statistical("phrases", pairs, pairs, progress=True)
    assert "tuning, round 0" in capfd.readouterr().err
    assert wanted == [False, True]


def test_no_torch_is_imported():
    # without the package's own file, which is not this one's business
    code = (
        "import sys, types, softalign; package = types.ModuleType('softalign.systems');"
        "package.__path__ = [softalign.__path__[0] + '/systems'];"
        "sys.modules['softalign.systems'] = package;"
        "import softalign.systems.statistical; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --- there and back ---------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_loaded_system_says_the_same_bit_for_bit(family, systems, stored, text):
    ours, loaded = systems[family], load_statistical(stored[family])
    unknown = ("我", "喜欢", "Zürich", "🙂", "。")
    for source in [*(x for x, _ in text[2]), unknown, (), ("Zürich",)]:
        assert loaded.translate(source) == ours.translate(source)
        # words, scores, features and phrases; equal floats are equal bits but for 0 and -0
        assert loaded.n_best(source, 5) == ours.n_best(source, 5)
    assert loaded.translate(()) == []
    assert {"Zürich", "🙂"} <= set(loaded.translate(unknown))
    for name in ("weights", "beam", "threshold", "distortion_limit", "max_options"):
        assert getattr(loaded, name) == getattr(ours, name)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_array_is_what_it_was(family, systems, stored):
    ours, loaded = systems[family], load_statistical(stored[family])
    mine, theirs = ours.table, loaded.table
    assert list(theirs.numbers.items()) == list(mine.numbers.items())
    assert theirs.target_words == mine.target_words
    assert loaded.language_model.words == ours.language_model.words
    assert loaded.language_model.discounts == ours.language_model.discounts
    names = ("tokens", "place", "length", "features", "counts")
    arrays = [(getattr(mine, name), getattr(theirs, name)) for name in names]
    arrays += [
        *zip(mine.keys, theirs.keys, strict=True),
        *zip(mine.first, theirs.first, strict=True),
    ]
    levels = zip(ours.language_model.levels, loaded.language_model.levels, strict=True)
    for one, other in levels:
        arrays += zip(vars(one).values(), vars(other).values(), strict=True)
    for one, other in arrays:
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        assert one.flags.c_contiguous == other.flags.c_contiguous


def test_arpa_would_not_have_been_exact(systems, tmp_path):
    model = systems["phrases"].language_model
    write_arpa(model, tmp_path / "model.arpa")
    rounded = read_arpa(tmp_path / "model.arpa")
    assert model.log_prob("the", ["buys"]) == pytest.approx(rounded.log_prob("the", ["buys"]))
    assert not np.array_equal(model.levels[0].log_probs, rounded.levels[0].log_probs)


def test_settings_without_a_limit_and_any_smoothing(tmp_path):
    table = PhraseTable.from_entries([(["a"], ["A", "B"], [-1.0, -2.0, -0.5, 0.1])])
    for smoothing in ("maximum_likelihood", "add_k", "absolute"):
        model = train([["A", "B"], ["A", "B"], ["A"], ["C"]], 3, smoothing)
        ours = StackDecoder(
            table, model, beam=None, threshold=float("inf"), distortion_limit=None, max_options=3
        )
        save_statistical(ours, tmp_path / smoothing)
        loaded = load_statistical(tmp_path / smoothing)
        assert (loaded.beam, loaded.threshold, loaded.distortion_limit) == (None, np.inf, None)
        assert loaded.max_options == 3
        assert loaded.n_best(["a", "x", "a"], 9) == ours.n_best(["a", "x", "a"], 9)
        assert loaded.language_model.discounts == model.discounts


def test_strange_words_survive():
    words = ("a\nb", "", "\0", " ", "\u2028", "书店", "🙂", "\udcff", "e\u0301", "é")
    assert read_words(pack_words("w", words), "w") == words
    assert read_words(pack_words("w", ()), "w") == ()


def test_numbers_beyond_four_bytes_survive():
    arrays = {"small": np.array([-7, 2**31 - 1]), "large": np.array([0, 2**31]), "none": np.ones(0)}
    found = archives.unpack(archives.pack(arrays))
    assert {name: array.dtype.str for name, array in found.items()} == {
        "small": "<i4",
        "large": "<i8",
        "none": "<f8",
    }
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)


def test_numpy_reads_the_archives_without_pickle(tiny):
    for name in FILES[:2]:
        with np.load(tiny / name, allow_pickle=False) as archive:
            assert all(archive[key].dtype != object for key in archive.files)


# --- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed(folder, name):
    path = folder / name
    whole = path.read_bytes()
    places = range(len(whole)) if name == "decoder.json" else range(0, len(whole), 97)
    for place in [*places, len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        with pytest.raises(FolderError, match=f"^{folder}/{name}: "):
            load_statistical(folder)
    path.write_bytes(whole)
    load_statistical(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_or_lengthened_or_gone_is_named(folder, name):
    path = folder / name
    whole = path.read_bytes()
    for size in (0, 1, 30, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole[:size])
        refused(folder, name)
        if name != "decoder.json":  # the same, by somebody who mends the digests
            mended = (folder / "decoder.json").read_bytes()
            seal(folder)
            refused(folder, name)
            (folder / "decoder.json").write_bytes(mended)
    path.write_bytes(whole + b"more")
    refused(folder, name)
    path.unlink()
    assert "No such file" in refused(folder, name)
    path.mkdir()
    assert "directory" in refused(folder, name)


def test_files_of_two_trainings_do_not_mix(stored, folder):
    for name in FILES[:2]:
        mine = (folder / name).read_bytes()
        shutil.copy(stored["phrases"] / name, folder / name)
        assert "of another training" in refused(folder, name)
        (folder / name).write_bytes(mine)
    load_statistical(folder)


class Payload:
    """What a pickle may do: this one makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", FILES)
def test_a_pickle_is_not_run(folder, tmp_path, name):
    trap = tmp_path / "trap"
    pickle.loads(pickle.dumps(Payload(trap)))
    assert trap.exists()  # the trap works
    trap.unlink()
    (folder / name).write_bytes(pickle.dumps(Payload(trap)))
    if name != "decoder.json":
        seal(folder)
    refused(folder, name)
    assert not trap.exists()


@pytest.mark.parametrize(("name", "array"), [(FILES[0], "counts"), (FILES[1], "log_probs_1")])
def test_an_array_of_pickled_objects_is_not_run(folder, tmp_path, name, array):
    trap = tmp_path / "trap"

    def change(arrays):
        arrays[array] = np.array([Payload(trap)] * len(arrays[array]), dtype=object)

    rewrite(folder / name, change)
    assert "'|O'" in refused(folder, name)
    assert not trap.exists()
    with np.load(folder / name, allow_pickle=True) as archive:
        _ = archive[array]
    assert trap.exists()  # the trap works


def put(name, place, value):
    """Set one number of an array."""

    def change(arrays):
        arrays[name][place] = value

    return change


def take(name, part):
    """Replace an array by a part or a version of itself."""

    def change(arrays):
        arrays[name] = part(arrays[name])

    return change


def lack(name):
    """Leave an array out."""
    return lambda arrays: arrays.pop(name)


def words(name, change):
    """Write other words."""

    def apply(arrays):
        arrays.update(pack_words(name, change(read_words(arrays, name))))

    return apply


def empty_level(arrays):
    """Add a length that no phrase has."""
    arrays["keys_4"], arrays["first_4"] = np.zeros(0, int), np.array([len(arrays["counts"])])


TABLE = {
    "'first_4' does not divide": empty_level,
    "lacks 'tokens'": lack("tokens"),
    "lacks 'source'": lack("source"),
    "lacks 'target_lengths'": lack("target_lengths"),
    "lacks 'keys_1'": lack("keys_1"),
    "lacks 'first_2'": lack("first_2"),
    "the entries are not as many everywhere": take("counts", lambda a: a[:-1]),
    "'keys_1' is out of range": put("keys_1", 0, -1),
    "'keys_2' is out of range": put("keys_2", -1, 10**6),
    "'keys_3' is out of range or does not ascend": take("keys_3", lambda a: a[::-1]),
    "'keys_2' is out of range or does not ascend": put("keys_2", slice(None), 0),
    "'first_1' does not divide": put("first_1", 0, -1),
    "'first_1' does not divide ": put("first_1", 1, 10**6),
    "'first_2' does not divide the": put("first_1", -1, 10**6),
    "'first_2' does not divide": take("first_2", lambda a: np.delete(a, 1)),
    "'first_3' does not divide": take("first_3", lambda a: a + 1),
    "'tokens' names words": put("tokens", 0, -1),
    "'tokens' names words that": put("tokens", -1, 10**6),
    "a target phrase is not inside": put("place", 0, -1),
    "a target phrase is not inside ": put("place", 0, 2**31 - 1),
    "a target phrase is not inside '": put("length", 0, 0),
    "a target phrase is not inside 't": put("length", -1, 10**6),
    "'counts' holds a number below 1": put("counts", 0, 0),
    "'features' holds a number that is not finite": put("features", (0, 1), np.nan),
    "'features' holds a number that is not": put("features", (-1, 3), -np.inf),
    "'features' does not hold fractions of the expected shape": take("features", lambda a: a[:, 1]),
    "'features' does not hold fractions": take("features", lambda a: a[:, :3]),
    "'features' is an array of '<f4'": take("features", lambda a: a.astype(np.float32)),
    "'features' is an array of '<f8', expected": take("features", np.asfortranarray),
    "'place' does not hold whole numbers": take("place", lambda a: a.astype(float)),
    "'length' does not hold whole numbers": take("length", lambda a: a[:, None]),
    "'length' does not hold whole": take("length", lambda a: a[0]),
    "'tokens' is an array of '>i4'": take("tokens", lambda a: a.astype(">i4")),
    "'counts' is an array of '<U1'": take("counts", lambda a: a.astype("<U1")),
    "'source' holds a word twice": words("source", lambda w: (w[1], *w[1:])),
    "'target' holds a word twice": words("target", lambda w: (*w[:-1], w[0])),
    "the lengths of 'source' are not": put("source_lengths", 0, 99),
    "the lengths of 'target' are not": put("target_lengths", slice(0, 2), [-1, 6]),
    "(UnicodeDecodeError)": put("source", 0, 0xFF),
}
MODEL = {
    "lacks 'words'": lack("words"),
    "lacks 'log_probs_2'": lack("log_probs_2"),
    "lacks 'discounts'": lack("discounts"),
    "lacks 'keys_1'": lack("keys_1"),
    "does not begin with the special": words("words", lambda w: (w[1], w[0], *w[2:])),
    "'words' holds a word twice": words("words", lambda w: (*w[:-1], w[3])),
    "the 1-grams are not as many": take("keys_1", lambda a: a[:-1]),
    "the 2-grams are not as many": take("log_probs_2", lambda a: a[:-1]),
    "the 3-grams are not as many": take("log_weights_3", lambda a: a[1:]),
    "'keys_2' is out of range": put("keys_2", 0, -5),
    "'keys_3' is out of range": put("keys_3", -1, 10**9),
    "'keys_2' is out of range or does not ascend": take("keys_2", lambda a: a[::-1]),
    "'log_probs_1' holds what is no prob": put("log_probs_1", 4, np.nan),
    "'log_probs_2' holds what is no prob": put("log_probs_2", 0, np.inf),
    "'log_probs_3' holds what is no prob": put("log_probs_3", 0, 0.01),
    "'log_weights_1' holds what is no w": put("log_weights_1", 0, np.nan),
    "'log_weights_2' holds what is no w": put("log_weights_2", 0, np.inf),
    "'discounts' does not hold": put("discounts", 0, np.nan),
    "'discounts' does not hold three": take("discounts", lambda a: a[1:]),
    "'discounts' does not hold fractions": take("discounts", lambda a: a[:, :2]),
}


@pytest.mark.parametrize(
    ("name", "sentence", "change"),
    [(FILES[0], *case) for case in TABLE.items()] + [(FILES[1], *case) for case in MODEL.items()],
)
def test_arrays_that_no_decoder_can_work_with_are_refused(folder, name, sentence, change):
    rewrite(folder / name, change)
    assert sentence.strip() in refused(folder, name)


def test_the_changes_above_begin_from_a_system_that_loads(folder):
    for name in FILES[:2]:
        rewrite(folder / name, lambda arrays: None)
    assert load_statistical(folder).translate(["书"]) == ["books"]


def header(shape, dtype="<i4", version=(1, 0)):
    """Return what announces an array, without the array."""
    stream = io.BytesIO()
    what = {"descr": dtype, "fortran_order": False, "shape": shape}
    if version == (1, 0):
        np.lib.format.write_array_header_1_0(stream, what)
    else:
        np.lib.format.write_array_header_2_0(stream, what)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (header((10**15,)) + bytes(8), "does not have the size that it announces"),
        (header((-1, -2)) + bytes(8), "does not have the size that it announces"),
        (header((2,)) + bytes(9), "does not have the size that it announces"),
        (header((2,), version=(2, 0)) + bytes(8), "is of another format"),
        (header((2,)).replace(b"(2,)", b"(2,]") + bytes(8), "not a file that can be read"),
        (header((2,)).replace(b"{'d", b"((("), "not a file that can be read"),
        (b"no array", "not a file that can be read"),
        (b"", "not a file that can be read"),
    ],
)
def test_a_part_must_be_what_it_announces(folder, part, sentence):
    path = folder / FILES[0]
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**parts, "tokens.npy": part}.items():
            archive.writestr(name, data)
    seal(folder)
    assert sentence in refused(folder, FILES[0])


def test_a_small_file_does_not_become_a_large_memory(folder):
    path = folder / FILES[0]
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez_compressed(path, **{**arrays, "tokens": np.zeros(10**6, np.int32)})
    seal(folder)
    assert "its parts are larger than the file" in refused(folder, FILES[0])


def test_a_part_that_is_there_twice_is_refused(folder):
    with zipfile.ZipFile(folder / FILES[1], "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("words.npy", header((0,), "|u1"))
    seal(folder)
    assert "holds 'words' twice" in refused(folder, FILES[1])


SETTINGS = {
    "version 2, expected version 1": {"version": 2},
    "version None, expected version 1": {"version": None},
    "does not say that it belongs": {"format": "softalign neural system"},
    "expected exactly the settings": {"colour": 1},
    "expected the digests of phrases.npz and": {"files": []},
    "expected the digests of phrases.npz and language_model.npz": {"files": {"more": "0"}},
    "expected a finite weight for each": {"weights": {"words": 1.0}},
    "expected a finite weight for": {"weights": dict.fromkeys(FEATURES, float("nan"))},
    "expected a finite weight": {"weights": dict.fromkeys(FEATURES, float("inf"))},
    "expected a finite weigh": {"weights": dict.fromkeys(FEATURES, True)},
    "expected a finite weig": {"weights": dict.fromkeys(FEATURES, "1")},
    "expected a finite wei": {"weights": [1.0]},
    "not a file that can be read (OverflowError)": {"weights": dict.fromkeys(FEATURES, 10**400)},
    "beam is 0, expected at least 1": {"beam": 0},
    "beam is 1.5": {"beam": 1.5},
    "distortion_limit is -1, expected at least 0": {"distortion_limit": -1},
    "max_options is None": {"max_options": None},
    "max_options is '20'": {"max_options": "20"},
    "threshold is -0.1": {"threshold": -0.1},
    "threshold is nan": {"threshold": float("nan")},
    "threshold is 'xxxxxxxxxxxxxxxxxxx, expected": {"threshold": "x" * 1000},
}


@pytest.mark.parametrize(("sentence", "change"), SETTINGS.items())
def test_settings_that_no_decoder_can_work_with_are_refused(folder, sentence, change):
    path = folder / "decoder.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    seal(folder)
    assert sentence in refused(folder, "decoder.json")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "does not say"),
        ("[" * 50_000, "RecursionError"),
        ("{}" + " " * 100_000, "larger than 100000 bytes"),
        ("{", "JSONDecodeError"),
        ("\xff", "JSONDecodeError"),
        ('{"format": "softalign statistical system", "version": 1}', "damaged"),
    ],
)
def test_settings_that_are_none_are_refused(folder, text, sentence):
    (folder / "decoder.json").write_text(text)
    assert sentence in refused(folder, "decoder.json")


# --- writing ----------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_system_as_it_was(folder, systems, monkeypatch):
    before, calls = contents(folder), []

    def full(number):
        calls.append(number)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_statistical(systems["phrases"], folder)
    assert len(calls) == 2
    assert contents(folder) == before


def test_an_end_between_two_files_is_noticed(folder, systems, monkeypatch):
    names, real = [], os.replace

    def cut(part, name):
        if names:
            raise KeyboardInterrupt
        names.append(Path(name).name)
        real(part, name)

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        save_statistical(systems["phrases"], folder)
    assert sorted(contents(folder)) == sorted(FILES)  # nothing half-written is left
    refused(folder, names[0])
    monkeypatch.undo()
    save_statistical(systems["phrases"], folder)
    assert load_statistical(folder).weights == systems["phrases"].weights


def test_files_are_on_the_disk_before_they_have_their_names(systems, tmp_path, monkeypatch):
    order = []
    sync, give = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("sync"), sync(number)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(Path(b).name), give(a, b)))
    mask = os.umask(0o027)
    try:
        save_statistical(systems["word-for-word"], tmp_path / "new" / "folder")
    finally:
        os.umask(mask)
    assert order == ["sync"] * 3 + list(FILES) + ["sync"]
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "folder").iterdir()}
    assert modes == {0o640}


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    model = train([["A"]], 2, "add_k")

    def table(value):
        return PhraseTable.from_entries([(["a"], ["A"], [0.0, 0.0, value, 0.0])])

    with pytest.raises(ValueError, match=r"phrases\.npz: 'features' holds a number"):
        save_statistical(StackDecoder(table(-np.inf), model), tmp_path / "a")
    with pytest.raises(ValueError, match="expected a finite weight"):
        save_statistical(StackDecoder(table(0.0), model, {"words": 1.0}), tmp_path / "a")

    class Other:
        order = 1

    assert not isinstance(Other(), NGramModel)
    decoder = StackDecoder(table(0.0), model)
    object.__setattr__(decoder, "language_model", Other())
    with pytest.raises(TypeError, match="the language model is a Other, expected an NGramModel"):
        save_statistical(decoder, tmp_path / "a")
    assert not (tmp_path / "a").exists()
