// Sinusoidal positions: the encodings as a map, one pair on its circle, and products by offset.
softalign.define("positions", (live, data) => {
  "use strict";
  const { html, svg, number } = softalign;
  const { d_model, length, base, reach } = data;
  let t = data.position, k = data.pair, offset = data.offset;

  // --- numbers --------------------------------------------------------------------------------

  const rates = Array.from({ length: d_model / 2 }, (_, pair) => base ** ((-2 * pair) / d_model));
  const encode = (place) => rates.flatMap((w) => [Math.sin(place * w), Math.cos(place * w)]);
  // the row (sin, cos) times the matrix that an offset stands for: no position enters
  const turned = ([s, c], angle) =>
    [s * Math.cos(angle) + c * Math.sin(angle), c * Math.cos(angle) - s * Math.sin(angle)];
  const product = (a, b) => softalign.dot(encode(a), encode(b));
  const alone = (a, b, pair) =>
    softalign.dot(encode(a).slice(2 * pair, 2 * pair + 2), encode(b).slice(2 * pair, 2 * pair + 2));
  const degrees = (angle) => (angle * 180) / Math.PI;
  // how far the positions stand from this one that share its place on the circle, or nearly
  const close = (place, pair, limit) =>
    Array.from({ length }, (_, other) => other).filter((other) => {
      const apart = degrees((other - place) * rates[pair]);
      return other !== place && Math.abs(apart - 360 * Math.round(apart / 360)) <= limit;
    }).map((other) => Math.abs(other - place));

  // --- controls -------------------------------------------------------------------------------

  const wave = (pair) => (2 * Math.PI) / rates[pair];
  const controls = [
    softalign.stepper({ label: "Position t", max: length - 1, value: t, pause: 400,
      change: (to) => { t = to; update(); } }),
    softalign.slider({ label: "Pair k", max: rates.length - 1, value: k,
      show: (pair) => `${pair}, wavelength ${number(wave(pair), 1)}`,
      change: (to) => { k = to; update(); } }),
    softalign.slider({ label: "Offset Δ", min: -reach, max: reach, value: offset,
      show: (to) => number(to, 0), change: (to) => { offset = to; update(); } }),
  ];
  controls[1].node.querySelector("output").style.minWidth = "11.5em";

  const stroke = (colour, width) => `fill: none; stroke: var(${colour}); stroke-width: ${width}`;
  const text = (x, y, words, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, words);
  const panel = (name, says, ...parts) => svg("svg", {
    viewBox: "0 0 290 290", role: "img", "aria-label": says, "data-panel": name,
    style: "flex: 1 1 250px; min-width: 0; max-width: 400px",
  }, parts.flat(Infinity));

  // --- the map: one pixel for each number, drawn once ---------------------------------------------

  const shades = data.shades.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  function shade(value) {
    const place = Math.min(value + 1, 1.999999), low = Math.floor(place);
    return shades[low].map((from, i) => from + (place - low) * (shades[low + 1][i] - from));
  }
  const canvas = html("canvas", { width: d_model, height: length });
  const pen = canvas.getContext("2d"), dots = pen.createImageData(d_model, length);
  for (let place = 0; place < length; place++)
    encode(place).forEach((value, i) => dots.data.set([...shade(value), 255], 4 * (place * d_model + i)));
  pen.putImageData(dots, 0, 0);
  const picture = canvas.toDataURL();

  const left = 38, top = 22, wide = 206, high = 212;
  const across = (i) => left + (wide * i) / d_model, down = (place) => top + (high * place) / length;
  function map() {
    // two strokes, light under dark: one of them is seen on any shade
    const frame = (name, x, y, w, h, dash = null) => ["#fff", "#a33b00"].map((colour, i) => svg("rect", {
      x: x - 1, y: y - 1, width: w + 2, height: h + 2, "stroke-dasharray": dash, "data-frame": name,
      style: `fill: none; stroke: ${colour}; stroke-width: ${i ? 2 : 4}`,
    }));
    const row = (place, words, dash) => (place < 0 || place >= length ? [] : [
      frame(words, left, down(place), wide, high / length, dash),
      text(left + wide + 5, down(place + 0.5) + (words === "t" ? 0 : 9 * Math.sign(offset)) + 4, words, "start")]);
    const ticks = [0, 1, 2, 3, 4].map((i) => Math.round((i * (length - 1)) / 4));
    return panel("map", `Encodings of the positions 0 to ${length - 1}, a row for each, dark for −1 ` +
      `and light for 1. Marked are row ${t} and the components ${2 * k} and ${2 * k + 1} of pair ${k}.`,
    svg("image", { href: picture, x: left, y: top, width: wide, height: high,
      preserveAspectRatio: "none", style: "image-rendering: pixelated" }),
    ticks.map((place) => text(left - 5, down(place + 0.5) + 4, place, "end")),
    frame("pair", across(2 * k), top, (2 * wide) / d_model, high),
    row(t + offset, "t + Δ", "4 3"), row(t, "t"),
    text(Math.max(left + 20, Math.min(across(2 * k + 1), left + wide - 20)), top - 8, `pair ${k}`),
    text(left + wide / 2, 252, "component"),
    svg("text", { transform: `translate(11 ${top + high / 2}) rotate(-90)`, "text-anchor": "middle" }, "position"),
    [-1, 0, 1].flatMap((value, i) => [
      svg("rect", { x: left + 40 + 60 * i, y: 266, width: 14, height: 14,
        style: `fill: rgb(${shade(value).join(" ")}); stroke: var(--sa-line)` }),
      text(left + 59 + 60 * i, 278, number(value, 0), "start")]));
  }

  // --- the circle: cosine to the right, sine upwards -----------------------------------------------

  const middle = 145, radius = 92;
  const point = (angle, r = radius) => [middle + r * Math.cos(angle), middle - r * Math.sin(angle)];
  const path = (points) => `M${points.map((p) => p.map((x) => x.toFixed(2)).join(" ")).join("L")}`;
  function circle(says) {
    const w = rates[k], from = t * w, way = offset * w;
    const steps = Math.max(2, Math.ceil(Math.abs(way) * 12));
    // further out with each round, lest a long way should hide itself
    const arc = Array.from({ length: steps + 1 }, (_, i) => {
      const gone = (way * i) / steps;
      return point(from + gone, 30 + 5 * Math.abs(gone) / Math.PI);
    });
    const [x, y] = arc[steps], heading = (Math.PI / 2) * Math.sign(way) + from + way;
    const tip = [2.5, 0, -2.5].map((a) =>
      [x + (a ? 9 : 3) * Math.cos(heading + a), y - (a ? 9 : 3) * Math.sin(heading + a)]);
    const spots = Array.from({ length }, (_, place) => point(place * w));
    const [a, b] = [point(from), point(from + way)];
    const [la, lb] = [point(from, radius + 17), point(from + way, radius + 37)];
    return panel("circle", says,
      svg("path", { d: `M${middle - 110} ${middle}h220M${middle} ${middle - 110}v220`, style: stroke("--sa-line", 0.6) }),
      svg("circle", { cx: middle, cy: middle, r: radius, style: stroke("--sa-line", 1) }),
      svg("path", { d: spots.map(([u, v]) => `M${u.toFixed(2)} ${v.toFixed(2)}h0`).join(""),
        style: `${stroke("--sa-soft", 4)}; stroke-linecap: round` }),
      svg("path", { d: path([[middle, middle], a]), style: stroke("--sa-main", 2) }),
      svg("path", { d: path([[middle, middle], b]), "stroke-dasharray": "5 3", style: stroke("--sa-main", 2) }),
      svg("path", { d: path(arc), style: stroke("--sa-second", 2.5) }),
      offset ? svg("path", { d: `${path(tip)}Z`, style: "fill: var(--sa-second)" }) : null,
      svg("circle", { cx: b[0], cy: b[1], r: 7, "data-point": "there",
        style: "fill: var(--sa-paper); stroke: var(--sa-main); stroke-width: 2.5" }),
      svg("circle", { cx: a[0], cy: a[1], r: 5, "data-point": "here", style: "fill: var(--sa-main)" }),
      text(la[0], la[1] + 4, "t"), text(lb[0], lb[1] + 4, "t + Δ"),
      text(4, 16, "sin ↑", "start"), text(286, 284, "cos →", "end"));
  }

  // --- products against the offset -----------------------------------------------------------------

  function products(says, all, one) {
    const x = (to) => 36 + (244 * (to + reach)) / (2 * reach), y = (value) => 132 - 92 * value;
    const line = (values, look) => svg("path", {
      d: path(values.map((value, i) => [x(i - reach), y(value)])), ...look });
    const i = offset + reach;
    return panel("products", says,
      [-1, 0, 1].flatMap((value) => [
        svg("path", { d: `M36 ${y(value)}H280`, style: stroke("--sa-line", value ? 0.5 : 1) }),
        text(30, y(value) + 4, number(value, 0), "end")]),
      [-reach, 0, reach].map((to) => text(x(to), 246, number(to, 0), to < 0 ? "start" : to > 0 ? "end" : "middle")),
      svg("path", { d: `M${x(offset)} 34V230`, style: stroke("--sa-soft", 1.5) }),
      line(one, { "data-line": "one", "stroke-dasharray": "5 3", style: stroke("--sa-second", 2) }),
      line(all, { "data-line": "all", style: stroke("--sa-main", 2.5) }),
      svg("circle", { r: 5, transform: `translate(${x(offset)} ${y(all[i])})`, "data-mark": "all", style: "fill: var(--sa-main)" }),
      svg("path", { d: "M-5 -5h10v10h-10z", transform: `translate(${x(offset)} ${y(one[i])})`, "data-mark": "one", style: "fill: var(--sa-second)" }),
      svg("path", { d: "M4 14h24", style: stroke("--sa-main", 2.5) }),
      text(33, 19, `mean of ${rates.length} pairs`, "start"),
      svg("path", { d: "M190 14h24", "stroke-dasharray": "5 3", style: stroke("--sa-second", 2) }),
      text(219, 19, `pair ${k}`, "start"), text(158, 270, "offset Δ"));
  }

  // --- tables and words ----------------------------------------------------------------------------

  const tight = "padding: 0.2rem; white-space: nowrap";
  function sheet(heads, names) {
    const caption = html("caption", { style: "white-space: nowrap" });
    const rows = names.map(() => heads.slice(1).map(() => html("td", { style: `${tight}; min-width: 3.7em` })));
    const labels = names.map((name) => html("th", { scope: "row", style: `${tight}; text-align: start` }, name));
    const node = html("table", { class: "sa-shares", style: "font-size: min(1em, 3.8vw)" }, caption,
      html("thead", {}, html("tr", {}, heads.map((head) =>
        head ? html("th", { scope: "col", style: tight }, head) : html("td", { style: tight })))),
      html("tbody", {}, rows.map((cells, i) => html("tr", {}, labels[i], cells))));
    const fill = (values, digits) => values.forEach((row, i) => row.forEach((value, j) => {
      rows[i][j].textContent = number(value, digits[j]) + (heads[j + 1] === "angle" ? "°" : "");
      rows[i][j].dataset.value = value;
    }));
    return { node, caption, fill };
  }
  const speed = sheet(["", "angle", "wavelength", `rounds in ${length}`], ["a step"]);
  const pair = sheet(["", "position", "angle", "sin", "cos"], ["t", "turned", "t + Δ"]);
  const sums = sheet(["product", "all pairs", "this pair"], ["from this t", "smallest over all t", "largest over all t"]);
  const pictures = html("div", { style: "display: flex; flex-wrap: wrap; gap: 0 0.6rem" });
  // unseen, in the same place as what is said: a sentence as long as any, lest things jump
  const told = softalign.says();
  const ghost = html("p", { "aria-hidden": "true", style: "visibility: hidden; margin: 0.5rem 0" },
    sentence(length - 1, rates.length - 1, 1 - 2 * length, -1888.8, -88.88, Array(length).fill(length)));
  for (const node of [told.node, ghost]) node.style.gridArea = "1 / 1";

  function sentence(at, pair, by, turn, value, others) {
    const beyond = at + by >= 0 && at + by < length ? "" : ", beyond the table,";
    return `Position ${at}, pair ${pair}, offset ${number(by, 0)}: the pair turns by ${number(turn, 1)}°, ` +
      `here and everywhere. The product with position ${number(at + by, 0)}${beyond} is ${number(value)}. ` +
      `${others.length} other position${others.length === 1 ? " stands" : "s stand"} within ${data.near}° of it in this pair` +
      `${others.length ? `, the farthest ${Math.max(...others)} away` : ""}.`;
  }

  function update() {
    const w = rates[k], here = encode(t).slice(2 * k, 2 * k + 2), there = encode(t + offset).slice(2 * k, 2 * k + 2);
    const offsets = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
    const all = offsets.map((to) => product(t, t + to)), one = offsets.map((to) => alone(t, t + to, k));
    const places = Array.from({ length }, (_, place) => place);
    const every = [(p) => product(p, p + offset), (p) => alone(p, p + offset, k)].map((f) => places.map(f));
    const now = [all[offset + reach], one[offset + reach]], turn = degrees(offset * w);
    pictures.replaceChildren(map(),
      circle(`Circle of pair ${k}: position ${t} at ${number(degrees(t * w), 1)}°, turned by ` +
        `${number(turn, 1)}° to position ${number(t + offset, 0)}.`),
      products(`Products of the encoding of position ${t} with those at offsets −${reach} to ${reach}; at ` +
        `${number(offset, 0)} the mean of the pairs is ${number(now[0] / rates.length)}, pair ${k} ${number(now[1])}.`,
      all.map((value) => value / rates.length), one));
    speed.caption.textContent = `Speed of pair ${k}`;
    speed.fill([[degrees(w), wave(k), length / wave(k)]], [2, 1, 2]);
    pair.caption.textContent = `Pair ${k} at t, turned by Δω, and at t + Δ`;
    pair.fill([[t, degrees(t * w), ...here], [t + offset, degrees((t + offset) * w), ...turned(here, offset * w)],
      [t + offset, degrees((t + offset) * w), ...there]], [0, 1, 3, 3]);
    sums.caption.textContent = `Product of positions t and t + Δ, Δ = ${number(offset, 0)}`;
    sums.fill([now, ...[Math.min, Math.max].map((f) => every.map((values) => f(...values)))], [3, 3]);
    told.set(sentence(t, k, offset, turn, now[0], close(t, k, data.near)));
  }

  const region = (name, node) =>
    html("div", { class: "sa-scroll", tabindex: 0, role: "region", "aria-label": name }, node);
  live.append(html("div", { class: "sa-controls" }, controls.map((control) => control.node)), pictures,
    html("div", { style: "display: flex; flex-wrap: wrap; gap: 0 2rem" },
      region("Speed of the pair", speed.node), region("Numbers of the pair", pair.node), region("Products", sums.node)),
    html("div", { style: "display: grid; line-height: 1.5" }, told.node, ghost));
  update();
});
