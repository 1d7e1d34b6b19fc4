"""The command softalign: the installed program in processes of its own, and its reader."""

from __future__ import annotations

import gzip
import inspect
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import sysconfig
import termios
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import softalign
from softalign import aligner
from softalign.cli import COMMANDS, align, main
from softalign.cli.messages import CommandError
from softalign.cli.reading import LONGEST_LINE, read_rows
from softalign.cli.writing import check_output, write_lines
from softalign.symmetrise import METHODS
from softalign.text import tokenise

LAW = settings(derandomize=True, deadline=None, max_examples=200)
PROGRAM = str(Path(sysconfig.get_path("scripts"), "softalign"))

WORDS = ["a A", "b B", "c C", "d D", "e E", "f F"]
# every pair of the six words, in turn: enough to learn them from
PAIRS = [
    (f"{WORDS[i][0]} {WORDS[j][0]}", f"{WORDS[i][2]} {WORDS[j][2]}")
    for i in range(6)
    for j in range(6)
]
TSV = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()
LINKS = "0-0 1-1\n" * len(PAIRS)

# a line for each reason, between lines that are usable
BAD = {
    b"no tab here": "no tab",
    b"": "empty line",
    b"\tA": "empty source",
    b"a\t \r": "empty target",
    b"a\tA\0": "NUL character",
    b"a\t\xff\xfe": "not UTF-8",
    b"a\t" + b"A " * 10_000: "longer than 200 words",
    b"a\t" + b"A" * LONGEST_LINE: f"longer than {LONGEST_LINE:,} bytes",
}


def program(*arguments, **options):
    """Run the installed command to its end."""
    options = {"capture_output": True, "timeout": 60} | options
    return subprocess.run([PROGRAM, *map(str, arguments)], **options)


