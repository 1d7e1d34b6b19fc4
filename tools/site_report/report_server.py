"""The built site on the loopback address, sent as a web host sends it: compressed, to be cached."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

# What hosts compress: text. Pictures and woff2 fonts are compressed already.
TEXT = {".html", ".css", ".js", ".json", ".svg", ".txt", ".xml", ".ipynb", ".inv"}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder over kept connections, gzipped, with the time that a browser may keep it."""

    protocol_version = "HTTP/1.1"
    packed: dict[tuple[str, int], bytes]

    def do_GET(self) -> None:
        """Send a file."""
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        """Send what GET would say of a file."""
        self._send(with_body=False)

    def _send(self, with_body: bool) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        text = path.suffix in TEXT
        tag = hashlib.sha256(body).hexdigest()[:20]
        zipped = text and "gzip" in self.headers.get("Accept-Encoding", "")
        if zipped:
            key = (str(path), path.stat().st_mtime_ns)
            if key not in self.packed:
                self.packed[key] = gzip.compress(body, 6)
            body = self.packed[key]
        self.send_response(200)
        kind = self.guess_type(str(path))
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        # a page is asked for anew, what it loads carries a digest in its address or seldom changes
        life = "no-cache" if path.suffix == ".html" else "public, max-age=31536000"
        self.send_header("Cache-Control", life)
        self.send_header("ETag", f'"{tag}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Ends with its threads; a browser that hangs up is no news."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address, without a slash at the end."""

    kept = type("Kept", (Handler,), {"packed": {}})
    handler = functools.partial(kept, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
