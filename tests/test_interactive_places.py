"""The figure of sinusoidal positions: the script's numbers are the library's."""

from __future__ import annotations

import json
import math
import re

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from test_interactive import node

from softalign.interactive.figure import script
from softalign.interactive.places import positions_figure
from softalign.plotting import use_book_style
from softalign.positions import offset_rotation, sinusoidal

SHAPES = [(32, 10_000.0), (8, 100.0), (2, 10_000.0), (6, 1.0)]
PLACES = [0, 1, 7, 40, 63, 2000, -5]
OFFSETS = [0, 1, -3, 20, -31]


def numbers(code, d_model=32, base=10_000.0, length=64):
    """What the arithmetic of the script says."""
    body = script("positions").split("// --- numbers")[1].split("// --- controls")[0]
    body = body.partition("\n")[2]
    given = f"const d_model = {d_model}, base = {base}, length = {length};"
    return node(f"(() => {{ {given} {body} return {code}; }})()")


def encodings(places, d_model, base):
    return sinusoidal(torch.tensor(places), d_model, base=base).double().numpy()


@pytest.mark.parametrize(("d_model", "base"), SHAPES)
def test_encodings_are_the_librarys(d_model, base):
    found = numbers(f"{PLACES}.map(encode)", d_model, base)
    np.testing.assert_allclose(found, encodings(PLACES, d_model, base), atol=1e-6)


@pytest.mark.parametrize(("d_model", "base"), SHAPES)
def test_an_offset_turns_each_pair_as_the_matrix_of_the_library(d_model, base):
    code = f"{OFFSETS}.map((d) => {PLACES}.map((t) => rates.map((w, k) => "
    code += "turned(encode(t).slice(2 * k, 2 * k + 2), d * w))))"
    found = np.array(numbers(code, d_model, base)).reshape(len(OFFSETS), len(PLACES), d_model)
    for offset, rows in zip(OFFSETS, found, strict=True):
        R = offset_rotation(offset, d_model, base=base).numpy()
        np.testing.assert_allclose(rows, encodings(PLACES, d_model, base) @ R, atol=1e-6)
        there = encodings([place + offset for place in PLACES], d_model, base)
        np.testing.assert_allclose(rows, there, atol=1e-6)


@pytest.mark.parametrize(("d_model", "base"), SHAPES)
def test_products_depend_on_the_offset_alone(d_model, base):
    code = f"{OFFSETS}.map((d) => {PLACES}.map((t) => [product(t, t + d), "
    code += "...rates.map((_, k) => alone(t, t + d, k))]))"
    for offset, rows in zip(OFFSETS, np.array(numbers(code, d_model, base)), strict=True):
        cosines = offset_rotation(offset, d_model, base=base).numpy().diagonal()[::2]
        np.testing.assert_allclose(rows[:, 1:], np.tile(cosines, (len(PLACES), 1)), atol=1e-9)
        np.testing.assert_allclose(rows[:, 0], cosines.sum(), atol=1e-9)


def test_positions_that_share_a_place_on_the_circle():
    P = encodings(range(64), 32, 10_000.0)
    for place, pair, limit in ((10, 0, 10.0), (0, 3, 10.0), (63, 5, 10.0), (5, 15, 0.02)):
        pairs = P[:, 2 * pair : 2 * pair + 2]
        apart = np.linalg.norm(pairs - pairs[place], axis=1)
        near = np.flatnonzero(apart <= 2 * math.sin(math.radians(limit) / 2) + 1e-7)
        expected = [abs(int(other) - place) for other in near if other != place]
        assert numbers(f"close({place}, {pair}, {limit})") == expected
    assert len(expected) in {2, 3, 4}  # the last one is no matter of all or nothing


