"""Axe-core in an open page, for the tests of the pages and of the figures."""

from __future__ import annotations

from functools import cache

import matplotlib as mpl
import numpy as np
from book_files import ROOT
from figure_cases import FILM, Tree, attended

from softalign.interactive.alignment import em_figure
from softalign.interactive.attention import attention_figure
from softalign.interactive.places import positions_figure
from softalign.interactive.recurrence import gradient_figure, gradient_norms
from softalign.interactive.searching import beam_figure
from softalign.interactive.weights import softmax_figure
from softalign.plotting import use_book_style

# What WCAG 2.2 AA asks, and what axe's authors hold to be good besides. No rule is left out.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Open everything that is folded.
UNFOLD = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const fold of document.querySelectorAll("article .toggle-hidden"))
    fold.querySelector(".toggle-button").click();
}"""
# Less for axe to go over. What a formula draws is hidden from screen readers and has one colour:
# a box of its size takes its place, and in its MathML one word the place of all. In code each kind
# of token stays once a block, since all of a kind have one colour on one ground.
THIN = """() => {
  const formulas = [...document.querySelectorAll(".katex-html")];
  const sizes = formulas.map((one) => [one.scrollWidth, one.offsetHeight]);
  formulas.forEach((one, i) => {
    const box = document.createElement("span");
    const [width, height] = sizes[i];
    box.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
    one.replaceChildren(box);
  });
  for (const meaning of document.querySelectorAll(".katex-mathml semantics")) {
    const word = document.createElementNS("http://www.w3.org/1998/Math/MathML", "mtext");
    word.textContent = "x";
    meaning.replaceChildren(word, ...meaning.querySelectorAll("annotation"));
  }
  // axe reads no MathML: a head that is a formula is not empty. A link has to have a name besides.
  for (const formula of document.querySelectorAll("th :is(.katex-mathml, .katex > math)"))
    if (!formula.closest("a")) formula.replaceWith("x");
  for (const block of document.querySelectorAll("pre")) {
    const seen = new Set();
    for (const token of block.querySelectorAll("span")) {
      const kind = `${token.className} ${token.lang} ${token.id}`;
      if (seen.has(kind)) token.replaceWith(...token.childNodes);
      seen.add(kind);
    }
    block.normalize();
  }
}"""
# Rules whose result depends on colours alone, and so differs between themes and not with the width.
OF_COLOUR = ["color-contrast", "link-in-text-block"]
# Most that may shift while a page loads and is read, as the web measures it.
SHIFT = 0.05
RUN = """async ([within, only, but]) => {
  const rules = Object.fromEntries(but.map((name) => [name, { enabled: false }]));
  const found = await axe.run(within, { runOnly: only, rules, resultTypes: ["violations"] });
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => [rule.id, node.target.join(" "), node.html, node.failureSummary]));
}"""


SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# What watches boxes has been told their sizes.
# What was opened is laid out, has its fonts, and the page's scripts have answered.
FRAMES = """async () => {
  const frames = () =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frames();
  await document.fonts.ready;
  await frames();
}"""
SCROLL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
    scrollTo(0, y);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  await document.fonts.ready;
  await new Promise((done) => setTimeout(done, 100));
  return window.shifted;
}"""
# Boxes that scroll, and whether the Tab key stops at them.
BOXES = """() => [...document.querySelectorAll("article *")].filter((box) => {
  const style = getComputedStyle(box);
  const may = (flow) => ["auto", "scroll"].includes(flow);
  const wide = may(style.overflowX) && box.scrollWidth > box.clientWidth + 1;
  const high = may(style.overflowY) && box.scrollHeight > box.clientHeight + 1;
  return (wide || high) && box.checkVisibility() && style.display !== "inline";
}).map((box) => [box.tabIndex, box.role,
  box.hasAttribute("aria-labelledby") ? "by its caption" : box.ariaLabel,
  box.outerHTML.slice(0, 100)])"""


def look(page, theme, width):
    """The page in a theme and at a width."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")


def opened(page, url, theme="light", width=1280):
    """Open a page in a theme and at a width."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url, wait_until="load")
    return page


@cache
def source() -> str:
    """Axe-core, from the npm package."""
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def axe(page) -> None:
    """Bring axe-core into a page."""
    page.evaluate(source())


def faults(page, where: str, *, within: str = "html", only=(), but=()) -> list[str]:
    """What axe-core finds wrong, one line for each element; of all rules, `only` some, or `but`."""
    run = {"type": "rule", "values": only} if only else {"type": "tag", "values": TAGS}
    return [
        f"{where}: {rule}: {target}: {html[:160]} {' '.join(why.split())[:300]}"
        for rule, target, html, why in page.evaluate(RUN, [within, run, list(but)])
    ]


def _beam():
    model = Tree(FILM)
    words = {"source_words": ["电影"], "pinyin": ["diànyǐng"]}
    return beam_figure(model, [], model.words, max_length=5, **words)


def _em():
    pairs = [(["买", "书"], ["buy", "books"], ["mǎi", "shū"]), (["书"], ["books"], ["shū"])]
    return em_figure(pairs, 4, follow="书")


def _softmax():
    words = {"labels": ["他", "买"], "pinyin": ["tā", "mǎi"], "queries": ["bought"]}
    return softmax_figure(np.array([[0.5, -1.2]]), **words, mask=np.array([[True, False]]), d_k=4)


FIGURES = {
    "attention": lambda: attention_figure(attended(), heads=["first", "second"]),
    "beam": _beam,
    "em": _em,
    "gradients": lambda: gradient_figure(gradient_norms(hidden_size=4, seed=2)),
    "positions": lambda: positions_figure(12, 40),
    "softmax": _softmax,
}


def drawn(name: str, folder):
    """One of the figures, saved as a page of its own."""
    with mpl.rc_context():
        use_book_style()
        return FIGURES[name]().save(folder / f"{name}.html")
