"""Readers of real text, and downloads from a server of our own on the loopback address."""

import codecs
import gzip
import hashlib
import inspect
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import softalign.parallel.catalogue
import softalign.parallel.fetching
from softalign.parallel import (
    DATASETS,
    Dataset,
    DownloadError,
    RawPair,
    RemoteFile,
    Report,
    cache_folder,
    download,
    read_pairs,
    sphinx_messages,
    strip_markup,
)

LAW = settings(derandomize=True, deadline=None, max_examples=100)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ------------------------------------------------------------------------------ columns

TATOEBA = (
    "\ufeffHi.\t嗨。\tCC-BY 2.0 (France) Attribution: #1 (CM) & #2 (Martha)\r\n"
    "Run.\t\tCC-BY\r\n"
    "\r\n"
    "Go on.\t 继续。 \tCC-BY\r\n"
    "Wait.\r\n"
    "\t等等。\r\n"
    "No.\t不\0。\r\n"
    "Yes.\t是。"
)


def test_columns_by_hand(tmp_path):
    path = write(tmp_path / "cmn.txt", TATOEBA)
    pairs, report = read_pairs(path, columns=(1, 0))
    assert pairs == [
        RawPair("嗨。", "Hi.", 1, ("CC-BY 2.0 (France) Attribution: #1 (CM) & #2 (Martha)",)),
        RawPair("继续。", "Go on.", 4, ("CC-BY",)),
        RawPair("是。", "Yes.", 8, ()),
    ]
    assert report == Report(
        (str(path),),
        8,
        3,
        {
            "empty source": 1,
            "empty line": 1,
            "too few columns": 1,
            "empty target": 1,
            "NUL character": 1,
        },
        {
            "empty source": 2,
            "empty line": 3,
            "too few columns": 5,
            "empty target": 6,
            "NUL character": 7,
        },
        {"byte order mark": 1},
    )
    assert str(report) == (
        f"{path}: 3 pairs from 8, skipped: 1 x empty source (first at 2), 1 x empty line (first at "
        "3), 1 x too few columns (first at 5), 1 x empty target (first at 6), 1 x NUL character "
        "(first at 7), mended: 1 x byte order mark"
    )


def test_other_columns_are_kept_in_their_order(tmp_path):
    path = write(tmp_path / "a.tsv", "id\ta\tb\twho\tb2\n")
    assert read_pairs(str(path), columns=(1, 4))[0] == [RawPair("a", "b2", 1, ("id", "b", "who"))]


def test_lines_end_at_newlines_only(tmp_path):
    # str.splitlines would make seven lines of this, and shift every line that follows
    strange = "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\t我\n"
    pairs, report = read_pairs(write(tmp_path / "a.tsv", strange + "h\t好\n"))
    assert [(pair.target, pair.line) for pair in pairs] == [("我", 1), ("好", 2)]
    assert report.read == 2


def test_gzip_is_known_by_its_content(tmp_path):
    plain = read_pairs(write(tmp_path / "a.tsv", TATOEBA))
    packed = read_pairs(write(tmp_path / "without_suffix", gzip.compress(TATOEBA.encode())))
    assert packed[0] == plain[0]
    assert packed[1].skipped == plain[1].skipped
    misleading = read_pairs(write(tmp_path / "not_packed.gz", TATOEBA))
    assert misleading[0] == plain[0]


def test_other_encodings_if_asked(tmp_path):
    path = write(tmp_path / "a.tsv", "我\tI\n".encode("gb18030"))
    assert read_pairs(path, encoding="gb18030")[0][0].source == "我"
    path = write(tmp_path / "b.tsv", "我\tI\n".encode("utf-16"))
    assert read_pairs(path, encoding="utf-16")[0] == [RawPair("我", "I", 1)]


# ------------------------------------------------------------------------------ two files


