"""The sandbox: what code inside it sees, what it cannot do, and what is left of it afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import types
from pathlib import Path

import pytest

from softalign_course import confine, sandbox, sets

ROOT = Path(__file__).resolve().parent.parent.parent
SEALED = sandbox.isolation().sealed
CASE = {"args": [], "kwargs": {}, "grad": [], "unchanged": False}


@pytest.fixture(scope="module")
def worker():
    with sandbox.Worker(sandbox.isolation()) as running:
        yield running


@pytest.fixture(scope="module")
def open_worker():
    with sandbox.Worker(sandbox.Isolation(False, False, "")) as running:
        yield running


def run(worker, body, *, seconds=20, before=""):
    source = f"{before}\ndef answer():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
    pieces = (("<setup>", "import torch"), ("<answer>", source))
    return worker.run(sandbox.Task(pieces, "answer", None, [CASE], seconds))


def value(worker, body, **options):
    done = run(worker, body, **options)
    assert (done.ended, done.problem) == ("done", ""), done
    return done.results[0]["value"]


def error(worker, body, **options):
    done = run(worker, body, **options)
    return done.problem or done.results[0].get("error", "")


def test_on_linux_with_bubblewrap_there_is_a_sandbox():
    """Wherever bubblewrap can make a sandbox, answers run in one."""
    if sys.platform == "linux" and shutil.which("bwrap"):
        probe = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"]
        possible = subprocess.run(probe, capture_output=True).returncode == 0
        assert possible == SEALED, sandbox.isolation().says
        assert sandbox.isolation().apart == possible
    assert sandbox.isolation().says.startswith("Answers run in a sandbox") == SEALED
    assert ("NOT ISOLATED" in sandbox.isolation().says) == (not SEALED)


def test_without_a_sandbox_it_says_so_and_goes_on():
    code = "from softalign_course import sandbox; print(sandbox.isolation().says)"
    environment = dict(os.environ, SOFTALIGN_SANDBOX="none")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout.startswith("NOT ISOLATED: SOFTALIGN_SANDBOX=none says so.")


def test_without_bubblewrap_it_names_what_to_install(tmp_path):
    code = "from softalign_course import sandbox; print(sandbox.isolation().says)"
    environment = dict(os.environ, PATH=str(tmp_path))
    environment.pop("SOFTALIGN_SANDBOX", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    expected = "bubblewrap is not installed" if sys.platform == "linux" else "sandboxes need Linux"
    assert expected in done.stdout


def test_an_answer_runs_and_returns(worker, open_worker):
    for one in (worker, open_worker):
        assert value(one, "return [1, torch.ones(2).sum()]")[1] == 2


# What an answer may not read. In the sandbox none of it is there; each attempt is made in
# earnest, and the control shows that the same attempt succeeds outside.

SECRETS = {
    "the solutions": str(ROOT / "coursework" / sets.names()[0] / "source.md"),
    "the checks": str(ROOT / "coursework" / sets.names()[0] / "checks.py"),
    "the tests": __file__,
    "the grader": str(ROOT / "src" / "softalign_course" / "judge.py"),
    "the library": str(ROOT / "src" / "softalign" / "masking.py"),
}


@pytest.mark.parametrize("what", SECRETS)
def test_an_answer_cannot_read(what, worker, open_worker):
    attempt = f"return len(open({SECRETS[what]!r}).read())"
    assert value(open_worker, attempt) > 0
    if SEALED:
        assert error(worker, attempt) in ("FileNotFoundError", "PermissionError")


def test_an_answer_cannot_read_other_submissions(worker, open_worker, tmp_path):
    other = tmp_path / "ada.ipynb"
    other.write_text("ada's answer")
    assert value(open_worker, f"return open({str(other)!r}).read()") == "ada's answer"
    if SEALED:
        assert error(worker, f"return open({str(other)!r}).read()") == "FileNotFoundError"


def test_an_answer_cannot_import_the_book(worker, open_worker):
    for one in (worker, open_worker):
        for name in ("softalign", "softalign.masking", "softalign_course", "softalign_course.sets"):
            assert error(one, f"import {name}") == "ModuleNotFoundError"


def test_an_answer_cannot_reach_the_network(worker, open_worker):
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    got = []
    thread = threading.Thread(target=lambda: got.append(server.accept()[0]))
    thread.start()
    attempt = f"""
        import socket
        socket.create_connection(("127.0.0.1", {port}), 5).close()
        return "connected"
    """
    if SEALED:
        assert error(worker, attempt) in ("ConnectionRefusedError", "OSError")
        assert not got
    assert value(open_worker, attempt) == "connected"
    thread.join(10)
    assert len(got) == 1
    got[0].close()
    server.close()


def test_an_answer_sees_no_process_but_its_own(worker):
    if SEALED:
        assert value(worker, "import os; return [os.getpid(), os.listdir('/proc')]") == [1, []]


def test_an_answer_is_not_root(worker):
    attempt = "import os; return [os.getuid() == 0, os.geteuid() == 0]"
    if SEALED:
        assert value(worker, attempt) == [False, False]
        assert error(worker, "import os; os.setuid(0)") in ("PermissionError", "OSError")


def test_an_answer_cannot_take_the_wall_down(worker):
    attempt = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        tried = []
        for target in (b"/proc", b"/tmp", b"/usr"):
            tried.append(libc.umount2(target, 2))
        tried.append(libc.mount(b"none", b"/mnt", b"proc", 0, None))
        libc.unshare(0x10000000 | 0x20000)
        for target in (b"/proc", b"/tmp"):
            tried.append(libc.umount2(target, 2))
        return tried
    """
    if SEALED:
        assert set(value(worker, attempt)) == {-1}


