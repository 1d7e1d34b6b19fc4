"""The command softalign evaluate: sacrebleu as the oracle, all that can be wrong with a file."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import shlex
import subprocess
import sys
import sysconfig

import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from softalign import metrics
from softalign.cli import evaluate, main
from softalign.cli.columns import read_links
from softalign.cli.messages import CommandError
from softalign.cli.scoring import of_links, of_translations, score
from softalign.text import tokenise

WORDS = "The old cat saw A small Dog near our House and it ran away"


def sentences(seed, count=80):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS.split(), k=draw.randint(1, 12))) for _ in range(count)]


def worse(lines, seed, share):
    """Leave words out, but not all of a line."""
    draw = random.Random(seed)
    return [
        " ".join(w for w in line.split() if draw.random() > share) or line.split()[0]
        for line in lines
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files under the names of the examples; the current folder."""
    monkeypatch.chdir(tmp_path)
    first = sentences(1)
    files = {
        "ref1.txt": first,
        "ref2.txt": sentences(2),
        "new.txt": worse(first, 3, 0.1),
        "old.txt": worse(first, 4, 0.4),
        "source.txt": sentences(5),
        "zh.txt": ["我喜欢猫。", "他在北京工作"] * 3,
        "zh-ref.txt": ["我喜欢狗。", "她在北京工作"] * 3,
        "corpus.tsv": ["a b\tA B", "b a\tB A", "a\tA", "b\tB"],
        "gold.txt": ["0-0 1-1", "0-0 1?1", "0-0", ""],
        "sure.txt": ["0-0", "0-0", "", ""],
        "possible.txt": ["1-1", "1?0", "", ""],
        "found.txt": ["0-0 1-1", "0-0 1-0", "0-0", ""],
    }
    files["output.txt"] = files["new.txt"]
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (tmp_path / "ref2.txt.gz").write_bytes(gzip.compress((tmp_path / "ref2.txt").read_bytes()))
    return tmp_path


def lines_of(name):
    with open(name, encoding="utf-8") as file:
        return file.read().splitlines()


def run(capfd, *arguments):
    """Status, output and errors of the command."""
    status = main(["evaluate", *map(str, arguments)])
    out, err = capfd.readouterr()
    return status, out, err


def found(capfd, *arguments):
    few = () if "--resamples" in arguments else ("--resamples", "100")  # the tests are fast
    status, out, err = run(capfd, *arguments, *few, "--json")
    assert status == 0, err
    return json.loads(out)


PAIR = ("--hypotheses", "new.txt", "--references", "ref1.txt")


# ------------------------------------------------------------------------------ the oracle


def test_scores_are_those_of_sacrebleu(folder, capfd):
    said, columns = lines_of("new.txt"), [lines_of("ref1.txt"), lines_of("ref2.txt")]
    for used in (columns[:1], columns):
        names = ["ref1.txt", "ref2.txt.gz"][: len(used)]
        result = found(capfd, "--hypotheses", "new.txt", "--references", *names)
        oracles = {"BLEU": BLEU(tokenize="none", force=True), "chrF": CHRF()}
        for name, oracle in oracles.items():
            right = oracle.corpus_score(said, used)
            (ours,) = result["scores"][name]["systems"]
            assert ours["score"] == pytest.approx(right.score, abs=1e-9)
            assert result["scores"][name]["signature"] == str(oracle.get_signature())
        exact = sum(a in b for a, b in zip(said, zip(*used, strict=True), strict=True))
        (ours,) = result["scores"]["exact match, %"]["systems"]
        assert ours["score"] == pytest.approx(100 * exact / len(said))
        assert exact > 3