def test_two_files_by_hand(tmp_path):
    source = write(tmp_path / "a.de", "ein hund\n\nzwei\thunde \n\n")
    target = write(tmp_path / "a.en.gz", gzip.compress(b"a dog\nx\ntwo dogs\n\n"))
    pairs, report = read_pairs(source, target)
    assert pairs == [RawPair("ein hund", "a dog", 1), RawPair("zwei\thunde", "two dogs", 3)]
    assert (report.read, report.kept) == (4, 2)
    assert report.skipped == {"empty source": 1, "empty line": 1}
    assert report.files == (str(source), str(target))


def test_columns_do_not_apply_to_two_files(tmp_path):
    source, target = write(tmp_path / "a.de", "ja\n"), write(tmp_path / "a.en", "yes\n")
    assert read_pairs(source, target, columns=(1, 0))[0] == [RawPair("ja", "yes", 1)]


@pytest.mark.parametrize("missing", ["", "\n"])
def test_unequal_numbers_of_lines_are_an_error(tmp_path, missing):
    source = write(tmp_path / "a.de", "eins\nzwei\ndrei\n")
    target = write(tmp_path / "a.en", "one\ntwo" + missing)
    with pytest.raises(ValueError, match=r"a\.de has 3 lines but .*a\.en has 2, expected as many"):
        read_pairs(source, target)


# ------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"\n", "line 2: empty line, expected a sentence and its translation"),
        (b"a\n", "line 2: too few columns, expected at least 2 columns separated by tabs"),
        (b"\tb\n", "line 2: empty source, expected a source sentence"),
        (b"a\t \n", "line 2: empty target, expected a target sentence"),
        (b"a\tb\0\n", "line 2: NUL character, expected text without NUL characters"),
    ],
)
def test_strict_stops_at_the_line(tmp_path, line, message):
    path = write(tmp_path / "a.tsv", b"x\ty\n" + line)
    assert read_pairs(path)[1].kept == 1
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}, {message}"):
        read_pairs(path, strict=True)


def test_strict_refuses_a_byte_order_mark(tmp_path):
    source = write(tmp_path / "a.de", "ja\n")
    target = write(tmp_path / "a.en", codecs.BOM_UTF8 + b"yes\n")
    assert read_pairs(source, target)[0] == [RawPair("ja", "yes", 1)]
    with pytest.raises(ValueError, match=r"a\.en, line 1: a byte order mark, expected text"):
        read_pairs(source, target, strict=True)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\nc\td\n我\te\n".encode("gb18030"), r"line 3: bytes ce d2 09 65 are not utf-8"),
        (b"a\tb\nc\td\xff", r"line 2: bytes ff are not utf-8, expected text in utf-8"),
        ("a\tb\n".encode("utf-16"), "line 1: a mark of UTF-16 or UTF-32, expected UTF-8"),
        (codecs.BOM_UTF16_BE + b"\0a", "line 1: a mark of UTF-16 or UTF-32, expected UTF-8"),
        (gzip.compress(b"a\tb\n" * 999, mtime=0)[:-9], "expected a whole gzip file"),
        (b"\x1f\x8b\x08 this is not gzip", "expected a whole gzip file"),
        (b"", "0 pairs from 0; expected sentence pairs"),
    ],
)
def test_what_is_no_text_is_an_error(tmp_path, content, message, strict):
    path = write(tmp_path / "a.tsv", content)
    with pytest.raises(ValueError, match=re.escape(str(path)) + ".*" + message):
        read_pairs(path, strict=strict)


def test_a_file_of_another_format_is_an_error(tmp_path):
    path = write(tmp_path / "a.csv", "one,eins\ntwo,zwei\n")
    with pytest.raises(ValueError, match=r"2 x too few columns \(first at 1\); expected .* a tab"):
        read_pairs(path)


