"""Stored runs: what makes them stale, how they are stored, interrupted, resumed and compared."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import json
import math
import os
import subprocess
import sys
import time
import tomllib
import types
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise

import pytest
import torch
from book_files import LIBRARY, ROOT, source_of, table_of_contents
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign import experiments, runs
from softalign.runs import Experiment, Outcome, __main__, engine, model, store, syntax
from softalign.training import fit, seeded

# Measured once on a machine, and not trained by "make runs": the page that reads it.
MEASURED = {
    "bench.json": "book/field",
    "multi30k.json": "book/your_own_text",
    "scaling.json": "book/data_parallel",
}
drawn = settings(derandomize=True, deadline=None, max_examples=40)


# --- the runs of the book -------------------------------------------------------------------------


@pytest.mark.parametrize("name", experiments.names())
def test_every_row_of_an_experiment_is_stored_and_fresh(name):
    experiment = experiments.get(name)
    states = engine.states(experiment, runs.digest(f"softalign.experiments.{name}"))
    late = {row: state for row, state in states.items() if state != "stored"}
    assert not late, f"'make runs RUN={name}' brings up to date: {late}"


def test_nothing_is_stored_that_no_experiment_and_no_page_has():
    files = {path.name for path in store.results_folder().glob("*.json")}
    assert files == {f"{name}.json" for name in experiments.names()} | set(MEASURED)
    for name, page in MEASURED.items():
        assert f'results_folder() / "{name}"' in str(source_of(page))
        assert page in table_of_contents()


@pytest.mark.parametrize("name", experiments.names())
def test_a_file_of_results_is_as_the_command_writes_it(name):
    experiment = experiments.get(name)
    text = (store.results_folder() / f"{name}.json").read_text(encoding="utf-8")
    rows = runs.stored(name)
    assert text == store.as_text(name, experiment.page, rows)
    assert list(rows) == list(experiment.rows)
    assert f"chapters/{experiment.page}" in table_of_contents()


# --- the digest -----------------------------------------------------------------------------------

MODULE = '''
"""Words about the module."""

from __future__ import annotations

from typing import Any

import numpy as np

SIZE: int = 3


class Thing:
    """Words about the class."""

    width: int = 4
    """Words about the field."""

    def area(self, height: float) -> float:
        """Words about the method."""
        # words about the line
        total: float = self.width * height
        return total


def build(size=SIZE, *names, scale=1.0, **rest):
    if size > 2 and names:
        return [np.zeros(size) for _ in names]
    return f"{size:>{SIZE}} {scale!r}"
'''


def changed(old: str, new: str) -> str:
    """The module with a piece replaced, which must be there once."""
    assert MODULE.count(old) == 1
    return MODULE.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        changed("Words about the module.", "Other words."),
        changed('"""Words about the class."""', ""),
        changed('    """Words about the field."""\n', ""),
        changed(
            '        """Words about the method."""\n', '        """A.\n\n        B.\n        """\n'
        ),
        changed("# words about the line", "# other words"),
        changed("height: float) -> float", "height: Float[Tensor, 'a'] | None) -> Any"),
        changed("height: float) -> float", "height)"),
        changed("SIZE: int = 3", "SIZE = 3"),
        changed("total: float =", "total ="),
        changed("width: int", "width: float"),
        changed("from typing import Any", "from collections.abc import Sequence"),
        changed("from typing import Any", "from jaxtyping import Float as F"),
        changed("from typing import Any", "from typing import Never").replace(
            "float) ->", "Never) ->"
        ),
        changed("from typing import Any", "from typing import Never").replace(
            "-> float", "-> Never"
        ),
        changed(
            "from typing import Any", "if TYPE_CHECKING:\n    from softalign.text import Batch"
        ),
        changed("class Thing:", "count: int\n\n\nclass Thing:"),
        changed("size > 2 and names", "(size > 2) and (names)"),
        changed("1.0", "1.00"),
        changed('f"{size', "f'{size").replace('!r}"', "!r}'"),
        changed("return total", "return (\n            total\n        )"),
    ],
)
def test_words_comments_and_annotations_do_not_count(text):
    assert text != MODULE
    assert syntax.dump(syntax.plain_tree(text)) == syntax.dump(syntax.plain_tree(MODULE))


@pytest.mark.parametrize(
    "text",
    [
        changed("SIZE: int = 3", "SIZE: int = 4"),
        changed("SIZE: int = 3", "SIZE: int = 3.0"),
        changed("SIZE: int = 3", "SIZE: int = True"),
        changed("SIZE: int = 3", "SIZE: int = -3"),
        changed("SIZE: int = 3", "OTHER: int = 3"),
        changed("width: int = 4", "width = 4"),
        changed("width: int = 4", "width: int"),
        changed("width: int = 4", "width: ClassVar[int] = 4"),
        changed("width: int = 4", "width: int = 4\n    depth: int"),
        changed("self.width * height", "self.width + height"),
        changed("self.width * height", "height * self.width"),
        changed("return total", "return -total"),
        changed("return total", "return"),
        changed("size > 2", "size >= 2"),
        changed("2 and names", "2 or names"),
        changed("size=SIZE, *names", "size, *names"),
        changed("*names, scale=1.0", "*names, scale"),
        changed("*names, scale=1.0", "*names, scale=1.5"),
        changed("*names, scale=1.0", "scale=1.0, *names"),
        changed(", **rest", ""),
        changed("for _ in names", "for _ in names if _"),
        changed("np.zeros(size)", "np.ones(size)"),
        changed("[np.zeros(size) for _ in names]", "(np.zeros(size) for _ in names)"),
        changed("scale!r", "scale!s"),
        changed(":>{SIZE}", ":<{SIZE}"),
        changed(":>{SIZE}", ""),
        changed("import numpy as np", "import torch as np"),
        changed("import numpy as np", "import numpy"),
        changed("class Thing:", "class Thing(list):"),
        changed("class Thing:", "@decorated\nclass Thing:"),
        changed("class Thing:", "if TYPE_CHECKING:\n    a = 1\nelse:\n    a = 2\n\n\nclass Thing:"),
        changed("    def area", "    @staticmethod\n    def area"),
        changed("def build", "async def build"),
        changed('!r}"', '!r} "'),
    ],
)
def test_every_other_change_counts(text):
    assert syntax.dump(syntax.plain_tree(text)) != syntax.dump(syntax.plain_tree(MODULE))


def test_a_name_that_is_used_beyond_annotations_counts_where_it_comes_from():
    text = "from typing import {} as T\nvalue = T"
    dumps = [syntax.dump(syntax.plain_tree(text.format(name))) for name in ("Any", "Callable")]
    assert dumps[0] != dumps[1]
    exported = 'from typing import {} as T\n__all__ = ["T"]'
    dumps = [syntax.dump(syntax.plain_tree(exported.format(name))) for name in ("Any", "List")]
    assert dumps[0] != dumps[1]


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: path.stem)
def test_the_library_written_anew_without_its_words_has_the_same_digest(path):
    tree = syntax.plain_tree(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):  # a block must not be empty in the text
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
        if isinstance(node, ast.AnnAssign):  # and a field needs an annotation
            marks = [mark.id for mark in node.target.elts[1:]]
            node.annotation = ast.Name(marks[0] if marks else "int")
            node.target = node.target.elts[0]
    text = ast.unparse(ast.fix_missing_locations(tree))
    assert syntax.dump(syntax.plain_tree(text)) == syntax.dump(
        syntax.plain_tree(path.read_text(encoding="utf-8"))
    )


# All of Python's grammar that the library may use, in one text. Its digest was computed by Python
# 3.11.7, 3.12.1 and 3.13.0: they agree, and so must whatever runs this test.
GRAMMAR = r"""
import a.b as c
from . import d
from ..e import f as g, h
x, *y = [1, 2.5, 1j, True, None, ..., "\u4e2d\U0001f600\x00", b"\xff", 10**30, (), {}, {1, 2}]
z = {**x, "k": -1, **y}
z[1:2, ::3, ...] @= lambda p, /, q=1, *r, s, t=2, **u: (p if q else r)
@dec(1, *w, k=2, **v)
async def gen(a, b=1, /, c=2, *, d, e=3):
    global n
    async for i in gen():
        yield (await i), (j := [k async for k in i if k if not k for l in k])
    async with p as q, r: nonlocal_ = yield
    return f"a{x!r:>{w}.{p}} {{}} {y=} {z:} {z:{w}} {x:%Y-%m}" "tail" f"{'nested'}" rf"\d{x}"
