// A box is a stop of the Tab key only while it scrolls, and its right edge fades while something is
// hidden there. Without this script each box is a stop, and none fades.
(() => {
  "use strict";
  const named = new Map();

  // whether a box scrolls, and whether something is hidden on its right: there it fades
  function measured(box) {
    const right = box.scrollWidth - box.clientWidth;
    const scrolls = right > 1 || box.scrollHeight > box.clientHeight + 1;
    return { box, scrolls, more: right - box.scrollLeft > 2 };
  }

  function tell({ box, scrolls, more }) {
    // the boxes in live figures are always a stop
    const attributes = named.has(box) ? { tabindex: "0", ...named.get(box) } : {};
    for (const [name, value] of Object.entries(attributes)) {
      if (box.getAttribute(name) === (scrolls ? value : null)) continue;
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
    box.toggleAttribute("data-more", more);
  }

  function start() {
    // Also told when a fold opens: the box in it gets its size then. All are measured before one is
    // changed, or the browser would lay the page out anew for each.
    const watch = new ResizeObserver((changes) =>
      changes.map((change) => measured(change.target)).forEach(tell),
    );
    const follow = (box) => {
      watch.observe(box);
      box.addEventListener("scroll", () => tell(measured(box)), { passive: true });
    };
    const name = ["aria-label", "aria-labelledby"];
    for (const box of document.querySelectorAll("[role='group'][tabindex]")) {
      const own = name.filter((one) => box.hasAttribute(one));
      if (!own.length) continue;
      named.set(box, { role: "group", [own[0]]: box.getAttribute(own[0]) });
      follow(box);
    }
    // With its own font a formula may be wider than its box, which keeps its size and tells nothing.
    document.fonts.addEventListener("loadingdone", () =>
      [...named.keys()].map(measured).forEach(tell),
    );
    // A live figure makes its boxes when it is drawn, and changes what is in them at each step.
    const seen = new WeakSet();
    const live = new MutationObserver((changes) => {
      const figures = new Set(changes.map((change) => change.target.closest(".sa-interactive")));
      const boxes = [...figures].flatMap((one) => [...(one?.querySelectorAll(".sa-scroll") ?? [])]);
      boxes.filter((box) => !seen.has(box)).forEach((box) => seen.add(box) && follow(box));
      boxes.map(measured).forEach(tell);
    });
    for (const figure of document.querySelectorAll(".sa-interactive")) {
      figure.querySelectorAll(".sa-scroll").forEach((box) => seen.add(box) && follow(box));
      live.observe(figure, { childList: true, subtree: true });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
