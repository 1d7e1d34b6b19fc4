// Scores, a mask and a scale, to be changed by hand: what the softmax makes of them.
softalign.define("softmax", (live, data) => {
  "use strict";
  const { html, svg, number, word } = softalign;
  // what is less than its last digit prints as 0: no negative powers of ten
  const rounded = (value, digits = 2) =>
    number(Math.abs(value) < 10 ** -digits / 2 ? 0 : value, digits);
  const places = data.labels.map((_, i) => i);
  const name = (i) => data.labels[i].text;
  // a Chinese font must not make its line higher than others
  const spoken = (i) =>
    html("span", { lang: data.labels[i].lang || null, style: "line-height: 0" }, name(i));
  // what the reader may change, row by row, and how it began
  const begin = () => ({
    scores: data.scores.map((row) => [...row]),
    seen: data.seen.map((row) => [...row]),
  });
  let now = begin();
  let row = 0;

  const size = softalign.slider({
    label: "Divide by √dₖ", max: data.sizes.length - 1, value: data.size,
    show: (at) => `dₖ = ${data.sizes[at]}, by ${number(Math.sqrt(data.sizes[at]))}`,
    change: update,
  });
  size.node.querySelector("output").style.minWidth = "9.5em";
  const late = softalign.tick({ label: "Mask after the softmax (wrong)", change: update });
  const query = softalign.choice({
    label: "Row", options: data.queries,
    change: (to) => { row = to; fill(); update(); },
  });
  const button = (text, act) => html("button", { type: "button", onclick: act }, text);
  // both go to the scores of the row as they were last understood
  const all = (change) => () => {
    now.scores[row] = now.scores[row].map(change);
    fill();
    update();
  };
  const buttons = html("span", { class: "sa-buttons", style: "flex-wrap: wrap" },
    button("Add 5 to all", all((score) => score + 5)),
    button("Double all, as vectors four times as long do", all((score) => score * 2)),
    button("Reset", () => {
      now = begin();
      size.set(data.size);
      late.set(false);
      fill();
      update();
    }));

  const narrow = { style: "padding: 0.2rem 0.25rem" };
  const bad = new Set(); // places whose field holds no number: their last score stays in force
  const lines = places.map((i) => {
    const score = html("input", {
      type: "number", step: "any", style: "width: 4.9em; padding: 0.1rem 0.25rem", "aria-label": `Score of ${name(i)}`,
      oninput: () => {
        const value = Number(score.value);
        const good = score.value.trim() !== "" && Number.isFinite(value);
        if (good) now.scores[row][i] = value;
        mark(i, !good);
        update();
      },
    });
    const seen = html("input", {
      type: "checkbox", "aria-label": `${name(i)} may be seen`,
      style: "width: 1.5rem; height: 1.5rem; margin: 0; accent-color: var(--sa-main)",
      onchange: () => { now.seen[row][i] = seen.checked; update(); },
    });
    const scaled = html("td", narrow);
    const weight = html("span", { class: "sa-weight", style: "display: inline-block; width: 3.6em" });
    // for the eye only: the number stands beside it, or over it where there is little room
    const bar = svg("rect", { height: 20, style: "fill: var(--sa-main)" });
    const drawn = svg("svg", {
      viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true",
      style: "display: inline-block; vertical-align: middle; width: clamp(50px, 15vw, 150px); " +
        "height: 16px; outline: 1px solid var(--sa-line)",
    }, bar);
    const node = html("tr", {},
      html("th", { scope: "row", ...narrow }, word(data.labels[i])), html("td", narrow, score),
      html("td", narrow, seen), scaled, html("td", narrow, weight, drawn));
    return { score, seen, scaled, weight, bar, node };
  });

  function mark(i, wrong) {
    bad[wrong ? "add" : "delete"](i);
    lines[i].score.setAttribute("aria-invalid", String(wrong));
  }
  // the fields show the scores: 9 digits, as doubling and adding leave 0.1 + 0.2 behind
  function fill() {
    places.forEach((i) => {
      lines[i].score.value = Number(now.scores[row][i].toPrecision(9));
      lines[i].seen.checked = now.seen[row][i];
      mark(i, false);
    });
  }

  const [sum, nats] = [0, 1].map(() =>
    html("span", { style: "display: inline-block; width: 3.6em; text-align: center" }));
  const foot = (text, cell) => html("tr", {},
    html("th", { scope: "row", colspan: 4, style: "text-align: end" }, text),
    html("td", { style: "text-align: start; padding: 0.2rem 0.25rem" }, cell));
  const caption = html("caption");
  const table = html("table", { class: "sa-shares", style: "font-size: min(1em, 4.3vw)" }, caption,
    html("thead", {}, html("tr", {}, ["place", "score", "seen", "scaled", "weight"].map((text) =>
      html("th", { scope: "col", ...narrow }, text)))),
    html("tbody", {}, lines.map((line) => line.node)),
    html("tfoot", {}, foot("sum", sum), foot("entropy in nats", nats)));
  const told = softalign.says();
  // unseen, in the same place as what is said: a sentence as long as any, lest things jump
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" },
    "The score of this is not a number: −10.00 still counts. ", lost(0.5));
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";
  const spot = html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost);
  const scroll = html("div", {
    class: "sa-scroll", tabindex: 0, role: "region", "aria-label": "Scores and weights",
  }, table);

  function show(cell, value, digits = 3) {
    cell.textContent = rounded(value, digits);
    cell.dataset.value = String(value);
  }
  const entropyOf = (weights) => Math.LN2 * softalign.entropy(weights); // in nats

  function update() {
    const root = Math.sqrt(data.sizes[size.get()]);
    const scores = now.scores[row].map((score) => score / root);
    const seen = now.seen[row];
    const wrong = late.get();
    const weights = wrong
      ? softalign.softmax(scores).map((weight, i) => (seen[i] ? weight : 0))
      : softalign.softmax(scores, seen);
    const total = weights.reduce((a, b) => a + b, 0);
    const whole = Math.abs(total - 1) < 1e-9;
    lines.forEach((line, i) => {
      show(line.scaled, seen[i] || wrong ? scores[i] : -Infinity, 2);
      show(line.weight, weights[i]);
      line.bar.setAttribute("width", 100 * weights[i]);
    });
    show(sum, total);
    show(nats, whole ? entropyOf(weights) : NaN, 2); // of no distribution: a dash
    caption.textContent = wrong
      ? "weight = softmax of all scaled scores, then 0 where not seen"
      : "weight = softmax of the scaled scores, −∞ where not seen";
    told.node.replaceChildren(...complaints(), ...sentence(weights, total, whole, wrong));
  }

  const complaints = () => [...bad].sort().flatMap((i) => ["The score of ", spoken(i),
    ` is not a number: ${number(now.scores[row][i])} still counts. `]);

  function lost(total) {
    return `The weights sum to ${rounded(total)}, not to 1: ` +
      "what the hidden places took before they were hidden is lost.";
  }

  function sentence(weights, total, whole, wrong) {
    if (!now.seen[row].includes(true)) return ["Nothing may be seen: all weights are 0."];
    if (!whole) return [lost(total)];
    const most = weights.indexOf(Math.max(...weights));
    const name = data.queries[row];
    return [name ? `${name}: most weight on ` : "Most weight on ", spoken(most), `, ${number(weights[most])}; ` +
      `entropy ${rounded(entropyOf(weights))} nats.` +
      (wrong ? " Nothing that counts is hidden: the order makes no difference yet." : "")];
  }

  const controls = [data.queries.length > 1 ? query.node : null, size.node, late.node, buttons];
  live.append(html("div", { class: "sa-controls" }, controls.filter(Boolean)), scroll, spot);
  fill();
  update();
});