class C(B, metaclass=M):
    field: int
    other: "ClassVar[int]" = 3
    def f(self) -> "C": ...
try:
    raise E from None
except (E, F) as e:
    assert not e, "why"
except H:
    del e.x, e[0]
else:
    pass
finally:
    while x < y <= z != w is not v not in u: continue
    else: break
match cmd:
    case [1, "two", *rest] | {"k": v, **kw} if v: pass
    case (Point(x=0, y=None) | -1.5) as p: pass
    case _: pass
with open(a) as b, (c): print(*d, sep="")
"""


GOLDEN = "2564093e5c57fe796a3f827d98df0c6b1ace881dd50b85a0cebf9f3a4ffc411a"


def test_every_version_of_python_computes_the_same_digest():
    text = syntax.dump(syntax.plain_tree(GRAMMAR))
    assert "'\\u4e2d\\U0001f600\\x00'" in text
    assert hashlib.sha256(text.encode()).hexdigest() == GOLDEN


def test_an_empty_text_that_only_some_versions_put_into_a_format_does_not_count():
    def formatted(*more):
        return ast.JoinedStr([ast.FormattedValue(ast.Name("x"), -1, None), *more])

    assert syntax.dump(formatted(ast.Constant(""))) == syntax.dump(formatted())
    assert syntax.dump(formatted(ast.Constant(" "))) != syntax.dump(formatted())


@pytest.fixture
def library(tmp_path):
    """A library of a few modules: the experiment imports one, which imports another."""
    package = tmp_path / "softalign"
    for name, text in {
        "__init__": "",
        "experiments/__init__": "import registry",
        "experiments/tiny": "from softalign.runs.model import Row\nfrom softalign import net\n"
        "from softalign.deep.inner import x\n",
        "experiments/other": "x = 1",
        "runs/__init__": "from softalign import store",
        "runs/model": "x = 1",
        "deep/__init__": "",
        "deep/inner": "x = 1",
        "store": "x = 1",
        "net/__init__": "from .cell import step",
        "net/cell": "def f():\n    from softalign.text import tokens\nNAME = 'words.txt'",
        "net/unused": "x = 1",
        "text": "x = 1",
        "corpus": "GRAMMAR = 'zh_en.grammar'",
    }.items():
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (package / "data").mkdir()
    for name in ("words.txt", "zh_en.grammar", "free.txt"):
        (package / "data" / name).write_text("some\n")
    return package


TINY = "softalign.experiments.tiny"


def test_the_modules_of_a_run_are_found(library):
    assert list(syntax.closure(TINY, library)) == [
        "softalign.deep",
        "softalign.deep.inner",
        "softalign.experiments.tiny",
        "softalign.net",
        "softalign.net.cell",
        "softalign.text",
    ]


@pytest.mark.parametrize(
    ("touched", "stale"),
    [
        ("__init__.py", False),
        ("experiments/tiny.py", True),
        ("net/__init__.py", True),
        ("net/cell.py", True),
        ("text.py", True),
        ("data/words.txt", True),
        ("data/free.txt", False),
        ("data/zh_en.grammar", False),
        ("net/unused.py", False),
        ("experiments/__init__.py", False),
        ("experiments/other.py", False),
        ("deep/__init__.py", True),
        ("runs/__init__.py", False),
        ("runs/model.py", False),
        ("store.py", False),
        ("corpus.py", False),
    ],
)
def test_a_run_is_stale_when_what_it_imports_changes(library, touched, stale):
    before = syntax.digest(TINY, library=library)
    assert syntax.digest(TINY, library=library) == before
    with (library / touched).open("a") as file:
        file.write("\nadded = 1\n")
    assert (syntax.digest(TINY, library=library) != before) == stale
    assert len(before) == 64


def test_the_version_of_torch_counts_and_its_build_does_not(library, monkeypatch):
    digests = []
    for version in ("2.9.0", "2.9.0+cpu", "2.9.1"):
        monkeypatch.setattr(syntax, "version", lambda name, version=version: version)
        digests.append(syntax.digest(TINY, library=library))
    assert digests[0] == digests[1] != digests[2]


def test_of_the_corpus_its_pairs_count_and_not_the_words_of_the_grammar(library, monkeypatch):
    (library / "text.py").write_text("from softalign import corpus")
    digests = []
    for pairs, remark in (("a", ""), ("a", "# a remark"), ("b", "")):
        monkeypatch.setattr(syntax, "_corpus_digest", lambda pairs=pairs: pairs)
        (library / "data" / "zh_en.grammar").write_text(remark)
        digests.append(syntax.digest(TINY, library=library))
    assert digests[0] == digests[1] != digests[2]
    monkeypatch.undo()
    assert syntax._corpus_digest() == (ROOT / "tests" / "corpus.sha256").read_text().strip()


def test_a_module_that_is_not_there_is_named(library):
    with pytest.raises(ValueError, match=r"there is no module softalign\.experiments\.none in"):
        syntax.digest("softalign.experiments.none", library=library)


@pytest.mark.parametrize(
    ("code", "name", "package", "names"),
    [
        ("import softalign.text as t", "softalign.x", False, {"softalign.text"}),
        ("from softalign import a", "softalign.x", False, {"softalign", "softalign.a"}),
        ("from . import a", "softalign.x.y", False, {"softalign.x", "softalign.x.a"}),
        ("from . import a", "softalign.x", True, {"softalign.x", "softalign.x.a"}),
        ("from ..b import a", "softalign.x.y", False, {"softalign.b", "softalign.b.a"}),
    ],
)
def test_imports_are_resolved(code, name, package, names):
    assert syntax.imported(ast.parse(code), name, package=package) == names


# --- what is stored -------------------------------------------------------------------------------


def outcome(losses=(3.0, 2.0, 1.0), metrics=None, **changes):
    """An outcome of three steps."""
    given_ = {"parameters": 7, "steps": len(losses), "seconds": 1.26}
    return Outcome(list(losses), metrics or {}, **(given_ | changes))


def row_of(result, config=None):
    """The row of an outcome."""
    config = config or {"seed": 1}
    return model.make_row(result, config, digest="d", versions={"torch": "2"}, where="here")


def test_a_row_by_hand():
    row = row_of(outcome([1 / 3, 2.0, 1234567.0], {"bits": 2 / 3}), {"seed": 4, "sizes": (1, 2)})
    assert row.first_losses == (0.333333, 2.0, 1234570.0)
    assert row.metrics == {"bits": 0.666667}
    assert row.config == {"seed": 4, "sizes": [1, 2]}
    assert (row.seed, row.steps, row.parameters, row.seconds) == (4, 3, 7, 1.3)
    assert row.curve == row.first_losses
    assert row.curve_steps == (0.5, 1.5, 2.5)


@drawn
@given(steps=st.integers(1, 1000))
def test_the_curve_has_the_mean_of_the_losses(steps):
    losses = [math.sin(step) + 2 for step in range(steps)]
    row = row_of(outcome(losses))
    assert len(row.curve) == len(row.curve_steps) == min(steps, 100)
    assert len(row.first_losses) == min(steps, 20)
    edges = model.block_edges(steps)
    sizes = [last - first for first, last in pairwise(edges)]
    assert max(sizes) - min(sizes) <= 1
    total = sum(size * mean for size, mean in zip(sizes, row.curve, strict=True))
    assert total == pytest.approx(sum(losses), rel=1e-5)
    assert row.curve_steps[0] == sizes[0] / 2
    assert row.curve_steps[-1] == steps - sizes[-1] / 2


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (outcome(steps=4), "here: 3 losses for 4 steps"),
        (outcome([]), "here: 0 losses for 0 steps"),
        (outcome([1.0, math.nan]), "here: a loss is nan, expected a finite number"),
        (outcome(metrics={"bits": math.inf}), "here: bits is inf, expected a finite number"),
    ],
)
def test_outcomes_that_cannot_be_stored_are_refused(result, message):
    with pytest.raises(ValueError, match=message):
        row_of(result)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "the experiment 'e' has no rows"),
        ({"r": {"width": 3}}, "e, row 'r': the seed is None, expected a whole number"),
        ({"r": {"seed": True}}, "e, row 'r': the seed is True"),
        ({"r": {"seed": 0, "net": object()}}, "e, row 'r': the configuration cannot be stored"),
        ({"r": {"seed": 0, "rate": math.nan}}, "e, row 'r': the configuration cannot be stored"),
    ],
)
def test_experiments_that_cannot_be_stored_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        Experiment("e", rows, lambda config: outcome(), "page")


numbers = st.floats(1e-3, 1e6, allow_nan=False)


@drawn
@given(
    names=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True),
    losses=st.lists(numbers, min_size=1, max_size=30),
    metrics=st.dictionaries(st.text(max_size=5), numbers, max_size=3),
)
def test_what_is_written_is_read_again(tmp_path_factory, names, losses, metrics):
    folder = tmp_path_factory.mktemp("results")
    rows = {
        name: row_of(outcome(losses, metrics), {"seed": seed, "word": name, "list": [1, None]})
        for seed, name in enumerate(names)
    }
    store.write("e", "page", rows, folder)
    assert runs.stored("e", folder=folder) == rows
    assert list(runs.stored("e", folder=folder)) == names
    text = (folder / "e.json").read_text(encoding="utf-8")
    assert text == store.as_text("e", "page", runs.stored("e", folder=folder))
    assert json.loads(text)["page"] == "page"
    assert [path.name for path in folder.iterdir()] == ["e.json"]


def test_a_changed_row_changes_its_own_lines_alone():
    rows = {name: row_of(outcome()) for name in "abc"}
    before = store.as_text("e", "p", rows).splitlines()
    after = store.as_text("e", "p", rows | {"b": row_of(outcome([3.0, 2.0, 1.5]))}).splitlines()
    differing = [k for k, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1]
    assert [before[k].split(":")[0].strip() for k in differing] == ['"first_losses"', '"curve"']
    assert len(before) == 5 + 2 + 3 * (2 + len(store.FIELDS)) - 1


def test_what_is_stored_cannot_be_changed_by_a_page(tmp_path):
    store.write("e", "p", {"a": row_of(outcome(metrics={"x": 1.0}))}, tmp_path)
    rows = runs.stored("e", folder=tmp_path)
    for mapping in (rows, rows["a"].config, rows["a"].metrics):
        with pytest.raises(TypeError):
            mapping["a"] = None
    with pytest.raises(AttributeError):
        rows["a"].steps = 3


def test_what_is_not_stored_is_said_with_what_is(tmp_path):
    store.write("here", "p", {"a": row_of(outcome())}, tmp_path)
    with pytest.raises(runs.StoreError, match=r"no runs of 'gone' .*there are: here.*RUN=gone"):
        runs.stored("gone", folder=tmp_path)
    with pytest.raises(runs.StoreError, match="there are: none"):
        runs.stored("gone", folder=tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rows": {"a": {"config": {}}}}', "\x00"])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(runs.StoreError, match=r"e\.json does not hold stored runs") as problem:
        runs.stored("e", folder=tmp_path)
    assert "\n" not in str(problem.value)


def test_a_write_that_fails_leaves_the_last_file(tmp_path, monkeypatch):
    store.write("e", "p", {"a": row_of(outcome())}, tmp_path)
    before = (tmp_path / "e.json").read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write("e", "p", {}, tmp_path)
    assert (tmp_path / "e.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["e.json"]


# --- the engine -----------------------------------------------------------------------------------


def experiment(train=None, rows="abc", **changes):
    """An experiment with a row for each letter."""
    train = train or (lambda config: outcome([float(config["seed"]), 1.0]))
    configs = {name: {"seed": seed, **changes} for seed, name in enumerate(rows)}
    return Experiment("tiny", configs, train, "02_rnn/rnn")


def quiet(line):
    """Say nothing."""


def test_what_is_missing_is_trained_and_stored_in_the_order_of_the_experiment(tmp_path):
    said = []
    assert engine.bring_up_to_date(experiment(), "d", folder=tmp_path, say=said.append) == 3
    assert list(runs.stored("tiny", folder=tmp_path)) == ["a", "b", "c"]
    assert [row.seed for row in runs.stored("tiny", folder=tmp_path).values()] == [0, 1, 2]
    assert said[0] == "  a: 2 steps, 1 s (1 of 3)"
    assert engine.bring_up_to_date(experiment(), "d", folder=tmp_path, say=quiet) == 0
    assert engine.bring_up_to_date(experiment(), "d", folder=tmp_path, force=True, say=quiet) == 3
    assert engine.bring_up_to_date(experiment(), "new", folder=tmp_path, say=quiet) == 3


def test_what_is_stale_missing_and_unknown(tmp_path):
    engine.bring_up_to_date(experiment(rows="abc"), "d", folder=tmp_path, say=quiet)
    now = Experiment(
        "tiny",
        {"d": {"seed": 0}, "a": {"seed": 0}, "b": {"seed": 5}},
        lambda config: outcome(),
        "p",
    )
    assert engine.states(now, "d", tmp_path) == {
        "d": "missing",
        "a": "stored",
        "b": "stale",
        "c": "unknown",
    }
    assert set(engine.states(now, "new", tmp_path).values()) == {"missing", "stale", "unknown"}
    assert engine.bring_up_to_date(now, "d", folder=tmp_path, say=quiet) == 2
    assert list(runs.stored("tiny", folder=tmp_path)) == ["d", "a", "b"]


def test_a_row_is_trained_with_its_seed_on_one_thread_and_the_caller_sees_nothing_of_it(tmp_path):
    seen = []

    def train(config):
        seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
        return outcome([float(torch.rand(()))])

    torch.manual_seed(8)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    strict = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    engine.bring_up_to_date(experiment(train), "d", folder=tmp_path, say=quiet)
    after = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)
    assert seen == [(1, True)] * 3
    assert after == (2, False)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(2):
        expected = float(torch.rand(()))
    (loss,) = runs.stored("tiny", folder=tmp_path)["c"].first_losses
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("problem", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_loses_the_row_under_way_alone(tmp_path, problem):
    def train(config):
        if config["seed"] == 2:
            raise problem
        return outcome()

    with pytest.raises(problem):
        engine.bring_up_to_date(experiment(train), "d", folder=tmp_path, say=quiet)
    assert list(runs.stored("tiny", folder=tmp_path)) == ["a", "b"]
    trained = []
    rest = experiment(lambda config: trained.append(config["seed"]) or outcome())
    assert engine.bring_up_to_date(rest, "d", folder=tmp_path, say=quiet) == 1
    assert trained == [2]


TRAINER = """
import os, sys
import torch
from softalign.runs import Outcome

