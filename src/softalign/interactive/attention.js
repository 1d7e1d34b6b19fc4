// Weights of attention: arcs from one output word to the source words, and the map of all.
softalign.define("attention", (live, data) => {
  "use strict";
  const { html, svg, number } = softalign;
  let at = 0, head = 0, now = 0, gold = false;

  const example = () => data.examples[at];
  const weights = () => example().weights[head]; // rows: target words
  const texts = (words) => words.map((w) => w.text).join(" ");
  const has = (links, i, j) => Boolean(links && links.some(([a, b]) => a === i && b === j));
  const link = (i, j) =>
    has(example().sure, i, j) ? "sure" : has(example().possible, i, j) ? "possible" : "";
  const strongest = (row) => row.indexOf(Math.max(...row));
  // over how many words a row would be spread evenly to be as unsure as it is
  const places = (row) => 2 ** softalign.entropy(row);
  // a weight is no large power of ten: below half a hundredth it says 0.00
  const share = (value) => (value < 0.005 ? number(0) : number(value));
  // a Chinese font must not make its line higher than others
  const spoken = (w) => html("span", { lang: w.lang || null, style: "line-height: 0" }, w.text);

  // --- controls ----------------------------------------------------------------------------------

  const sentences = softalign.choice({
    label: "Sentence",
    options: data.examples.map((e, k) => `${k + 1}: ${texts(e.target)}`),
    change: (to) => { at = to; now = 0; build(); },
  });
  const heads = softalign.choice({
    label: "Head", options: data.heads, change: (to) => { head = to; update(); },
  });
  const golds = softalign.tick({
    label: "show gold links", change: (on) => { gold = on; update(); },
  });
  sentences.node.style.maxWidth = "100%"; // a long sentence must not make its box wider than a page
  const stepped = html("div");
  const controls = html("div", { class: "sa-controls" },
    data.examples.length > 1 ? sentences.node : null,
    data.heads.length > 1 ? heads.node : null,
    stepped,
    data.examples.some((e) => e.possible) ? golds.node : null);
  let steps;

  const region = (label) => html("div", {
    class: "sa-scroll", tabindex: 0, role: "region", "aria-label": label, style: "position: relative",
  });
  const picture = region("Arcs of the output word"), map = region("Table of the weights");
  const told = softalign.says();
  const key = html("p", { style: "margin: 0" });

  // --- words and arcs ----------------------------------------------------------------------------

  const HEIGHT = 130;
  let width, from = [], to = [], above = [], below = [], arcs;

  // Widths of the words' cells, in pixels.
  const cells = (words) => words.map((w) =>
    Math.max(44, 24 + w.text.length * (w.lang ? 17 : 8.5), 24 + w.pinyin.length * 8));
  const total = (list) => list.reduce((a, b) => a + b, 0);
  // Both sides are as wide as the wider one; the middles of their cells.
  function spread(list) {
    const more = (width - total(list)) / list.length;
    let end = 0;
    return list.map((w) => (end += w + more) - (w + more) / 2);
  }

  // A word as a button, in its cell: the arcs end below and above the cells' middles.
  function button(w, title, act) {
    return html("button", {
      type: "button", title, onclick: act, "aria-pressed": "false",
      style: "padding: 0.1rem 0.3rem; min-width: 2.2rem; border-width: 2px",
    }, softalign.word(w));
  }
  const row = (buttons, middles, end) => html("div", {
    style: `display: flex; align-items: ${end}; width: ${width}px`,
  }, buttons.map((b, k) => html("div", {
    style: `width: ${2 * (middles[k] - (k ? edge(middles, k) : 0))}px; flex: none; text-align: center`,
  }, b)));
  // where cell k begins: each cell is as far to the right of its middle as to the left
  const edge = (middles, k) => (k ? 2 * middles[k - 1] - edge(middles, k - 1) : 0);

  // A new sentence: its stepper and its words.
  function build() {
    const { source, target } = example();
    steps = softalign.stepper({
      label: "Output word", max: target.length - 1,
      show: (k) => `${k + 1} of ${target.length}: ${target[k].text}`,
      change: (k) => { now = k; update(); },
    });
    // the buttons behind it must not move with the length of a word
    steps.node.querySelector("output").style.minWidth =
      `${9 + Math.max(...target.map((w) => w.text.length))}ch`;
    stepped.replaceChildren(steps.node);
    width = Math.max(total(cells(source)), total(cells(target)));
    above = spread(cells(source));
    below = spread(cells(target));
    from = source.map((w, i) => button(w, "to the output word that looks here most",
      () => steps.go(strongest(weights().map((line) => line[i])))));
    for (const b of from) b.removeAttribute("aria-pressed"); // it leads somewhere, and is not on
    to = target.map((w, j) => button(w, "to this output word", () => steps.go(j)));
    arcs = svg("svg", {
      width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
      style: "max-width: none",
    });
    picture.replaceChildren(row(from, above, "flex-end"), arcs, row(to, below, "flex-start"));
    update();
  }

  function drawArcs() {
    const line = weights()[now], best = strongest(line);
    const x2 = below[now];
    const parts = line.map((value, i) => {
      const x1 = above[i], half = HEIGHT / 2;
      const path = svg("path", {
        d: `M${x2} ${HEIGHT} C${x2} ${half} ${x1} ${half} ${x1} 0`,
        "data-source": i, "data-target": now, "data-value": value, "stroke-width": 14 * value,
        style: `fill: none; stroke: var(${i === best ? "--sa-main" : "--sa-soft"})`,
      });
      const text = (i === best || value >= 0.1) && svg("text", {
        x: x1, y: 26, "text-anchor": "middle",
        style: "paint-order: stroke; stroke: var(--sa-paper); stroke-width: 5px" +
          (i === best ? "; font-weight: 700" : ""),
      }, share(value));
      return { value, path, text };
    }).sort((a, b) => a.value - b.value);
    arcs.replaceChildren(...parts.map((p) => p.path), ...parts.map((p) => p.text).filter(Boolean));
    arcs.setAttribute("aria-label", `Arcs to the source words: ${plain(looks(now))}.`);
    to.forEach((b, j) => b.setAttribute("aria-pressed", String(j === now)));
    from.forEach((b, i) => {
      const kind = gold ? link(i, now) : "";
      b.dataset.gold = kind;
      b.style.borderColor = kind ? "var(--sa-second)" : "";
      b.style.borderStyle = kind === "possible" ? "dashed" : "";
      b.style.borderWidth = kind ? "3px" : "2px";
      b.style.margin = kind ? "0" : "1px";
    });
    toSight(x2, above[best]);
  }
  // The current word stays in sight, and what it looks at too where there is room for both.
  function toSight(x, other) {
    const room = picture.clientWidth;
    picture.scrollLeft = (Math.abs(x - other) < room - 80 ? (x + other) / 2 : x) - room / 2;
  }

  // --- in words ----------------------------------------------------------------------------------

  // "book looks at 书 (0.83)": text and elements.
  function looks(j) {
    const line = weights()[j], most = Math.max(...line), best = line.indexOf(most);
    const order = line.map((value, i) => [value, i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    return [`${example().target[j].text} looks at `,
      ...order.filter(([value, i]) => i === best || value >= data.named).flatMap(([value, i], k) =>
        [k ? " and " : "", spoken(example().source[i]), ` (${share(value)})`])];
  }
  const plain = (parts) => parts.map((part) => part.textContent ?? part).join("");

  function judged(j) {
    if (!example().possible) return [" No gold links are known here."];
    const linked = [...example().source.keys()].filter((i) => link(i, j));
    if (!linked.length) return [" Gold: no link."];
    const agrees = linked.includes(strongest(weights()[j]));
    return [" Gold: ",
      ...linked.flatMap((i, k) =>
        [k ? ", " : "", spoken(example().source[i]), ` (${link(i, j)})`]),
      agrees ? "; the largest weight agrees." : "; the largest weight is elsewhere."];
  }
  const sentence = (j) => [...looks(j), `; spread over ${number(places(weights()[j]), 1)} places.`,
    ...(gold ? judged(j) : [])];

  // --- the table ---------------------------------------------------------------------------------

  function drawMap() {
    const { source, target } = example(), name = data.heads[head];
    const linked = target.map((_, j) => j).filter((j) => source.some((_, i) => link(i, j)));
    const right = linked.filter((j) => link(strongest(weights()[j]), j)).length;
    const table = softalign.shares({
      caption: `Weights${name ? ` of ${name === "mean" ? "the mean" : name}` : ""}: rows sum to 1.`,
      rows: target, columns: source, values: weights(),
    });
    for (const head_ of table.querySelectorAll("thead th")) head_.style.whiteSpace = "nowrap";
    // before the words: behind a long sentence it would be out of sight
    table.querySelector("thead td").after(html("th", { scope: "col" }, "places"));
    [...table.tBodies[0].rows].forEach((line, j) => {
      [...line.querySelectorAll("td")].forEach((cell, i) => {
        cell.textContent = share(weights()[j][i]);
        cell.dataset.gold = gold ? link(i, j) : "";
        // an outline, for borders of neighbours that meet hide each other
        if (cell.dataset.gold) {
          const line = cell.dataset.gold === "sure" ? "solid" : "dashed";
          cell.style.outline = `2px ${line} var(--sa-second)`;
          cell.style.outlineOffset = "-3px";
        }
      });
      const label = line.querySelector("th");
      label.after(html("td", { "data-places": places(weights()[j]) },
        number(places(weights()[j]), 1)));
      label.style.cssText = "text-align: start; white-space: nowrap";
      const shown = j === now ? "visible" : "hidden";
      label.prepend(html("span",
        { "aria-hidden": "true", style: `line-height: 0; visibility: ${shown}` }, "▸ "));
      if (j === now) {
        line.setAttribute("aria-current", "true");
        line.style.cssText = "outline: 2px solid var(--sa-main); outline-offset: -1px";
      }
    });
    map.replaceChildren(table);
    key.textContent = "Places: exp of the row's entropy; an even share among n words counts as n." +
      (!gold ? "" : !example().possible ? " Nobody drew gold links for this sentence."
        : " Solid frame: sure gold link; dashed: possible only. " +
          `The largest weight is on a gold link for ${right} of ${linked.length} linked words.`);
  }

  function update() {
    drawArcs();
    drawMap();
    told.node.replaceChildren(...sentence(now));
    const all = example().target.map((_, j) => plain(sentence(j)));
    ghost.textContent = `${all.reduce((a, b) => (b.length > a.length ? b : a))} and more`;
  }
  // unseen, in the same place as what is said: the longest sentence of any word, lest things jump
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" });
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";
  const spot = html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost);

  live.append(controls,
    html("p", { style: "margin: 0 0 0.4rem" },
      "Above the source, below the output: the wider an arc, the larger its weight. " +
      "Choose a word to go to it."),
    picture, spot, map, key);
  build();
});
