// A box is a stop of the Tab key only while it scrolls, and its right edge fades while something is
// hidden there. Without this script each box is a stop, and none fades.
(() => {
  "use strict";
  const named = new Map();

  function tell(box) {
    const scrolls =
      box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    for (const [name, value] of Object.entries({ tabindex: "0", ...named.get(box) })) {
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
    more(box);
  }

  // whether something is hidden on the right: there the box fades
  function more(box) {
    box.toggleAttribute("data-more", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);
  }

  function start() {
    // also told when a fold opens: the box in it gets its size then
    const watch = new ResizeObserver((changes) => changes.forEach((change) => tell(change.target)));
    const name = ["aria-label", "aria-labelledby"];
    for (const box of document.querySelectorAll("[role='group'][tabindex]")) {
      const own = name.filter((one) => box.hasAttribute(one));
      if (!own.length) continue;
      named.set(box, { role: "group", [own[0]]: box.getAttribute(own[0]) });
      watch.observe(box);
      box.addEventListener("scroll", () => more(box), { passive: true });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