def train(config):
    if config["seed"] == config.get("fails"):
        raise ValueError("the row is odd")
    calm = torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()
    metrics = {"process": float(os.getpid()), "calm": float(calm)}
    return Outcome([float(torch.rand(()))], metrics, 1, 1, 0.0)
"""


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """A function that other processes can import."""
    (tmp_path / "a_trainer_of_tests.py").write_text(TRAINER)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("a_trainer_of_tests").train


def test_rows_trained_at_the_same_time_have_the_numbers_of_rows_trained_in_turn(tmp_path, trainer):
    said = []
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        row_count = engine.bring_up_to_date(
            experiment(trainer, "abcde"), "d", folder=folder, jobs=jobs, say=said.append
        )
        assert row_count == 5
    turn, together = (runs.stored("tiny", folder=tmp_path / name) for name in "12")
    assert list(turn) == list(together) == list("abcde")
    for name, row in turn.items():
        assert row.first_losses == together[name].first_losses
        assert row.metrics["calm"] == together[name].metrics["calm"] == 1
    assert {row.metrics["process"] for row in turn.values()} == {os.getpid()}
    assert os.getpid() not in {row.metrics["process"] for row in together.values()}
    assert said[-1].endswith("(5 of 5)")


def test_a_row_that_fails_in_another_process_leaves_the_rows_that_were_done(tmp_path, trainer):
    odd = experiment(trainer, "abcd", fails=3)
    with pytest.raises(ValueError, match="the row is odd"):
        engine.bring_up_to_date(odd, "d", folder=tmp_path, jobs=2, say=quiet)
    assert "d" not in runs.stored("tiny", folder=tmp_path)
    rest = experiment(trainer, "abcd")
    assert engine.bring_up_to_date(rest, "d", folder=tmp_path, jobs=2, say=quiet) == 4
    with pytest.raises(ValueError, match="jobs is 0, expected 1 or more"):
        engine.bring_up_to_date(rest, "d", folder=tmp_path, jobs=0, say=quiet)


SCRIPT = """
import sys, time
from pathlib import Path
import torch
from softalign.runs import Experiment, Outcome, engine
from softalign.training import fit

