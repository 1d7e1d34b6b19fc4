"""What a ladder's numbers become: its file, its table, its sentences, its figures and its page."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations, pairwise

import numpy as np
import pytest

from softalign.ladder import plots
from softalign.ladder.captions import caption_training
from softalign.ladder.drawing import DARK, INK, LIGHT, inline, settings, style_of
from softalign.ladder.page import command_line, html_page, write_page
from softalign.ladder.plots import draw, write_drawings
from softalign.ladder.reading import best_for_time, enumerated, reading
from softalign.ladder.record import (
    FAMILIES,
    Comparison,
    Corpus,
    Example,
    Ladder,
    LengthGroup,
    Machine,
    Measured,
    Row,
    read_ladder,
    write_ladder,
)
from softalign.ladder.report import COLUMNS, as_text, tabulate, width, write_tsv
from softalign.systems.folder import write_bytes

EVIL = "<script>alert('x')</script> & \"q\" </td></style>&lt; http://evil.example/?a=1&b=2"
HEBREW = 'שלום "עולם" <b>!</b>'
BUCKETS = ("1-8", "9-16", "17+")
# BLEU, seconds of training, BLEU by length
NUMBERS = {
    "word-for-word": (12.1, 14.0, (15.0, 9.0, None)),
    "phrases": (36.5, 95.0, (41.0, 34.0, 28.0)),
    "rnn": (24.0, 1210.0, (35.0, 17.0, 6.0)),
    "lstm": (31.2, 1500.0, (39.0, 25.0, 13.0)),
    "attention": (36.9, 1490.0, (42.0, 34.0, 27.0)),
    "transformer": (38.1, 1480.0, (41.0, 36.0, 31.0)),
}


def row(family, **changes):
    bleu, seconds, lengths = NUMBERS[family]
    neural = family not in FAMILIES[:2]
    metrics = {"bleu": Measured(bleu, bleu - 1.2, bleu + 1.3)}
    metrics["chrf"] = Measured(bleu + 20, bleu + 19, bleu + 21)
    if neural:  # the others do not define it here
        metrics["exact"] = Measured(bleu / 400, bleu / 500, bleu / 300)
    groups = zip(BUCKETS, (500, 400, 100), lengths, strict=True)
    fields = {
        "description": f"the size of {family}",
        "state": "finished",
        "parameters": 2_512_331 if neural else None,
        "steps": 6000 if neural else 5,
        "train_seconds": seconds,
        "translate_seconds": 3.5,
        "metrics": metrics,
        "by_length": tuple(LengthGroup(*group) for group in groups),
        "losses": tuple((k, 8.0 / k) for k in range(1, 30)) if neural else (),
        "validations": ((100, 9.0), (200, 4.5), (300, 5.25)) if neural else (),
        "unfinished": 0.031 if family == "rnn" else 0.0 if neural else None,
    }
    return Row(family, **fields | changes)


def failed(family, state, reason=""):
    nothing = dict.fromkeys(
        ("parameters", "steps", "train_seconds", "translate_seconds", "unfinished")
    )
    empty = {"metrics": {}, "by_length": (), "losses": (), "validations": ()}
    return row(family, state=state, reason=reason, **nothing, **empty)


def ladder(*rows, user="plain", **changes):
    """A ladder; `user` stands everywhere where the user's own words do."""
    rows = rows or tuple(map(row, FAMILIES))
    names = [one.family for one in rows]
    compared = [
        Comparison("transformer", "attention", 1.2, 0.08),
        Comparison("phrases", "transformer", -1.6, 0.012),
        *(Comparison("transformer", name, 9.0, 0.0004) for name in ("lstm", "rnn")),
    ]
    fields = {
        "corpus": Corpus(
            user, (user, "b.tsv"), 29000, 1014, 1000, {user: 3}, "space", "char", None, 800, 9, 8
        ),
        "machine": Machine("2025-11-28T11:20:00", user, 2, user, "3.11.7", "2.13.0", "0.1.0", 2, 1),
        "settings": {"steps": 6000, "lower": True, "strict": False, "budget": None, "note": user},
        "rows": rows,
        "comparisons": tuple(c for c in compared if {c.first, c.second} <= set(names)),
        "examples": (Example(user, user, dict.fromkeys(names, user)),),
    }
    return Ladder(**fields | changes)


