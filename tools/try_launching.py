"""Try on this machine, as far as that goes, what happens on Binder and on Colab.

    python tools/try_launching.py binder     # what repo2docker does, then a notebook by its address
    python tools/try_launching.py colab      # only the notebook, and a first cell that installs

Both make fresh environments in a temporary folder (2 GB, minutes) from what is committed, in a
home of their own. Name notebooks to run others than the usual ones; --python names the Python for
Colab, --keep a folder that is to stay.

What this cannot see: Binder's own image (its JupyterHub, its Debian, its processors), and Colab's
many preinstalled packages; of those, the ones that this book uses are installed first, at the
versions below, and must be left as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://github.com/soft-alignment/soft-alignment"
# A page of the statistical half, with Chinese in its figures, and one with torch and stored runs.
PAGES = ("chapters/01_smt/word_alignment.ipynb", "chapters/07_transformer/scoreboard.ipynb")
# What Colab's image of November 2025 has of the packages that this book uses.
COLAB = ("numpy==2.0.2", "matplotlib==3.10.0", "tqdm==4.67.1", "jieba==0.42.1", "babel==2.17.0")
# Three pages read Sphinx's messages; Colab's image has it too.
COLAB += ("sphinx==8.2.3",)
TIMEOUT = 600


class Stop(Exception):
    """One plain sentence: what did not work."""


def say(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)


class Room:
    """A folder with a home, an environment of its own, and a copy of what is committed."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self.home = folder, folder / "home" / "jovyan"
        self.venv = folder / "venv"
        self.home.mkdir(parents=True)
        keep = {"PATH", "LANG", "SSL_CERT_FILE"}
        # pip's settings may say where this machine's registry is
        env = {k: v for k, v in os.environ.items() if k in keep or k.startswith(("PIP_", "GIT_"))}
        places = f"{self.venv / 'bin'}{os.pathsep}{env.get('PATH', '')}"
        self.env = {**env, "HOME": str(self.home), "PATH": places, "PIP_NO_INPUT": "1"}
        self.env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
        self.run(python, "-m", "venv", self.venv)

    def run(self, *command: object, cwd: Path | None = None) -> str:
        """Run a command here; returns what it printed.

        Raises
        ------
        Stop
            It failed: its last lines.
        """
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.home,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            end = "\n".join(done.stdout.splitlines()[-25:])
            raise Stop(f"'{' '.join(map(str, command))[:200]}' failed:\n{end}")
        return done.stdout

    def pip(self, *options: object, cwd: Path | None = None) -> float:
        """Install; returns the seconds that took."""
        begin = time.monotonic()
        self.run("python", "-m", "pip", "install", "--progress-bar", "off", *options, cwd=cwd)
        return time.monotonic() - begin

    def installed(self) -> dict[str, str]:
        """Names and versions of all packages."""
        listed = json.loads(self.run("python", "-m", "pip", "list", "--format=json"))
        return {item["name"].lower(): item["version"] for item in listed}

    def size(self) -> float:
        """Gigabytes of the environment."""
        files = (path.lstat().st_size for path in self.venv.rglob("*"))
        return sum(files) / 1e9

    def execute(self, notebook: Path) -> float:
        """Run all cells of a notebook where it lies; returns the seconds."""
        begin = time.monotonic()
        self.run("jupyter", "execute", notebook, f"--timeout={TIMEOUT}", cwd=notebook.parent)
        return time.monotonic() - begin


def runtime(root: Path) -> str:
    """The Python that Binder is asked for, as a name of a program."""
    text = (root / ".binder" / "runtime.txt").read_text().strip()
    found = re.fullmatch(r"python-(3\.\d+)", text)
    if not found:
        raise Stop(f".binder/runtime.txt says {text!r}: repo2docker wants python-3.x.")
    return f"python{found[1]}"


def binder(folder: Path, pages: Sequence[str], python: str) -> None:
    """Build as repo2docker does, serve as Binder does, open and run notebooks."""
    room = Room(folder, shutil.which(python or runtime(ROOT)) or sys.executable)
    # repo2docker: the repository is the home, and pip runs in it
    room.run("git", "clone", "--quiet", ROOT, folder / "clone", cwd=folder)
    shutil.copytree(folder / "clone", room.home, dirs_exist_ok=True)
    # its image has JupyterLab before the repository is looked at; any version 4 must do
    took = room.pip("jupyterlab>=4,<5", "nbclient")
    say(f"the image's own JupyterLab: {took:.0f} s")
    before = room.installed()
    took = room.pip("--no-cache-dir", "-r", ".binder/requirements.txt")
    say(f"pip install -r .binder/requirements.txt: {took:.0f} s, {room.size():.1f} GB in all")
    after = room.installed()
    moved = {name for name in before if after.get(name) != before[name]}
    say(f"packages of the image that changed their version: {', '.join(sorted(moved)) or 'none'}")
    if moved & {"jupyterlab", "jupyter_server", "notebook"}:
        raise Stop(f"The requirements replace parts of Binder's own image: {', '.join(moved)}.")
    _open_by_address(room, pages)
    for page in pages:
        say(f"{page}: all cells ran in {room.execute(room.home / page):.0f} s")