def test_the_score_is_that_of_the_program_sacrebleu(folder, capfd):
    command = "ref1.txt ref2.txt -i new.txt -m bleu chrf --tokenize none --force -f json -w 6"
    done = subprocess.run(
        [sys.executable, "-m", "sacrebleu", *command.split()], capture_output=True, check=True
    )
    result = found(capfd, *PAIR, "ref2.txt")["scores"]
    bleu, chrf = json.loads(done.stdout)
    assert result["BLEU"]["systems"][0]["score"] == pytest.approx(bleu["score"], abs=1e-6)
    assert result["chrF"]["systems"][0]["score"] == pytest.approx(chrf["score"], abs=1e-6)
    assert result["BLEU"]["signature"] in bleu["signature"]


def test_intervals_and_p_values_agree_with_those_of_sacrebleu(folder, capfd):
    first = lines_of("ref1.txt")
    systems = {"new.txt": worse(first, 3, 0.2), "old.txt": worse(first, 4, 0.22)}
    for name, lines in systems.items():
        (folder / name).write_text("\n".join(lines))
    ours = found(capfd, *PAIR, "--compare", "old.txt", "--resamples", "1000")["scores"]["BLEU"]
    bleu = {"BLEU": BLEU(tokenize="none", force=True, references=[first])}
    theirs = {
        test: PairedTest([*systems.items()], bleu, None, test_type=test, n_samples=1000)()[1]
        for test in ("bs", "ar")
    }
    for system, right in zip(ours["systems"], theirs["bs"]["BLEU"], strict=True):
        assert system["score"] == pytest.approx(right.score, abs=1e-9)
        assert (system["high"] - system["low"]) / 2 == pytest.approx(right.ci, rel=0.15)
    # sacrebleu's paired bootstrap centres the sizes of the differences: its p-value is another one
    right = theirs["ar"]["BLEU"][1].p_value
    assert 0.1 < right < 0.5
    assert ours["difference"]["p_approximate_randomisation"] == pytest.approx(right, abs=0.06)
    assert ours["difference"]["p_paired_bootstrap"] == pytest.approx(right, abs=0.06)


def test_intervals_and_tests_are_those_of_the_library(folder, capfd):
    (folder / "old.txt").write_text("\n".join(worse(lines_of("ref1.txt"), 5, 0.1)))  # as good
    options = ("--resamples", "200", "--seed", "7")
    result = found(capfd, *PAIR, "--compare", "old.txt", *options)
    accepted = [[line.split()] for line in lines_of("ref1.txt")]
    first, second = (
        metrics.chrf_statistics([line.split() for line in lines_of(name)], accepted)
        for name in ("new.txt", "old.txt")
    )
    how = {"resamples": 200, "seed": 7}
    ours = result["scores"]["chrF"]
    for system, counts in zip(ours["systems"], (first, second), strict=True):
        right = metrics.bootstrap(counts, **how)
        assert (system["score"], system["low"], system["high"]) == (
            right.value,
            right.low,
            right.high,
        )
    right = metrics.paired_bootstrap(first, second, **how)
    difference = ours["difference"]
    assert (difference["score"], difference["low"], difference["high"]) == (
        right.difference.value,
        right.difference.low,
        right.difference.high,
    )
    assert difference["first_larger"] == right.wins
    assert difference["p_paired_bootstrap"] == right.p_value
    p_value = metrics.approximate_randomisation(first, second, trials=200, seed=7)
    assert difference["p_approximate_randomisation"] == p_value
    assert (result["resamples"], result["seed"], result["sentences"]) == (200, 7, 80)
    assert found(capfd, *PAIR, "--compare", "old.txt", *options) == result
    other = found(capfd, *PAIR, "--compare", "old.txt", *options[:3], "8")["scores"]["chrF"]
    assert other["systems"][0]["low"] != ours["systems"][0]["low"]
    for key in ("low", "p_paired_bootstrap", "p_approximate_randomisation"):
        assert other["difference"][key] != difference[key]


