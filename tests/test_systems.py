"""Systems of every family: cutting, training, keeping in a folder, reading without risk."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.corpus import load
from softalign.systems import (
    FAMILIES,
    NEURAL,
    FolderError,
    Segmenter,
    Settings,
    load_system,
    train_system,
)
from softalign.systems import neural as neural_part
from softalign.systems.families import Shape, as_large_as, build, parameters
from softalign.systems.folder import read_weights
from softalign.systems.segmentation import choose_subwords
from softalign.text import Vocabulary

LAW = settings(derandomize=True, deadline=None, max_examples=80)
WORD = st.text("abcxyzéß中国人的，。ＡＢ０'-<>/&\U0001f600", min_size=1, max_size=6)
SMALL = {"width": 32, "hidden_size": 16, "steps": 30, "batch_size": 16, "dropout": 0.1}


@cache
def pairs():
    data = load()
    return [(pair.source, pair.target) for pair in data.train[:160]]


@cache
def english():
    """Pairs whose sides are both English: few characters, many words."""
    return [(target, target[::-1]) for _, target in pairs()]


def made(folder, family="attention", **options):
    some = {**SMALL, **options} if family in NEURAL else options
    return train_system(folder, Settings(family, **some), *parts(family))


def parts(family="attention"):
    """Pairs to train on and pairs to validate with; a statistical system is tuned on the latter."""
    return pairs()[:130], pairs()[130 : 160 if family in NEURAL else 136]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A trained system with subwords, and its folder."""
    folder = tmp_path_factory.mktemp("kept") / "system"
    settings = Settings("attention", **SMALL, subwords=120)
    return train_system(folder, settings, english()[:130], english()[130:]), folder


@pytest.fixture
def copy(kept, tmp_path):
    shutil.copytree(kept[1], tmp_path / "copy")
    return tmp_path / "copy"


# --- cutting --------------------------------------------------------------------------------------


@cache
def learnt():
    return Segmenter().learn([target for _, target in pairs()], 120)


@LAW
@given(words=st.lists(WORD, max_size=8))
def test_what_is_cut_comes_back(words):
    for side in (Segmenter(), learnt()):
        assert side.words(side.pieces(words)) == words


def test_subwords_are_pieces_of_frequent_words_and_not_of_rare_ones():
    side = Segmenter().learn([["low"] * 20, ["lower"] * 9, ["newest"] * 12, ["widest"] * 3], 20)
    assert side.pieces(["low"]) == ["\u2581low"]
    assert len(side.pieces(["widow"])) > 2
    assert side.words(side.pieces(["widow", "low"])) == ["widow", "low"]


def test_the_same_text_gives_the_same_subwords():
    assert Segmenter().learn([target for _, target in pairs()], 120) == learnt()


@pytest.mark.parametrize(("size", "said"), [(3, "expected more"), (90_000, "expected fewer")])
def test_a_number_of_subwords_that_cannot_be(size, said):
    with pytest.raises(ValueError, match=said):
        Segmenter().learn([["low"] * 20, ["lower"] * 9], size)


def test_full_width_letters_and_case_stay_as_they_are():
    side = Segmenter("char").learn([["ＡＢ", "Ab", "，"]] * 9, 12)
    assert side.words(side.pieces(["ＡＢ", "Ab", "，"])) == ["ＡＢ", "Ab", "，"]
    assert Segmenter("space", lower=True).split("Ab \u2581c") == ["ab", "_c"]
    assert (choose_subwords(6000), choose_subwords(6001)) == (0, 4000)


# --- families -------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", NEURAL)
def test_families_get_as_many_parameters(family):
    known = Vocabulary.from_training([[f"w{k}" for k in range(500)]])
    sides = known, known
    wanted = parameters("transformer", sides, Shape(64, 256))
    hidden = 256 if family == "transformer" else as_large_as(family, sides, 64, wanted)
    model = build(family, sides, Shape(64, hidden), seed=0)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == parameters(family, sides, Shape(64, hidden))
    assert abs(count / wanted - 1) < 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"family": "rbmt"}, "no family 'rbmt'"),
        ({"steps": 5, "budget": 5.0}, "expected one of them"),
        ({"steps": 0}, "steps is 0"),
        ({"budget": float("inf")}, "budget is inf"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"subwords": -1}, "subwords is -1"),
    ],
)
def test_settings_that_cannot_be(options, said):
    with pytest.raises(ValueError, match=said):
        Settings(**options)
    with pytest.raises(ValueError, match="no setting 'colour'"):
        Settings.from_dict({"colour": 1})


def test_a_width_that_no_head_fits():
    known = Vocabulary.from_training([["a"]])
    with pytest.raises(ValueError, match="multiple of 32"):
        build("transformer", (known, known), Shape(40, 16), seed=0)