PACKAGES = sysconfig.get_path("purelib")


@pytest.mark.parametrize("place", ["/usr/x", "/x", "/grader/worker.py", PACKAGES + "/x"])
def test_an_answer_cannot_write_outside(worker, place):
    if SEALED:
        assert error(worker, f"open({place!r}, 'w').write('x')") in ("OSError", "PermissionError")
    assert not Path("/x").exists()
    assert not Path(PACKAGES, "x").exists()


def test_an_answer_leaves_nothing_to_the_next(worker, open_worker):
    for one in (worker, open_worker):
        first = """
            import os
            for folder in {".", "/tmp" if os.getpid() == 1 else "."}:
                open(folder + "/note", "w").write("the answer is 42")
            torch.marked = True
            return os.path.exists("note")
        """
        assert value(one, first) is True
        assert value(one, "import os; return os.path.exists('note')") is False
        assert value(one, "return hasattr(torch, 'marked')") is False


def marked(mark):
    """Processes on this machine that have `mark` in their command line or environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("way", ["fork", "setsid", "exec"])
def test_no_process_is_left(worker, open_worker, way):
    mark = f"softalign-left-over-{way}-{os.getpid()}"
    start = {
        "fork": "pass",
        "setsid": "os.setsid()",
        "exec": "os.setsid()",
    }[way]
    attempt = f"""
        import os, sys
        if os.fork() == 0:
            {start}
            os.execv("/bin/sh", ["/bin/sh", "-c", "sleep 300; : {mark}"])
        import time; time.sleep(0.3)
        return "gone"
    """
    for one in (worker, open_worker):
        if sys.platform == "linux":
            assert value(one, attempt) == "gone"
            for _ in range(50):
                if not marked(mark):
                    break
                time.sleep(0.1)
            assert marked(mark) == []


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(1000)"])
def test_time_is_limited(worker, open_worker, body):
    for one in (worker, open_worker):
        begin = time.monotonic()
        assert run(one, body, seconds=1).ended == "timeout"
        assert time.monotonic() - begin < 15
        assert value(one, "return 1") == 1


@pytest.mark.parametrize("sealed", [True, False])
def test_processor_time_used_up_is_time_used_up(worker, open_worker, sealed):
    """Threads use up the kernel's limit long before the clock does."""
    body = """
        x = torch.randn(1500, 1500)
        torch.set_num_threads(4)
        while True:
            x = (x @ x).tanh()
    """
    one = worker if sealed else open_worker
    assert run(one, body, seconds=3).ended == "timeout"