def test_words_are_cut_on_both_sides_as_asked(folder, capfd):
    files = ("--hypotheses", "zh.txt", "--references", "zh-ref.txt")
    scores = {}
    for how in evaluate.TOKENS:
        said, right = (
            [" ".join(tokenise(line, how)) for line in lines_of(name)]
            if how != "space"
            else lines_of(name)
            for name in ("zh.txt", "zh-ref.txt")
        )
        oracle = BLEU(tokenize="none", force=True).corpus_score(said, [right]).score
        result = found(capfd, *files, "--tokens", how)
        assert result["tokens"] == how
        scores[how] = result["scores"]["BLEU"]["systems"][0]["score"]
        assert scores[how] == pytest.approx(oracle, abs=1e-9)
        chrf = result["scores"]["chrF"]["systems"][0]["score"]  # spaces do not matter to it
        assert chrf == pytest.approx(
            CHRF().corpus_score(lines_of("zh.txt"), [lines_of("zh-ref.txt")]).score
        )
    assert len(set(scores.values())) == 3


def test_small_letters_on_both_sides(folder, capfd):
    (folder / "shouted.txt").write_text((folder / "ref1.txt").read_text().upper())
    files = ("--hypotheses", "shouted.txt", "--references", "ref1.txt")
    for lower, expected in ((["--lower"], True), ([], False)):
        result = found(capfd, *files, *lower)
        perfect = all(each["systems"][0]["score"] == 100 for each in result["scores"].values())
        assert perfect == result["lower"] == expected


def test_scores_by_length_are_those_of_the_sentences_of_that_length(folder, capfd):
    result = found(capfd, *PAIR, "--sources", "source.txt", "--by-length")
    buckets = result["scores"]["BLEU"]["by_length"]
    assert [bucket["source_words"] for bucket in buckets][:2] == ["1-8", "9-16"]
    lengths = [len(line.split()) for line in lines_of("source.txt")]
    inside = [k for k, n in enumerate(lengths) if 9 <= n <= 16]
    said, right = ([lines_of(name)[k] for k in inside] for name in ("new.txt", "ref1.txt"))
    oracle = BLEU(tokenize="none", force=True).corpus_score(said, [right]).score
    assert buckets[1]["sentences"] == len(inside) > 10
    assert buckets[1]["systems"][0]["score"] == pytest.approx(oracle, abs=1e-9)
    assert sum(bucket["sentences"] for bucket in buckets) == 80
    assert buckets[4] == {"source_words": "33+", "sentences": 0, "systems": [None]}
    assert "by_length" not in found(capfd, *PAIR)["scores"]["BLEU"]


def test_sources_have_words_of_their_own_kind(folder, capfd):
    (folder / "source.txt").write_text("我喜欢猫我喜欢猫。\n" * 80, encoding="utf-8")
    options = (*PAIR, "--sources", "source.txt", "--by-length")
    for how, place in (("space", 0), ("char", 1)):
        buckets = found(capfd, *options, "--src-tokens", how)["scores"]["chrF"]["by_length"]
        assert [bucket["sentences"] for bucket in buckets].index(80) == place
    _, _, err = run(capfd, *options)
    assert "80 lines of source.txt (first at line 1), consider --src-tokens char" in err


# ------------------------------------------------------------------------------ links


def test_links_are_scored_as_by_hand(folder, capfd):
    # found: 0-0 1-1 | 0-0 1-0 | 0-0 |     gold: 0-0 1-1 | 0-0 1?1 | 0-0 |
    result = found(capfd, "--links", "found.txt", "--gold", "gold.txt")
    values = {name: each["systems"][0]["score"] for name, each in result["scores"].items()}
    # of 5 found 4 are right; all of the 4 sure ones are found
    assert values == pytest.approx({"AER": 1 - (4 + 4) / (5 + 4), "precision": 4 / 5, "recall": 1})
    detail = result["scores"]["AER"]["systems"][0]["detail"]
    assert detail == "5 links found, 4 of them sure or possible; 4 sure ones, 4 of them found"
    (folder / "with-possible.txt").write_text("0-0 1-1\n1-1\n\n0-0\n")
    result = found(capfd, "--links", "with-possible.txt", "--gold", "gold.txt")
    values = {name: each["systems"][0]["score"] for name, each in result["scores"].items()}
    # of 4 found 2 are sure, 3 possible; 2 of the 4 sure ones are missed
    assert values == pytest.approx(
        {"AER": 1 - (2 + 3) / (4 + 4), "precision": 3 / 4, "recall": 0.5}
    )


