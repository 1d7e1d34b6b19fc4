"""Make a PDF of Chromium smaller without changing what is in it.

Chromium writes each of the quarter of a million elements that say what is a heading, a paragraph,
a cell of a table as an object of its own, in plain text. Since PDF 1.5 such objects may stand
together in compressed streams, and the table of their places may be a stream too: half of the
file goes.
"""

from __future__ import annotations

import re
import zlib

# Objects in one stream: a reader unpacks all of them to get at one.
TOGETHER = 200


class PackError(ValueError):
    """The file is not a PDF as Chromium writes it."""


def pack(data: bytes) -> bytes:
    """The same PDF with its plain objects in compressed streams.

    Raises
    ------
    PackError
        The file has no table of objects, more than one, or an object that is not where it says.
    """
    places, trailer = _table(data)
    kept, plain = {}, {}
    ends = dict(
        zip(sorted(places.values()), [*sorted(places.values())[1:], len(data)], strict=True)
    )
    for number, start in places.items():
        head = re.compile(rb"(\d+) 0 obj\s").match(data, start)
        end = data.rfind(b"endobj", start, ends[start])
        if not head or int(head[1]) != number or end < 0:
            raise PackError(f"Object {number} of the PDF is not at byte {start}.")
        body = data[head.end() : end].strip()
        (kept if body.endswith(b"endstream") else plain)[number] = body
    out = bytearray(b"%PDF-1.5\n%\xd3\xeb\xe9\xe1\n")
    entries = {0: (0, 0, 65535)}
    for number, body in sorted(kept.items()):
        entries[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    following = max(places) + 1
    numbers = sorted(plain)
    for first in range(0, len(numbers), TOGETHER):
        group = numbers[first : first + TOGETHER]
        index, bodies = [], bytearray()
        for place, number in enumerate(group):
            index.append(b"%d %d" % (number, len(bodies)))
            entries[number] = (2, following, place)
            bodies += plain[number] + b"\n"
        head = b" ".join(index) + b"\n"
        entries[following] = (1, len(out), 0)
        about = b"/Type /ObjStm /N %d /First %d" % (len(group), len(head))
        out += _stream(following, about, head + bytes(bodies))
        following += 1
    start = len(out)
    entries[following] = (1, start, 0)
    free = (0, 0, 65535)
    table = b"".join(
        kind.to_bytes(1, "big") + second.to_bytes(4, "big") + third.to_bytes(2, "big")
        for kind, second, third in (entries.get(n, free) for n in range(following + 1))
    )
    about = b"/Type /XRef /Size %d /W [1 4 2] %b" % (following + 1, trailer)
    out += _stream(following, about, table)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _stream(number: int, about: bytes, content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    head = b"%d 0 obj\n<<%b /Filter /FlateDecode /Length %d>>\nstream\n"
    return head % (number, about, len(packed)) + packed + b"\nendstream\nendobj\n"


def _table(data: bytes) -> tuple[dict[int, int], bytes]:
    """Places of all objects, and what the trailer says but for the size."""
    last = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", data)
    begin = re.compile(rb"xref\n0 (\d+)\n").match(data, int(last[1])) if last else None
    end = data.find(b"trailer", begin.end()) if begin else -1
    if end < 0 or b"/Prev" in data[end:]:
        raise PackError("The PDF has no table of objects as Chromium writes it.")
    lines = data[begin.end() : end].splitlines()
    places = {
        number: int(line.split()[0])
        for number, line in enumerate(lines)
        if line.split()[-1:] == [b"n"]
    }
    trailer = b" ".join(re.findall(rb"/(?:Root|Info) \d+ 0 R", data[end:]))
    if not places or b"/Root" not in trailer:
        raise PackError("The PDF has no table of objects as Chromium writes it.")
    return places, trailer
