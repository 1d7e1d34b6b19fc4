// Norm of the Jacobian of the state: by lag at one spectral radius, and by radius at one lag.
softalign.define("gradients", (live, data) => {
  "use strict";
  const { html, svg, number } = softalign;
  const { cells, norms, radii } = data;
  const last = norms[0][0].length - 1;
  // line and mark tell the cells apart without their colours
  const looks = [
    { colour: "--sa-second", dash: null, mark: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z" },
    { colour: "--sa-main", dash: "9 4", mark: "M-5 -5h10v10h-10z" },
    { colour: "--sa-ink", dash: "2 4", mark: "M0 -6L6 5H-6z" },
    { colour: "--sa-soft", dash: "9 4 2 4", mark: "M0 -6L6 0L0 6L-6 0z" },
  ];
  let at = data.radius, lag = data.lag;
  const shown = cells.map(() => true);
  // names inside SVG are those of the whole page
  const own = [...document.querySelectorAll(".sa-live")].indexOf(live);

  // --- numbers --------------------------------------------------------------------------------

  const short = (value) => (value >= 0.1 && value < 1000 ? value.toFixed(2)
    : value.toExponential(1).replace("e+", "e").replace("-", "−"));
  // first lag whose norm is below a limit; -1: none was measured
  const below = (line, limit) => line.findIndex((value) => value < limit);
  // by what a step multiplies, on average over the second half of the lags
  function factor(line) {
    const half = Math.floor(last / 2);
    return (line[last] / line[half]) ** (1 / (last - half));
  }

  // --- controls -------------------------------------------------------------------------------

  const radius = softalign.stepper({
    label: "Spectral radius", max: radii.length - 1, value: at,
    show: (place) => number(radii[place], 1), change: (to) => { at = to; update(); },
  });
  const lags = softalign.stepper({
    label: "Lag", max: last, value: lag, pause: 250, change: (to) => { lag = to; update(); },
  });
  const ticks = cells.map((name, c) => softalign.tick({
    label: name, value: true, change: (on) => { shown[c] = on; update(); },
  }));

  // --- pictures: both have the same logarithmic axis ---------------------------------------------

  const W = 326, H = 270, left = 44, right = 256, top = 12, bottom = 222;
  const all = norms.flat(2);
  const power = (value) => Math.log10(value);
  const high = Math.max(3, 3 * Math.ceil(power(Math.max(...all)) / 3));
  const low = Math.max(-12, Math.min(-3, 3 * Math.floor(power(Math.min(...all)) / 3)));
  const up = (value) => bottom - ((bottom - top) * (power(value) - low)) / (high - low);
  const raised = (e) => (e ? `10${[...String(e)].map((d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]).join("")}` : "1");
  const decades = [];
  for (let e = low; e <= high; e += 3) decades.push(e);
  const stroke = (colour, width = 1) => `stroke: var(${colour}); stroke-width: ${width}; fill: none`;

  function panel({ name, xs, lines, place, ticks, label, says }) {
    const across = (x) => left + ((right - left) * (x - xs[0])) / (xs[xs.length - 1] - xs[0]);
    const text = (x, y, words, anchor = "middle") =>
      svg("text", { x, y, "text-anchor": anchor, style: "font-size: 14px" }, words);
    const parts = [
      ...decades.flatMap((e) => [
        svg("path", { d: `M${left} ${up(10 ** e)}H${right}`,
          style: e ? stroke("--sa-line", 0.4) : stroke("--sa-ink", 1.2) }),
        text(left - 6, up(10 ** e) + 4, raised(e), "end")]),
      ...ticks.flatMap((x) => [
        svg("path", { d: `M${across(x)} ${top}V${bottom}`, style: stroke("--sa-line", 0.4) }),
        text(across(x), bottom + 17, String(x))]),
      svg("path", { d: `M${across(xs[place])} ${top}V${bottom}`, style: stroke("--sa-soft", 2) }),
      text((left + right) / 2, H - 10, label),
    ];
    const ends = [];
    lines.forEach((line, c) => {
      if (!shown[c]) return;
      const { colour, dash, mark } = looks[c];
      // what is lower than the axis leaves the picture where it crosses its edge
      const points = line.map((y, i) => [across(xs[i]), Math.min(up(y), bottom + 1000)]);
      parts.push(svg("path", {
        d: `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(3)}`).join("L")}`, "data-line": cells[c],
        "stroke-dasharray": dash, style: stroke(colour, 2.5), "clip-path": `url(#${name}-${own})`,
      }));
      const [x, y] = points[place];
      if (y <= bottom) parts.push(svg("path", {
        d: mark, transform: `translate(${x} ${y})`, "data-mark": cells[c], "data-value": line[place],
        style: `fill: var(${colour}); stroke: var(--sa-paper); stroke-width: 1.5`,
      }));
      const end = points[points.length - 1][1];
      ends.push({ c, y: Math.min(end, bottom), name: cells[c] + (end > bottom ? " ↓" : "") });
    });
    // names at the ends of the lines, pushed apart where the lines end together
    ends.sort((a, b) => a.y - b.y);
    ends.forEach((end, i) => { end.y = Math.max(end.y, i ? ends[i - 1].y + 15 : top + 4); });
    for (let i = ends.length - 1, most = bottom; i >= 0; i--, most -= 15)
      ends[i].y = Math.min(ends[i].y, most);
    for (const { c, y, name: words } of ends)
      parts.push(
        svg("path", { d: looks[c].mark, transform: `translate(${right + 10} ${y}) scale(0.8)`,
          style: `fill: var(${looks[c].colour})` }),
        text(right + 17, y + 4.5, words, "start"));
    return svg("svg", {
      viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": says, "data-panel": name,
      style: "flex: 1 1 270px; min-width: 0; max-width: 430px",
    }, svg("clipPath", { id: `${name}-${own}` },
      svg("rect", { x: left, y: 0, width: right - left, height: bottom })), parts);
  }

  // --- table and words --------------------------------------------------------------------------

  const limits = [[0.5, "½"], [0.001, "1/1000"]];
  // narrow, that all columns are in sight on a telephone
  const tight = "padding: 0.2rem 0.25rem";
  const cell = (kind, i) => html("td", {
    "data-kind": kind, style: `${tight}; white-space: nowrap; min-width: ${i ? 3.2 : 4}em`,
  });
  const rows = cells.map((name) => {
    const parts = ["norm", "half", "thousandth", "factor"].map(cell);
    return { parts, node: html("tr", {}, html("th", { scope: "row", style: tight }, name), parts) };
  });
  const caption = html("caption");
  const table = html("table", { class: "sa-shares", style: "font-size: min(1em, 3.6vw)" }, caption,
    html("thead", {}, html("tr", {}, ["cell", "norm", ...limits.map((l) => `first lag below ${l[1]}`),
      "factor a step"].map((text) => html("th", { scope: "col", style: tight }, text)))),
    html("tbody", {}, rows.map((row) => row.node)));
  // unseen, in the same place as what is said: a sentence as long as any, lest things jump
  const told = softalign.says();
  const sentence = (r, m, values) => `Norm of the Jacobian at radius ${r} and lag ${m}: ${values}.`;
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" },
    sentence("0.0", last, cells.map((name) => `${name} 8.8e−88`).join(", ")));
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";
  const spot = html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost);
  const pictures = html("div", { style: "display: flex; flex-wrap: wrap; gap: 0 1rem" });

  const named = (values) => cells.map((name, c) => (shown[c] ? `${name} ${values[c]}` : null))
    .filter(Boolean).join(", ") || "no cell is shown";

  function update() {
    const here = norms.map((cell) => cell[at]), there = norms.map((cell) => cell.map((row) => row[lag]));
    const r = number(radii[at], 1), ahead = named(here.map((line) => short(line[lag])));
    rows.forEach(({ parts }, c) => {
      const line = here[c];
      const values = [line[lag], ...limits.map((l) => below(line, l[0])), factor(line)];
      const words = [short(values[0]), ...values.slice(1, 3).map((v) => (v < 0 ? `> ${last}` : v)),
        number(values[3], 3)];
      parts.forEach((part, i) => {
        part.textContent = shown[c] ? words[i] : "–";
        part.dataset.value = shown[c] ? values[i] : "";
      });
    });
    caption.textContent = `Radius ${r}: norm at lag ${lag}, factor a step over lags ` +
      `${Math.floor(last / 2)} to ${last}`;
    const named_ = (text, by) => `Norm of the Jacobian by ${by}, ${text}: ${ahead}.`;
    pictures.replaceChildren(
      panel({ name: "sa-by-lag", xs: here[0].map((_, m) => m), lines: here, place: lag,
        ticks: [0, 1, 2, 3].map((i) => Math.round((i * last) / 3)), label: `lag in steps, at radius ${r}`,
        says: named_(`radius ${r}, at lag ${lag}`, "lag") }),
      panel({ name: "sa-by-radius", xs: radii, lines: there, place: at,
        ticks: radii.filter((_, i) => i % Math.ceil((radii.length - 1) / 3) === 0),
        label: `spectral radius, at lag ${lag}`, says: named_(`lag ${lag}, at radius ${r}`, "radius") }));
    told.set(sentence(r, lag, ahead));
  }

  live.append(
    html("div", { class: "sa-controls" }, radius.node, lags.node,
      cells.length > 1 ? html("div", {
        role: "group", "aria-label": "Cells", style: "display: flex; flex-wrap: wrap; gap: 0 1rem",
      }, ticks.map((t) => t.node)) : null),
    html("div", { style: "margin: 0.2rem 0" }, "Norm of the Jacobian (logarithmic axis)"), pictures,
    html("div", { class: "sa-scroll", tabindex: 0, role: "region", "aria-label": "Numbers of the cells" }, table),
    spot);
  update();
});