def test_a_second_file_adds_possible_links(folder, capfd):
    result = found(
        capfd, "--links", "found.txt", "--gold", "sure.txt", "--possible", "possible.txt"
    )
    values = {name: each["systems"][0]["score"] for name, each in result["scores"].items()}
    # sure: 0-0 | 0-0 | |; possible besides: 1-1 | 1-0 | |
    assert values == pytest.approx({"AER": 1 - (2 + 4) / (5 + 2), "precision": 4 / 5, "recall": 1})


def test_two_aligners_are_compared_and_less_error_is_better(folder, capfd):
    gold = ["0-0 1-1 2-2"] * 60
    (folder / "gold.txt").write_text("\n".join(gold))
    (folder / "good.txt").write_text("0-0 1-1 2-2\n" * 50 + "0-0\n" * 10)
    (folder / "poor.txt").write_text("0-0 1-1 2-2\n" * 20 + "0-0 1-0\n" * 40)
    for order in (["good.txt", "poor.txt"], ["poor.txt", "good.txt"]):
        result = found(capfd, "--links", order[0], "--compare", order[1], "--gold", "gold.txt")
        for each in result["scores"].values():
            assert "good.txt is better" in each["difference"]["meaning"]
    assert result["scores"]["AER"]["difference"]["score"] > 0


def test_what_the_aligner_writes_can_be_read(folder, capfd):
    assert main(["align", "corpus.tsv", "-q", "-o", "links.txt"]) == 0
    (folder / "gold.txt").write_text((folder / "links.txt").read_text())
    result = found(capfd, "--links", "links.txt", "--gold", "gold.txt")
    assert result["scores"]["AER"]["systems"][0]["score"] == 0


def test_gold_that_seems_counted_from_one_is_asked_about(folder, capfd):
    (folder / "from-one.txt").write_text("1-1 2-2\n1-1 2?2\n1-1\n\n")
    status, _, err = run(capfd, "--links", "found.txt", "--gold", "from-one.txt")
    assert status == 0
    assert "from-one.txt has no position 0 and found.txt has" in err
    _, _, err = run(capfd, "--links", "found.txt", "--gold", "gold.txt")
    assert "position 0" not in err


@pytest.mark.parametrize(
    ("word", "in_gold", "in_found"),
    [
        ("0-0", True, True),
        ("0?0", True, False),
        ("0_0", False, False),
        ("0-", False, False),
        ("-1-0", False, False),
        ("0-0-0", False, False),
        ("0-٣", False, False),
        ("1.0-0", False, False),
        ("0-" + "9" * 10, False, False),
    ],
)
def test_a_word_that_is_no_link_is_told_with_file_and_line(word, in_gold, in_found, folder):
    (folder / "some.txt").write_text(f"0-0\n\n1-1 {word}\n", encoding="utf-8")
    for gold, good in ((True, in_gold), (False, in_found)):
        if good:
            assert len(read_links("some.txt", gold=gold)) == 3
            continue
        expected = "'i-j' (sure) or 'i?j' (possible)" if gold else "'i-j'"
        with pytest.raises(CommandError) as caught:
            read_links("some.txt", gold=gold)
        assert str(caught.value) == (
            f"some.txt, line 3: {word!r}, expected {expected} with positions from 0"
        )


# ------------------------------------------------------------------------------ what it says


