// Model 1 learns from a few sentence pairs: links, table, counts and likelihood of each round.
softalign.define("em", (live, data) => {
  "use strict";
  const { html, svg, number, shares } = softalign;
  let round = 0, pair = 0, null_ = data.null, follow = data.follow;

  const title = (p) =>
    `${p + 1}: ${texts(data.pairs[p].source)} – ${texts(data.pairs[p].target)}`;
  const texts = (words) => words.map((w) => w.text).join(" ");
  const named = (w) => (w.pinyin ? `${w.text} ${w.pinyin}` : w.text);
  // a Chinese font must not make its line higher than others
  const spoken = (w) => html("span", { lang: w.lang || null, style: "line-height: 0" }, w.text);
  const set = (act) => (to) => { act(to); update(); };

  const steps = softalign.stepper({
    label: "Round", max: data.rounds, change: set((to) => { round = to; }),
  });
  const pairs = softalign.choice({
    label: "Pair", options: data.pairs.map((_, p) => title(p)), change: set((to) => { pair = to; }),
  });
  // NULL is the last to choose, and cannot be chosen while it is off
  const order = [...data.given.keys()].slice(1).concat(0);
  const counted = softalign.choice({
    label: "Expected counts of", options: order.map((x) => named(data.given[x])),
    value: order.indexOf(follow), change: set((to) => { follow = order[to]; }),
  });
  const nulls = softalign.tick({
    label: "with NULL", value: null_,
    change: set((on) => {
      null_ = on;
      if (!on && follow === 0) follow = order[0];
      limit();
    }),
  });
  function limit() {
    counted.input.options[order.length - 1].disabled = !null_;
    counted.set(order.indexOf(follow));
  }

  const region = (label) =>
    html("div", { class: "sa-scroll", tabindex: 0, role: "region", "aria-label": label });
  const picture = region("Links"), links = region("Table of the links");
  const table = region("Table of translations"), counts = region("Expected counts");
  const curve = region("Likelihood");
  // unseen, in the same place as what is said: the longest sentence of any round, lest things jump
  const told = softalign.says();
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" });
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";
  const spot = html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost);
  const beside = (...nodes) =>
    html("div", { style: "display: flex; flex-wrap: wrap; gap: 0 2rem" }, nodes);

  const run = () => data.runs[null_ ? 1 : 0];
  const posterior = (p, at = round) => run().posteriors[at][p]; // rows: target; column 0: NULL
  const sources = (p) => [...(null_ ? [data.given[0]] : []), ...data.pairs[p].source];
  const cut = (line) => (null_ ? line : line.slice(1));
  const word = (x) => data.given.findIndex((w) => w.text === x.text);

  // --- the picture: a line for each link, as wide as its posterior -------------------------------

  const step = Math.max(72, 16 + 9 * Math.max(
    ...data.pairs.flatMap((p) => [...p.source, ...p.target]).map((w) => w.text.length)));
  const most = Math.max(...data.pairs.flatMap((p) => [p.source.length + 1, p.target.length]));
  const middle = (i, count) => (most * step) / 2 + (i - (count - 1) / 2) * step;

  function text(w, x, y, style = "") {
    return svg("text", { x, y, "text-anchor": "middle", lang: w.lang || null, style }, w.text);
  }

  // Where each word most probably came from, in words: text and elements.
  function strongest(at) {
    const from = sources(pair), to = data.pairs[pair].target;
    return posterior(pair, at).map(cut).flatMap((row, j) => {
      const best = Math.max(...row);
      const ties = from.filter((_, i) => row[i] > best - 1e-9);
      return [j ? ", " : "", `${to[j].text} from `,
        ...(ties.length > 2 ? [`any of ${ties.length},`] :
          ties.flatMap((w, k) => (k ? [" or ", spoken(w)] : [spoken(w)]))),
        ` ${number(best)}${ties.length > 1 ? " each" : ""}`];
    });
  }
  const plain = (parts) => parts.map((part) => part.textContent || part).join("");
  const sentence = (at) => [`Round ${at}, pair ${pair + 1}: `, ...strongest(at), ". " +
    `Log-likelihood ${number(run().log_likelihoods[at])} nats, ` +
    `perplexity ${number(run().perplexities[at])} a word.`];

  function drawLinks() {
    const from = sources(pair), to = data.pairs[pair].target;
    const lines = [], notes = [];
    posterior(pair).map(cut).forEach((row, j) => {
      const best = Math.max(...row);
      row.forEach((share, i) => {
        const strong = share > best - 1e-9;
        const x1 = middle(i, from.length), x2 = middle(j, to.length);
        lines.push(svg("line", {
          x1, x2, y1: 46, y2: 148, "data-source": i, "data-target": j, "data-value": share,
          "stroke-width": 12 * share, // below a hundredth nothing is seen, and the table says 0.00
          style: `stroke: var(${strong ? "--sa-main" : "--sa-soft"})`,
        }));
        // a third of the way up from the English word: numbers of two words do not meet there
        if (strong && share >= 0.3)
          notes.push(svg("text", {
            x: x2 + (x1 - x2) * 0.3, y: 148 - 102 * 0.3 + 5, "text-anchor": "middle",
            style: "paint-order: stroke; stroke: var(--sa-paper); stroke-width: 5px; font-weight: 600",
          }, number(share)));
      });
    });
    const width = most * step;
    picture.replaceChildren(svg("svg", {
      width, height: 172, viewBox: `0 0 ${width} 172`, role: "img", style: "max-width: none",
      "aria-label": `Links of pair ${pair + 1} in round ${round}, the strongest: ` +
        `${plain(strongest(round))}.`,
    }, lines.sort((a, b) => a.dataset.value - b.dataset.value), notes,
    from.map((w, i) => [
      text({ text: w.pinyin }, middle(i, from.length), 14, "fill: var(--sa-soft); font-size: 12px"),
      text(w, middle(i, from.length), 36, "font-size: 18px"),
    ]).flat(),
    to.map((w, j) => text(w, middle(j, to.length), 166, "font-size: 16px"))));
  }

  // --- the tables --------------------------------------------------------------------------------

  // below half a hundredth the cells say 0.00: powers of ten would be read as large
  function put(place, shown) {
    for (const cell of shown.querySelectorAll("td[data-value]"))
      if (cell.dataset.value < 0.005) cell.textContent = number(0);
    place.replaceChildren(shown);
  }

  function drawTables() {
    const from = sources(pair), to = data.pairs[pair].target;
    put(links, shares({
      caption: "Links (E step): rows sum to 1", rows: to, columns: from,
      values: posterior(pair).map(cut),
    }));
    const once = (words) => words.filter((w, i) => words.findIndex((v) => v.text === w.text) === i);
    const rows = once(from), columns = once(to);
    const values = rows.map((x) => {
      const line = columns.map((y) => run().tables[round][word(x)][data.generated.indexOf(y.text)]);
      return [...line, Math.max(0, 1 - line.reduce((a, b) => a + b, 0))];
    });
    put(table, shares({
      caption: "Table θ(column | row): rows sum to 1", rows, columns: [...columns, "other words"],
      values,
    }));
  }

  // What each pair adds to the expected counts of one word, their sum, and the next table.
  function drawCounts() {
    const x = data.given[follow];
    const met = data.generated.filter((_, y) => run().tables[0][follow][y] > 0);
    const add = data.pairs.map((sides, p) => met.map((y) =>
      posterior(p).reduce((sum, row, j) => sum + (sides.target[j].text !== y ? 0 :
        row.reduce((part, share, i) =>
          part + ((i ? sides.source[i - 1].text : "NULL") === x.text ? share : 0), 0)), 0)));
    const sum = met.map((_, y) => add.reduce((total, line) => total + line[y], 0));
    const total = (line) => line.reduce((a, b) => a + b, 0);
    const next = sum.map((count) => count / total(sum));
    put(counts, shares({
      caption: ["Expected counts of ", spoken(x), " (M step)"],
      rows: [...data.pairs.map((_, p) => `pair ${p + 1}`), "together", "next θ"],
      columns: [...met, "sum"], values: [...add, sum, next].map((line) => [...line, total(line)]),
    }));
  }

  // --- the likelihood so far -----------------------------------------------------------------------

  function drawCurve() {
    const heights = run().log_likelihoods;
    const low = heights[0], high = heights[data.rounds];
    const x = (k) => 60 + (190 * k) / data.rounds;
    const y = (value) => 120 - (95 * (value - low)) / (high - low || 1);
    const far = heights.slice(0, round + 1);
    const label = (at, height, content, anchor, more = {}) =>
      svg("text", { x: at, y: height, "text-anchor": anchor, style: "font-size: 12px", ...more }, content);
    curve.replaceChildren(svg("svg", {
      width: 270, height: 165, viewBox: "0 0 270 165", role: "img", style: "max-width: none",
      "aria-label": `Log-likelihood: ${number(low)} nats in round 0, ` +
        `${number(heights[round])} in round ${round}.`,
    },
    svg("path", { d: "M60 18 V130 H258", style: "fill: none; stroke: var(--sa-line)" }),
    svg("polyline", {
      points: far.map((value, k) => `${x(k)},${y(value)}`).join(" "),
      style: "fill: none; stroke: var(--sa-main); stroke-width: 2px",
    }),
    far.map((value, k) => svg("circle", {
      cx: x(k), cy: y(value), r: k === round ? 6 : 3, "data-value": value,
      style: `fill: var(${k === round ? "--sa-second" : "--sa-main"})`,
    })),
    label(50, y(low) + 4, number(low), "end"),
    label(50, y(high) + 4, number(high), "end"),
    label(60, 12, "log-likelihood (nats)", "start"),
    label(60, 146, "0", "middle"), label(250, 146, String(data.rounds), "middle"),
    label(155, 160, "round", "middle")));
  }

  function update() {
    drawLinks();
    drawTables();
    drawCounts();
    drawCurve();
    told.node.replaceChildren(...sentence(round));
    const all = run().tables.map((_, at) => plain(sentence(at)));
    ghost.textContent = all.reduce((a, b) => (b.length > a.length ? b : a));
  }

  for (const [at, x] of order.entries())
    if (data.given[x].lang) counted.input.options[at].lang = data.given[x].lang;
  live.append(
    html("div", { class: "sa-controls" }, steps.node, pairs.node, counted.node, nulls.node),
    html("p", { style: "margin: 0" },
      "Each word below shares 1 among the words above: the wider a line, the larger its share."),
    beside(picture, curve), spot, beside(links, table, counts));
  limit();
  update();
});
