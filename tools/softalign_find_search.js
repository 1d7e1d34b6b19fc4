/* Search of this book. Sphinx copies this file into language_data.js, which the search page alone
   loads, after searchtools.js. It splits a query as `softalign_find_words.py` splits the pages, and
   puts before Sphinx's results the places that define what was asked for (the key "finds" of the
   index): letters, terms, functions, errata. */

// Commands that say how a letter looks, not which it is: those of `softalign_find_words.STYLE`.
var softalignStyle = new RegExp(
  "\\\\(?:mathbf|mathcal|mathrm|mathbb|mathit|boldsymbol|operatorname|text|textbf|hat|tilde|bar|" +
  "left|right|quad|qquad|big|Big)(?![A-Za-z])\\*?", "g");

var splitQuery = (query) => {
  const plain = query
    .replace(softalignStyle, " ")
    .replace(/\{\s*([\p{L}\p{N}_\\]+)\s*\}/gu, "$1")
    .replace(/\{\s*([\p{L}\p{N}_\\]+)\s*\}/gu, "$1")
    .replace(/\s*_\s*/g, "_")
    .replace(/([\p{L}\p{N}_])\\(?=[A-Za-z])/gu, "$1 ")
    .replace(/\\(?:var)?([A-Za-z]+)/g, "$1");
  const words = [];
  for (const word of plain.match(/[\p{L}\p{N}_]+/gu) || []) {
    for (const piece of word.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu)) {
      const signs = [...piece]; // rare ones are two units of a string
      if (!/\p{Script=Han}/u.test(piece) || signs.length === 1) words.push(piece);
      else for (let n = 0; n + 1 < signs.length; n++) words.push(signs[n] + signs[n + 1]);
    }
  }
  return words;
};

(() => {
  "use strict";
  if (typeof Search === "undefined" || Search.softalign) return;
  Search.softalign = true;
  // A page that is opened as a file may not read another one: no summaries there. Said in time:
  // the search waits for its index, which is loaded after this.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  const escape = (text) =>
    text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  // What a reader types and what a place is called, in one form.
  const simple = (text) =>
    text.trim()
      .replace(softalignStyle, "")
      .replace(/[\\{}$`\s()]+/g, " ")
      .replace(/\s*_\s*/g, "_")
      .trim();

  const KINDS = ["letter", "term", "page", "where it is defined", "in the library", "erratum",
    "module"];
  const DEFINED = 3;

  const match = (query, name) => {
    if (name === query) return 1000;
    const [a, b] = [query.toLowerCase(), name.toLowerCase()];
    if (a === b) return 900;
    const han = /\p{Script=Han}/u.test(a);
    if (a.length < 3 && !han) return 0;
    if (b.startsWith(a)) return 300 + (100 * a.length) / b.length;
    // the start of a word within, or Chinese anywhere
    const at = b.indexOf(a);
    const starts = han ? at >= 0 : at > 0 && /[\s._-]/.test(b[at - 1]);
    return starts ? 100 + (100 * a.length) / b.length : 0;
  };

  const found = (query) => {
    const asked = simple(query);
    const base = asked.replace(/_.*$/, "");
    const results = new Map();
    for (const [label, about, file, anchor, kind, names] of Search._index.finds || []) {
      let score = 0;
      const own = kind === DEFINED ? names[0] : label; // its own name before its other names
      for (const name of [own, ...names]) score = Math.max(score, match(asked, name));
      if (score && match(asked, own) === score) score += 20;
      // q_j is a q: the letter stands after what is called q_j itself
      if (!score && kind === 0 && base && base !== asked) {
        if ([label, ...names].includes(base)) score = 250;
      }
      if (!score) continue;
      score += KINDS.length - kind;
      const place = `${file}#${anchor}`;
      if (results.has(place) && results.get(place)[4] >= score) continue;
      const title = Search._index.titles[file];
      const what = about ? `${KINDS[kind]}: ${about}` : KINDS[kind];
      results.set(place, [
        Search._index.docnames[file],
        escape(label),
        anchor ? `#${anchor}` : "",
        escape(`${what} – ${title.replace(/<[^>]*>/g, "")}`),
        score,
        Search._index.filenames[file],
      ]);
    }
    return [...results.values()].sort((a, b) => a[4] - b[4]);
  };

  const perform = Search._performSearch;
  Search._performSearch = (query, ...rest) => {
    const own = found(query);
    const places = new Set(own.map((result) => result[0] + result[2]));
    // a term of the glossary is an entry of Sphinx's index too: shown once
    const others = perform(query, ...rest).filter(
      (result) => !result[2] || !places.has(result[0] + result[2]));
    return [...others, ...own.slice(-40)]; // the last is shown first
  };

  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parse(query);
    // Sphinx stems whatever it is given; names and other scripts are in the index as they are
    const terms = new Set();
    const stemmer = new Stemmer();
    for (const word of splitQuery(query.trim())) {
      const lower = word.toLowerCase();
      if (stopwords.includes(lower) || /^\d+$/.test(lower)) continue;
      terms.add(/^[a-z]+$/.test(lower) ? stemmer.stemWord(lower) : lower);
    }
    // what is marked: whole runs of Chinese, and no single Latin letter, which is everywhere
    const marked = new Set();
    for (const run of query.toLowerCase().match(/\p{Script=Han}+|[^\p{Script=Han}\s\\{}]+/gu) || []) {
      if (/^[\x00-\x7f]{1,2}$/.test(run) || stopwords.includes(run)) continue;
      marked.add(run);
    }
    if (SPHINX_HIGHLIGHT_ENABLED) {
      localStorage.setItem("sphinx_highlight_terms", [...marked].join(" "));
    }
    return [parsed[0], terms, parsed[2], marked, parsed[4]];
  };
})();