def test_the_table_has_every_number_once(folder, capfd):
    options = (*PAIR, "--sources", "source.txt", "--by-length", "--resamples", "1000")
    status, out, err = run(capfd, *options)
    assert (status, err) == (0, "")
    result = found(capfd, *options)
    for name, each in result["scores"].items():
        (system,) = each["systems"]
        interval = f"{system['score']:.2f} [{system['low']:.2f}, {system['high']:.2f}]"
        assert re.search(rf"^{name} +{re.escape(interval)}$", out, re.MULTILINE)
        assert each.get("signature", "") in out
    assert "scored: new.txt\nreferences: ref1.txt\ntokens: space\nlower: no\n" in out
    assert "sentences: 80; in brackets where 95 % of 1,000 resamples of them fall (seed 0)" in out
    assert re.search(r"^33\+ +0 +- +- +-$", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 110


def test_the_table_of_two_systems(folder, capfd):
    options = (*PAIR, "--compare", "old.txt", "--resamples", "100")
    status, out, err = run(capfd, *options)
    assert (status, err) == (0, "")
    head, bleu, chrf, exact, *_ = out.splitlines()
    assert re.split("  +", head.strip()) == [
        "first",
        "second",
        "difference",
        "p paired",
        "p exchange",
    ]
    assert len({len(line) for line in (head, bleu, chrf, exact)}) == 1
    difference = found(capfd, *options)["scores"]["BLEU"]["difference"]
    assert f"{difference['score']:.2f} [{difference['low']:.2f}, " in bleu
    assert difference["meaning"] in out.splitlines()
    assert "first: new.txt\nsecond: old.txt\n" in out
    assert "BLEU, second: precisions" in out


def test_one_sentence_says_what_a_difference_means(folder, capfd):
    meaning = found(capfd, *PAIR, "--compare", "old.txt")["scores"]["BLEU"]["difference"]
    assert meaning["p_approximate_randomisation"] < 0.05
    assert meaning["meaning"] == (
        f"BLEU: new.txt is better by {meaning['score']:.2f}; were the two equally good, chance "
        f"would give as much in {100 * meaning['p_approximate_randomisation']:.1f} % of cases."
    )
    turned = ("--hypotheses", "old.txt", "--references", "ref1.txt", "--compare", "new.txt")
    assert "new.txt is better" in found(capfd, *turned)["scores"]["chrF"]["difference"]["meaning"]
    near = worse(lines_of("ref1.txt"), 5, 0.1)
    (folder / "near.txt").write_text("\n".join(near))
    open_ = found(capfd, *PAIR, "--compare", "near.txt")["scores"]["BLEU"]["difference"]
    assert open_["p_approximate_randomisation"] > 0.05
    assert open_["meaning"].startswith("BLEU: it is open which is better; were the two equally ")
    same = found(capfd, *PAIR, "--compare", "new.txt")["scores"]["chrF"]["difference"]
    assert same["meaning"] == "chrF: no difference."
    few = found(capfd, *PAIR, "--compare", "old.txt", "--resamples", "19")
    assert "19 resamples are too few" in few["scores"]["BLEU"]["difference"]["meaning"]
    enough = found(capfd, *PAIR, "--compare", "old.txt", "--resamples", "20")
    assert "is better by" in enough["scores"]["BLEU"]["difference"]["meaning"]


def test_remarks_are_about_what_may_mislead_and_quiet_leaves_them_out(folder, capfd):
    (folder / "few.txt").write_text("a b\n\n\n")
    (folder / "right.txt").write_text("a b\nc\n我喜欢狗。\n", encoding="utf-8")
    files = ("--hypotheses", "few.txt", "--references", "right.txt")
    status, out, err = run(capfd, *files)
    assert status == 0
    assert err.splitlines() == [
        "softalign evaluate: 2 of 3 lines of few.txt are empty (first at line 2)",
        "softalign evaluate: no spaces between the Chinese words of 1 lines of right.txt (first at "
        "line 3), consider --tokens char or --tokens word",
        "softalign evaluate: with 3 sentences (fewer than 50) the intervals are too narrow",
    ]
    assert run(capfd, *files, "--quiet") == (0, out, "")


def test_the_examples_run(folder):
    _, _, block = evaluate.EPILOGUE.partition("examples:\n")
    examples = block.partition("\n\n")[0].splitlines()
    examples = [line for line in examples if "--system" not in line]  # needs a trained one
    assert len(examples) == 6
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    # each in a shell of its own, at the same time
    running = [
        subprocess.Popen(
            f"set -e; {line}",
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PATH": path},
        )
        for line in examples
    ]
    for line, process in zip(examples, running, strict=True):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (line, err)
        assert (b"AER" if "--links" in line else b"chrF") in (
            (folder / "zh.json").read_bytes() if "zh.json" in line else out
        )
        if "--json" in shlex.split(line):
            json.loads(out or (folder / "zh.json").read_bytes())


def test_no_torch_and_nothing_but_the_report_on_standard_output(folder):
    code = (
        "import sys, softalign.cli as c; status = c.main(sys.argv[1:]);"
        "sys.exit(status or 'torch' in sys.modules or 'tokenizers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "evaluate", *PAIR, "--json"],
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    json.loads(done.stdout)


# ------------------------------------------------------------------------------ files


def test_gzip_windows_and_standard_input_change_nothing(folder, capfd, monkeypatch):
    expected = found(capfd, *PAIR)["scores"]
    plain = (folder / "new.txt").read_bytes()
    (folder / "zipped").write_bytes(gzip.compress(plain[:50]) + gzip.compress(plain[50:]))
    (folder / "windows").write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"))
    (folder / "no-end").write_bytes(plain.removesuffix(b"\n"))
    for name in ("zipped", "windows", "no-end"):
        assert found(capfd, "--hypotheses", name, "--references", "ref1.txt")["scores"] == expected
    with open("zipped", "rb") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        result = found(capfd, "--hypotheses", "-", "--references", "ref1.txt")
    assert result["scores"] == expected
    assert result["systems"] == ["standard input"]


def test_names_that_are_not_ascii_or_no_text(folder, capfd):
    odd = [b"\xe6\xb1\x89.txt", b"\xff.txt"]
    for name in odd:
        (folder / os.fsdecode(name)).write_bytes((folder / "new.txt").read_bytes())
        status, out, err = run(capfd, "--hypotheses", os.fsdecode(name), "--references", "ref1.txt")
        assert (status, err) == (0, "")
        assert f"scored: {name.decode(errors='replace')}\n" in out
        status, out, _ = run(
            capfd, "--hypotheses", os.fsdecode(name), "--references", "ref1.txt", "--json"
        )
        assert json.loads(out)["systems"] == [os.fsdecode(name)]


@pytest.mark.parametrize(
    ("option", "file"),
    [("--references", "ref2.txt"), ("--compare", "old.txt"), ("--sources", "source.txt")],
)
@pytest.mark.parametrize("more", [-1, 1])
def test_unequal_counts_are_told_with_both_files(option, file, more, folder, capfd):
    lines = [*lines_of(file), "one more"][: 80 + more]
    (folder / file).write_text("\n".join(lines) + "\n")
    extra = [option, file] if option != "--references" else ["ref2.txt"]
    extra += ["--by-length"] if option == "--sources" else []
    status, out, err = run(capfd, *PAIR, *extra)
    assert (status, out) == (1, "")
    assert err == (
        f"softalign evaluate: new.txt has 80 lines but {file} has {80 + more}, expected as many, "
        "line n of one belonging to line n of the other\n"
    )


@pytest.mark.parametrize(
    "options",
    [
        "--links found.txt --gold short.txt",
        "--links short.txt --gold gold.txt",
        "--links found.txt --gold gold.txt --possible short.txt",
        "--links found.txt --gold gold.txt --compare short.txt",
    ],
)
def test_unequal_counts_of_links(options, folder, capfd):
    (folder / "short.txt").write_text("0-0\n")
    status, out, err = run(capfd, *options.split())
    assert (status, out) == (1, "")
    assert re.search(r"\w+\.txt has \d lines but \w+\.txt has \d, expected as many", err)
    assert "short.txt has 1" in err


@pytest.mark.parametrize("option", ["--references", "--sources"])
@pytest.mark.parametrize("line", ["", " \t "])
def test_an_empty_line_that_may_not_be_is_told(option, line, folder, capfd):
    file = "ref2.txt" if option == "--references" else "source.txt"
    lines = lines_of(file)
    lines[6] = line
    (folder / file).write_text("\n".join(lines) + "\n")
    extra = [file] if option == "--references" else [option, file, "--by-length"]
    status, out, err = run(capfd, *PAIR, *extra)
    assert (status, out) == (1, "")
    assert err == f"softalign evaluate: {file}, line 7: empty line, expected a sentence\n"


def test_a_system_may_say_nothing_at_all(folder, capfd):
    (folder / "silent.txt").write_text("\n" * 80)
    for k, (first, second) in enumerate((("silent.txt", "new.txt"), ("new.txt", "silent.txt"))):
        options = ("--hypotheses", first, "--references", "ref1.txt", "--compare", second)
        for each in found(capfd, *options)["scores"].values():
            assert each["systems"][k]["score"] == 0
            assert "new.txt is better" in each["difference"]["meaning"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "bad.txt: there is no such file"),
        (b"", "bad.txt: there are no lines, expected a sentence a line"),
        (b"a\n\xff\n", "bad.txt, line 2: not UTF-8"),
        (b"a\nb\nc\0\n", "bad.txt, line 3: NUL character"),
        (b"a\n" + b"x" * 1_000_001, "bad.txt, line 2: longer than 1,000,000 bytes"),
        ("a\n".encode("utf-16"), "bad.txt, line 1: a mark of UTF-16, expected UTF-8"),
        (gzip.compress(b"a\n" * 999)[:-9], "expected a whole gzip file"),
    ],
)
@pytest.mark.parametrize("place", ["--hypotheses", "--references", "--links", "--gold"])
def test_a_file_that_cannot_be_read_gets_one_sentence(content, said, place, folder, capfd):
    if content is not None:
        (folder / "bad.txt").write_bytes(content)
    options = {
        "--hypotheses": ["--hypotheses", "bad.txt", "--references", "ref1.txt"],
        "--references": ["--hypotheses", "new.txt", "--references", "ref1.txt", "bad.txt"],
        "--links": ["--links", "bad.txt", "--gold", "gold.txt"],
        "--gold": ["--links", "found.txt", "--gold", "bad.txt"],
    }[place]
    if place in ("--links", "--gold") and content:
        # letters are no links: the lines before the bad one must be
        (folder / "bad.txt").write_bytes(content.replace(b"a\n", b"0-0\n"))
        if content[:2] == b"\x1f\x8b":
            (folder / "bad.txt").write_bytes(gzip.compress(b"0-0\n" * 999)[:-9])
    status, out, err = run(capfd, *options)
    assert (status, out) == (1, "")
    assert err.startswith("softalign evaluate: bad.txt")
    assert said in err
    assert err.count("\n") == 1