@pytest.fixture(autouse=True)
def _buffered_as_usual(monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_bytes(TSV)
    return path


def words_of(path, *more, **options):
    return align.read_words([str(path), *map(str, more)], **options)


# ------------------------------------------------------------------------------ help


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_has_an_example_and_comes_at_once(arguments):
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = program(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # of the processor: a busy machine lets everybody wait
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert done.returncode == 0
    name = "align" if arguments == ["--help"] else arguments[0]
    assert re.search(rf"^examples?:\n  .*softalign {name} ", done.stdout.decode(), re.MULTILINE)
    assert min(seconds) < 0.3


def test_help_imports_nothing_heavy():
    code = (
        "import sys, softalign.cli; softalign.cli.main(['align', '--help']);"
        "sys.exit(bool({'numpy', 'jaxtyping', 'tqdm', 'matplotlib', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_version_also_as_a_module():
    expected = f"softalign {softalign.__version__}\n".encode()
    assert program("--version").stdout == expected
    module = subprocess.run([sys.executable, "-m", "softalign", "--version"], capture_output=True)
    assert module.stdout == expected


def test_the_help_offers_what_the_aligner_offers():
    assert sorted(align.MODELS) == sorted(aligner.MODELS)
    assert sorted(align.METHODS) == sorted(METHODS)
    for how in align.TOKENS:
        assert tokenise("a b", how) == ["a", "b"]
    parser = __import__("argparse").ArgumentParser()
    align.add_arguments(parser)
    args = vars(parser.parse_args(["corpus.tsv"]))
    defaults = inspect.signature(aligner.align).parameters
    for name in ("model", "symmetrise", "iterations", "threshold", "max_words"):
        assert args[name] == defaults[name].default
    assert align.MODELS[0] == args["model"]
    assert align.METHODS[0] == args["symmetrise"]
    assert align.TOKENS[0] == args["src_tokens"] == args["tgt_tokens"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["trains"], "'trains'"),
        (["align"], "FILE"),
        (["align", "x", "--model", "ibm9"], "'ibm9'"),
        (["align", "x", "--symmetrise", "grow"], "'grow'"),
        (["align", "x", "--iterations", "0"], "'0', expected a whole number of 1 or more"),
        (["align", "x", "--iterations", "-3"], "'-3', expected a whole number of 1 or more"),
        (["align", "x", "--max-words", "1.5"], "'1.5', expected a whole number of 1 or more"),
        (["align", "x", "--threshold", "1"], "'1', expected a number from 0 to below 1"),
        (["align", "x", "--threshold", "nan"], "'nan', expected a number from 0 to below 1"),
        (["align", "x", "--src-tokens", "bpe"], "'bpe'"),
        (["align", "x", "--iter", "3"], "--iter"),
        (["align", "x", "y", "z"], "3 files were given, expected one or two"),
        (["align", "-", "-"], "standard input can be read only once"),
    ],
)
def test_wrong_arguments_get_one_sentence_and_status_2(arguments, said, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("softalign")
    assert err.count("\n") == 1


# ------------------------------------------------------------------------------ links


@pytest.mark.parametrize("model", aligner.MODELS)
def test_the_links_are_those_of_the_aligner(model, tmp_path, capsysbinary):
    path = tmp_path / "corpus.tsv"
    path.write_text("a b c\tC A B\n" + "b a\tB A\n" * 2 + "c\tC\nc a\tC A\n", encoding="utf-8")
    assert main(["align", str(path), "--model", model, "--symmetrise", "union"]) == 0
    pairs = [
        tuple(side.split() for side in line.split("\t")) for line in path.read_text().splitlines()
    ]
    links = aligner.align(pairs, model=model, symmetrise="union")
    expected = [" ".join(f"{i}-{j}" for i, j in sorted(each)) for each in links]
    assert capsysbinary.readouterr().out.decode().splitlines() == expected
    assert any(expected)


def test_every_option_of_the_model_arrives(corpus, monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(
        aligner, "align", lambda pairs, **options: seen.update(options) or [frozenset()] * 36
    )
    options = (
        "--model ibm2 --symmetrise intersection --iterations 7 --threshold 0.25 -q --max-words 9"
    )
    assert main(["align", str(corpus), *options.split()]) == 0
    assert seen == {
        "model": "ibm2",
        "symmetrise": "intersection",
        "iterations": 7,
        "threshold": 0.25,
        "max_words": 9,
        "progress": False,
    }


def test_links_are_sorted_as_numbers(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setattr(aligner, "align", lambda *_, **__: [{(10, 2), (2, 10), (2, 9), (0, 1)}])
    path = tmp_path / "one.tsv"
    path.write_text("a\tb")
    assert main(["align", str(path)]) == 0
    assert capsysbinary.readouterr().out == b"0-1 2-9 2-10 10-2\n"


def test_one_file_two_files_gzip_and_standard_input_give_the_same(corpus, tmp_path):
    zipped = tmp_path / "looks-plain.txt"
    zipped.write_bytes(gzip.compress(TSV[:100]) + gzip.compress(TSV[100:]))
    source, target = tmp_path / "source", tmp_path / "target.gz"
    source.write_text("\n".join(source for source, _ in PAIRS))
    target.write_bytes(gzip.compress("\n".join(target for _, target in PAIRS).encode()))
    runs = [
        program("align", zipped),
        program("align", source, target),
        program("align", "-", input=gzip.compress(TSV)),
        program("align", "-", target, input=source.read_bytes()),
    ]
    for done in runs:
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode() == LINKS


def test_crlf_and_byte_order_mark_change_nothing(tmp_path):
    path = tmp_path / "windows.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + TSV.replace(b"\n", b"\r\n"))
    plain = tmp_path / "plain.tsv"
    plain.write_bytes(TSV)
    assert words_of(path) == words_of(plain)
    assert words_of(path)[0][0] == (("a", "a"), ("A", "A"))


def test_marks_that_others_take_for_line_ends_do_not_end_a_line(tmp_path):
    path = tmp_path / "marks.tsv"
    path.write_text("a\u2028b\vc\x85d\x1ce\rf\tA\n", encoding="utf-8", newline="")
    assert words_of(path)[0] == [(("a", "b", "c", "d", "e", "f"), ("A",))]


def test_columns_after_the_second_are_left_out(tmp_path):
    path = tmp_path / "tatoeba.tsv"
    path.write_bytes(b"a b\tA B\tCC-BY \xff\t\n")
    assert words_of(path)[0] == [(("a", "b"), ("A", "B"))]


def test_words_by_character_by_dictionary_and_in_small_letters(tmp_path):
    path = tmp_path / "zh.tsv"
    path.write_text("我在 Google 工作。\tI work at Google.\n", encoding="utf-8")
    pairs, _ = words_of(path, tokens=("char", "space"))
    assert pairs == [(("我", "在", "Google", "工", "作", "。"), ("I", "work", "at", "Google."))]
    pairs, _ = words_of(path, tokens=("word", "char"), lower=True)
    assert pairs == [(("我", "在", "google", "工作", "。"), ("i", "work", "at", "google", "."))]


def test_equal_words_are_one_object(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text("one two\tone\n" * 5)
    pairs, _ = words_of(path)
    words = [word for pair in pairs for side in pair for word in side]
    assert len(words) == 15
    assert len({id(word) for word in words}) == 2


def test_chinese_without_spaces_is_told_once_for_each_side(tmp_path, capsys):
    path = tmp_path / "zh.tsv"
    path.write_text("a\tA\n" + "我喜欢猫。\t我喜欢猫。\n" * 3 + "b\t我喜欢狗。\n", encoding="utf-8")
    assert main(["align", str(path)]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert "3 source sentences (first at line 2), consider --src-tokens char" in first
    assert "4 target sentences (first at line 2), consider --tgt-tokens char" in second
    assert main(["align", str(path), "--src-tokens", "char", "--tgt-tokens", "word"]) == 0
    assert capsys.readouterr().err == ""


# ------------------------------------------------------------------------------ unusable lines


def test_a_line_that_cannot_be_used_gives_an_empty_line_and_is_counted(tmp_path):
    path = tmp_path / "bad.tsv"
    lines, expected = [], []
    for k, bad in enumerate(BAD):
        lines += [TSV.splitlines()[k], bad, bad]
        expected += ["0-0 1-1", "", ""]
    path.write_bytes(b"\n".join([*lines, TSV]))
    done = program("align", path)
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [*expected, *LINKS.splitlines()]
    reasons = ", ".join(
        f"2 x {reason} (first at line {3 * k + 2})" for k, reason in enumerate(BAD.values())
    )
    assert done.stderr.decode() == f"softalign align: 16 of 60 lines got no links: {reasons}\n"
    assert program("align", "--quiet", path).stderr == b""


@pytest.mark.parametrize(("line", "reason"), BAD.items(), ids=BAD.values())
def test_strict_stops_with_file_line_and_reason(line, reason, tmp_path, capsys):
    path = tmp_path / "bad.tsv"
    path.write_bytes(b"a\tA\n" + line + b"\nb\tB\n")
    links = tmp_path / "links"
    assert main(["align", "--strict", "--output", str(links), str(path)]) == 1
    assert capsys.readouterr().err == f"softalign align: {path}, line 2: {reason}\n"
    assert not links.exists()


@pytest.mark.parametrize(
    ("source", "target", "file", "reason"),
    [
        (b"a\n\n", b"A\nB\n", "source", "empty source"),
        (b"a\nb\n", b"A\n \n", "target", "empty target"),
        (b"a\nb\xff\n", b"A\nB\n", "source", "not UTF-8"),
        (b"a\nb\n", b"A\nB\0\n", "target", "NUL character"),
        (b"a\nb\n", b"A\n" + b"B " * 201 + b"\n", "target", "longer than 200 words"),
    ],
)
def test_strict_names_the_one_of_two_files_that_is_at_fault(
    source, target, file, reason, tmp_path, capsys
):
    for name, content in (("source", source), ("target", target)):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=rf"{file}, line 2: {reason}$"):
        words_of(tmp_path / "source", tmp_path / "target", strict=True)


def test_strict_calls_standard_input_by_its_name():
    done = program("align", "--strict", "-", input=b"a\tA\nx\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"softalign align: standard input, line 2: no tab\n"


def test_max_words_is_the_longest_that_is_used(tmp_path):
    path = tmp_path / "lengths.tsv"
    path.write_text("a a a\tA\na a a a\tA\n")
    pairs, report = words_of(path, max_words=3)
    assert pairs == [(("a",) * 3, ("A",)), ((), ())]
    assert report.unusable == {"longer than 3 words": 1}


@LAW
@given(st.lists(st.sampled_from([b"a", b"\t", b"\n", b"\r", b"\0", b" ", b"\xff", b"\xe4\xbd"])))
def test_law_as_many_rows_as_lines(tmp_path_factory, parts):
    content = b"".join(parts)
    path = tmp_path_factory.getbasetemp() / "law.tsv"
    path.write_bytes(content)
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows = list(read_rows([str(path)]))
    assert [row.number for row in rows] == list(range(1, len(lines) + 1))
    for row, line in zip(rows, lines, strict=True):
        good = line.count(b"\t") and not set(line) & {0, 0xFF, 0xE4}
        if good:
            assert (row.source, row.target) == tuple(line.rstrip(b"\r").decode().split("\t")[:2])
        if not line.count(b"\t"):
            assert row.problem
    pairs, report = words_of(path)
    assert len(pairs) == report.lines == len(lines)
    assert sum(report.unusable.values()) == sum(pair == ((), ()) for pair in pairs)


@LAW
@given(st.lists(st.booleans()), st.integers(0, 3), st.booleans())
def test_law_two_files_have_as_many_lines_or_both_counts_are_said(
    tmp_path_factory, filled, more, which
):
    paths = [tmp_path_factory.getbasetemp() / name for name in ("source", "target")]
    for path in paths:
        path.write_text("".join("x\n" if fill else "\n" for fill in filled))
    with paths[which].open("a") as file:
        file.write("y\n" * more)
    if more == 0:
        assert len(words_of(*paths)[0]) == len(filled)
        return
    counts = [len(filled) + more * (side == which) for side in (0, 1)]
    with pytest.raises(CommandError) as caught:
        words_of(*paths)
    assert str(caught.value) == (
        f"{paths[0]} has {counts[0]} lines but {paths[1]} has {counts[1]}, "
        "expected as many, line n of one translating line n of the other"
    )


def test_empty_input_gives_empty_output(tmp_path):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for done in (
        program("align", empty),
        program("align", "-", stdin=subprocess.DEVNULL),
    ):
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_nothing_usable_gives_empty_lines():
    done = program("align", "-", input=b"\n\n\n")
    assert (done.returncode, done.stdout) == (0, b"\n\n\n")


# ------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        ("a\tA\n".encode("utf-16"), "line 1: a mark of UTF-16, expected UTF-8"),
        (gzip.compress(TSV, mtime=0)[:-20], "expected a whole gzip file"),
        (gzip.compress(TSV, mtime=0)[:5], "expected a whole gzip file"),
        (b"\x1f\x8bnonsense", "expected a whole gzip file"),
        (gzip.compress(TSV, mtime=0)[:10] + b"\xff" * 40, "expected a whole gzip file"),
        (gzip.compress(TSV, mtime=0)[:-8] + b"12345678", "expected a whole gzip file"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(content, said, tmp_path, capsys):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert main(["align", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"softalign align: {path}")
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_is_no_file(tmp_path, capsys):
    assert main(["align", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"softalign align: {tmp_path}: this is a folder, expected a file\n"
    )


def test_an_output_that_exists_is_replaced_only_by_force(corpus, tmp_path):
    links = tmp_path / "links"
    links.write_text("precious")
    done = program("align", corpus, "--output", links)
    assert done.returncode == 1
    assert b"this file exists, and --force was not given" in done.stderr
    assert links.read_text() == "precious"
    assert program("align", corpus, "--output", links, "--force").returncode == 0
    assert links.read_text() == LINKS
    umask = os.umask(0)
    os.umask(umask)
    assert links.stat().st_mode & 0o777 == 0o666 & ~umask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.tsv", "links"]


def test_an_output_that_cannot_be_written_is_refused_before_the_work(corpus, tmp_path):
    with pytest.raises(CommandError, match="there is no folder"):
        check_output(str(tmp_path / "missing" / "links"), force=True)
    with pytest.raises(CommandError, match="this is a folder"):
        check_output(str(tmp_path), force=True)
    with pytest.raises(CommandError, match="this file is read from"):
        check_output(str(tmp_path / "." / "corpus.tsv"), force=True, inputs=["-", str(corpus)])
    check_output(os.devnull, force=False)
    check_output(str(tmp_path / "links"), force=False, inputs=["-", str(corpus)])


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_file_is_whole_or_not_there(problem, tmp_path):
    def lines():
        yield "0-0"
        raise problem

    path = tmp_path / "links"
    with pytest.raises(type(problem)):
        write_lines(str(path), lines(), force=False)
    assert list(tmp_path.iterdir()) == []
    path.write_text("old\n")
    with pytest.raises(type(problem)):
        write_lines(str(path), lines(), force=True)
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_gets_one_sentence(unbuffered, corpus, tmp_path):
    # a file that may not grow stands for the disk
    done = subprocess.run(
        f"ulimit -f 0; exec '{PROGRAM}' align '{corpus}' > '{tmp_path / 'links'}'",
        shell=True,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    assert done.returncode == 1
    assert re.fullmatch(rb"softalign align: [^\n]+\n", done.stderr)


def test_too_little_memory_gets_one_sentence(corpus, monkeypatch, capsys):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(aligner, "align", fail)
    assert main(["align", str(corpus)]) == 1
    assert capsys.readouterr().err == (
        "softalign align: not enough memory for this corpus (a smaller --max-words needs less)\n"
    )


def test_a_file_that_came_into_being_meanwhile_is_kept(tmp_path):
    path = tmp_path / "links"

    def lines():
        path.write_text("another's")
        yield "0-0"

    with pytest.raises(CommandError, match="exists now"):
        write_lines(str(path), lines(), force=False)
    assert path.read_text() == "another's"


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write_lines(str(link), ["0-0"], force=True)
    assert link.is_symlink()
    assert real.read_text() == "0-0\n"


# ------------------------------------------------------------------------------ the terminal


def test_the_bar_is_shown_on_a_terminal_only(corpus):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen([PROGRAM, "align", corpus], stdout=subprocess.PIPE, stderr=theirs) as run:
        assert run.stdout.read().decode() == LINKS
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "IBM 1" in shown
    assert "agreement" in shown


def test_an_unbuffered_python_writes_the_same(corpus):
    done = program("align", corpus, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, LINKS, b"")


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    path = tmp_path / "many.tsv"
    path.write_bytes(TSV * 500)  # more links than a pipe holds
    with subprocess.Popen(
        [PROGRAM, "align", "--model", "ibm1", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert b"0-0" in run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 141


def test_help_into_a_closed_pipe_is_quiet():
    with subprocess.Popen(
        f"sleep 0.3; exec '{PROGRAM}' align --help",
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode in (0, 141)  # argparse keeps the error to itself


def answer_to_ctrl_c():
    """A shell that runs the tests in the background may have told its children to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("training", [False, True], ids=["while reading", "while training"])
def test_ctrl_c_leaves_nothing_behind(training, tmp_path):
    links = tmp_path / "links"
    with subprocess.Popen(
        [PROGRAM, "align", "--iterations", "1000000", "--output", links, "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=answer_to_ctrl_c,
    ) as run:
        try:
            run.stdin.write(TSV * 400)  # more than a pipe holds: when this returns, it is reading
            run.stdin.flush()
            if training:
                run.stdin.close()
                time.sleep(0.3)
            run.send_signal(signal.SIGINT)
            run.wait(timeout=30)
        finally:
            run.kill()  # nothing if it has ended
        assert run.stderr.read() == b"softalign align: interrupted\n"
    assert run.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_counts_do_not_land_among_the_links_when_standard_error_is_closed(tmp_path):
    path = tmp_path / "bad.tsv"
    path.write_bytes(b"x\n")
    done = subprocess.run(
        f"exec '{PROGRAM}' align '{path}' 2>&-", shell=True, stdout=subprocess.PIPE
    )
    assert (done.returncode, done.stdout) == (0, b"\n")


def test_closed_streams_get_one_sentence():
    output = subprocess.run(
        f"exec '{PROGRAM}' align - >&-", shell=True, stderr=subprocess.PIPE, input=TSV
    )
    assert output.returncode == 1
    assert output.stderr == b"softalign align: standard output is closed\n"
    source = subprocess.run(f"exec '{PROGRAM}' align - <&-", shell=True, capture_output=True)
    assert source.returncode == 1
    assert source.stderr == b"softalign align: standard input is closed\n"


@pytest.mark.parametrize(
    "line",
    [b"a " * 10_000 + b"\t" + b"A " * 10_000, b"a\t" + b"A" * 20_000_000],
    ids=["10,000 words", "20 million letters"],
)
def test_long_lines_need_no_memory(line, tmp_path):
    path = tmp_path / "long.tsv"
    path.write_bytes((line + b"\n") * 3 + TSV)
    # a process in between: a child begins with the memory of its parent on its account
    code = (
        "import resource as r, subprocess, sys; subprocess.run(sys.argv[1:]);"
        "print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, PROGRAM, "align", "--quiet", path], capture_output=True
    )
    assert done.stdout.decode() == "\n\n\n" + LINKS
    peak = int(done.stderr) * (1 if sys.platform == "darwin" else 1024)
    assert peak < 100_000_000