def test_missing_files_folders_and_options(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.tsv: there is no such file"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(ValueError, match="this is no file, expected a file"):
        read_pairs(tmp_path)
    path = write(tmp_path / "a.tsv", "a\tb\n")
    with pytest.raises(ValueError, match="encoding is 'klingon', which Python does not know"):
        read_pairs(path, encoding="klingon")
    for columns in [(1, 1), (-1, 0)]:
        with pytest.raises(ValueError, match="expected two different numbers from 0"):
            read_pairs(path, columns=columns)


CELL = st.text(alphabet="ab \0我\u2028", max_size=4)
ROWS = st.lists(st.lists(CELL, min_size=1, max_size=3), min_size=1, max_size=8)


@LAW
@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_line_is_kept_or_counted(tmp_path_factory, rows, end, bom):
    path = tmp_path_factory.mktemp("law") / "a.tsv"
    write(path, "\ufeff" * bom + "".join("\t".join(row) + end for row in rows))
    good = [
        (n, row[0].strip(), row[1].strip())
        for n, row in enumerate(rows, 1)
        if len(row) > 1 and row[0].strip() and row[1].strip() and "\0" not in row[0] + row[1]
    ]
    if not good:
        with pytest.raises(ValueError, match="expected sentence pairs"):
            read_pairs(path)
        return
    pairs, report = read_pairs(path)
    assert [(pair.line, pair.source, pair.target) for pair in pairs] == good
    assert report.kept == len(pairs)
    assert report.read == len(rows) == report.kept + sum(report.skipped.values())
    assert report.first.keys() == report.skipped.keys()
    assert report.mended == ({"byte order mark": 1} if bom else {})


def test_very_long_lines_are_read(tmp_path):
    path = write(tmp_path / "a.tsv", "我 " * 100_000 + "\t" + "I " * 100_000 + "\n")
    pairs, _ = read_pairs(path)
    assert len(pairs[0].source.split()) == len(pairs[0].target.split()) == 100_000


# ------------------------------------------------------------------------------ catalogues

CATALOGUE = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: zh_CN\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Open file"
msgstr "打开文件"

msgid "Close"
msgstr ""

#, fuzzy
msgid "Print"
msgstr "打"

msgid "%d word"
msgid_plural "%d words"
msgstr[0] "%d 个词"

#~ msgid "Gone"
#~ msgstr "没了"
"""


def test_po_by_hand(tmp_path):
    path = write(tmp_path / "zh.po", "\ufeff" + CATALOGUE)
    pairs, report = read_pairs(path, columns=(1, 0))
    assert pairs == [RawPair("打开文件", "Open file", 7), RawPair("%d 个词", "%d words", 17)]
    assert (report.read, report.kept) == (4, 2)
    assert report.skipped == {"not translated": 1, "marked as fuzzy": 1}
    assert report.first == {"not translated": 10, "marked as fuzzy": 14}
    assert read_pairs(path)[0][0] == RawPair("Open file", "打开文件", 7)
    with pytest.raises(ValueError, match="a byte order mark"):
        read_pairs(path, strict=True)
    write(path, CATALOGUE)
    with pytest.raises(ValueError, match=r"line 10: not translated, expected a translation"):
        read_pairs(path, strict=True)


def test_compiled_and_packed_catalogues(tmp_path):
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    po = write(tmp_path / "zh.po.gz", gzip.compress(CATALOGUE.encode()))
    mo = tmp_path / "zh.mo"
    with gzip.open(po) as text, mo.open("wb") as compiled:
        write_mo(compiled, read_po(text))
    sentences = {(pair.source, pair.target) for pair in read_pairs(po)[0]}
    assert {(pair.source, pair.target) for pair in read_pairs(mo)[0]} == sentences
    assert len(sentences) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.po", b"this is no catalogue\n", r"a\.po, line 0: .*expected a catalogue"),
        (
            "a.po",
            CATALOGUE.encode().replace(b"utf-8", b"klingon"),
            r"a\.po.*expected a.* catalogue",
        ),
        (
            "a.po",
            CATALOGUE.replace("打", "\udcff").encode("utf-8", "surrogateescape"),
            r"a\.po.*exp",
        ),
        ("a.mo", b"\0" * 40, r"a\.mo: .*expected a message catalogue"),
        ("a.po", CATALOGUE.encode()[:120], r"0 pairs from 0; expected sentence pairs"),
    ],
)
def test_damaged_catalogues_are_named(tmp_path, name, content, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(write(tmp_path / name, content))


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("writing %s (%d of %d)... ", "writing (of)..."),
        ("unknown option: %(name)r, ignored", "unknown option, ignored"),
        ("{count} files in {} seconds", "files in seconds"),
        ("the '%s' file, \"%s\" or “%r” it's", "the file, or it's"),
        ('<a href="x">Index</a> &amp; search', "Index & search"),
        ("see :ref:`the index <genindex>` or ``conf.py``", "see the index or conf.py"),
        ("Copyright |release|; 100% sure", "Copyright; 100% sure"),
        ("索引 %r 已经在域 %s 上注册过了", "索引已经在域上注册过了"),
        ("无法解析 %r 的类型注释：%s", "无法解析的类型注释"),
        ("%s（指令）", "（指令）"),
        ("for %r in 100%% of (%s:)", "for in 100% of"),
        ("%sfile%ss, 100%%sure", "file s, 100%sure"),
        ("%s: %s", ""),
        ("", ""),
    ],
)
def test_markup_goes(message, left):
    assert strip_markup(message) == left
    assert strip_markup(left.replace("%", "%%")) == left


def test_sphinx_messages_are_there():
    # 767 messages in Sphinx 7.4.7, 723 of them translated
    pairs, report = sphinx_messages()
    assert len(pairs) == report.kept > 600
    assert report.read == report.kept + sum(report.skipped.values())
    assert report.skipped["no words left"] < 20
    assert RawPair("源代码", "Source code for", 0) in [pair._replace(line=0) for pair in pairs]
    for pair in pairs:
        assert re.search("[\u4e00-\u9fff]", pair.source)
        assert re.search("[A-Za-z]", pair.target)
        assert not re.search(r"%[sdr(]|[`{}]|</", pair.source + pair.target)


def test_sphinx_messages_say_what_is_missing(monkeypatch):
    with pytest.raises(FileNotFoundError, match="no catalogue for 'tlh'"):
        sphinx_messages("tlh")
    monkeypatch.setattr(softalign.parallel.catalogue, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="Sphinx is not installed: `pip install sphinx`"):
        sphinx_messages()


# ------------------------------------------------------------------------------ download

CONTENT = bytes(range(256)) * 2000  # half a megabyte


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `cuts` says after how many bytes of each answer the line breaks.

    None: it breaks before the server has answered at all.
    """

    content = CONTENT
    ranges = True
    cuts = ()
    status = None

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        if server.status:
            self.send_error(server.status)
            return
        cut = dict(enumerate(server.cuts, 1)).get(len(server.asked), len(server.content))
        if cut is None:
            return
        start = 0
        if server.ranges and self.headers.get("Range"):
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1])
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206)
            end = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as one:
        register(monkeypatch, f"http://127.0.0.1:{one.server_address[1]}/small.txt")
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def register(monkeypatch, address, content=CONTENT):
    file = RemoteFile("small.txt", address, len(content), hashlib.sha256(content).hexdigest())
    dataset = Dataset("A small file", "none", "nobody", (file,))
    monkeypatch.setattr(softalign.parallel.fetching, "DATASETS", {"small": dataset})


