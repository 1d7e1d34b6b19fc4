"""The merged style sheet: pages look exactly as they do with the sheets it was made from."""

from __future__ import annotations

import re

import pytest
from book_files import PAGES, SITE

pytestmark = pytest.mark.browser

# With cells and formulas, with a table of contents, with search results, with definitions.
SOME = ["chapters/01_smt/language_model", "chapters/02_rnn/index", "search", "book/glossary"]
LINK = 'link[rel="stylesheet"][data-from]'
STYLES = """() => [...document.body.querySelectorAll('*')]
    .filter((e) => !e.closest('.katex'))
    .flatMap((e) => [null, '::before', '::after'].map((part) => {
      const style = getComputedStyle(e, part);
      const text = [];
      for (const name of style) if (name !== 'font-family') text.push(style.getPropertyValue(name));
      return `${e.tagName}.${e.className}${part || ''} ${text.join('|')}`;
    }))"""
WHOLE = """async () => {
  const link = document.querySelector('link[rel="stylesheet"][data-from]');
  const base = link.getAttribute('href').split('lean/')[0];
  const all = link.dataset.from.split(' ').map((name) => new Promise((done, failed) => {
    const own = document.createElement('link');
    Object.assign(own, { rel: 'stylesheet', href: base + name, onload: done, onerror: failed });
    link.before(own);
  }));
  await Promise.all(all);
  link.remove();
}"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", SOME)
def test_a_page_looks_as_with_all_its_sheets(chromium, site_url, name, theme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{site_url}/{name}.html?q=perplexity", wait_until="networkidle")
    lean = page.evaluate(STYLES)
    page.evaluate(WHOLE)
    page.wait_for_timeout(500)
    whole = page.evaluate(STYLES)
    context.close()
    assert len(lean) > 500
    assert [pair for pair in zip(lean, whole, strict=True) if pair[0] != pair[1]][:3] == []


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_nothing_but_the_merged_sheet_holds_up_a_page(name):
    head = (SITE / f"{name}.html").read_text(encoding="utf-8").partition("</head>")[0]
    sheets = re.findall(r'<link\b[^>]*rel="stylesheet"[^>]*>', head)
    assert sum("data-from" in sheet for sheet in sheets) == 1
    assert len(sheets) <= 4
    scripts = re.findall(r"<script\b[^>]*src=[^>]*>", head)
    assert scripts
    assert [script for script in scripts if "defer" not in script] == []
