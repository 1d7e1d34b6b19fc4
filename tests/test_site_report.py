"""make site-report: the server compresses, scores are read right, only what changed is measured."""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import sys
import urllib.error
import urllib.request

import pytest
from book_files import ROOT

FOLDER = ROOT / "tools" / "site_report"
sys.path[:0] = [str(FOLDER), str(ROOT / "tools")]
report_page = importlib.import_module("report_page")
report_scores = importlib.import_module("report_scores")
report_server = importlib.import_module("report_server")
make = importlib.import_module("make")

spec = importlib.util.spec_from_file_location("site_report_main", FOLDER / "__main__.py")
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)


@pytest.fixture
def site(tmp_path):
    """Two pages, one that only sends on, and what they load."""
    folder = tmp_path / "site"
    (folder / "book").mkdir(parents=True)
    (folder / "_static").mkdir()
    for name in ("book/a", "book/b"):
        (folder / f"{name}.html").write_text(f"<title>{name}</title>" + "word " * 500)
    (folder / "index.html").write_text('<meta http-equiv="Refresh" content="0; url=book/a.html">')
    (folder / "_static" / "x.html").write_text("no page")
    (folder / "_static" / "s.css").write_text("p { color: red }" * 90)
    (folder / "_static" / "p.png").write_bytes(bytes(range(256)))
    return folder