def train(config):
    model = torch.nn.Sequential(torch.nn.Linear(4, config["width"]), torch.nn.Dropout(0.5))
    def loss_of(model, batch):
        time.sleep(pause)
        return (model(batch) ** 2).sum(), len(batch)
    history = fit(model, lambda step: torch.randn(8, 4), loss_of, steps=60, learning_rate=0.01,
                  seed=config["seed"], progress=False)
    return Outcome(history.losses, {"last": history.losses[-1]}, 5 * config["width"], 60,
                   history.seconds)

rows = {f"width {width} seed {seed}": {"width": width, "seed": seed}
        for width in (2, 3) for seed in range(4)}
experiment = Experiment("tiny", rows, train, "p")
"""


def test_a_killed_command_resumes_and_ends_with_the_same_numbers(tmp_path):
    part, whole = tmp_path / "part", tmp_path / "whole"
    command = "engine.bring_up_to_date(experiment, 'd', folder=Path(sys.argv[1]))"
    child = subprocess.Popen(
        [sys.executable, "-c", f"pause = 0.01{SCRIPT}{command}", part],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in child.stdout:
        if "(3 of 8)" in line:
            break
    time.sleep(0.1)  # into the fourth row, which takes 0.6 seconds at least
    child.kill()
    child.wait()
    child.stdout.close()
    kept = runs.stored("tiny", folder=part)
    assert 3 <= len(kept) < 8
    here = {"pause": 0}
    exec(SCRIPT, here)
    assert engine.bring_up_to_date(here["experiment"], "d", folder=whole, say=quiet) == 8
    rest = engine.bring_up_to_date(here["experiment"], "d", folder=part, say=quiet)
    assert rest == 8 - len(kept)

    def numbers(folder):
        rows = runs.stored("tiny", folder=folder)
        return [(name, dataclasses.replace(row, seconds=0.0)) for name, row in rows.items()]

    assert numbers(part) == numbers(whole)
    resumed = runs.stored("tiny", folder=part)
    assert {name: resumed[name] for name in kept} == kept  # not trained again


# --- a live beginning against the stored one ------------------------------------------------------


def live(seed=0, learning_rate=0.01, width=16, steps=20, clip=1.0, dtype=torch.float32):
    """First losses of a small recurrent network that learns to continue a sine."""
    with seeded(seed):
        net = torch.nn.GRU(1, width, batch_first=True)
        read = torch.nn.Linear(width, 1)
        phases = torch.rand(steps, 8, 1) * 6
    both = torch.nn.ModuleList([net, read]).to(dtype)
    times = torch.arange(25.0)

    def loss_of(both, batch):
        values = torch.sin(batch + times)[..., None].to(dtype)
        outputs = both[1](both[0](values[:, :-1])[0])
        return ((outputs - values[:, 1:]) ** 2).sum(), outputs.numel()

    return fit(
        both, phases.__getitem__, loss_of, steps=steps, learning_rate=learning_rate, seed=seed,
        clip=clip, progress=False,
    ).losses  # fmt: skip


def test_a_live_beginning_agrees_with_the_stored_one_under_other_rounding():
    row = row_of(outcome(live(steps=30)))
    assert runs.agrees(live(steps=25), row)
    # other processors round the last of seven digits otherwise; float64 keeps sixteen
    assert runs.agrees(live(steps=25, dtype=torch.float64), row, tolerance=runs.TOLERANCE / 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"learning_rate": 0.0101},
        {"learning_rate": 0.0099},
        {"width": 17},
        {"clip": 0.05},
    ],
)
def test_another_seed_rate_or_size_is_caught(changes):
    row = row_of(outcome(live()))
    with pytest.raises(AssertionError, match=r"step \d+ has the loss .* and the stored run"):
        runs.agrees(live(**changes), row)


def test_agreement_by_hand():
    row = row_of(outcome([2.0, 1.0]))
    assert runs.agrees([2.0, 1.0], row)
    assert runs.agrees([2.00019, 0.99991, 7.0], row)
    for wrong in ([2.00021, 1.0], [2.0, 1.00011], [2.0, 0.99989], [math.nan, 1.0], [2.0, math.inf]):
        with pytest.raises(AssertionError):
            runs.agrees(wrong, row)
    assert runs.agrees([2.1, 1.0], row, tolerance=0.06)
    with pytest.raises(ValueError, match="there are 1 losses, expected at least 2"):
        runs.agrees([2.0], row)


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command with a registry of two experiments; its results go to a folder of its own."""
    trained = []

    def train(config):
        trained.append(config["seed"])
        return outcome(metrics={"bits": 1.5})

    known = {
        name: Experiment(name, {"first": {"seed": 3}, "second": {"seed": 4}}, train, "02_rnn/rnn")
        for name in ("one", "two")
    }
    registry = types.ModuleType("registry")
    registry.names, registry.get = lambda: tuple(known), known.__getitem__
    monkeypatch.setattr(__main__, "registry", lambda: registry)
    monkeypatch.setattr(__main__, "digest", lambda name: f"of {name}")

    def run(*arguments):
        trained.clear()
        return __main__.main([*arguments, "--jobs", "1"], folder=tmp_path), list(trained)

    return run


