/* The reader's memory of the self-checks, on every page: what was answered, and the counts beside the
   pages in the sidebar. Answers stay in this browser. quiz-pages.js has the questions of all pages. */
window.softalignMemory = (() => {
  "use strict";
  const KEY = "soft-alignment-quiz";
  const PAGES = window.softalignQuizzes || {};
  let known = {}; // digest of a question -> [whether it was ever answered right, the last answer]
  let keeps = true;

  function load() {
    try {
      const text = localStorage.getItem(KEY);
      try {
        const read = JSON.parse(text);
        known = Object.prototype.toString.call(read) === "[object Object]" ? read : {};
      } catch {
        known = {}; // not ours, or cut off: the next answer writes it anew
      }
    } catch {
      keeps = false; // storage is switched off: remember until the page is left
    }
  }

  function remember(digest, right, answer) {
    if (keeps) load(); // another tab may have answered meanwhile
    const before = known[digest];
    known[digest] = [right || Boolean(before && before[0]) ? 1 : 0, answer];
    try {
      localStorage.setItem(KEY, JSON.stringify(known));
    } catch {
      keeps = false;
    }
    showProgress();
  }

  function forget() {
    known = {};
    try {
      localStorage.removeItem(KEY);
    } catch {
      keeps = false;
    }
    showProgress();
  }

  function count(digests) {
    const tried = digests.filter((digest) => known[digest]);
    const right = tried.filter((digest) => known[digest][0]);
    return { tried: tried.length, right: right.length, all: digests.length };
  }

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  function showProgress() {
    const nav = document.querySelector(".bd-sidebar-primary nav.bd-links");
    if (!nav) return;
    const root = new URL(document.documentElement.dataset.content_root || "./", location.href).href;
    for (const link of nav.querySelectorAll("a")) {
      const page = link.href.replace(/[?#].*$/, "").replace(root, "").replace(/\.html$/, "");
      const { tried, right, all } = count((PAGES[page] || "").split(" ").filter(Boolean));
      link.querySelectorAll(".sa-count, .sa-unseen").forEach((old) => old.remove());
      if (!tried) continue;
      link.append(span("sa-unseen", `, ${right} of ${all} questions answered right`));
      const short = span("sa-count", `${right}/${all}`);
      short.setAttribute("aria-hidden", "true"); // the words before it say the same
      link.append(short);
    }
    const { tried, right, all } = count(Object.values(PAGES).join(" ").split(" ").filter(Boolean));
    let total = nav.querySelector(".sa-total");
    if (total && !tried) total.remove();
    if (!tried) return;
    if (!total) {
      total = document.createElement("p");
      total.className = "sa-total";
      nav.append(total);
    }
    total.textContent = `Check yourself: ${right} of ${all} questions answered right`;
  }

  load();
  showProgress();
  window.addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    load();
    showProgress();
  });
  return { of: (digest) => known[digest], remember, forget, keeps: () => keeps };
})();
