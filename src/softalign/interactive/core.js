// What all interactive figures share: finding them, making their parts, and a few numbers.
// Plain script, no module: a page opened from a disk must run it.
(() => {
  "use strict";
  if (window.softalign) return;

  const kinds = {};
  const SVG = "http://www.w3.org/2000/svg";

  // Make an element: attributes by name, "on…" for listeners, then children (nodes or text).
  function make(space, tag, attributes, children) {
    const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined)
        node.setAttribute(name, value);
    }
    // JupyterLab takes keys for its own commands (x cuts the cell), unless what has the focus says no
    if (node.matches("button, input, select, [tabindex]"))
      node.setAttribute("data-lm-suppress-shortcuts", "true");
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }
  const html = (tag, attributes, ...children) => make(null, tag, attributes, children);
  const svg = (tag, attributes, ...children) => make(SVG, tag, attributes, children);

  let numbered = 0;
  const fresh = (prefix) => `sa-${prefix}-${++numbered}`;

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // A number as the figures print it: a real minus sign, no exponent below a million.
  function number(value, digits = 2) {
    if (value === null || Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    const text =
      size !== 0 && (size < 10 ** -digits / 2 || size >= 1e6)
        ? value.toExponential(1).replace("e+", "e")
        : value.toFixed(digits);
    return text.replace(/-/g, "−");
  }

  // --- controls: each is a labelled native element, so that keys and readers work by themselves ---

  // Letters of the longest thing that a slider says, so that what follows never moves; of a long
  // slider some places stand for all.
  function widest(show, min, max, step) {
    const places = Math.floor((max - min) / step);
    const stride = Math.max(1, Math.floor(places / 100));
    let most = show(max).length;
    for (let i = 0; i <= places; i += stride) most = Math.max(most, show(min + i * step).length);
    return most;
  }

  // A slider with its value beside it. `show` turns a position into words.
  function slider({ label, min = 0, max, step = 1, value = min, show = String, change }) {
    const id = fresh("slider");
    // the slider itself says its value; a second voice would only be in the way
    const said = html("output", { for: id, "aria-live": "off" });
    const input = html("input", { type: "range", id, min, max, step, value });
    said.style.minWidth = `${widest(show, Number(min), Number(max), Number(step))}ch`;
    const told = () => {
      said.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", said.textContent);
    };
    input.addEventListener("input", () => {
      told();
      change(Number(input.value));
    });
    told();
    const node = html("div", { class: "sa-control" }, html("label", { for: id }, label), input, said);
    const set = (next) => {
      input.value = next;
      told();
    };
    return { node, input, set, get: () => Number(input.value) };
  }

  // A slider with buttons for one step back, one step on, and playing.
  function stepper({ label, max, value = 0, show = String, pause = 900, change }) {
    let timer = null;
    const go = (next) => {
      const to = Math.max(0, Math.min(max, next));
      inner.set(to);
      limits();
      change(to);
    };
    const inner = slider({
      label, min: 0, max, value, show,
      change: (to) => { stop(); limits(); change(to); },
    });
    const button = (text, name, act) =>
      html("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
    const back = button("‹", `${label}: one back`, () => { stop(); go(inner.get() - 1); });
    const on = button("›", `${label}: one on`, () => { stop(); go(inner.get() + 1); });
    const play = button("▶", `${label}: play`, () => (timer ? stop() : start()));
    // a disabled button loses the keyboard's focus, so the ends are only said
    function limits() {
      back.setAttribute("aria-disabled", String(inner.get() <= 0));
      on.setAttribute("aria-disabled", String(inner.get() >= max));
    }
    function named(text, name) {
      play.textContent = text;
      play.setAttribute("aria-label", name);
      play.title = name;
    }
    function stop() {
      if (timer) clearInterval(timer);
      timer = null;
      named("▶", `${label}: play`);
    }
    function start() {
      if (inner.get() >= max) go(0);
      named("❚❚", `${label}: stop`);
      timer = setInterval(() => {
        if (inner.get() >= max || !play.isConnected) stop();
        else go(inner.get() + 1);
      }, pause);
    }
    limits();
    const moves = still() ? [back, on] : [back, on, play];
    inner.node.append(html("span", { class: "sa-buttons" }, moves));
    return { ...inner, go: (to) => { stop(); go(to); } };
  }

  function choice({ label, options, value = 0, change }) {
    const id = fresh("choice");
    const input = html(
      "select",
      { id, onchange: () => change(Number(input.value)) },
      options.map((text, place) => html("option", { value: place, selected: place === value }, text)),
    );
    const node = html("div", { class: "sa-control" }, html("label", { for: id }, label), input);
    const set = (next) => { input.value = next; };
    return { node, input, set, get: () => Number(input.value) };
  }

  function tick({ label, value = false, change }) {
    const id = fresh("tick");
    const input = html("input", {
      type: "checkbox", id, checked: value, onchange: () => change(input.checked),
    });
    const node = html("div", { class: "sa-control sa-tick" }, input, html("label", { for: id }, label));
    const set = (next) => { input.checked = next; };
    return { node, input, set, get: () => input.checked };
  }

  // A sentence that changes, read out by screen readers when the reader stops moving.
  function says() {
    const node = html("p", { class: "sa-says", role: "status", "aria-live": "polite" });
    return { node, set: (text) => { node.textContent = text; } };
  }

  // A word, with its language and pinyin where the data have them.
  function word({ text, pinyin = "", lang = "" }) {
    const inner = html("span", lang ? { lang } : {}, text);
    return pinyin
      ? html("span", { class: "sa-word" }, inner, html("small", { lang: "zh-Latn" }, pinyin))
      : html("span", { class: "sa-word" }, inner);
  }

  // A table of shares in [0, 1]: numbers on a tint, darker for more; `mark` outlines a cell.
  function shares({ caption, rows, columns, values, digits = 2, mark = () => false }) {
    const cell = (value, row, column) =>
      html("td", {
        style: `--share:${Math.max(0, Math.min(1, value || 0)).toFixed(3)}`,
        class: mark(row, column) ? "sa-marked" : null,
        "data-value": String(value),
      }, number(value, digits));
    const header = (thing, scope) =>
      html("th", { scope }, typeof thing === "string" ? thing : word(thing));
    return html("table", { class: "sa-shares" },
      html("caption", {}, caption),
      html("thead", {}, html("tr", {}, html("td"), columns.map((c) => header(c, "col")))),
      html("tbody", {}, values.map((line, row) => html("tr", {}, header(rows[row], "row"),
        line.map((value, column) => cell(value, row, column))))));
  }

  // --- numbers --------------------------------------------------------------------------------

  // Softmax of scores; what `seen` hides (false) gets no weight. Nothing to see: all zero.
  function softmax(scores, seen = scores.map(() => true)) {
    const most = Math.max(...scores.filter((_, i) => seen[i]));
    if (most === -Infinity) return scores.map(() => 0);
    const raised = scores.map((score, i) => (seen[i] ? Math.exp(score - most) : 0));
    const sum = raised.reduce((a, b) => a + b, 0);
    return raised.map((value) => value / sum);
  }

  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  // Entropy in bits.
  const entropy = (shares) =>
    shares.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);

  // --- starting -------------------------------------------------------------------------------

  // Two figures of a kind on one page: their parts have names of their own.
  function tellApart(live) {
    const names = (root) => [...root.querySelectorAll(".sa-live [role='region']")]
      .filter((one) => !live.contains(one)).map((one) => one.getAttribute("aria-label"));
    const taken = names(document);
    for (const one of live.querySelectorAll("[role='region']")) {
      const name = one.getAttribute("aria-label");
      const same = taken.filter((other) => other === name || other.startsWith(`${name}, figure `));
      if (same.length) one.setAttribute("aria-label", `${name}, figure ${same.length + 1}`);
    }
  }

  function start(root = document) {
    for (const figure of root.querySelectorAll(".sa-interactive:not([data-state])")) {
      const build = kinds[figure.dataset.kind];
      if (!build) continue; // its script comes later, and starts again
      figure.dataset.state = "starting";
      const live = figure.querySelector(".sa-live");
      try {
        build(live, JSON.parse(figure.querySelector("script[type='application/json']").textContent));
        live.hidden = false;
        tellApart(live);
        figure.dataset.state = "live";
      } catch (problem) {
        live.replaceChildren();
        figure.dataset.state = "failed"; // the still picture stays
        console.error(`The figure ${figure.dataset.kind} did not start:`, problem);
      }
    }
  }

  // `build(live, data)` fills an empty element from the figure's data.
  function define(kind, build) {
    kinds[kind] = build;
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => start());
    else start();
  }

  window.softalign = {
    define, start, html, svg, slider, stepper, choice, tick, says, word, shares,
    number, softmax, dot, entropy, still,
  };
})();
