"""The commands train, translate and ladder: interruptions, damage, bad input, and what they say."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import cache

import pytest
import torch

from softalign.cli import COMMANDS, ladder, learning, main, texts, train
from softalign.corpus import load
from softalign.ladder import read_ladder
from softalign.parallel import DownloadError
from softalign.systems import FAMILIES, Settings, load_system
from softalign.systems import training as systems_training
from softalign.training import fitting

SMALL = ["--width", "32", "--hidden-size", "16", "--batch-size", "16"]


@cache
def lines():
    pairs = load().train[:200]
    return [f"{' '.join(pair.source)}\t{' '.join(pair.target)}" for pair in pairs]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A system that the command has trained, and the pairs it has seen."""
    folder = tmp_path_factory.mktemp("kept")
    path = folder / "corpus.tsv"
    path.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    assert run("train", path, "-o", folder / "system", "--steps", 30, *SMALL) == 0
    return folder / "system"


def run(*arguments):
    return main([str(argument) for argument in arguments])


def started(*arguments, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "softalign", *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, **options)


def wait_for(path, process, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)


def weights(folder):
    return torch.load(folder / "weights.pt", weights_only=True)


def same(one, other):
    """Whether two folders hold the same system, to the last bit."""
    histories = [json.loads((f / "system.json").read_text())["history"] for f in (one, other)]
    for history in histories:
        del history["seconds"]
    first, second = weights(one), weights(other)
    return histories[0] == histories[1] and all(
        torch.equal(first[name], second[name]) for name in first.keys() | second.keys()
    )


# --- help -----------------------------------------------------------------------------------------


def test_the_commands_offer_what_the_library_does():
    assert COMMANDS == ("ladder", "train", "translate", "evaluate", "align")
    assert tuple(FAMILIES) == train.FAMILIES
    parser = __import__("argparse").ArgumentParser()
    learning.add_learning_arguments(parser)
    args, plain = vars(parser.parse_args([])), Settings().as_dict()
    for name in set(args) & set(plain):
        assert args[name] == plain[name], name