def test_an_output_that_exists_is_replaced_only_by_force(folder, capfd):
    target = folder / "report.txt"
    target.write_text("precious")
    status, _, err = run(capfd, *PAIR, "-o", "report.txt")
    assert status == 1
    assert "report.txt: this file exists, and --force was not given" in err
    assert target.read_text() == "precious"
    assert run(capfd, *PAIR, "-o", "report.txt", "--force") == (0, "", "")
    _, out, _ = run(capfd, *PAIR)
    assert target.read_text() == out
    for name in ("new.txt", "ref1.txt", "old.txt", "source.txt"):
        more = ("--compare", "old.txt", "--sources", "source.txt", "--by-length")
        status, _, err = run(capfd, *PAIR, *more, "--force", "-o", name)
        assert (status, "this file is read from" in err) == (1, True)


# ------------------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "nothing to score, expected --hypotheses and --references, or --links and --gold"),
        ("--json --seed 3", "nothing to score"),
        ("--hypotheses a", "--hypotheses was given, expected --references, too"),
        ("--references a b", "--references was given, expected --hypotheses, too"),
        ("--links a", "--links was given, expected --gold, too"),
        ("--gold a", "--gold was given, expected --links, too"),
        ("--possible a", "--possible was given, expected --gold, too"),
        ("--links a --gold b --lower", "--lower was given, expected --hypotheses, too"),
        ("--links a --gold b --tokens char", "--tokens was given, expected --hypotheses, too"),
        ("--hypotheses a --links b", "--hypotheses and --links were given, expected one of"),
        ("--hypotheses a --references b --by-length", "expected --sources, too"),
        ("--hypotheses a --references b --sources c", "expected --by-length, too"),
        ("--hypotheses a --references b --src-tokens char", "expected --sources, too"),
        ("--links a --gold b --sources c --by-length", "expected --hypotheses, too"),
        ("--hypotheses - --references -", "standard input can be read only once"),
        ("--links - --gold -", "standard input can be read only once"),
        (
            "--hypotheses a --references b --resamples 0",
            "'0', expected a whole number of 1 or more",
        ),
        ("--hypotheses a --references b --seed -1", "'-1', expected a whole number of 0 or more"),
        ("--hypotheses a --references b --seed 1.5", "'1.5', expected a whole number of 0 or more"),
        ("--hypotheses a --references b --tokens bpe", "'bpe'"),
        ("--hypotheses a --references", "--references"),
        ("a", "unrecognized arguments: a"),
    ],
)
def test_wrong_arguments_get_one_sentence_and_status_2(options, said, folder, capfd):
    status, out, err = run(capfd, *options.split())
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("softalign")
    assert err.count("\n") == 1