@pytest.mark.parametrize(
    ("number", "spent", "late"),
    [
        (signal.SIGXCPU, 4.0, True),
        (signal.SIGKILL, 5.0, True),
        (signal.SIGKILL, 0.5, False),  # it ended itself, or memory was short
        (signal.SIGSEGV, 5.0, False),
        (0, 5.0, False),
    ],
)
def test_what_the_kernel_ended_is_told_from_what_ended_itself(number, spent, late):
    used = types.SimpleNamespace(ru_utime=spent, ru_stime=0.0)
    assert confine.used_up(int(number), used, 3.0) is late


def test_an_answer_that_ends_itself_is_not_late(worker, open_worker):
    for one in (worker, open_worker):
        done = run(one, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV); os._exit(0)")
        assert (done.ended, done.results) == ("done", [{}])


def test_memory_processes_and_files_are_limited(worker):
    assert error(worker, "return len(bytearray(2 * 10**9))") == "MemoryError"
    assert error(worker, "open('big', 'wb').write(bytes(10**8))") == "OSError"
    many = """
        import os, time
        for count in range(500):
            try:
                if os.fork() == 0:
                    time.sleep(60)
            except OSError:
                return count
        return count
    """
    if SEALED:
        assert value(worker, many) < 100


def test_what_an_answer_prints_or_writes_to_pipes_cannot_confuse_the_next(worker, open_worker):
    forge = """
        import os
        for descriptor in range(1, 64):
            for text in (b"Z00000000", b"E00000004done", b"\\nend\\n", b"R00000000" * 1000):
                try:
                    os.write(descriptor, text + b"\\n")
                except OSError:
                    pass
        return "mine"
    """
    for one in (worker, open_worker):
        for _ in range(3):
            run(one, forge)
            assert value(one, "return 'next'") == "next"


def test_killing_its_parents_costs_only_the_answer(worker, open_worker):
    attempt = """
        import os, signal
        for pid in (os.getppid(), os.getpgid(os.getppid())):
            if pid > 1:
                os.kill(pid, signal.SIGKILL)
        return "alive"
    """
    for one in (worker, open_worker):
        run(one, attempt)
        assert value(one, "return 'next'") == "next"


def as_nobody():
    """A command that runs another as nobody, who may enter the folders that the other needs."""
    command = ["bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--cap-add", "ALL"]
    needed = [Path(sys.base_prefix), Path(sys.prefix), ROOT]
    closed = {p for path in needed for p in path.parents if not p.stat().st_mode & 0o001}
    outermost = [p for p in closed if not closed & set(p.parents)]
    for folder in outermost:
        command += ["--perms", "0755", "--tmpfs", str(folder)]
        inside = [path for path in needed if folder in path.parents]
        between = {p for path in inside for p in path.parents if folder in p.parents}
        for part in sorted(between - set(inside)):
            command += ["--perms", "0755", "--dir", str(part)]
        for path in inside:
            command += ["--ro-bind", str(path), str(path)]
    command += ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return [*command, "--inh-caps=-all", "--bounding-set=-all"]