@pytest.mark.parametrize("name", ["ladder", "train", "translate"])
def test_help_is_quick_and_has_examples(name):
    code = (
        f"import sys, softalign.cli; softalign.cli.main(['{name}', '--help']);"
        "sys.exit(bool({'numpy', 'jaxtyping', 'tqdm', 'matplotlib', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert f"\nexamples:\n  softalign {name} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--steps", "5", "--budget", "5"], "not allowed with argument"),
        (["--steps", "many"], "'many', expected a whole number of 1 or more"),
        (["--budget", "-1"], "'-1', expected a number above 0"),
        (["--dropout", "1"], "'1', expected a number from 0 to below 1"),
        (["--seed", "x"], "'x', expected a whole number of 0 or more"),
        (["--families", "phrases,rbmt"], "'rbmt', expected some of word-for-word"),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments, said, capsys):
    assert run("ladder", "x.tsv", "-o", "nowhere", *arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


# --- interruptions --------------------------------------------------------------------------------


def test_killed_in_mid_epoch_and_gone_on_ends_with_the_same_numbers(corpus, kept, tmp_path):
    arguments = ["train", corpus, "--steps", 100, "--seed", 3, *SMALL]
    process = started(*arguments, "-o", tmp_path / "killed")
    checkpoint = tmp_path / "killed" / "training.checkpoint"
    wait_for(checkpoint, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    stored = torch.load(checkpoint, weights_only=True)
    done = len(stored["state"]["losses"])
    assert 0 < done < 100
    assert done % 12 != 0  # an epoch has 12 steps: 190 pairs
    assert not (tmp_path / "killed" / "system.json").exists()
    assert run(*arguments, "-o", tmp_path / "killed") == 0
    assert run(*arguments, "-o", tmp_path / "whole") == 0
    assert same(tmp_path / "killed", tmp_path / "whole")
    assert not checkpoint.exists()
    assert not same(tmp_path / "killed", kept)


def test_control_c_says_how_to_go_on(corpus, tmp_path):
    arguments = ["train", corpus, "-o", tmp_path / "s", "--steps", 5000, *SMALL]
    process = started(*arguments)
    wait_for(tmp_path / "s" / "plan.json", process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "softalign train: interrupted; the same command goes on from the last checkpoint in "
        f"{tmp_path / 's'}"
    )
    assert "Traceback" not in err
    assert (tmp_path / "s" / "plan.json").exists()


def test_a_ladder_stopped_after_a_row_goes_on_with_the_next(corpus, tmp_path, monkeypatch, capsys):
    arguments = ["ladder", corpus, "--steps", 20, "--families", "rnn,lstm", *SMALL]
    calls = []

    def stops(folder, settings, *rest, **options):
        calls.append(settings.family)
        if settings.family == "lstm" and len(calls) == 2:
            raise KeyboardInterrupt
        return systems_training.train_system(folder, settings, *rest, **options)

    monkeypatch.setattr("softalign.ladder.running.train_system", stops)
    assert run(*arguments, "-o", tmp_path / "a") == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert [row.family for row in read_ladder(tmp_path / "a" / "ladder.json").rows] == ["rnn"]
    assert run(*arguments, "-o", tmp_path / "a") == 0
    assert calls == ["rnn", "lstm", "lstm"]
    assert "rnn: is there already" in capsys.readouterr().err
    assert run(*arguments, "-o", tmp_path / "b") == 0
    for name in ("rnn", "lstm"):
        assert same(tmp_path / "a" / name, tmp_path / "b" / name)
    tables = [(tmp_path / name / "ladder.json").read_text() for name in "ab"]
    timeless = [re.sub(r'"(train|translate)_seconds": [^,]*|"command": .*', "", t) for t in tables]
    assert timeless[0] == timeless[1]


def test_a_ladder_of_other_text_or_settings_is_refused(corpus, tmp_path, capsys):
    arguments = ["ladder", corpus, "-o", tmp_path / "a", "--families", "word-for-word"]
    assert run(*arguments) == 0
    assert run(*arguments, "--steps", 7) == 1
    assert "begun with steps = None, here it is 7" in capsys.readouterr().err
    corpus.write_text("\n".join(lines()[:150]) + "\n", encoding="utf-8")
    assert run(*arguments) == 1
    assert "begun with other text" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(corpus, tmp_path, monkeypatch, capsys):
    arguments = ["train", corpus, "-o", tmp_path / "s", "--steps", 20, *SMALL]

    def stops(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("softalign.systems.training._write", stops)
        assert run(*arguments) == 130
    checkpoint = tmp_path / "s" / "training.checkpoint"
    content = checkpoint.read_bytes()
    capsys.readouterr()
    for damaged in (content[: len(content) // 2], b"", b"not a checkpoint"):
        checkpoint.write_bytes(damaged)
        assert run(*arguments) == 1
        err = capsys.readouterr().err.splitlines()[-1]
        assert err.startswith(f"softalign train: {checkpoint} is not a checkpoint that can be read")
        assert checkpoint.read_bytes() == damaged
    checkpoint.write_bytes(content)
    assert run(*arguments) == 0


# --- the machine gives out ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(28, "No space left on device", "s/training.checkpoint"), "No space left"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), "disk is full"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "not enough memory",
        ),
        (MemoryError(), "not enough memory"),
    ],
)
def test_a_machine_that_gives_out_loses_nothing(
    problem, said, corpus, tmp_path, monkeypatch, capsys
):
    arguments = ["train", corpus, "-o", tmp_path / "s", "--steps", 20, *SMALL]
    write, calls = fitting.checkpoints.write, []

    def fails(*args):
        calls.append(args)
        if len(calls) == 3:
            raise problem
        write(*args)

    with monkeypatch.context() as patch:
        patch.setattr(fitting.checkpoints, "write", fails)
        assert run(*arguments) == 1
    err = capsys.readouterr().err.splitlines()[-1]
    assert said in err
    stored = torch.load(tmp_path / "s" / "training.checkpoint", weights_only=True)
    assert len(stored["state"]["losses"]) == 4
    assert run(*arguments) == 0


# --- bad input ------------------------------------------------------------------------------------


def test_every_bad_line_is_counted_with_its_reason(tmp_path, capsys):
    bad = {
        b"": "empty line",
        b"no tab here": "no tab",
        b"\tonly target": "empty source",
        "ja\tnaïve".encode("latin-1"): "not UTF-8",
        b"ja\t" + b"yes " * 10_000: "longer than 100 words",
        b"ja\tyes </s>": "contains <s>",
    }
    good = [line.encode() for line in lines()]
    path = tmp_path / "mixed.tsv"
    path.write_bytes(b"\n".join([*good[:100], *bad, *good[100:]]) + b"\n")
    assert run("train", path, "-o", tmp_path / "s", "--family", "word-for-word") == 0
    err = capsys.readouterr().err
    for reason in bad.values():
        assert f"1 x {reason}" in err
    assert "190 pairs to train on, 10 to validate with" in err
    assert run("train", path, "-o", tmp_path / "t", "--strict") == 1
    assert capsys.readouterr().err == f"softalign train: {path}, line 101: empty line\n"
    assert not (tmp_path / "t").exists()


def test_a_truncated_gzip_file(tmp_path, capsys):
    path = tmp_path / "corpus.tsv.gz"
    whole = gzip.compress("\n".join(lines()).encode())
    path.write_bytes(whole[: len(whole) // 2])
    assert run("train", path, "-o", tmp_path / "s") == 1
    err = capsys.readouterr().err
    assert err.startswith(f"softalign train: {path}: ")
    assert "expected a whole gzip file" in err
    assert not (tmp_path / "s").exists()


def test_files_of_unequal_length(tmp_path, capsys):
    (tmp_path / "de").write_text("eins\nzwei\n")
    (tmp_path / "en").write_text("one\n")
    assert run("train", tmp_path / "de", tmp_path / "en", "-o", tmp_path / "s") == 1
    assert "de has 2 lines but" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [("eins\tone\n" * 3, "different pair"), ("\n\n", "not one of 2 lines gives a pair")],
)
def test_too_little_text(text, said, tmp_path, capsys):
    (tmp_path / "few.tsv").write_text(text)
    assert run("ladder", tmp_path / "few.tsv", "-o", tmp_path / "s") == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_folders_that_hold_other_things_are_left_alone(corpus, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("dear diary")
    for command in ("train", "ladder"):
        assert run(command, corpus, "-o", tmp_path / "full") == 1
        assert "holds other things" in capsys.readouterr().err
        assert run(command, corpus, "-o", corpus) == 1
        assert "this is a file, expected a folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["diary.txt"]


def test_a_device_that_is_not_there(corpus, kept, tmp_path, capsys):
    assert run("train", corpus, "-o", tmp_path / "s", "--device", "cuda:77") == 1
    assert "no device 'cuda:77'" in capsys.readouterr().err
    assert run("translate", kept, corpus, "--device", "cuda:77") == 2
    assert "no device 'cuda:77'" in capsys.readouterr().err


# --- translating ----------------------------------------------------------------------------------


def test_each_line_gets_its_translation(kept, tmp_path, capsysbinary):
    path = tmp_path / "in.txt"
    first = lines()[0].split("\t")[0]
    long = "我 " * 10_000
    path.write_bytes(f"{first}\n\n未知 词\n{long}\n".encode() + b"\xff\n" + first.encode())
    assert run("translate", kept, path, "--words") == 0
    out, err = (part.decode() for part in capsysbinary.readouterr())
    system = load_system(kept)
    expected = [" ".join(o.words) for o in system.translate([first, "", "未知 词"])]
    assert out.split("\n") == [*expected, "", "", expected[0], ""]
    assert "1 lines with words that the system has never seen" in err
    assert "1 lines not translated: longer than 500 words" in err
    assert "1 lines not translated: not UTF-8" in err
    assert run("translate", kept, path, "--strict") == 1
    assert b"line 4: longer than 500 words" in capsysbinary.readouterr().err


def test_an_output_that_exists_is_kept(kept, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("我\n")
    (tmp_path / "out.txt").write_text("mine")
    arguments = ["translate", kept, tmp_path / "in.txt", "-o", tmp_path / "out.txt"]
    assert run(*arguments) == 1
    assert "this file exists, and --force was not given" in capsys.readouterr().err
    assert (tmp_path / "out.txt").read_text() == "mine"
    assert run(*arguments, "--force", "-q") == 0
    assert (tmp_path / "out.txt").read_text() != "mine"


def test_a_pipe_is_translated(kept):
    process = started("translate", kept, "-q", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, err = process.communicate("我\n\n", timeout=120)
    assert (process.returncode, err) == (0, "")
    assert out.count("\n") == 2


def test_a_system_that_is_damaged_or_none(kept, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("我\n")
    assert run("translate", tmp_path / "nowhere", tmp_path / "in.txt") == 1
    assert "there is no such folder" in capsys.readouterr().err
    shutil.copytree(kept, tmp_path / "copy")
    content = (tmp_path / "copy" / "weights.pt").read_bytes()
    (tmp_path / "copy" / "weights.pt").write_bytes(content[:-9])
    assert run("translate", tmp_path / "copy", tmp_path / "in.txt") == 1
    assert "weights.pt: damaged" in capsys.readouterr().err


# --- scoring a system -----------------------------------------------------------------------------


def test_a_system_is_scored_as_its_translations_are(kept, tmp_path, capsys):
    sides = list(zip(*(line.split("\t") for line in lines()[:60]), strict=True))
    for name, side in zip(("src", "ref"), sides, strict=True):
        (tmp_path / name).write_text("\n".join(side) + "\n", encoding="utf-8")
    files = ["--sources", tmp_path / "src", "--references", tmp_path / "ref"]
    assert run("evaluate", "--system", kept, *files, "--json", "--beam", 2) == 0
    scores = json.loads(capsys.readouterr().out)
    assert run("translate", kept, tmp_path / "src", "--beam", 2, "-q", "-o", tmp_path / "hyp") == 0
    assert run("evaluate", "--hypotheses", tmp_path / "hyp", *files[2:], "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert scores["scores"] == again["scores"]
    assert {"BLEU", "chrF"} <= set(scores["scores"])
    assert run("evaluate", "--system", kept, *files, "--json", "--beam", 1) == 0
    assert json.loads(capsys.readouterr().out)["scores"] != again["scores"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "--system was given, expected --sources, too"),
        (["--sources", "x"], "--system was given, expected --references, too"),
        (["--hypotheses", "x"], "--system and --hypotheses were given"),
        (["--tokens", "char"], "--system and --tokens were given"),
    ],
)
def test_a_system_and_what_does_not_go_with_it(more, said, capsys):
    assert run("evaluate", "--system", "mine", *more) == 2
    assert said in capsys.readouterr().err
    assert run("evaluate", "--beam", 3) == 2
    assert "--beam was given, expected --system, too" in capsys.readouterr().err


def test_a_folder_that_is_no_system_cannot_be_scored(tmp_path, capsys):
    files = ["--sources", tmp_path / "src", "--references", tmp_path / "ref"]
    assert run("evaluate", "--system", tmp_path / "none", *files) == 1
    assert "there is no such folder" in capsys.readouterr().err


# --- examples ------------------------------------------------------------------------------------


def test_the_epilogues_examples_are_understood():
    for module in (train, ladder):
        parser = __import__("argparse").ArgumentParser()
        module.add_arguments(parser)
        text = module.EPILOGUE.replace("\\\n", " ")
        examples = re.findall(r"softalign (?:train|ladder) (.*)", text)
        assert len(examples) >= 4
        for example in examples:
            assert parser.parse_args(example.split()).output == "mine"


# --- the text -------------------------------------------------------------------------------------


def texts_of(*arguments):
    parser = __import__("argparse").ArgumentParser()
    ladder.add_arguments(parser)
    args = parser.parse_args([*map(str, arguments), "-o", "mine"])
    return texts.read_texts(args, test=True, progress=False)


def test_corpora_are_known_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("softalign.parallel.download", lambda name: tmp_path)
    for stem, first in (("train", 0), ("val", 40), ("test_2016_flickr", 60)):
        for side in ("de", "en"):
            some = [f"{side}{number} ." for number in range(first, first + 20)]
            file = tmp_path / f"{stem}.lc.norm.tok.{side}"
            file.write_text("\n".join([*some, f"the {side} same"]) + "\n")
    found = texts_of("multi30k")
    assert found.test == [((f"de{n}", "."), (f"en{n}", ".")) for n in range(60, 80)] + [
        (("the", "de", "same"), ("the", "en", "same"))
    ]
    assert len(found.validation) == 21
    assert len(found.train) == 20  # without the one that is in the test, too
    assert found.left_out == {"has a sentence of the validation or test pairs": 1}
    tatoeba = [f"It's {number}.\t这是{number}。\tCC-BY someone" for number in range(40)]
    (tmp_path / "cmn.txt").write_text("\n".join(tatoeba) + "\n", encoding="utf-8")
    found = texts_of("tatoeba")
    pairs = [*found.train, *found.validation, *found.test]
    assert (("这", "是", "7", "。"), ("It's", "7", ".")) in pairs
    assert (len(found.train), len(found.validation), len(found.test)) == (36, 2, 2)


def test_no_network_says_what_to_do(monkeypatch, capsys):
    def nothing(name):
        raise DownloadError("cannot reach the server: put train.de into the cache")

    monkeypatch.setattr("softalign.parallel.download", nothing)
    assert run("ladder", "multi30k", "-o", "nowhere") == 1
    assert "cannot reach the server" in capsys.readouterr().err


def test_drawn_parts_share_no_sentence(tmp_path):
    rows = [f"a{k // 2}\tb{k}" for k in range(180)]
    (tmp_path / "c.tsv").write_text("\n".join(rows) + "\n")
    found = texts_of(tmp_path / "c.tsv", "--validation-size", 5, "--test-size", 5)
    parts = (found.train, found.validation, found.test)
    for side in (0, 1):
        seen = [{pair[side] for pair in part} for part in parts]
        assert sum(map(len, seen)) == len(set.union(*seen))
    swapped = texts_of(tmp_path / "c.tsv", "--swap", "--validation-size", 5, "--test-size", 5)
    assert all(pair[0][0].startswith("b") for pair in swapped.train)
    assert (found.left_out, found.tokens) == ({}, ("space", "space"))


def test_chinese_without_spaces_is_remarked_and_can_be_cut(tmp_path):
    rows = [f"我们今天看了{k}本书。\twe read {k} books ." for k in range(1, 41)]
    (tmp_path / "c.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    plain = texts_of(tmp_path / "c.tsv")
    assert any("consider --src-tokens char" in sentence for sentence in plain.sentences)
    cut = texts_of(tmp_path / "c.tsv", "--src-tokens", "char")
    assert cut.sentences == []
    assert {len(source) for source, _ in cut.train} == {10}
