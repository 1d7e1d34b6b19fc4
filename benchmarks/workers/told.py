"""A worker in a process of its own, which works when it is told to."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path

from field.contest import PeerError


class Told:
    """Starts a script; it first says how many parameters its model has.

    Whatever it is asked, and whatever it answers, is one JSON object on a line.
    """

    def __init__(self, python: Path, script: Path, argument: Path) -> None:
        self.process = subprocess.Popen(
            [python, script, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone; it ends when its input does
        )
        try:
            self.parameters = self._answer()["parameters"]
        except BaseException:
            self.end()
            raise

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise PeerError("ended without an answer; the reason stands on standard error")
        return json.loads(line)

    def ask(self, **what: float) -> dict:
        """Ask for something, and wait for the answer."""
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PeerError("has ended; the reason stands on standard error") from None
        return self._answer()

    def end(self) -> None:
        """Let the process end."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
