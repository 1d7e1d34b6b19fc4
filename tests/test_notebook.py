"""The set-up call of a page and the listing of the library's own source."""

import os
import subprocess
import sys

import pytest

from softalign.notebook import show


def sample(x):
    """Double x."""

    def inner(y):
        """Only a docstring."""

    return 2 * x


class Sample:
    """A class."""

    size = 3

    def method(self):
        """Return the size.

        At some length.
        """
        return self.size


def test_show_leaves_out_docstrings_and_nothing_else():
    assert repr(show(sample)) == (
        'def sample(x):\n    def inner(y):\n        """Only a docstring."""\n\n    return 2 * x'
    )
    assert repr(show(Sample)) == (
        "class Sample:\n    size = 3\n\n    def method(self):\n        return self.size"
    )


def test_show_keeps_docstrings_on_demand():
    assert '"""Double x."""' in repr(show(sample, docstring=True))


def test_show_is_a_listing_in_a_notebook():
    assert show(sample)._repr_markdown_().startswith("```python\ndef sample(x):")


def test_show_names_what_has_no_source():
    with pytest.raises(TypeError, match="no Python source"):
        show(len)


def test_set_up_without_torch_imports_none_and_makes_missing_glyphs_errors():
    code = (
        "import sys, warnings; from softalign.notebook import set_up; set_up();"
        "assert 'torch' not in sys.modules;"
        "assert any(f[0] == 'error' and f[1] and 'Glyph' in f[1].pattern for f in warnings.filters)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_set_up_asks_for_one_thread_before_numpy_is_imported():
    code = (
        "import os, sys; from softalign.notebook import set_up;"
        "assert 'numpy' not in sys.modules; set_up(); assert os.environ['OMP_NUM_THREADS'] == '1'"
    )
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 0


def test_set_up_with_torch_seeds_it():
    code = (
        "from softalign.notebook import set_up; import torch; set_up(torch=True, seed=3);"
        "a = torch.rand(4); set_up(torch=True, seed=3); assert torch.equal(a, torch.rand(4));"
        "assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