def test_the_command_trains_what_is_missing_and_nothing_twice(command, capsys):
    assert command("one") == (0, [3, 4])
    assert capsys.readouterr().out == (
        "one (02_rnn/rnn): 2 missing\n"
        "  first: 3 steps, 1 s, bits 1.5 (1 of 2)\n"
        "  second: 3 steps, 1 s, bits 1.5 (2 of 2)\n"
    )
    assert command() == (0, [3, 4])
    assert command() == (0, [])
    assert command("two", "--force") == (0, [3, 4])


def test_the_command_lists_and_trains_nothing(command, capsys, tmp_path):
    command("one")
    store.write("gone", "p", {"a": row_of(outcome())}, tmp_path)
    capsys.readouterr()
    assert command("--list") == (0, [])
    said = capsys.readouterr().out
    assert "one (02_rnn/rnn): 2 stored\n  stored   first" in said
    assert "two (02_rnn/rnn): 2 missing\n  missing  first\n" in said
    assert "gone.json: there is no such experiment, delete the file" in said


def test_the_command_trains_two_rows_at_a_time_unless_told_otherwise(
    command, monkeypatch, tmp_path, capsys
):
    seen = []
    monkeypatch.setattr(
        engine, "bring_up_to_date", lambda *_, jobs, **others: seen.append(jobs) or 0
    )
    assert __main__.main(["one"], folder=tmp_path) == 0
    assert __main__.main(["one", "--jobs", "3"], folder=tmp_path) == 0
    assert seen == [2, 3]
    with pytest.raises(SystemExit, match="2"):
        __main__.main(["one", "--jobs", "0"], folder=tmp_path)
    assert "--jobs is 0, expected 1 or more" in capsys.readouterr().err


