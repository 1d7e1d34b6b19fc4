"""How much a page transfers: what the page and the frame around it weigh, beyond the figures."""

from __future__ import annotations

import gzip
import re
from urllib.parse import unquote, urlsplit

import pytest
from book_files import PAGES, SITE

# Bytes a page may transfer beyond its figures, text compressed as web servers do.
BUDGET = 600_000
# What is left free of it: room for what is still to come.
ROOM = 100_000
PACKED = (".png", ".woff2", ".woff", ".jpg", ".ico")
FIGURES = ("/_images/", "/_static/interactive/")
# Of a figure that stands in the page itself: its still picture and its data.
INLINE = re.compile(
    r'(?<=src=")data:image/[^"]*|(?<=<script type="application/json">).*?(?=</script>)', re.DOTALL
)


def squeezed(path, body):
    """Bytes on the wire: pictures and fonts are compressed already, the rest is gzipped."""
    return len(body) if path.endswith(PACKED) else len(gzip.compress(body, 6))


def own_weight(text):
    """Bytes of a page: of all of it but its figures, and of these."""
    whole = squeezed("page.html", text.encode())
    frame = squeezed("page.html", INLINE.sub("", text).encode())
    return frame, whole - frame


def split(urls):
    """Bytes of the frame and of the figures, from what was asked for."""
    frame = figures = 0
    for url in urls:
        path = unquote(urlsplit(url).path)
        body = (SITE / path[1:]).read_bytes()
        if path.endswith(".html"):
            own, inline = own_weight(body.decode())
            frame, figures = frame + own, figures + inline
        elif any(folder in path for folder in FIGURES):
            figures += squeezed(path, body)
        else:
            frame += squeezed(path, body)
    return frame, figures


@pytest.mark.browser
@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_the_weight_of_a_page(chromium, site_url, name):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    asked = set()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    page.evaluate("document.fonts.ready.then(() => 0)")
    context.close()
    frame, figures = split(url for url in asked if url.startswith(site_url))
    print(f"{name}: {frame / 1e3:.0f} kB and {figures / 1e3:.0f} kB of figures")
    assert 10_000 < frame <= BUDGET - ROOM
    assert any("/_static/lean/site." in url for url in asked)


def test_a_figure_in_the_page_is_counted_as_a_figure():
    text = (SITE / "book/intro.html").read_text(encoding="utf-8")
    plain = own_weight(INLINE.sub("", text))
    noise = "".join(chr(33 + (i * i * 7 + i // 5) % 90) for i in range(30_000))
    noise = re.sub(r"[\"<>&]", "", noise)
    figure = f'<img src="data:image/svg+xml;base64,{noise}">'
    figure += f'<script type="application/json">{{"a": [{noise}]}}</script>'
    frame, figures = own_weight(INLINE.sub("", text) + figure)
    assert plain[1] == 0
    assert abs(frame - plain[0]) < 200
    assert figures > 500


def test_no_page_is_heavy_only_because_of_its_icons():
    fonts = SITE / "_static/vendor/fontawesome/webfonts"
    assert sum(path.stat().st_size for path in fonts.iterdir()) < 20_000
