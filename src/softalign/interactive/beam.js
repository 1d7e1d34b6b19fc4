// Beam search: a tree that grows step by step, and a table of the hypotheses of the step.
softalign.define("beam", (live, data) => {
  "use strict";
  const { html, svg, number } = softalign;
  let width = data.opens, step = data.runs[width].steps.length, chosen = -1;

  // a log-probability is no large power of ten: below half a hundredth it says 0.00
  const nats = (value) => (Math.abs(value) < 0.005 ? number(0) : number(value));
  const run = () => data.runs[width];
  const last = () => run().steps.length;
  const listed = (s) => (s ? [...run().steps[s - 1].kept, ...run().steps[s - 1].cut] : []);
  const path = (n, from = run()) =>
    n < 0 ? [] : [...path(from.nodes[n].parent, from), n]; // from the first word on
  const written = (n, from = run()) => path(n, from).map((k) => from.nodes[k].token).join(" ");

  // What became of a hypothesis, as far as a step: the last word on it counts.
  function kept(n, until = step) {
    for (let s = until; s; s--) {
      if (run().steps[s - 1].kept.includes(n)) return true;
      if (run().steps[s - 1].cut.includes(n)) return false;
    }
    return false;
  }
  function state(n) {
    const { finished, depth } = run().nodes[n];
    const end = step === last() && n === run().found ? ", found" : "";
    if (kept(n))
      // who was kept to the end, and not who led there
      return (finished ? "finished" : run().limit && depth === last()
        ? "at the limit" : "kept") + end;
    return (finished && kept(n, depth) ? "finished, then cut" : "cut") + end;
  }

  // --- controls ----------------------------------------------------------------------------------

  const widths = softalign.choice({
    label: "Beam size", options: data.runs.map((r) => String(r.size)), value: width,
    change: (to) => { width = to; step = Math.min(step, last()); stepped(); moved(); },
  });
  const nodes = softalign.choice({
    label: "Hypothesis", options: [], change: (to) => { chosen = to; draw(); },
  });
  nodes.input.style.width = "min(30rem, 100%)"; // the same at each step
  const place = html("div");
  // each size has its own number of steps
  function stepped() {
    place.replaceChildren(softalign.stepper({
      label: "Step", max: last(), value: step, show: (k) => `${k} of ${last()}`,
      change: (to) => { step = to; moved(); },
    }).node);
  }

  const region = (label) =>
    html("div", { class: "sa-scroll", tabindex: 0, role: "region", "aria-label": label });
  const picture = region("Tree"), table = region("Table of hypotheses");
  const ends = region("What each size finds");
  const told = softalign.says();
  // unseen, in the same place as what is said: the longest sentence, lest things jump
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" });
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";

  // Another step or size: list the hypotheses that can be chosen, and choose the best of the step.
  function moved() {
    chosen = step ? run().steps[step - 1].kept[0] : -1;
    const groups = [];
    for (let depth = step; depth; depth--) {
      const here = listed(depth).filter((n) => run().nodes[n].depth === depth);
      if (here.length)
        groups.push(html("optgroup", { label: `step ${depth}` },
          here.map((n) => html("option", { value: n }, `${written(n)} (${state(n)})`))));
    }
    nodes.input.replaceChildren(
      ...(groups.length ? groups : [html("option", { value: -1 }, "nothing is written yet")]));
    draw();
    toSight();
  }

  // --- the tree ----------------------------------------------------------------------------------

  const all = data.runs.flatMap((r) => r.nodes);
  const WIDE = Math.max(72, ...all.map((n) => 9 * n.token.length + 24)), HIGH = 42, GAP = 38;
  const columns = (r) => r.steps.map((s, k) =>
    [...s.kept, ...s.cut].filter((n) => r.nodes[n].depth === k + 1));
  // the best of each step stands on top
  const rows = Math.max(...data.runs.flatMap(columns).map((c) => c.length));
  const size = {
    width: 56 + (WIDE + GAP) * Math.max(...data.runs.map((r) => r.steps.length)),
    height: 30 + rows * (HIGH + 10),
  };
  const x = (depth) => (depth ? 50 + (WIDE + GAP) * depth - WIDE / 2 : 24);
  const y = (rank) => 30 + rank * (HIGH + 10) + HIGH / 2;

  // The newest column stays in sight.
  function toSight() {
    picture.scrollLeft = x(step) + WIDE / 2 + 4 - picture.clientWidth;
  }

  function drawTree() {
    const places = new Map([[-1, y(0)]]);
    columns(run()).slice(0, step).forEach((column) =>
      column.forEach((n, rank) => places.set(n, y(rank))));
    const way = new Set(path(chosen));
    const lines = [], boxes = [svg("text", {
      x: x(0), y: y(0) + 5, "text-anchor": "middle",
    }, "start")];
    const headings = columns(run()).map((_, k) => svg("text", {
      x: x(k + 1), y: 14, "text-anchor": "middle",
      style: `font-size: 12px; fill: var(${k + 1 === step ? "--sa-ink" : "--sa-soft"})` +
        (k + 1 === step ? "; font-weight: 700" : ""),
    }, `step ${k + 1}`));
    for (const [n, height] of places) {
      if (n < 0) continue;
      const { parent, token, depth, sum, finished } = run().nodes[n];
      const stays = kept(n), on = way.has(n);
      const colour = `var(${on ? "--sa-second" : stays ? "--sa-main" : "--sa-line"})`;
      const stroke = `fill: none; stroke: ${colour}; stroke-width: ${on ? 4 : 2}px` +
        (stays ? "" : "; stroke-dasharray: 5 4");
      const x1 = x(depth - 1) + (depth > 1 ? WIDE / 2 : 24), x2 = x(depth) - WIDE / 2;
      const half = (x1 + x2) / 2, from = places.get(parent);
      lines.push(svg("path", {
        d: `M${x1} ${from} C${half} ${from} ${half} ${height} ${x2} ${height}`,
        style: stroke, "data-child": n,
      }));
      const box = (inner, more) => svg("rect", {
        x: x2 + inner, y: height - HIGH / 2 + inner, width: WIDE - 2 * inner,
        height: HIGH - 2 * inner, rx: finished ? 12 - inner : 3, style: more,
      });
      const line = (below, text) => svg("text", {
        x: x(depth), y: height + below, "text-anchor": "middle",
        style: below > 0 ? "font-size: 12px" + (stays ? "" : "; fill: var(--sa-soft)")
          : stays ? "font-weight: 600" : "fill: var(--sa-soft)",
      }, text);
      boxes.push(svg("g", {
        "data-node": n, "data-sum": sum, "data-state": state(n), style: "cursor: pointer",
        onclick: () => { chosen = n; draw(); },
      },
      box(0, `${stroke}; fill: var(--sa-paper)`),
      finished ? box(4, `fill: none; stroke: ${colour}; stroke-width: 1px`) : null,
      line(-3, token), line(13, nats(sum) + (stays ? "" : " cut"))));
    }
    const found = step === last() ? `, and ${written(run().found)} is found` : "";
    picture.replaceChildren(svg("svg", {
      ...size, viewBox: `0 0 ${size.width} ${size.height}`, role: "img", style: "max-width: none",
      "aria-label": `Tree of size ${run().size} after step ${step}: ` + (step
        ? `${run().steps[step - 1].kept.map((n) => written(n)).join("; ")} kept${found}.`
        : "nothing is written yet."),
    }, headings, lines, boxes));
  }

  // --- in words ----------------------------------------------------------------------------------

  const some = (s) => run().steps[s - 1].cut.length + run().steps[s - 1].others;
  function sentence(n) {
    const before = `Size ${run().size}, step ${step} of ${last()}: `;
    if (n < 0) return `${before}nothing is written yet.`;
    const { sum, depth, score } = run().nodes[n];
    const terms = path(n).map((k) => run().nodes[k].log_prob)
      .map((term, i) => (i ? `− ${nats(-term)}` : nats(term))).join(" ");
    return `${before}${run().steps[step - 1].kept.length} kept, ${some(step)} cut. ` +
      `${written(n)}: ${depth > 1 ? `${terms} = ` : ""}${nats(sum)} nats` +
      (data.alpha ? `, divided by ${depth}^${data.alpha} is ${nats(score)}` : "") + `; ${state(n)}.`;
  }

  // --- the tables --------------------------------------------------------------------------------

  const grid = (caption, heads, lines) => html("table", { class: "sa-shares" },
    html("caption", { style: "white-space: nowrap" }, caption),
    html("thead", {}, html("tr", {}, heads.map((text) => html("th", {
      scope: "col", style: "white-space: nowrap",
    }, text)))),
    html("tbody", {}, lines));
  const value = (name, exact, text = nats(exact)) => html("td", { [`data-${name}`]: exact }, text);
  const header = (on, text, least = 0) => html("th", {
    scope: "row", style: `text-align: start; white-space: nowrap; min-width: ${least}ch`,
  }, html("span", {
    "aria-hidden": "true", style: `line-height: 0; visibility: ${on ? "visible" : "hidden"}`,
  }, "▸ "), text);
  const framed = "outline: 2px solid var(--sa-second); outline-offset: -2px";
  const current = (on) => (on ? { "aria-current": "true", style: framed } : {});
  // as wide and as high at each step
  const longest = Math.max(...data.runs.flatMap((r) =>
    r.nodes.map((_, n) => 2 + written(n, r).length)));
  const most = Math.max(...data.runs.flatMap((r) => r.steps).map((s) => s.kept.length + s.cut.length));

  function drawTables() {
    const lines = listed(step).map((n) => {
      const { log_prob, sum, score } = run().nodes[n];
      return html("tr", { ...current(n === chosen), "data-row": n },
        header(n === chosen, written(n), longest), value("log-prob", log_prob),
        value("sum", sum), data.alpha ? value("score", score) : null,
        html("td", { style: "white-space: nowrap; min-width: 17ch" }, state(n)));
    });
    // empty lines, unseen
    for (let k = lines.length; k < most; k++)
      lines.push(html("tr", { "aria-hidden": "true", style: "visibility: hidden" },
        html("th", { style: `min-width: ${longest}ch` }, "–"),
        ...Array.from({ length: data.alpha ? 3 : 2 }, () => html("td", {}, "−0.00")),
        html("td", { style: "min-width: 17ch" }, "–")));
    const scored = data.alpha ? [`sum / length^${data.alpha}`] : [];
    const others = step ? run().steps[step - 1].others : 0;
    table.replaceChildren(grid(
      `Step ${step}, best first` +
        (others ? `; ${others} more ${others > 1 ? "are" : "is"} cut, not shown` : ""),
      ["hypothesis", "log P of last word", "sum (nats)",
        ...scored, "state"], lines));
    ends.replaceChildren(grid("What each size finds",
      ["size", "sentence", "sum (nats)", ...scored, "probability", "steps"],
      data.runs.map((r, k) => html("tr", current(k === width),
        header(k === width, String(r.size)),
        html("td", { style: "text-align: start; white-space: nowrap" }, written(r.found, r)),
        value("sum", r.nodes[r.found].sum),
        data.alpha ? value("score", r.nodes[r.found].score) : null,
        value("probability", Math.exp(r.nodes[r.found].sum), number(Math.exp(r.nodes[r.found].sum), 3)),
        html("td", {}, String(r.steps.length))))));
  }

  function draw() {
    nodes.set(chosen);
    drawTree();
    drawTables();
    told.set(sentence(chosen));
  }

  // the longest sentence of any size: said at its last step, with a state that is longer than any
  ghost.textContent = data.runs.map((r, k) => {
    width = k;
    step = last();
    return r.nodes.map((_, n) => `${sentence(n)} finished, then cut, found`);
  }).flat().reduce((a, b) => (b.length > a.length ? b : a), "");
  width = data.opens;
  step = last();

  live.append(
    html("div", { class: "sa-controls" }, widths.node, place, nodes.node),
    data.source.length ? html("p", { style: "margin: 0; display: flex; flex-wrap: wrap; gap: 0 0.6rem" },
      "Source: ", data.source.map((w) => softalign.word(w))) : "",
    html("p", { style: "margin: 0.3rem 0" },
      "Below each word stands the sum of log-probabilities as far as there, in nats. " +
      "The best of a step is on top. Solid: kept; dashed: cut; double frame: finished; found: the best" +
      (data.runs.some((r) => !r.nodes[r.found].finished) ? " at the end; " : " finished one; ") +
      "thick: the hypothesis chosen."),
    picture, html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost),
    html("div", { style: "display: flex; flex-wrap: wrap; gap: 0 2rem" }, table, ends));
  stepped();
  moved();
  requestAnimationFrame(toSight); // only what is shown can be scrolled
});