def test_the_data_are_what_was_asked_for():
    data = json.loads(positions_figure(16, 21, base=50.0, position=20, pair=7, offset=-10).json())
    assert (data["d_model"], data["length"], data["base"]) == (16, 21, 50)
    assert (data["position"], data["pair"], data["offset"]) == (20, 7, -10)
    assert (data["reach"], data["near"]) == (15, 10)
    shades = [[int(hex_[i : i + 2], 16) for i in (1, 3, 5)] for hex_ in data["shades"]]
    light = [np.dot(shade, [0.2126, 0.7152, 0.0722]) for shade in shades]
    assert np.diff(light).min() > 60  # told apart without colours


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"d_model": 7}, "d_model is 7, expected an even number from 2 to 128"),
        ({"d_model": 0}, "d_model is 0"),
        ({"d_model": 130}, "d_model is 130"),
        ({"length": 7}, "length is 7, expected 8 to 256"),
        ({"length": 257}, "length is 257"),
        ({"base": 0.5}, "base is 0.5, expected 1 or more"),
        ({"base": float("inf")}, "base is inf"),
        ({"base": float("nan")}, "base is nan"),
        ({"position": 64}, "position is 64, expected 0 to 63"),
        ({"position": -1}, "position is -1"),
        ({"pair": 16}, "pair is 16, expected 0 to 15"),
        ({"offset": 49}, "offset is 49, expected -48 to 48"),
        ({"offset": -49}, "offset is -49"),
    ],
)
def test_what_cannot_be_shown_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        positions_figure(**changes)


@pytest.mark.parametrize(
    ("position", "pair", "offset"), [(10, 0, 5), (40, 5, -12), (60, 2, 30), (10, 0, 44), (3, 1, -5)]
)
def test_the_picture_and_its_words_show_the_opening_state(position, pair, offset):
    figure = positions_figure(position=position, pair=pair, offset=offset)
    with mpl.rc_context():
        use_book_style()
        rows, circle, products, _ = figure.draw().axes
    P = encodings(range(64), 32, 10_000.0)
    np.testing.assert_allclose(rows.images[0].get_array(), P, atol=1e-6)
    frames = [patch.get_bbox().bounds for patch in rows.patches]
    marked = [place for place in (position, position + offset) if 0 <= place < 64]
    assert frames == [(-0.5, place - 0.5, 32, 1) for place in marked] + [
        (2 * pair - 0.5, -0.5, 2, 64)
    ]
    _, dots, way, here, there = (line.get_xydata() for line in circle.lines)
    both = encodings([position, position + offset], 32, 10_000.0)[:, [2 * pair + 1, 2 * pair]]
    np.testing.assert_allclose(dots, P[:, [2 * pair + 1, 2 * pair]], atol=1e-6)
    np.testing.assert_allclose([*here, *there], both, atol=1e-6)
    np.testing.assert_allclose(way[[0, -1]], 0.6 * both, atol=1e-6)
    offsets = np.arange(-48, 49)
    cosines = [offset_rotation(int(d), 32).numpy().diagonal()[::2] for d in offsets]
    mean, alone = products.lines[:2]
    np.testing.assert_allclose(mean.get_xydata(), np.c_[offsets, np.mean(cosines, 1)], atol=1e-6)
    np.testing.assert_allclose(alone.get_ydata(), np.array(cosines)[:, pair], atol=1e-6)
    marks = [line.get_xydata()[0] for line in products.lines[3:]]
    at = cosines[offset + 48]
    np.testing.assert_allclose(marks, [[offset, at.mean()], [offset, at[pair]]], atol=1e-6)
    turn = math.degrees(10_000 ** (-pair / 16)) * offset
    begins = f"Position {position}, pair {pair}, offset {offset}: the pair turns by {turn:.1f}°, "
    begins += f"here and everywhere. The product with position {position + offset}"
    begins += " is " if 0 <= position + offset < 64 else ", beyond the table, is "
    assert figure.says.startswith(f"{begins}{at.sum():.2f}. ".replace("-", "−"))
    plt.close("all")


@pytest.mark.parametrize(("position", "pair"), [(10, 0), (40, 5), (0, 3), (0, 1), (30, 15)])
def test_the_words_count_the_positions_nearby(position, pair):
    away = numbers(f"close({position}, {pair}, 10)")
    says = positions_figure(position=position, pair=pair).says
    count, farthest = re.search(
        r"(\d+) other positions? .*?(?:farthest (\d+) away)?\.$", says
    ).groups()
    assert int(count) == len(away)
    assert farthest == (str(max(away)) if away else None)
    assert ("1 other position stands" in says) == (len(away) == 1)