def test_a_file_of_options_works_here_too(folder, capfd):
    (folder / "run.toml").write_text(
        '[evaluate]\nhypotheses = "new.txt"\nreferences = ["ref1.txt", "ref2.txt"]\n'
        "json = true\nresamples = 50\n"
    )
    _, out, _ = run(capfd, "--config", "run.toml")
    same = (*PAIR, "ref2.txt", "--json", "--resamples", "50")
    assert run(capfd, *same) == (0, out, "")
    _, out, _ = run(capfd, "--config", "run.toml", "--references", "ref1.txt")
    assert json.loads(out)["references"] == ["ref1.txt"]


# ------------------------------------------------------------------------------ from Python


def test_report_takes_words_as_a_system_gives_them(capfd):
    args = argparse.Namespace(
        resamples=20, seed=0, json=True, output=None, force=False, quiet=True, compare=None
    )
    said, right = [["a", "b"], []], [[["a", "b"]], [["c"], ["d"]]]
    evaluate.report(said, right, args, name="model", facts={"test": ["t.tsv"]})
    result = json.loads(capfd.readouterr().out)
    assert (result["systems"], result["test"]) == (["model"], ["t.tsv"])
    assert result["scores"]["exact match, %"]["systems"][0]["score"] == 50


def test_shares_of_nothing_are_one():
    scored = score(of_links([set()] * 3, [set()] * 3, [{(0, 0)}] * 3), names=["x"], resamples=5)
    values = {row.name: row.first.value for row in scored.rows}
    assert values == {"AER": 0, "precision": 1, "recall": 1}
    names = [metric.name for metric in of_translations([["a"]], [[["a"]]])]
    assert names == ["BLEU", "chrF", "exact match, %"]
