"""The house's own rules: reading order of the modules, sizes, docstrings, pins."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib

import pytest
from book_files import COURSE, LIBRARY, ROOT, source_of, table_of_contents

# A module imports only modules to its left. The metrics stand before the corpus because the card of
# the corpus scores its own baselines.
ORDER = [
    "interfaces",
    "text",
    "prose",
    "metrics",
    "grammar",
    "corpus",
    "parallel",
    "splits",
    "language_model",
    "transfer",
    "ibm",
    "hmm",
    "symmetrise",
    "aligner",
    "phrases",
    "stack_decoder",
    "masking",
    "rnn",
    "bptt",
    "gradient_flow",
    "lstm",
    "gru",
    "stacks",
    "recurrent_lm",
    "synthetic",
    "tagger",
    "training",
    "search",
    "attention",
    "pooling",
    "encoder_decoder",
    "positions",
    "transformer",
    "runs",
    "experiments",
    "data_parallel",
    "systems",
    "ladder",
    "plotting",
    "figure_data",
    "interactive",
    "notebook",
    "cli",
]
# What must not wait for torch: the statistical half, the figures, the set-up call, the command.
TORCH_FREE = ORDER[: ORDER.index("stack_decoder") + 1] + ORDER[ORDER.index("plotting") :]
# plotting is for pages: the library works without a figure
ONLY_IMPORTED_BY = {"plotting": {"interactive", "notebook"}}
LINES = 250
# The words of British spelling that slip most often.
AMERICAN = re.compile(
    r"\b(\w*tokeniz\w*|normaliz\w*|optimiz\w*|generaliz\w*|initializ\w*|recogniz\w*|"
    r"regulariz\w*|visualiz\w*|summariz\w*|minimiz\w*|maximiz\w*|behavior\w*|color(?!s?\b=)s?|"
    r"neighbor\w*|labeled|modeling|center(?:ed)?)\b",
    re.IGNORECASE,
)


def modules() -> dict[str, list]:
    """Files of each module of the library; a package is one module."""
    found: dict[str, list] = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        name = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        if name not in ("__init__", "__main__"):
            found.setdefault(name, []).append(path)
    return found


def imports(path) -> set[str]:
    """Softalign modules that a file imports, wherever in the file it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("softalign.")}


def code_lines(path) -> int:
    """Lines of code: neither blank, comment nor docstring."""
    text = path.read_text(encoding="utf-8")
    lines = {
        number
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    }
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            lines -= set(range(body[0].lineno, body[0].end_lineno + 1))
    return len(lines)


def public_objects():
    """Every public function, class and method of the library, with its dotted name."""
    for name in modules():
        module = importlib.import_module(f"softalign.{name}")
        for label, thing in vars(module).items():
            if label.startswith("_") or not getattr(thing, "__module__", "").startswith(
                "softalign"
            ):
                continue
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield f"{name}.{label}", thing


def test_every_module_has_its_place_in_the_reading_order():
    assert sorted(modules()) == sorted(ORDER)


def test_the_course_and_the_library_know_nothing_of_each_other():
    """Students import the library: what grades them is out of its reach, and does not use it."""
    for folder, other in ((COURSE, "softalign"), (LIBRARY, "softalign_course")):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                assert not [n for n in names if n.split(".")[0] == other], (path, names)


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_what_was_read_before(name):
    allowed = set(ORDER[: ORDER.index(name)]) | {name}
    for path in modules()[name]:
        assert imports(path) <= allowed, f"{path.name} imports {imports(path) - allowed}"
        for imported in imports(path) & ONLY_IMPORTED_BY.keys():
            assert name in ONLY_IMPORTED_BY[imported], f"{path.name} imports {imported}"


@pytest.mark.parametrize(
    "path", sorted([*LIBRARY.rglob("*.py"), *COURSE.rglob("*.py")]), ids=lambda path: path.stem
)
def test_rooms_are_small(path):
    assert code_lines(path) <= LINES


@pytest.mark.parametrize("name", ORDER)
def test_every_module_has_its_tests(name):
    # what a page sees of the plotting and set-up modules is tested with the pages and the site
    path = ROOT / "tests" / f"test_{name}.py"
    assert "assert" in path.read_text(encoding="utf-8")


def test_the_statistical_half_imports_no_torch():
    names = ", ".join(f"softalign.{name}" for name in TORCH_FREE)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_importing_the_library_has_no_side_effect_on_the_figures():
    code = (
        "import matplotlib as mpl; before = dict(mpl.rcParams);"
        f"import {', '.join(f'softalign.{name}' for name in ORDER)};"
        "raise SystemExit(before != dict(mpl.rcParams))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_docstrings_name_a_page_that_exists():
    pages = table_of_contents()
    missing = []
    for name, thing in public_objects():
        found = re.findall(r"^\s*Page: (\S+)$", thing.__doc__ or "", flags=re.MULTILINE)
        if not found:
            if inspect.isfunction(thing):
                missing.append(name)
            continue
        for target in found:
            page, _, anchor = target.partition("#")
            full = next((p for p in (f"chapters/{page}", f"book/{page}") if p in pages), None)
            assert full, f"{name}: there is no page {page}"
            assert not anchor or f"({anchor})=" in source_of(full).prose, (
                f"{name}: no label {anchor}"
            )
    assert not missing, f"public functions whose docstring names no page: {missing}"


def test_pins_are_exact_and_inside_the_ranges_of_the_package():
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name as canonical

    pinned = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and line[0] not in "#-":
            requirement = Requirement(line)
            (only,) = requirement.specifier
            assert only.operator == "==", line
            pinned[canonical(requirement.name)] = only.version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    for line in [*project["dependencies"], *optional["neural"], *optional["course"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pinned[canonical(requirement.name)]), line
    constraints = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        constraints[canonical(name)] = version
    for name, version in pinned.items():
        assert constraints[name] == version, name


def test_what_is_installed_is_what_is_pinned():
    from importlib.metadata import PackageNotFoundError, version

    differs = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, _, pin = line.partition("==")
        try:
            installed = version(name).split("+")[0] if pin else pin
        except PackageNotFoundError:  # for another operating system
            continue
        if installed != pin:
            differs[name] = (installed, pin)
    assert not differs


def test_prose_and_docstrings_are_british():
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("*.md"))}
    for name in table_of_contents():
        texts[name] = re.sub(
            r"`[^`]*`|```.*?```|\{[^}]*\}", "", source_of(name).prose, flags=re.DOTALL
        )
    found = {str(name): AMERICAN.findall(text) for name, text in texts.items()}
    assert not {name: words for name, words in found.items() if words}