def _open_by_address(room: Room, pages: Sequence[str]) -> None:
    """Start JupyterLab in the home, and ask for each page by the path that the button names."""
    port = 18888
    command = ["jupyter", "lab", "--no-browser", f"--port={port}", "--IdentityProvider.token=try"]
    command += ["--allow-root", "--ServerApp.port_retries=0"]
    with (room.folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=room.home, env=room.env, stdout=log, stderr=log)
    try:
        for page in pages:
            for kind in ("lab/tree", "api/contents"):
                url = f"http://127.0.0.1:{port}/{kind}/{page}?token=try"
                body = _patient(url, server)
            if json.loads(body)["type"] != "notebook":
                raise Stop(f"JupyterLab does not know {page} as a notebook.")
            say(f"{page}: JupyterLab opens it at /lab/tree/{page}")
    finally:
        server.terminate()
        server.wait(30)


def _patient(url: str, server: subprocess.Popen) -> bytes:
    """What a server that is starting says at last."""
    for _ in range(120):
        if server.poll() is not None:
            raise Stop("JupyterLab ended at once: see lab.log.")
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as problem:
            raise Stop(f"{url.split('?')[0]} answers {problem.code}.") from None
        except OSError:
            time.sleep(0.5)
    raise Stop(f"{url} does not answer.")


def colab(folder: Path, pages: Sequence[str], python: str) -> None:
    """A notebook alone in an empty folder; its first cell fetches the library as on Colab."""
    room = Room(folder, shutil.which(python) if python else sys.executable)
    # what the cell fetches from GitHub is what is committed here
    setting = f"url.file://{ROOT}.insteadOf"
    room.run("git", "config", "--global", setting, ADDRESS)
    neural = [page for page in pages if "[neural" in _first_cell(page)]
    torch = ["torch"] if neural else []
    took = room.pip(*COLAB, *torch, "ipykernel", "nbclient", "jupyter_client")
    say(f"what Colab has before: {took:.0f} s, {room.size():.1f} GB")
    package = next(iter(room.venv.glob("lib/python*/site-packages"))) / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Stands for Colab\'s own package."""\n')
    startup = room.home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import google.colab, numpy, matplotlib\n")
    before = room.installed()
    for page in pages:
        content = folder / "content" / Path(page).stem
        content.mkdir(parents=True)
        alone = content / Path(page).name
        shutil.copyfile(ROOT / page, alone)
        if "softalign" in room.installed():
            room.run("python", "-m", "pip", "uninstall", "--yes", "--quiet", "softalign")
        say(f"{page}: all cells ran in {room.execute(alone):.0f} s, the installation among them")
        after = room.installed()
        if "softalign" not in after:
            raise Stop("The first cell installed nothing: something else brought the library.")
        moved = {f"{n} {before[n]} -> {after.get(n)}" for n in before if after.get(n) != before[n]}
        if moved:
            raise Stop(f"The first cell replaces what Colab has: {', '.join(sorted(moved))}.")
        new = sorted(set(after) - set(before))
        say(f"{page}: new packages: {', '.join(new)}")


def _first_cell(page: str) -> str:
    cells = json.loads((ROOT / page).read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def main() -> int:
    """Try one of the two; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("where", choices=["binder", "colab"])
    parser.add_argument("pages", nargs="*", default=list(PAGES), help="notebooks, from the root")
    parser.add_argument("--python", default="", help="program to make the environment with")
    parser.add_argument("--keep", type=Path, help="a new folder, which stays")
    a = parser.parse_args()
    missing = [page for page in a.pages if not (ROOT / page).is_file()]
    begin = time.monotonic()
    try:
        if missing:
            raise Stop(f"There is no notebook {missing[0]}.")
        with tempfile.TemporaryDirectory(prefix="softalign-") as temporary:
            folder = (a.keep or Path(temporary)).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            {"binder": binder, "colab": colab}[a.where](folder, a.pages, a.python)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    say(f"{a.where}: done in {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
