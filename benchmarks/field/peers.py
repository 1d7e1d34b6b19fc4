"""Where the peers are, which versions they have, and how a program of theirs is measured."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from field.contest import PeerError

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "_build" / "peers"
WORKERS = ROOT / "benchmarks" / "workers"
MISSING = "not in the environment of the peers, which 'make bench' makes"
APART = ("eflomal", "systran-align", "joeynmt")
"""Peers in an environment of their own."""

_VERSIONS = f"""
import importlib.metadata as m, json
found = {{}}
for name in {APART!r}:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps(found))
"""


def python() -> Path:
    """The Python of the peers, whether it is there or not."""
    return PEERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def versions() -> dict[str, str]:
    """Versions of the peers that have been installed apart."""
    if not python().exists():
        return {}
    done = subprocess.run([python(), "-c", _VERSIONS], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def absence(module: str) -> str:
    """Why a module of the peers cannot be used; nothing if it can."""
    if not python().exists():
        return MISSING
    done = subprocess.run([python(), "-c", f"import {module}"], capture_output=True, text=True)
    return "" if done.returncode == 0 else MISSING


def absence_here(module: str) -> str:
    """Why a module of the book's own environment cannot be used; nothing if it can."""
    return "" if importlib.util.find_spec(module) else f"{module} is not installed"


def program(name: str) -> str | None:
    """Path of a program of the peers, or one on the PATH."""
    return shutil.which(name, path=str(python().parent)) or shutil.which(name)


def measured(command: list[str], programs: Path | None = None) -> dict:
    """Cost of a command on one thread; its output stands in "output".

    `programs` is a folder that is looked into before the PATH; by default that of the peers.
    """
    path = f"{programs or python().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "cost.json"
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(WORKERS / "measure.py"), str(result), *command],
            env=os.environ | threads | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone, who then end all of it
        ) as child:
            try:
                output, errors = child.communicate()
            except BaseException:
                if os.name == "posix":
                    os.killpg(child.pid, signal.SIGKILL)
                child.kill()
                raise
        cost = json.loads(result.read_text()) if result.exists() else {"status": child.returncode}
    if cost["status"]:
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        raise PeerError(f"{Path(command[0]).name} failed: {last}")
    return cost | {"output": output}