def test_the_wall_stands_for_an_ordinary_user_too():
    """Root tries it as nobody; for anybody else the other tests are this one."""
    if os.geteuid() != 0 or not SEALED:
        with sandbox.Worker(sandbox.isolation()) as worker:
            assert value(worker, "return 1") == 1
        return
    code = """
        import os
        from softalign_course import sandbox
        with sandbox.Worker(sandbox.isolation()) as worker:
            body = "return [os.getuid(), os.getpid(), os.listdir('/proc')]"
            source = "import os\\ndef answer(): " + body
            pieces = (("<setup>", ""), ("<answer>", source))
            case = {"args": [], "kwargs": {}, "grad": [], "unchanged": False}
            run = worker.run(sandbox.Task(pieces, "answer", None, [case], 20))
            print(os.getuid(), sandbox.isolation().apart, run.results[0]["value"])
    """
    done = subprocess.run(
        [*as_nobody(), sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.stdout.strip() == "65534 True [65534, 1, []]", done.stderr


def test_a_busy_machine_is_not_taken_for_one_without_a_sandbox(monkeypatch, capsys):
    """A worker that keeps silent must not make us run answers unsealed."""
    from softalign_course import process
    from softalign_course.cli import main

    def silent(self, task):
        return sandbox.Run([{}], "lost", f"the worker did not start: {process.SILENT}")

    monkeypatch.delenv("SOFTALIGN_SANDBOX", raising=False)
    monkeypatch.setattr(sandbox.sys, "platform", "linux")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sandbox.Worker, "run", silent)
    sandbox.isolation.cache_clear()
    try:
        with pytest.raises(sandbox.SandboxError, match="does not answer"):
            sandbox.isolation()
        assert main(["grade", "5", str(ROOT)]) == 1
        assert "the sandbox does not answer" in capsys.readouterr().err
        monkeypatch.setattr(sandbox.Worker, "run", lambda *_: sandbox.Run([{}], "lost", "it ended"))
        assert not sandbox.isolation().sealed
    finally:
        sandbox.isolation.cache_clear()


def test_a_worker_that_does_not_start_in_time_says_so(monkeypatch):
    from softalign_course import process

    isolation = sandbox.isolation()
    monkeypatch.setattr(process, "START_SECONDS", 0.0)
    with sandbox.Worker(isolation) as worker:
        done = run(worker, "return 1")
    assert (done.ended, process.SILENT in done.problem) == ("lost", True)


@pytest.mark.parametrize("installed", [False, True])
def test_a_checkout_below_tmp_is_sealed_too(installed):
    """What Python needs is there, the book is not, and /tmp is the answer's own."""
    if not SEALED:
        return
    there = "/tmp/elsewhere"
    held = PACKAGES.replace(sys.prefix, f"{there}/venv")
    code = f"""
        from softalign_course import process, sandbox
        source = [
            "def answer():",
            "    import glob, os, pathlib, tqdm.contrib",
            "    pathlib.Path('/tmp/mine').write_text('x')",
            "    seen = [sorted(os.listdir('/tmp'))]",
            "    books = ['{there}/*/src/*', '{held}/softalign*/*.py', '/*/*/softalign*/*.py']",
            "    for pattern in books:",
            "        seen.append(glob.glob(pattern))",
            "    return seen",
        ]
        case = {CASE}
        task = sandbox.Task((("<answer>", chr(10).join(source)),), "answer", None, [case], 20)
        with sandbox.Worker(sandbox.Isolation(True, True, "")) as worker:
            for _ in range(2):
                print(worker.run(task).results[0].get("value"))
        print(process.__file__)
    """
    command = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", "/tmp", "--cap-add", "ALL"]
    if installed:  # as pip does it without -e, beside the other packages
        command += ["--perms", "0755", "--dir", held]
        for name in ("pyvenv.cfg", "bin"):
            command += ["--ro-bind", f"{sys.prefix}/{name}", f"{there}/venv/{name}"]
        for path in Path(PACKAGES).iterdir():
            if "softalign" not in path.name:
                command += ["--ro-bind", str(path), f"{held}/{path.name}"]
        for name in ("softalign", "softalign_course"):
            command += ["--ro-bind", str(ROOT / "src" / name), f"{held}/{name}"]
        place = f"{held}/softalign_course/process.py"
    else:
        command += ["--ro-bind", sys.prefix, f"{there}/venv"]
        command += ["--ro-bind", str(ROOT), f"{there}/book"]
        command += ["--setenv", "PYTHONPATH", f"{there}/book/src"]
        place = f"{there}/book/src/softalign_course/process.py"
    command += [f"{there}/venv/bin/python", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True)
    seen = "[['elsewhere', 'mine'], [], [], []]"
    assert done.stdout.split("\n")[:3] == [seen, seen, place], done.stdout + done.stderr