def test_download_and_do_not_download_again(server, tmp_path):
    folder = download("small", tmp_path / "new" / "folder")
    assert folder == tmp_path / "new" / "folder"
    assert (folder / "small.txt").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["small.txt"]
    assert download("small", folder) == folder
    assert server.asked == [None]


def test_the_cache_folder_is_the_default(server, tmp_path, monkeypatch):
    monkeypatch.setattr(softalign.parallel.fetching, "cache_folder", lambda: tmp_path / "cache")
    assert download("small") == tmp_path / "cache" / "small"
    assert cache_folder().name == "softalign"


def test_a_cut_connection_is_resumed(server, tmp_path):
    server.cuts = (100_000, None, 7)
    download("small", tmp_path)
    assert (tmp_path / "small.txt").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=100000-", "bytes=100007-"]


def test_the_next_call_goes_on_where_the_last_one_stopped(server, tmp_path):
    server.cuts = (1000, 1000, 1000, 1000)
    message = r"broke off 4 times, 4,000 of 512,000 bytes are kept: call download again"
    with pytest.raises(DownloadError, match=message):
        download("small", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["small.txt.part"]
    download("small", tmp_path)
    assert server.asked[-1] == "bytes=4000-"
    assert (tmp_path / "small.txt").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["small.txt"]


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges = False
    server.cuts = (5000,)
    download("small", tmp_path)
    assert (tmp_path / "small.txt").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=5000-"]


def test_a_whole_part_needs_no_server(server, tmp_path):
    write(tmp_path / "small.txt.part", CONTENT)
    download("small", tmp_path)
    assert server.asked == []
    assert [path.name for path in tmp_path.iterdir()] == ["small.txt"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT[:-1] + b"!", "has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}, and was not kept"),
        (CONTENT + b"!", r"has 512,001 bytes, expected 512,000, and was not kept"),
        (CONTENT * 3, r"has 5\d\d,\d\d\d bytes, expected 512,000, and was not kept"),
    ],
)
def test_another_file_is_not_kept(server, tmp_path, content, message):
    server.content = content
    with pytest.raises(DownloadError, match=message):
        download("small", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_part_is_found_out(server, tmp_path):
    write(tmp_path / "small.txt.part", b"x" * 1000)
    with pytest.raises(DownloadError, match="has SHA-256"):
        download("small", tmp_path)
    assert list(tmp_path.iterdir()) == []
    download("small", tmp_path)  # and the next call starts afresh
    assert (tmp_path / "small.txt").read_bytes() == CONTENT


def test_a_file_that_is_there_but_wrong_is_left_alone(server, tmp_path):
    path = write(tmp_path / "small.txt", "mine")
    with pytest.raises(DownloadError, match=r"small\.txt has 4 bytes, expected 512,000: delete it"):
        download("small", tmp_path)
    assert path.read_bytes() == b"mine"
    assert server.asked == []


def test_a_missing_page_says_what_to_do(server, tmp_path):
    server.status = 404
    with pytest.raises(DownloadError) as caught:
        download("small", tmp_path)
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert str(caught.value) == (
        f"http://127.0.0.1:{server.server_address[1]}/small.txt answers 404 Not Found: get it with "
        f"another machine or on another day and put it at {tmp_path / 'small.txt'} "
        f"(512,000 bytes, SHA-256 {digest})"
    )
    assert server.asked == [None]  # it does not ask again and again
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as gone:
        port = gone.server_address[1]
    register(monkeypatch, f"http://127.0.0.1:{port}/small.txt")
    with pytest.raises(DownloadError) as caught:
        download("small", tmp_path)
    assert "cannot be reached (" in str(caught.value)
    assert f"put it at {tmp_path / 'small.txt'} (512,000 bytes" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    blocked = write(tmp_path / "blocked", "a file, not a folder")
    with pytest.raises(DownloadError, match=r"blocked.* cannot be written"):
        download("small", blocked)


def test_progress_goes_to_standard_error_and_only_if_wanted(server, tmp_path, capsys):
    download("small", tmp_path / "a")  # not a terminal: silent
    download("small", tmp_path / "b", progress=False)
    assert capsys.readouterr() == ("", "")
    download("small", tmp_path / "c", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "small.txt: 100%" in err


def test_unknown_corpus_is_named():
    with pytest.raises(ValueError, match="no corpus 'europarl', expected one of multi30k, tatoeba"):
        download("europarl")


def test_what_the_register_says_is_well_formed():
    for dataset in DATASETS.values():
        assert dataset.title
        assert dataset.licence
        assert dataset.credit
        for file in dataset.files:
            # at a fixed commit, so that the digest stays true
            pattern = r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/[\w./]+"
            assert re.fullmatch(pattern, file.address)
            assert file.address.endswith("/" + file.name)
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
    assert len({file.sha256 for dataset in DATASETS.values() for file in dataset.files}) == 7
    with pytest.raises(TypeError):
        DATASETS["other"] = DATASETS["tatoeba"]


def test_the_package_imports_neither_babel_nor_tqdm_nor_the_network():
    source = inspect.getsource(softalign.parallel.fetching)
    assert not re.search(r"^(import|from) (tqdm|platformdirs|babel)", source, flags=re.MULTILINE)
