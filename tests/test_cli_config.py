"""The option --config of every command: a file of options, judged by the command's own parser."""

from __future__ import annotations

import argparse
import os

import pytest

from softalign.cli import COMMANDS, align, main
from softalign.cli.config import LARGEST_CONFIG, use_config
from softalign.cli.messages import CommandError


def whole(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number of 0 or more")
    return int(text)


def commands():
    """Two commands with options of every kind."""
    train, score = argparse.ArgumentParser(), argparse.ArgumentParser()
    train.add_argument("files", nargs="+")
    budget = train.add_mutually_exclusive_group(required=True)
    budget.add_argument("-s", "--steps", type=whole)
    budget.add_argument("--budget", type=float)
    train.add_argument("--src-tokens", choices=("space", "char"), default="space")
    train.add_argument("--lower", action="store_true")
    train.add_argument("--verbose", "-v", action="count")
    train.add_argument("--only", action="append")
    train.add_argument("--sizes", nargs=2, type=int, default=[1, 1])
    train.add_argument("--test", nargs="*")
    train.add_argument("-o", "--output", required=True)
    score.add_argument("system")
    score.add_argument("--references", nargs="+")
    for parser in (train, score):
        parser.add_argument("--config")
    return {"train": train, "score": score}


def read(content, *arguments, command="train", tmp_path=None, name="run.toml"):
    """The arguments of a command, with a file of options."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    parsers = commands()
    line = [command, "--config", str(path), *arguments]
    use_config(parsers, line)
    return parsers[command].parse_args(line[1:])


FULL = """\
files = ["corpus.tsv", "more.tsv"]
steps = 2_000
src_tokens = "char"
lower = true
verbose = false
output = 5
"""


def test_a_file_says_what_the_command_line_would(tmp_path):
    args = read(FULL, tmp_path=tmp_path)
    line = "corpus.tsv more.tsv --steps 2000 --src-tokens char --lower -o 5"
    alone = commands()["train"].parse_args(line.split())
    assert vars(args) | {"config": None} == vars(alone)


def test_the_command_line_wins(tmp_path):
    line = "other.tsv --steps=7 --src-tokens space -oout --only z --sizes 8 9"
    args = read(FULL + 'only = ["a"]\nsizes = [2, 3]', *line.split(), tmp_path=tmp_path)
    assert (args.files, args.steps, args.src_tokens) == (["other.tsv"], 7, "space")
    assert (args.output, args.only, args.sizes) == ("out", ["z"], [8, 9])
    assert args.lower  # what the command line does not mention stays


@pytest.mark.parametrize("order", [["other.tsv", "--steps", "7"], ["--steps", "7", "other.tsv"]])
def test_files_of_the_command_line_win_wherever_they_stand(order, tmp_path):
    assert read(FULL, *order, tmp_path=tmp_path).files == ["other.tsv"]


@pytest.mark.parametrize("line", [["--budget", "60"], ["--budget=60"]])
def test_what_excludes_a_key_on_the_command_line_wins_over_it(line, tmp_path):
    args = read(FULL, *line, tmp_path=tmp_path)
    assert (args.steps, args.budget) == (None, 60)
    assert read(FULL.replace("steps", "budget"), "-s3", tmp_path=tmp_path).budget is None


def test_arrays_numbers_and_single_values(tmp_path):
    more = 'only = ["a", "b"]\nsizes = [2, 3]\ntest = []\n'
    args = read(FULL + more, tmp_path=tmp_path)
    assert (args.only, args.sizes, args.test) == (["a", "b"], [2, 3], [])
    args = read(FULL + 'only = "a"\ntest = "-"', tmp_path=tmp_path)
    assert (args.only, args.test) == (["a"], ["-"])
    args = read('system = "folder"\nreferences = "--odd"', command="score", tmp_path=tmp_path)
    assert (args.system, args.references) == ("folder", ["--odd"])


def test_one_file_serves_several_commands(tmp_path):
    content = 'output = "a"\nlower = true\n[score]\nnonsense = 1\n[train]\nfiles = "f"\nsteps = 3\n'
    content += 'output = "b"\nlower = false\n'
    args = read(content, tmp_path=tmp_path)
    assert (args.output, args.steps, args.lower) == ("b", 3, False)


def test_a_mark_and_windows_line_ends_change_nothing(tmp_path):
    windows = b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()
    assert vars(read(windows, tmp_path=tmp_path)) == vars(read(FULL, tmp_path=tmp_path))


# each replaces or follows the good lines, and what is said about it
WRONG = {
    "steps = 'many'": "steps: 'many', expected a whole number of 0 or more",
    "steps = -1": "steps: '-1', expected a whole number of 0 or more",
    "steps = 1e3": "steps: '1000.0', expected a whole number of 0 or more",
    "steps = true": "steps: true, expected a number or text in quotes",
    "steps = [1]": "steps: an array, expected a number or text in quotes",
    "steps = {a = 1}": "[steps]: unknown table, the nearest known one is [score]",
    "steps = 2026-11-28": "steps: the date or time 2026-11-28, expected a number or text in quotes",
    "budget = 'x'": "budget: invalid float value: 'x'",
    "src-tokens = 'bpe'": "src-tokens: 'bpe', expected one of space, char",
    "src_tokens = 'bpe'": "src_tokens: 'bpe', expected one of space, char",
    "lower = 1": "lower: 1, expected true or false",
    "lower = 'yes'": "lower: 'yes', expected true or false",
    "lower = []": "lower: an array, expected true or false",
    "sizes = [1]": "sizes: 1 values, expected 2",
    "sizes = [1, [2]]": "sizes: an array, expected a number or text in quotes",
    "sizes = [1, 'x']": "sizes: invalid int value: 'x'",
    "files = []": "files: an empty array, expected a value",
    "files = ['a\\u0000']".replace("'", '"'): "files: 'a\\x00', expected text without NUL",
    "stepz = 1": "stepz: unknown key, the nearest known one is steps",
    "--steps = 1": "--steps: unknown key, the nearest known one is steps",
    "srctokens = 'char'": "srctokens: unknown key, the nearest known one is src-tokens",
    "config = 'other.toml'": "config: not allowed in a file",
    "help = true": "help: not allowed in a file",
    "system = 'a'": "system: an option of score, not of train, expected under [score]",
    "train = 1": "train: expected a table [train]",
    "[[train]]\nsteps = 1": "train: expected a table [train]",
    "[trian]\nsteps = 1": "[trian]: unknown table, the nearest known one is [train]",
    "[train]\nstepz = 1": "[train] stepz: unknown key, the nearest known one is steps",
    "[train]\nsteps = 'x'": "[train] steps: 'x', expected a whole number of 0 or more",
    "[train.model]\nsteps = 1": "[train] model: unknown key, the nearest known one is only",
    "src-tokens = 'char'\nsrc_tokens = 'char'": "src_tokens: given twice, also as src-tokens",
    "budget = 2.5\nsteps = 1": "not allowed beside",
}


@pytest.mark.parametrize(("content", "said"), WRONG.items(), ids=WRONG)
def test_a_wrong_key_or_value_is_named_with_its_file(content, said, tmp_path):
    with pytest.raises(CommandError) as caught:
        read(content, "f", "--output", "o", tmp_path=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'run.toml'}: {said}"[:-1]) or (
        said == "not allowed beside" and said in str(caught.value)
    )
    assert said in str(caught.value)
    assert caught.value.status == 2


def test_a_wrong_value_is_told_even_if_the_command_line_wins(tmp_path):
    with pytest.raises(CommandError, match=r"run\.toml: steps: 'many'"):
        read("steps = 'many'", "f", "--steps", "3", "-o", "o", tmp_path=tmp_path)


# content, and what is said behind the name of the file
BROKEN = {
    "steps = 1\nsteps\n": ", line 2: expected '=' after a key in a key/value pair",
    "steps = 1\nsteps = 2\n": ", line 2: cannot overwrite a value",
    "steps = \n": ", line 1: invalid value",
    'a = 1\n\nb = "x': ", line 3: ",
    "a = [1,\n": ", line 1: ",
    "steps = " + 5000 * "1": ": exceeds the limit",
    "a = " + 5000 * "[": ": arrays or tables too deep in each other",
    b"a = 1\nb = '\xff'\n": ", line 2: not UTF-8",
    "steps = 1\n".encode("utf-16"): ", line 1: not UTF-8",
    b"#" * (LARGEST_CONFIG + 1): f": larger than {LARGEST_CONFIG:,} bytes, expected options",
}


@pytest.mark.parametrize(("content", "said"), BROKEN.items(), ids=[*map(str, range(len(BROKEN)))])
def test_a_broken_file_is_told_with_line_and_reason(content, said, tmp_path):
    with pytest.raises(CommandError) as caught:
        read(content, "f", tmp_path=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'run.toml'}{said}")
    assert "\n" not in str(caught.value)
    assert caught.value.status == 1


def test_the_largest_file_is_read(tmp_path):
    content = FULL.encode()
    content += b"#" * (LARGEST_CONFIG - len(content))
    assert read(content, tmp_path=tmp_path).steps == 2000


# ------------------------------------------------------------------------------ the real commands


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "this is a folder, expected a file"),
        (lambda path: path.write_bytes(b"a = 1\n\xe4 = 2"), ", line 2: not UTF-8"),
        (lambda path: path.write_text("zzz = 1"), ": zzz: unknown key, the nearest known one is "),
        (lambda path: path.write_text("zzz"), ", line 1: expected '='"),
    ],
    ids=["missing", "folder", "encoding", "key", "syntax"],
)
def test_every_command_says_in_one_sentence_what_is_wrong(command, make, said, tmp_path, capsys):
    path = tmp_path / "run.toml"
    make(path)
    status = main([command, "--config", str(path)])
    out, err = capsys.readouterr()
    assert status == (2 if "unknown key" in said else 1)
    assert out == ""
    assert err.startswith(f"softalign {command}: {path}")
    assert said in err
    assert err.count("\n") == 1


def test_a_file_alone_is_enough(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    # paths are relative to the current folder, not to that of the file
    (tmp_path / "corpus.tsv").write_text("a b\tA B\n" * 4 + "b\tB\n")
    run = folder / "run.toml"
    run.write_text(
        'files = ["corpus.tsv"]\n[align]\nmodel = "ibm1"\nsymmetrise = "union"\n'
        'output = "links.txt"\nquiet = true\n[evaluate]\nlinks = "links.txt"\n'
    )
    assert main(["align", "--config", str(run)]) == 0
    links = (tmp_path / "links.txt").read_text()
    arguments = ["align", "corpus.tsv", "--model", "ibm1", "--symmetrise", "union"]
    assert main(arguments) == 0
    assert capsysbinary.readouterr().out.decode() == links
    assert main(["align", "--config", str(run), "--output", "other.txt", "corpus.tsv"]) == 0
    assert (tmp_path / "other.txt").read_text() == links


def test_a_switch_of_the_file_is_as_one_of_the_command_line(tmp_path, capsys):
    corpus, links, run = tmp_path / "corpus.tsv", tmp_path / "links", tmp_path / "run.toml"
    corpus.write_text("a\tA\nno tab\n")
    links.write_text("precious")
    for force in ("false", "true"):
        run.write_text(f"force = {force}\nmodel = 'ibm1'")
        line = ["align", str(corpus), "--config", str(run), "--output", str(links)]
        assert main(line) == (1 if force == "false" else 0)
        assert (links.read_text() == "precious") == (force == "false")


def test_without_the_option_or_asked_for_help_no_file_is_read(tmp_path, capsys):
    missing = str(tmp_path / "missing.toml")
    assert main(["align", "--config", missing, "--help"]) == 0
    assert main(["align", "--", "--config", missing]) == 1  # a file of this name
    assert "--config: there is no such file" in capsys.readouterr().err
    assert main(["align", "x.tsv", "--config"]) == 2
    assert "--config: expected one argument" in capsys.readouterr().err
    assert main(["align", "--config", missing, f"--config={os.devnull}"]) == 2  # the last one
    assert "required: FILE" in capsys.readouterr().err


def test_the_help_shows_a_file_that_works(tmp_path, monkeypatch, capsysbinary):
    assert main(["--help"]) == 0
    text = capsysbinary.readouterr().out.decode()
    (example,) = [part for part in text.split("\n\n") if part.startswith("Every command takes")]
    lines = [line for line in example.splitlines() if line.startswith("  ")]
    assert any("[align]" in line for line in lines)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text("\n".join(lines))
    (tmp_path / "corpus.tsv.gz").write_bytes("A b\t我們\nb\t們\n".encode())
    seen = {}
    monkeypatch.setattr(align, "run", lambda args: seen.update(vars(args)))
    assert main(["align", "--config", "run.toml"]) == 0
    assert seen["files"] == ["corpus.tsv.gz"]
    assert (seen["lower"], seen["model"], seen["tgt_tokens"]) == (True, "hmm", "char")
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        said = " ".join(capsysbinary.readouterr().out.decode().split())
        assert "paths in it are relative to the current folder" in said
