"""The hub of `deploy/`, started as it is: a student signs in, gets the book and runs a cell."""

from __future__ import annotations

import asyncio
import http.cookiejar
import importlib.util
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from book_files import ROOT

CONFIG = ROOT / "deploy" / "jupyterhub_config.py"
TOKEN, PASSWORD = secrets.token_hex(16), secrets.token_hex(8)
# The hub is for a Linux machine: elsewhere it is not even installed.
ON_LINUX = sys.platform == "linux"


def student_server():
    """The script that the hub starts for each student."""
    spec = importlib.util.spec_from_file_location(
        "student_server", ROOT / "deploy" / "student_server.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_students_changes_are_never_overwritten(tmp_path):
    given, folder = tmp_path / "given", tmp_path / "folder"
    (given / "book").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (given / "book" / name).write_text("as given")
    folder.mkdir()
    fill = student_server().fill
    assert fill(given, folder) == 3
    (folder / "book" / "a").write_text("changed")
    (folder / "book" / "b").unlink()
    (folder / "book" / "c").unlink()
    (folder / "book" / "c").symlink_to(tmp_path / "elsewhere")
    assert fill(given, folder) == 1
    assert (folder / "book" / "a").read_text() == "changed"
    assert (folder / "book" / "b").read_text() == "as given"
    assert not (tmp_path / "elsewhere").exists()


if ON_LINUX:

    def test_a_process_that_wants_too_much_gets_an_error_and_not_the_machine():
        code = (
            "import sys; sys.path.insert(0, 'deploy'); import student_server as s; s.limit(300);"
            "small = bytearray(100_000_000); print('small');"
            "large = bytearray(400_000_000); print('large')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
        )
        assert done.stdout == "small\n"
        assert "MemoryError" in done.stderr

    @pytest.fixture(scope="module")
    def hub(tmp_path_factory):
        """A running hub: its address, and the folder where it keeps its things."""
        state = tmp_path_factory.mktemp("hub")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{one.getsockname()[1]}"
        env = {
            **os.environ,
            "SOFTALIGN_HUB_TRIAL": str(state),
            "SOFTALIGN_HUB_PASSWORD": PASSWORD,
            "SOFTALIGN_HUB_TOKEN": TOKEN,
            "SOFTALIGN_HUB_URL": address,
        }
        log = state / "log.txt"
        with log.open("w") as file:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
            child = subprocess.Popen(command, cwd=state, env=env, stdout=file, stderr=file)
        try:
            end = time.monotonic() + 120
            while status(f"{address}/hub/health") != 200:
                assert child.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.2)
            yield address, state
        finally:
            child.terminate()
            assert child.wait(60) == 0, log.read_text()[-2000:]
            # the hub has taken its proxy along
            assert status(address) == 0

    def ask(address, method="GET", data=None):
        """The answer of the hub's interface, or of a student's server."""
        request = urllib.request.Request(address, method=method, data=data)
        request.add_header("Authorization", f"token {TOKEN}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def status(address):
        """The status of a page; 0 if nobody listens."""
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as problem:
            problem.close()
            return problem.code
        except OSError:
            return 0

    def sign_in(address, password):
        """Where a student who fills in the form ends, with the status."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        with browser.open(f"{address}/hub/login", timeout=60) as page:
            form = page.read().decode()
        hidden = re.search(r'name="_xsrf"\s+value="([^"]+)"', form)[1]
        fields = {"username": "grace", "password": password, "_xsrf": hidden}
        data = urllib.parse.urlencode(fields).encode()
        try:
            with browser.open(f"{address}/hub/login?next=%2Fhub%2Fhome", data, timeout=60) as page:
                return page.status, page.url
        except urllib.error.HTTPError as problem:
            problem.close()
            return problem.code, problem.url

    def test_the_password_lets_in_and_another_does_not(hub):
        address, _ = hub
        assert sign_in(address, PASSWORD) == (200, f"{address}/hub/home")
        assert sign_in(address, PASSWORD + "x")[0] == 403

    @pytest.fixture(scope="module")
    def ada(hub):
        """The address of a student's running server."""
        address, _ = hub
        ask(f"{address}/hub/api/users/ada", "POST")
        ask(f"{address}/hub/api/users/ada/server", "POST")
        end = time.monotonic() + 120
        while not ask(f"{address}/hub/api/users/ada")["servers"].get("", {}).get("ready"):
            assert time.monotonic() < end, "the student's server does not start"
            time.sleep(0.3)
        yield f"{address}/user/ada"
        ask(f"{address}/hub/api/users/ada/server", "DELETE")

    def test_a_student_finds_the_book_and_not_the_teachers_pages(hub, ada):
        def names(folder):
            return {entry["name"] for entry in ask(f"{ada}/api/contents/{folder}")["content"]}

        assert names("") == {"book", "chapters"}
        assert "intro.ipynb" in names("book")
        assert not [name for name in names("book") if name.startswith("instructors")]
        assert "rnn.ipynb" in names("chapters/02_rnn")
        assert (hub[1] / "home" / "ada" / "soft-alignment" / "book" / "intro.ipynb").is_file()

    def test_nobody_sees_a_students_files_without_the_right_to(ada):
        assert status(f"{ada}/api/contents") == 403

    async def run(ada, kernel, code):
        """What a cell prints in a kernel of the student's server."""
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        address = f"{ada.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
        socket_ = await websocket_connect(
            HTTPRequest(address, headers={"Authorization": f"token {TOKEN}"})
        )
        head = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        head.update(username="ada", session=uuid.uuid4().hex, date="2026-01-01T00:00:00Z")
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": head, "parent_header": {}, "metadata": {}, "content": content}
        await socket_.write_message(json.dumps({**message, "channel": "shell"}))
        said = ""
        while True:
            found = json.loads(await asyncio.wait_for(socket_.read_message(), 120))
            if found["parent_header"].get("msg_id") != head["msg_id"]:
                continue
            if found["msg_type"] in ("stream", "error"):
                said += found["content"].get("text") or found["content"]["ename"]
            if found["msg_type"] == "execute_reply":
                break
        socket_.close()
        while await socket_.read_message() is not None:  # None says that it is closed
            pass
        return said

    def answer(coroutine):
        """What a coroutine returns; the tests in a browser leave a loop running in this thread."""
        with ThreadPoolExecutor() as pool:
            return pool.submit(asyncio.run, coroutine).result()

    def test_a_students_kernel_has_the_library_one_thread_and_a_limit(ada):
        kernel = ask(f"{ada}/api/kernels", "POST", b'{"name": "python3"}')["id"]
        code = (
            "import torch, softalign.lstm, os, resource\n"
            "print(torch.get_num_threads(), resource.getrlimit(resource.RLIMIT_DATA)[0])"
        )
        assert answer(run(ada, kernel, code)) == "1 4000000000\n"
        too_much = "import numpy as np; print(np.ones(500_000_000).sum())"
        assert "MemoryError" in answer(run(ada, kernel, too_much))