# --- training and keeping -------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_system_is_read_as_it_was_written(family, tmp_path):
    system = made(tmp_path / "s", family)
    again = load_system(tmp_path / "s")
    sentences = [source for source, _ in pairs()[:10]] + [(), ("未知", "忙")]
    ours, theirs = (each.translate_words(sentences) for each in (system, again))
    assert ours == theirs
    assert ours[-2].words == []
    assert "未知" in ours[-1].unknown
    assert ours[0].unknown == ()
    assert any(output.words for output in ours)
    assert again.settings == system.settings
    assert again.parameters == system.parameters > 0


def test_training_learns(kept):
    history = kept[0].history
    assert history["losses"][-1] < 0.95 * history["losses"][0]
    values = [value for _, value in history["validations"]]
    assert min(values) == dict(map(tuple, history["validations"]))[history["best_step"]]


def test_a_finished_training_is_read_and_not_repeated(kept, monkeypatch):
    monkeypatch.setattr(neural_part, "fit_system", None)
    system, folder = kept
    again = train_system(folder, system.settings, english()[:130], english()[130:])
    assert again.history == system.history


def test_other_text_or_settings_do_not_go_into_the_folder(copy, kept):
    settings = kept[0].settings
    with pytest.raises(FolderError, match="begun with seed = 0, here it is 1"):
        train_system(copy, Settings(**settings.as_dict() | {"seed": 1}), *[english()] * 2)
    with pytest.raises(FolderError, match="other text"):
        train_system(copy, settings, english()[:129], english()[130:])


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(FolderError, match="holds other things"):
        made(tmp_path)
    with pytest.raises(FolderError, match=r"diary.txt: this is a file"):
        made(tmp_path / "diary.txt")
    assert (tmp_path / "diary.txt").read_text() == "dear diary"


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(ValueError, match="0 pairs to train on and 160"):
        train_system(tmp_path / "s", Settings(), [], pairs())


def test_a_budget_becomes_steps_before_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(neural_part, "_seconds_of_a_step", lambda *_: 0.5)
    made(tmp_path / "s", "rnn", steps=None, budget=10.0)
    plan = json.loads((tmp_path / "s" / "plan.json").read_text())
    assert plan["plan"]["steps"] == 18  # nine tenths of ten seconds
    monkeypatch.undo()
    assert 1 <= len(made(tmp_path / "t", "rnn", steps=None, budget=0.2).history["losses"]) < 400


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["weights.pt", "source.vocab", "target.vocab", "source.subwords", "target.subwords"]
)
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_damaged_file_is_named(name, how, copy):
    file = copy / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(content if how == "flipped" else content[: len(content) // 2])
    with pytest.raises(FolderError, match=f"{name}: .*(damaged|missing)"):
        load_system(copy)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "another format"),
        ('{"format": 99}', "another format"),
        ('{"format": 1}', "no files are named"),
        ('{"format": 1, "files": {"../../etc/passwd": "0"}}', "not the name of a file"),
        ('{"format": 1, "files": {}, "settings": {"colour": 1}}', "colour"),
        ('{"format": 1, "files": {}}', "'settings' is missing"),
    ],
)
def test_a_seal_that_cannot_be_read(content, said, copy):
    (copy / "system.json").write_text(content)
    with pytest.raises(FolderError, match=said):
        load_system(copy)


def test_what_is_no_system(tmp_path, copy):
    with pytest.raises(FolderError, match="no such folder"):
        load_system(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="no system"):
        load_system(tmp_path / "empty")
    (copy / "system.json").unlink()
    with pytest.raises(FolderError, match="has not ended"):
        load_system(copy)


class Hostile:
    """A pickle that makes a file when it is read by what runs pickles."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_weights_run_nothing(tmp_path):
    trap = tmp_path / "sprung"
    content = io.BytesIO()
    torch.save({"weight": Hostile(trap)}, content)
    with pytest.raises(FolderError, match="not weights"):
        read_weights(tmp_path / "weights.pt", content.getvalue())
    assert not trap.exists()
    pickle.loads(pickle.dumps(Hostile(trap)))  # the trap works
    assert trap.exists()
    for other in ([1], {"weight": "text"}):
        content = io.BytesIO()
        torch.save(other, content)
        with pytest.raises(FolderError, match="expected names and tensors"):
            read_weights(tmp_path / "weights.pt", content.getvalue())


def test_files_of_different_systems_do_not_fit(copy, tmp_path):
    made(tmp_path / "other", hidden_size=8)
    about = json.loads((copy / "system.json").read_text())
    (copy / "weights.pt").write_bytes((tmp_path / "other" / "weights.pt").read_bytes())
    from softalign.systems.folder import digest_of

    about["files"]["weights.pt"] = digest_of((copy / "weights.pt").read_bytes())
    (copy / "system.json").write_text(json.dumps(about))
    with pytest.raises(FolderError, match="do not fit together"):
        load_system(copy)