@pytest.fixture(scope="module")
def full():
    return ladder()


@pytest.fixture(scope="module")
def drawings(full):
    return draw(full)


@pytest.fixture(scope="module")
def page(full, drawings):
    return html_page(full, drawings)


# --- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["plain", EVIL, HEBREW, "file \udcff of no encoding\n\0"])
def test_what_is_written_is_read_again(tmp_path, user):
    before = ladder(failed("rnn", "failed", user), row("transformer"), user=user)
    write_ladder(tmp_path / "ladder.json", before)
    after = read_ladder(tmp_path / "ladder.json")
    assert after == before
    assert after.to_json() == before.to_json()
    json.loads((tmp_path / "ladder.json").read_text(encoding="utf-8"))


def delete(*path):
    def change(values):
        *way, last = path
        for step in way:
            values = values[step]
        del values[last]

    return change


def put(value, *path):
    def change(values):
        *way, last = path
        for step in way:
            values = values[step]
        values[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(2, "format"), r"^format is 2, expected 1$"),
        (put(True, "format"), r"^format is True"),
        (delete("format"), r"^format is None"),
        (put(1, "colour"), r"^colour is not a field, expected corpus, "),
        (delete("machine"), r"^machine is missing$"),
        (delete("rows", 2, "steps"), r"^rows\[2\]\.steps is missing$"),
        (put(1, "rows", 2, "stepz"), r"^rows\[2\]\.stepz is not a field"),
        (put(6000.0, "rows", 2, "steps"), r"^rows\[2\]\.steps is 6000\.0, expected a whole number"),
        (put(True, "rows", 2, "steps"), r"^rows\[2\]\.steps is True, expected a whole number"),
        (put("12", "rows", 0, "train_seconds"), r"^rows\[0\]\.train_seconds is '12', expected a n"),
        (put(-1, "rows", 0, "train_seconds"), r"^rows\[0\]\.train_seconds is -1\.0, expected 0 or"),
        (put(None, "rows", 0, "family"), r"^rows\[0\]\.family is None, expected text"),
        (put("done", "rows", 1, "state"), r"^rows\[1\]\.state is 'done', expected one of finished"),
        (put({}, "rows", 1, "metrics", "ter"), r"^rows\[1\]\.metrics\.ter\.value is missing"),
        (
            put(None, "rows", 1, "metrics", "bleu"),
            r"^rows\[1\]\.metrics\.bleu is None, expected an",
        ),
        (put(50, "rows", 1, "metrics", "bleu", "low"), r"^rows\[1\]\.metrics\.bleu\.low is 50\.0"),
        (
            put([1], "rows", 2, "losses", 3),
            r"^rows\[2\]\.losses\[3\] is \[1\], expected a list of 2",
        ),
        (put([1, "2"], "rows", 2, "losses", 0), r"^rows\[2\]\.losses\[0\]\[1\] is '2'"),
        (put({}, "rows"), r"^rows is \{\}, expected a list"),
        (put("rnn", "rows", 0, "family"), r"^rows is 'rnn', expected each family once"),
        (put(1.5, "comparisons", 0, "p_value"), r"^comparisons\[0\]\.p_value is 1\.5"),
        (put("gru", "comparisons", 0, "first"), r"^comparisons: first is 'gru', expected one of"),
        (put({"gru": ""}, "examples", 0, "translations"), r"^examples: translations is 'gru'"),
        (put("soon", "machine", "date"), r"^machine\.date is 'soon', expected a date"),
        (put("3", "corpus", "left_out", "x"), r"^corpus\.left_out\.x is '3', expected a whole"),
        (
            put(10**400, "rows", 0, "train_seconds"),
            r"^rows\[0\]\.train_seconds is 1000+\.\.\., exp",
        ),
    ],
)
def test_a_file_that_is_not_a_ladder_names_the_field(full, change, said):
    values = json.loads(full.to_json())
    change(values)
    with pytest.raises(ValueError, match=said):
        Ladder.from_json(json.dumps(values))


