"""Measure what one student of a class costs in memory: a JupyterLab server, and a kernel a page.

``python tools/measure_students.py`` runs every lesson in a kernel of its own and writes
``teaching/memory.json``; names of pages after it measure these alone, and print. The numbers are
MB (of a million bytes) of a Linux machine: `peak` is the largest resident set of the kernel's
process, `own` what it shares with no other process when the page has run. Three hundred students
need that much three hundred times; what they share (the files of torch, mapped) is there once.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
import psutil
import teach_data
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
# A kernel as a hub should start it: one thread, no bars.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
VERSIONS = ("jupyterlab", "ipykernel", "torch", "numpy")


def megabytes(size: float) -> int:
    """Whole MB of a number of bytes."""
    return round(size / 1e6)


def memory_of(pid: int) -> dict[str, int]:
    """``peak``, ``resident`` and ``own`` memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = psutil.Process(pid).memory_full_info()
    return {
        "peak": megabytes(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024),
        "resident": megabytes(found.rss),
        "own": megabytes(found.uss),
    }


def kernel(page: str, timeout: int = 600) -> dict[str, int]:
    """Run a page and return the memory of its kernel."""
    path = ROOT / f"{page}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=timeout, resources={"metadata": {"path": str(path.parent)}}
    )
    with client.setup_kernel(env={**os.environ, **ENVIRONMENT}):
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        return memory_of(client.km.provisioner.pid)


def server(patience: float = 60.0) -> dict[str, int]:
    """Start a JupyterLab server and return its memory after its first page was asked for."""
    import urllib.request

    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder, "runtime")
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--allow-root"]
        command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
        environment = {**os.environ, **ENVIRONMENT, "JUPYTER_RUNTIME_DIR": str(runtime)}
        child = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            end = time.monotonic() + patience
            while not (found := list(runtime.glob("jpserver-*.json"))):
                if time.monotonic() > end or child.poll() is not None:
                    raise RuntimeError("JupyterLab did not start")
                time.sleep(0.2)
            address = json.loads(found[0].read_text())["url"]
            for place in ("lab", "api/contents", "api/kernelspecs"):
                with urllib.request.urlopen(address + place, timeout=patience) as answer:
                    answer.read()
            return memory_of(child.pid)
        finally:
            child.terminate()
            child.wait()


def environment_size() -> int:
    """MB on disk of the environment that all students share."""
    files = (p for p in Path(sys.prefix).rglob("*") if p.is_file() and not p.is_symlink())
    return megabytes(sum(path.stat().st_size for path in files))


def main() -> int:
    """Measure, and store or print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="pages to measure and print, e.g. book/corpus")
    named = parser.parse_args().pages
    pages = named or [n for n in teach_data.lessons() if (ROOT / f"{n}.ipynb").exists()]
    kernels = {}
    for page in pages:
        kernels[page] = kernel(page)
        print(page, kernels[page], flush=True)
    if named:
        return 0
    stored = {
        "date": datetime.date.today().isoformat(),
        "machine": f"Linux {os.uname().machine}, Python {sys.version.split()[0]}",
        "versions": {name: version(name) for name in VERSIONS},
        "environment": environment_size(),
        "server": server(),
        "kernels": kernels,
    }
    text = json.dumps(stored, indent=1) + "\n"
    (ROOT / "teaching" / "memory.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