def test_a_wrong_name_trains_nothing_and_says_which_there_are(command, capsys):
    assert command("one", "three") == (2, [])
    said = capsys.readouterr()
    assert said.err == "There is no experiment three; there are: one, two.\n"
    assert said.out == ""


@pytest.mark.parametrize(
    ("problem", "status", "sentence"),
    [
        (KeyboardInterrupt(), 130, "Interrupted: the rows that were done are stored."),
        (ValueError("the seed is odd"), 1, "the seed is odd."),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (BrokenProcessPool(), 1, "A training process was ended from outside (out of memory?)."),
    ],
)
def test_the_command_says_in_a_sentence_what_went_wrong(
    command, capsys, monkeypatch, problem, status, sentence
):
    def fail(*arguments, **options):
        raise problem

    monkeypatch.setattr(engine, "bring_up_to_date", fail)
    assert command() == (status, [])
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_the_command_knows_the_experiments_of_the_book():
    assert __main__.registry() is experiments


# --- the place of the results ---------------------------------------------------------------------


def test_a_checkout_has_its_results_at_its_root():
    assert store.results_folder() == ROOT / "results"


def test_an_installed_package_brings_its_results(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()  # of a project that has an environment in its folder
    inside = tmp_path / "site-packages" / "softalign" / "runs" / "store.py"
    monkeypatch.setattr(store, "__file__", str(inside))
    assert store.results_folder() == tmp_path / "site-packages" / "softalign" / "results"


def test_a_wheel_puts_the_results_into_the_package():
    """That hatchling does what is said here was tried with a wheel in an empty environment."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "results" in wheel["targets"]["wheel"]["only-include"]
    assert wheel["targets"]["wheel"]["sources"]["results"] == "softalign/results"
    assert "/results" in wheel["targets"]["sdist"]["include"]


def test_reading_stored_runs_needs_neither_torch_nor_the_experiments():
    code = "import sys; from softalign import runs; sys.exit(len({*sys.modules} & {*sys.argv[1:]}))"
    command = [sys.executable, "-c", code, "torch", "softalign.experiments"]
    assert subprocess.run(command).returncode == 0