def test_a_metric_of_another_name_is_refused(full):
    values = json.loads(full.to_json())
    values["rows"][1]["metrics"]["ter"] = {"value": 1, "low": 0, "high": 2}
    with pytest.raises(
        ValueError, match=r"^rows\[1\]\.metrics is 'ter', expected names among bleu"
    ):
        Ladder.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"[1]", r"the whole is \[1\], expected an object"),
        (b"[" * 100_000, "lists within lists"),
        (b'{"format": NaN}', "NaN stands in it"),
        (b"\xff\xfe", "can't decode"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, said):
    (tmp_path / "ladder.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"ladder.json: .*{said}"):
        read_ladder(tmp_path / "ladder.json")


def test_an_infinite_number_is_not_read(full):
    text = full.to_json().replace('"train_seconds": 95.0', '"train_seconds": 1e999')
    with pytest.raises(ValueError, match=r"rows\[1\]\.train_seconds is inf, expected a number of"):
        Ladder.from_json(text)


def test_an_infinite_loss_is_named_when_it_is_written():
    rows = (row("rnn", losses=((1, 2.0), (2, float("inf")))),)
    with pytest.raises(ValueError, match=r"^rows\[0\]\.losses\[1\]\[1\] is inf, expected a finite"):
        ladder(*rows).to_json()


def test_files_are_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "ladder.json"
    write_bytes(path, b"old")
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["ladder.json"]


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- the table ------------------------------------------------------------------------------------


def test_what_a_family_does_not_define_is_a_dash_with_a_footnote(full):
    table = tabulate(full)
    cells = dict(zip(COLUMNS, table.rows[0], strict=True))
    assert str(cells["exact, %"]) == str(cells["cut off, %"]) == "-[a]"
    assert table.notes == (("a", "not defined for this family"),)
    assert cells["BLEU"].text == "12.1 [10.9, 13.4]"
    rnn = dict(zip(COLUMNS, table.rows[2], strict=True))
    assert (rnn["exact, %"].text, rnn["cut off, %"].text) == ("6.0 [4.8, 8.0]", "3.1")
    assert rnn["parameters"].text == "2,512,331"
    assert [cells[1].best for cells in table.rows] == [False] * 5 + [True]


def test_rows_without_numbers_say_why():
    shown = as_text(
        ladder(
            failed("phrases", "failed", "out of memory\x1b[2J\nat step 3."),
            failed("rnn", "left out"),
            failed("lstm", "running"),
            failed("attention", "failed", "out of memory\x1b[2J\nat step 3."),
            row("transformer"),
        )
    )
    assert "[a] failed: out of memory [2J at step 3\n[b] left out\n[c] still running" in shown
    assert "\x1b" not in shown
    for letter, family in zip("abca", ("phrases", "rnn", "lstm", "attention"), strict=True):
        (line,) = [one for one in shown.splitlines() if re.match(rf"{family}  ", one)]
        assert line.split() == [family, *[f"-[{letter}]"] * 8]


def test_columns_stand_below_each_other_with_chinese_too(full):
    rows = (replace(row("rnn"), family="循环网络"), row("lstm"))
    lines = as_text(replace(full, rows=rows, comparisons=(), examples=())).splitlines()
    head, rule, first, second = lines[:4]
    assert {width(line) for line in (head, rule, first, second)} == {width(head)}
    assert first.startswith("循环网络  ")
    assert second.startswith("lstm      ")
    assert width("循环网络") == 8


def test_the_table_for_other_programs(tmp_path):
    write_tsv(tmp_path / "table.tsv", ladder(row("phrases"), failed("rnn", "failed", "a\tb\nc")))
    lines = (tmp_path / "table.tsv").read_text(encoding="utf-8").splitlines()
    head, phrases, rnn = (line.split("\t") for line in lines)
    assert len(head) == len(phrases) == len(rnn) == 18
    values = dict(zip(head, phrases, strict=True))
    assert (values["bleu"], values["bleu_low"], values["exact"]) == ("36.5", "35.3", "-")
    assert (values["train_seconds"], values["parameters"]) == ("95", "-")
    assert values["note"] == "not defined for this family"
    assert rnn[3:] == ["-"] * 14 + ["failed: a b c"]
    assert "0" not in rnn


# --- the sentences --------------------------------------------------------------------------------


def test_the_reading_says_what_the_numbers_say(full):
    assert reading(full) == [
        "transformer has the most BLEU, 38.1 [36.9, 39.4], on 1,000 held-out pairs.",
        "attention is 1.2 below it, which resampling does not tell apart (p = 0.08).",
        "Resampling tells it apart from phrases (1.6 below, p = 0.012), lstm (6.9 below, "
        "p < 0.001) and rnn (14.1 below, p < 0.001).",
        "Not compared with it by resampling: word-for-word (26.0 below).",
        "By chrF, too, transformer comes first, with 58.1.",
        "By exact matches, too, transformer comes first, with 9.5 %.",
        "Whoever has more time gets more BLEU from word-for-word (12.1 after 14 s), phrases "
        "(36.5 after 1 min 35 s) and transformer (38.1 after 24 min 40 s).",
        "rnn, lstm and attention are not among them: another family has at least as much BLEU "
        "after a training that was no longer.",
        "From sources of 1-8 words (500 pairs) to those of 17+ (100 pairs), rnn keeps least of its "
        "BLEU, 6.0 of 35.0 (17 %); transformer keeps most of its BLEU, 31.0 of 41.0 (76 %).",
        "Translations that were cut off because they did not end: rnn 3 %.",
    ]


def test_the_reading_follows_the_numbers():
    better = {"bleu": Measured(38.1, 37.0, 39.0), "chrf": Measured(70.0, 69.0, 71.0)}
    equal = row("phrases", metrics=better, train_seconds=1480.0)
    said = reading(ladder(equal, row("transformer")))
    assert said[0].startswith("phrases has the most BLEU, 38.1 [37.0, 39.0]")
    assert said[1] == "Resampling tells it apart from transformer (0.0 below, p = 0.012)."
    assert "By chrF, too, phrases comes first, with 70.0." in said
    assert not any("exact" in one for one in said)  # one family alone defines it
    assert "phrases (38.1 after 24 min 40 s) has both the shortest training and the most BLEU." in (
        said
    )
    chrf = {"bleu": Measured(1.0, 0.0, 2.0), "chrf": Measured(70.0, 69.0, 71.0)}
    said = reading(ladder(row("phrases", metrics=chrf), row("transformer")))
    assert "By chrF, phrases comes first instead, with 70.0." in said


def test_the_reading_of_a_ladder_that_is_not_whole(full):
    corpus = replace(full.corpus, test=31)
    said = reading(
        ladder(
            failed("rnn", "left out", "too few pairs."),
            failed("lstm", "running"),
            failed("attention", "failed", "no memory"),
            row("transformer"),
            corpus=corpus,
        )
    )
    assert said == [
        "transformer is the only family with a score: 38.1 [36.9, 39.4] BLEU on 31 held-out pairs.",
        "rnn was left out: too few pairs.",
        "attention failed: no memory.",
        "lstm was still running when this was written.",
        "There are only 31 held-out pairs: with fewer than 50, the intervals are too narrow to be "
        "trusted.",
    ]
    nothing = ladder(failed("rnn", "running"), failed("lstm", "running"))
    assert reading(nothing) == [
        "No family has a score yet.",
        "rnn and lstm were still running when this was written.",
    ]


def test_none_beats_the_best_for_their_time(full):
    best = best_for_time(full)
    assert [one.family for one in best] == ["word-for-word", "phrases", "transformer"]
    for one in full.rows:
        beaten = any(
            other.train_seconds <= one.train_seconds
            and other.metrics["bleu"].value > one.metrics["bleu"].value
            for other in full.rows
        )
        assert beaten == (one not in best)
    assert enumerated(["a"]) == "a"


# --- the figures ----------------------------------------------------------------------------------


def test_each_figure_says_in_words_what_it_shows(full, drawings):
    captions = {one.name: one.caption for one in drawings}
    assert list(captions) == ["bleu", "time", "length", "training"]
    assert "transformer 38.1 [36.9, 39.4], attention 36.9 [35.7, 38.2]" in captions["bleu"]
    assert "phrases 36.5 after 1 min 35 s" in captions["time"]
    assert (
        "word-for-word 15.0 (1-8) to 9.0 (9-16), phrases 41.0 (1-8) to 28.0" in (captions["length"])
    )
    assert "lstm from 8.00 to 0.28" in captions["training"]
    assert "lstm 4.5 at step 200 (5.25 at the end)" in captions["training"]
    assert captions["training"].endswith("want of numbers: word-for-word and phrases.")
    assert caption_training(ladder(row("rnn", losses=()))).startswith("Lowest perplexity")


def test_figures_and_page_are_the_same_bytes_in_another_process(tmp_path, full, page):
    write_ladder(tmp_path / "ladder.json", full)
    code = f"""
import sys
import matplotlib as mpl
mpl.rcParams["axes.linewidth"] = 5  # what a user prefers
names = set(mpl.rcParams) - {{"backend"}}  # who asks for that one imports pyplot
before = {{name: mpl.rcParams[name] for name in names}}
from softalign.ladder.page import write_page
from softalign.ladder.record import read_ladder
write_page({str(tmp_path / "report.html")!r}, read_ladder({str(tmp_path / "ladder.json")!r}))
assert before == {{name: mpl.rcParams[name] for name in names}}
assert not {{"torch", "matplotlib.pyplot"}} & set(sys.modules)
"""
    environment = os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert (tmp_path / "report.html").read_bytes() == page.encode()
    assert os.listdir(tmp_path) == unordered("ladder.json", "report.html")


class unordered(list):
    def __init__(self, *names):
        super().__init__(names)

    def __eq__(self, other):
        return sorted(self) == sorted(other)

    __hash__ = None


def test_files_of_the_figures_stand_alone(tmp_path, drawings):
    from xml.etree import ElementTree

    paths = write_drawings(tmp_path, drawings)
    assert [path.name for path in paths] == [f"{one.name}.svg" for one in drawings]
    for path, drawing in zip(paths, drawings, strict=True):
        image = ElementTree.parse(path).getroot()
        texts = {"".join(one.itertext()) for one in image.iter("{http://www.w3.org/2000/svg}text")}
        assert "transformer" in texts  # text, not paths
        assert "<metadata" not in drawing.svg
        assert "currentColor" not in drawing.svg
        assert "var(" not in drawing.svg


def test_families_differ_by_more_than_colour(full):
    looks = [style_of(full, family) for family in FAMILIES]
    for key in ("color", "marker", "linestyle"):
        assert len({str(look[key]) for look in looks}) == len(FAMILIES)
    alone = ladder(row("lstm"))
    assert style_of(alone, "lstm") == style_of(full, "lstm")


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_colours_are_read_on_their_ground(page):
    style = page[: page.index("</style>")]
    light, dark = re.findall(r"--ground: (#\w+);", style)
    light = "#ffffff" if light == "#fff" else light
    for ground, colours in ((light, LIGHT), (dark, DARK)):
        for colour in colours:
            assert contrast(ground, colour) >= 4.5, (ground, colour)
            assert colour in style
    for ground, name in ((light, "ink"), (light, "soft"), (light, "link")):
        assert contrast(ground, re.search(rf"--{name}: (#\w+);", style).group(1)) >= 4.5
    for name in ("ink", "soft", "link"):
        assert contrast(dark, re.findall(rf"--{name}: (#\w+);", style)[1]) >= 4.5


# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency": linear RGB as seen without the first, second and third kind of cone
SEEN = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def cie_lab(colour, seen):
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    xyz = np.array([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])
    tone = np.cbrt(xyz @ np.clip(np.array(seen) @ linear, 0, 1) / xyz.sum(axis=1))
    return np.array(
        [116 * tone[1], 500 * (tone[0] - tone[1]), 200 * (tone[1] - tone[2])], dtype=float
    )


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_kind_of_eye_tells_the_colours_apart(colours, seen):
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(cie_lab(one, seen) - cie_lab(other, seen)) > 15, (one, other)


@pytest.mark.parametrize(
    ("seconds", "apart"), [(0.0, 0.0), (30.0, 0.4), (1200.0, 0.0), (1200.0, 0.02)]
)
def test_names_beside_points_never_overlap(seconds, apart):
    rows = tuple(
        row(
            family,
            metrics={"bleu": Measured(30.0 + apart * place, 29.0, 40.0)},
            train_seconds=seconds * (1 + apart * place),
        )
        for place, family in enumerate(FAMILIES)
    )
    with settings("time"):
        figure = plots._times(ladder(*rows))
        figure.draw_without_rendering()
        (ax,) = figure.axes
        renderer = figure.canvas.get_renderer()
        boxes = {t.get_text(): t.get_window_extent(renderer) for t in ax.texts if t.get_text()}
        frame = ax.get_window_extent(renderer)
        ticks = [t.get_window_extent(renderer) for t in ax.get_xticklabels()]
    assert set(boxes) == set(FAMILIES)
    for one, other in [*combinations(boxes.values(), 2), *combinations(ticks, 2)]:
        assert not one.overlaps(other)
    for box in boxes.values():
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
    assert len(ticks) > 1


def test_long_curves_are_means_of_neighbours():
    curve = tuple((step, float(step % 2)) for step in range(1, 1001))
    thin = plots._thinned(curve)
    assert len(thin) <= plots.POINTS
    assert thin[0][0] == 4.0  # of the steps 1 to 7
    assert all(0.4 < value < 0.6 for _, value in thin)
    assert plots._thinned(curve[:5]) == list(curve[:5])


def test_a_dollar_or_a_bracket_in_a_label_is_itself():
    groups = tuple(LengthGroup(label, 30, 20.0) for label in ("$x$", "<b>&"))
    with settings("length"):
        from softalign.ladder.drawing import saved

        svg = saved(plots._lengths(ladder(row("rnn", by_length=groups))))
    assert ">$x$<" in svg
    assert "&lt;b&gt;&amp;<" in svg


# --- the page -------------------------------------------------------------------------------------

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Read a page: its elements must close in order, and what is text is kept."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, dict(attributes), self.open[-1] if self.open else ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert "svg" in self.open, tag
        self.elements.append((tag, dict(attributes), self.open[-1]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, text):
        if self.open and self.open[-1] != "style":
            self.texts.append((self.open[-1], text))

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]


def test_the_page_is_well_formed(page):
    read = Reader(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert read.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in read.all("meta")
    ids = Counter(a["id"] for _, a, _ in read.elements if "id" in a)
    assert ids.most_common(1)[0][1] == 1
    targets = [a["href"] for _, a, _ in read.elements if "href" in a]
    assert targets
    assert all(target[0] == "#" and target[1:] in ids for target in targets)
    clips = re.findall(r'clip-path="url\(#([^)]*)\)"', page)
    assert clips
    assert set(clips) <= set(ids)
    levels = [int(name[1]) for name, _, _ in read.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    sections = [a["aria-labelledby"] for a in read.all("section") if "aria-labelledby" in a]
    assert sections == ["reading", "table", "figures", "examples", "left-out", "settings", "again"]


def test_every_figure_has_words_for_those_who_do_not_see_it(page, drawings):
    read = Reader(page)
    images = read.all("svg")
    assert len(images) == len(read.all("figcaption")) == len(read.all("figure")) == 4
    captions = ["".join(t for tag, t in read.texts if tag == "figcaption")]
    for image, drawing in zip(images, drawings, strict=True):
        assert image["role"] == "img"
        assert image["aria-label"] == f"{drawing.title}. {drawing.caption}"
        assert "width" not in image
        assert "viewbox" in image
        assert drawing.caption in captions[0].replace("\u2060", "")


def test_tables_say_what_their_cells_belong_to(page):
    read = Reader(page)
    heads = read.all("th")
    assert {a.get("scope") for a in heads} == {"row", "col"}
    assert sum(a["scope"] == "row" for a in heads) == 2 * len(FAMILIES)
    boxes = [a for a in read.all("section") if a.get("class") == "scroll"]
    assert len(boxes) == len(read.all("table")) == len(read.all("caption")) == 2
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in boxes)
    assert "–" in [text for tag, text in read.texts if tag == "a"]
    assert [text for tag, text in read.texts if tag == "strong"] == [
        "38.1 [36.9, 39.4]",
        "58.1 [57.1, 59.1]",
        "9.5 [7.6, 12.7]",
    ]


def test_the_page_needs_nothing_beside_it(page):
    read = Reader(page)
    assert not {"script", "link", "iframe", "img", "object", "embed", "base", "form"} & {
        name for name, _, _ in read.elements
    }
    assert not [a for _, a, _ in read.elements if {"src", "srcset", "action"} & set(a)]
    assert not [n for _, a, _ in read.elements for n in a if n.startswith(("on", "xmlns"))]
    assert "://" not in page
    assert "@import" not in page
    assert set(re.findall(r"url\((.)", page)) == {"#"}


def test_the_page_is_for_light_dark_paper_and_phones(page):
    assert page.count("(prefers-color-scheme: dark)") == 2
    assert "@media print" in page
    assert "width=device-width" in page
    assert ".scroll {\n  overflow-x: auto;" in page
    images = page[page.index("<svg ") :]
    assert "currentColor" in images
    assert "var(--family-5, " in images
    assert "var(--grid, " in images
    assert INK not in images
    assert "#ffffff" not in images


@pytest.mark.parametrize("user", [EVIL, HEBREW, "a\0b\x1b\ud800\x85 $x$", "'\"`<!--", "</svg>"])
def test_what_the_user_wrote_is_text_and_no_markup(full, drawings, user):
    families = (*full.rows[:-1], failed("transformer", "failed"))

    def with_words(words):
        rows = (
            replace(one, description=words, reason=words if one.state == "failed" else "")
            for one in families
        )
        return Reader(html_page(ladder(*rows, user=words), drawings))

    plain, evil = with_words("plain"), with_words(user)
    skeletons = [
        [(tag, sorted(attributes)) for tag, attributes, inside in read.elements if inside != "code"]
        for read in (plain, evil)
    ]
    assert skeletons[0] == skeletons[1]
    expected = re.sub("[\0\x1b\ud800\x85]", "\ufffd", user)
    found = Counter(text for tag, text in evil.texts if text == expected)
    # the title, an example of 2 + 6, why lines and a family were left out, the system, a setting,
    # 6 descriptions
    assert found[expected] == 1 + 8 + 2 + 2 + 6
    for tag, attributes, _ in evil.elements:
        if tag == "bdi" or (tag == "dd" and "dir" in attributes):
            assert attributes["dir"] == "auto"
            assert attributes["lang"] == ""


def test_quotes_do_not_end_what_is_said_of_a_figure(full, drawings):
    words = replace(drawings[0], title=EVIL, caption=EVIL)
    read = Reader(html_page(full, [words]))
    assert [image["aria-label"] for image in read.all("svg")] == [f"{EVIL}. {EVIL}"]


def test_a_ladder_without_numbers_is_a_page_too(tmp_path):
    empty = ladder(failed("rnn", "running"), examples=())
    write_page(tmp_path / "report.html", empty)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert draw(empty) == []
    assert not read.all("figure")
    assert "No family has a score yet." in text
    assert "There are no numbers to draw yet." in text


def test_what_was_left_out_is_counted(page):
    read = Reader(page)
    assert ("p", "Lines of the corpus that were not used, 3 in all:") in read.texts
    none = ladder(failed("rnn", "failed", "no memory."))
    none = replace(none, corpus=replace(none.corpus, left_out={"empty": 0}))
    text = html_page(none)
    assert "Every line of the corpus was used." in text
    assert re.sub("<[^>]*>", "", text).count("rnn failed: no memory.\n") >= 1


def test_the_command_line_says_how_to_run_it_again(full):
    words = shlex.split(command_line(ladder(user="my 'corpus' $1")))
    assert words[:4] == ["softalign", "ladder", "my 'corpus' $1", "b.tsv"]
    assert words[4:] == ["--steps", "6000", "--lower", "--note", "my 'corpus' $1"]
    named = replace(full, corpus=replace(full.corpus, name="multi30k", files=()))
    named = replace(named, settings={"src_tokens": "char", "families": ["rnn"], "output": "o"})
    assert command_line(named) == (
        "softalign ladder multi30k --src-tokens char --families rnn -o o"
    )
    kept = replace(full, settings={"steps": 1, "command": "softalign ladder a.tsv -o b"})
    assert command_line(kept) == "softalign ladder a.tsv -o b"
    shown = Reader(html_page(kept, []))
    assert "".join(text for tag, text in shown.texts if tag in ("code", "span")).endswith(
        "softalign ladder a.tsv -o b"
    )
    assert ("dt", "command") not in shown.texts


def test_parts_of_two_drawings_have_names_of_their_own(drawings):
    names = [set(re.findall(r' id="([^"]*)"', inline(one))) for one in drawings]
    assert all(not one & other for one, other in combinations(names, 2))
    for one in drawings:
        used = set(re.findall(r'(?:href="#|url\(#)([^")]*)', inline(one)))
        assert used <= set(re.findall(r' id="([^"]*)"', inline(one)))
