"""A worker in a process of its own, which works when it is told to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


class Told:
    """Starts a script; it first says how many parameters its model has.

    Whatever it is asked, and whatever it answers, is one JSON object on a line.
    """

    def __init__(self, python: Path, script: Path, argument: Path) -> None:
        self.process = subprocess.Popen(
            [python, script, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.parameters = self._answer()["parameters"]

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("Joey NMT ended without an answer: the reason stands just before.")
        return json.loads(line)

    def ask(self, **what: int) -> dict:
        """Ask for something, and wait for the answer."""
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()