def answered(address, path, **headers):
    request = urllib.request.Request(f"{address}/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), answer.headers


def test_text_is_compressed_and_pictures_are_not(site):
    with report_server.served(site) as address:
        body, headers = answered(address, "book/a.html", **{"Accept-Encoding": "gzip, br"})
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert len(body) < 200 < len(gzip.decompress(body))
        assert gzip.decompress(body) == (site / "book" / "a.html").read_bytes()
        plain, headers = answered(address, "book/a.html")
        assert plain == gzip.decompress(body)
        assert headers["Content-Encoding"] is None
        body, headers = answered(address, "_static/p.png", **{"Accept-Encoding": "gzip"})
        assert body == (site / "_static" / "p.png").read_bytes()
        assert "max-age" in headers["Cache-Control"]
        assert answered(address, "")[0] == (site / "index.html").read_bytes()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            answered(address, "favicon.ico")


def result(performance=0.97, title=1.0):
    """As much of what Lighthouse says as is read."""
    audits = {
        "largest-contentful-paint": {"numericValue": 2000.4, "score": 0.9, "title": "LCP"},
        "cumulative-layout-shift": {"numericValue": 0.01, "score": 1, "title": "CLS"},
        "total-blocking-time": {"numericValue": 30, "score": 1, "title": "TBT"},
        "total-byte-weight": {"numericValue": 123_456, "score": 1, "title": "Bytes"},
        "unused-css": {
            "score": 0.5,
            "title": "Unused CSS",
            "metricSavings": {"LCP": 150, "FCP": 0},
            "displayValue": "20 KiB",
        },
        "document-title": {
            "score": title,
            "title": "No title",
            "details": {"items": [{"node": {"snippet": "<html>"}}]},
        },
        "not-here": {"score": None, "title": "Does not apply"},
    }
    refs = {
        "performance": [
            {"id": "largest-contentful-paint", "weight": 25},
            {"id": "cumulative-layout-shift", "weight": 75},
            {"id": "unused-css", "weight": 0},
        ],
        "accessibility": [{"id": "document-title", "weight": 7}, {"id": "not-here", "weight": 9}],
        "best-practices": [{"id": "cumulative-layout-shift", "weight": 1}],
        "seo": [{"id": "cumulative-layout-shift", "weight": 1}],
    }
    points = {"performance": performance, "accessibility": title, "best-practices": 1, "seo": 1}
    categories = {n: {"score": points[n], "auditRefs": refs[n]} for n in refs}
    return {"audits": audits, "categories": categories, "environment": {"benchmarkIndex": 1000}}


def test_points_are_read_and_lost_points_are_named():
    m = report_scores.read("book/a", "mobile", result(title=0))
    assert m.scores == {"performance": 97, "accessibility": 0, "best-practices": 100, "seo": 100}
    assert (m.lcp_s, m.cls, m.tbt_ms, m.kilobytes) == (2.0, 0.01, 30, 123)
    assert m.missed() == ["accessibility"]
    # of 100 points LCP has 25 and loses a tenth; what does not apply has none
    assert [(loss.audit, loss.points) for loss in m.losses] == [
        ("document-title", 100.0),
        ("largest-contentful-paint", 2.5),
    ]
    assert m.losses[0].where == ("<html>",)
    assert m.hints == ("Unused CSS · 20 KiB · could gain LCP 150",)
    assert report_scores.restored(json.loads(json.dumps(m.as_dict()))) == m


def test_a_page_that_was_not_measured_is_no_page_with_points():
    broken = {**result(), "runtimeError": {"code": "NO_FCP", "message": "nothing was painted"}}
    with pytest.raises(ValueError, match="nothing was painted"):
        report_scores.read("book/a", "mobile", broken)
    none = result()
    none["categories"]["seo"]["score"] = None
    with pytest.raises(ValueError, match="no points for seo"):
        report_scores.read("book/a", "mobile", none)


class Fake:
    """In place of Lighthouse: gives the results it was made with, one after the other."""

    version = "0"

    def __init__(self, *results):
        self.results, self.asked = list(results), []

    def run(self, url, form):
        self.asked.append((url.split("/", 3)[3], form))
        answer = self.results.pop(0) if self.results else result()
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_every_page_is_measured_once_and_what_changed_again(site, tmp_path, capsys):
    tool = tmp_path / "tool"
    first = Fake()
    said = program.report(first, site, tool, [], program.FORMS)
    assert first.asked == [
        (f"book/{name}.html", form) for name in "ab" for form in ("mobile", "desktop")
    ]
    assert said.startswith("4 of 4 measurements reach 95/100/100/100. The report is at file://")
    assert len(json.loads((tool / "report.json").read_text())["measurements"]) == 4
    assert "book/a" in (tool / "index.html").read_text()
    again = Fake()
    assert "4 were measured before" in program.report(again, site, tool, [], program.FORMS)
    assert again.asked == []
    (site / "book" / "b.html").write_text("changed")
    changed = Fake()
    program.report(changed, site, tool, [], ("mobile",))
    assert changed.asked == [("book/b.html", "mobile")]
    (site / "_static" / "s.css").write_text("p { color: blue }")
    styled = Fake()
    program.report(styled, site, tool, [], ("mobile",))
    assert len(styled.asked) == 2
    named = Fake()
    program.report(named, site, tool, ["a"], ("desktop",))
    assert named.asked == [("book/a.html", "desktop")]


def test_a_missed_goal_is_said_and_fails(site, tmp_path, capsys):
    fake = Fake(result(title=0.5))
    with pytest.raises(program.Stop, match="1 of 2 measurements reach"):
        program.report(fake, site, tmp_path / "tool", [], ("mobile",))
    assert "accessibility: No title: up to 50 points, 1 measurements" in capsys.readouterr().out
    page = (tmp_path / "tool" / "index.html").read_text()
    assert 'class="missed"' in page
    assert "&lt;html&gt;" in page


def test_slow_once_is_measured_three_times_and_the_middle_counts():
    fake = Fake(result(0.60), result(0.99), result(0.96))
    assert program.measure(fake, "http://x", "a", "mobile").scores["performance"] == 96
    assert len(fake.asked) == 3


def test_a_run_that_fails_is_tried_again_and_then_said(site, tmp_path, capsys):
    fake = Fake(program.Failed("slow"), result(), program.Failed("slow"), program.Failed("gone"))
    with pytest.raises(program.Stop, match=r"1 of 1 .* Not measured: book/b"):
        program.report(fake, site, tmp_path / "tool", [], ("mobile",))
    assert "not measured: gone" in capsys.readouterr().out


def test_a_run_without_points_is_tried_again():
    none = result()
    none["categories"]["performance"]["score"] = None
    fake = Fake(none, result(0.98))
    assert program.once(fake, "http://x/a.html", "a", "mobile").scores["performance"] == 98
    assert len(fake.asked) == 2
    with pytest.raises(ValueError, match="no points for performance"):
        program.once(Fake(none, none), "http://x/a.html", "a", "mobile")


def test_a_wrong_page_gets_a_sentence(site, tmp_path):
    with pytest.raises(program.Stop, match="no page nonsense, only book/a, book/b"):
        program.wanted(site, ["nonsense"])
    with pytest.raises(program.Stop, match="run make book first"):
        program.wanted(tmp_path / "nothing", [])
    with pytest.raises(program.Stop, match="is not installed"):
        program.Lighthouse(tmp_path, "node", "chromium")


def test_lighthouse_is_pinned_and_fetched_by_its_lock_file(monkeypatch, tmp_path):
    package = json.loads((FOLDER / "package.json").read_text())
    lock = json.loads((FOLDER / "package-lock.json").read_text())
    (version,) = package["devDependencies"].values()
    assert version[0].isdigit()
    assert lock["packages"]["node_modules/lighthouse"]["version"] == version
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)
    # nothing is run while it is installed, so no browser is fetched
    assert "ignore-scripts=true" in (ROOT / ".npmrc").read_text()
    calls = []
    monkeypatch.setattr(make, "LIGHTHOUSE", tmp_path / "tool")
    monkeypatch.setattr(make, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(make, "_logged", lambda log, *command: calls.append(command))
    make._set_up_lighthouse()
    make._set_up_lighthouse()
    assert len(calls) == 1
    assert "ci" in calls[0]
    assert (tmp_path / "tool" / ".npmrc").read_bytes() == (ROOT / ".npmrc").read_bytes()


def test_the_table_is_narrow_enough_to_read():
    m = report_scores.read("chapters/01_smt/word_alignment", "desktop", result())
    assert len(report_page.line(report_page.cells(m), 40)) <= 110
