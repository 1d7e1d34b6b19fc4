"""The interactive figures: what all of them share."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from softalign.interactive import Interactive
from softalign.interactive.figure import BEGIN, END, HERE, script, style


def picture():
    """A still picture."""
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, 1], [0, 1])
    return figure


def example(data=None, kind="softmax", **changes):
    options = {"title": "A <title>", "says": 'It "says" & shows.', "draw": picture} | changes
    return Interactive(kind, data=data or {"a": [1]}, **options)


def node(code: str) -> object:
    """What a script prints as JSON, after core.js has run beside it."""
    before = "globalThis.window = globalThis; globalThis.document = {readyState: 'complete', "
    before += "querySelectorAll: () => []};"
    program = f"{before}\n{script('core')}\nconsole.log(JSON.stringify({code}))"
    done = subprocess.run(
        [shutil.which("node"), "-e", program], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def softmax(scores):
    return torch.tensor(scores).softmax(1).numpy()


class Reader(HTMLParser):
    """Attributes of all elements, and what stands in scripts of data."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.data, self._inside = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("type") == "application/json"

    def handle_data(self, data):
        if self._inside:
            self.data += data

    def handle_endtag(self, tag):
        self._inside = False


def test_the_data_reach_the_page_as_they_are():
    data = {
        "shares": np.array([[1 / 3, 2 / 3]]),
        "words": ["他", "</script><b>", "<!-- x", 'a "b"'],
        "whole": 3.0,
        "count": np.int64(4),
        "tuple": (True, None),
    }
    found = Reader(example(data)._repr_html_())
    read = json.loads(found.data)
    assert read["words"] == data["words"]
    np.testing.assert_allclose(read["shares"], data["shares"], rtol=1e-8)
    assert read["whole"] == 3
    assert read["count"] == 4
    assert read["tuple"] == [True, None]
    assert '"whole": 3,' in found.data
    assert len([tag for tag, _ in found.seen if tag == "script"]) == 3
    assert not [tag for tag, _ in found.seen if tag == "b"]


def test_title_and_alternative_text_are_text():
    found = Reader(example().figure("one"))
    (image,) = [attributes for tag, attributes in found.seen if tag == "img"]
    (figure,) = [attributes for tag, attributes in found.seen if tag == "figure"]
    assert image["alt"] == 'It "says" & shows.'
    assert "A &lt;title&gt;" in example().figure()
    assert figure["id"] == "one"
    assert repr(example()) == 'A <title>: It "says" & shows.'


def test_the_picture_has_its_size_and_is_the_same_each_time():
    first, second = example().figure(), example().figure()
    assert first == second
    found = Reader(first)
    (image,) = [attributes for tag, attributes in found.seen if tag == "img"]
    drawn = base64.b64decode(image["src"].partition("base64,")[2]).decode()
    width, height = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', drawn).groups()
    assert abs(int(image["width"]) - float(width) * 96 / 72) <= 0.5
    assert abs(int(image["height"]) - float(height) * 96 / 72) <= 0.5


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.array([1.0, -np.inf])])
def test_a_number_that_json_has_not_is_refused(bad):
    with pytest.raises(ValueError, match="JSON"):
        example({"a": bad})


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"there is no figure 'core', only .*softmax"):
        example(kind="core")


def test_what_is_shared_stands_between_its_marks():
    text = example()._repr_html_()
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    assert style() in inside
    assert script("core") in inside
    assert script("softmax") in inside
    assert before == example().figure()
    assert after == ""


def test_nothing_names_another_host():
    texts = [style(), *(path.read_text(encoding="utf-8") for path in HERE.glob("*.js"))]
    for text in texts:
        assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z]", text)


def test_all_scripts_are_small_together():
    """The budget of the site: 60 kB for all of them, packed."""
    import gzip

    files = [*HERE.glob("*.js"), HERE / "style.css"]
    assert len(gzip.compress(b"".join(path.read_bytes() for path in files), 9)) < 60_000


def test_softmax_of_the_scripts_is_softmax():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 5)) * 30
    code = f"{json.dumps(scores.tolist())}.map((line) => softalign.softmax(line))"
    np.testing.assert_allclose(node(code), softmax(scores), atol=1e-12)
    seen = rng.random((20, 5)) < 0.5
    masked = np.where(seen, scores, -np.inf)
    masked[~seen.any(axis=1)] = 0
    expected = softmax(masked) * seen.any(axis=1, keepdims=True)
    code = f"{json.dumps(scores.tolist())}.map((line, i) => softalign.softmax(line, "
    code += f"{json.dumps(seen.tolist())}[i]))"
    np.testing.assert_allclose(node(code), expected, atol=1e-12)


def test_numbers_are_printed_with_a_minus_sign_and_few_digits():
    code = "[0, -0.126, 1e-4, 1234567, NaN, Infinity, null].map((x) => softalign.number(x))"
    assert node(code) == ["0.00", "−0.13", "1.0e−4", "1.2e6", "–", "∞", "–"]


def test_entropy_is_in_bits():
    assert node("softalign.entropy([0.5, 0.25, 0.25, 0])") == 1.5
