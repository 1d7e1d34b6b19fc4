/* Definitions beside terms and letters, and keys. A plain script without a framework; it works from
   a file. Without it every link still leads to the glossary or to the registry of notation. */
(() => {
  "use strict";

  // --- definitions ------------------------------------------------------------------------------

  const data = document.getElementById("sa-meanings");
  const meanings = data ? JSON.parse(data.textContent) : {};
  const PLACES = ".sa-letter, .sa-term, a.reference[href*='#term-']";
  const SOON = 120; // milliseconds to cross from a word to its definition, or to pass over it
  let tip = null;
  let owner = null; // what the definition that is shown belongs to
  let timer = 0;
  let touched = false;

  const place = (target) => {
    const element = target instanceof Element ? target.closest(PLACES) : null;
    return element && meanings[key(element)] ? element : null;
  };

  const key = (element) => {
    if (element.dataset.letter) return element.dataset.letter;
    return decodeURIComponent(element.hash.slice(1));
  };

  const later = (action) => {
    clearTimeout(timer);
    timer = setTimeout(action, SOON);
  };

  const show = (element) => {
    clearTimeout(timer);
    if (owner === element) return;
    hide();
    if (!tip) {
      tip = document.createElement("div");
      tip.id = "sa-tip";
      tip.setAttribute("role", "tooltip");
      tip.addEventListener("pointerenter", () => clearTimeout(timer));
      tip.addEventListener("pointerleave", () => later(hide));
      document.body.append(tip);
    }
    tip.innerHTML = meanings[key(element)];
    tip.hidden = false;
    owner = element;
    owner.setAttribute("aria-describedby", tip.id);
    // below the word, or above it where the window ends; never over it
    const rects = [...element.getClientRects()];
    const word = rects[0] || element.getBoundingClientRect();
    const last = rects[rects.length - 1] || word;
    const wide = document.documentElement.clientWidth;
    const high = document.documentElement.clientHeight;
    const left = Math.max(8, Math.min(word.left, wide - tip.offsetWidth - 8));
    const below = last.bottom + 4;
    const above = word.top - 4 - tip.offsetHeight;
    const top = below + tip.offsetHeight > high && above > 0 ? above : below;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${top + window.scrollY}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    if (!owner) return;
    owner.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  };

  if (data) {
    document.addEventListener("pointerover", (event) => {
      const element = event.pointerType === "touch" ? null : place(event.target);
      if (element && element !== owner) later(() => show(element));
      else if (element) clearTimeout(timer);
    });
    document.addEventListener("pointerout", (event) => {
      const element = event.pointerType === "touch" ? null : place(event.target);
      if (!element || element.contains(event.relatedTarget)) return;
      if (element !== document.activeElement) later(hide);
      else if (owner !== element) clearTimeout(timer);
    });
    document.addEventListener("focusin", (event) => {
      const element = place(event.target);
      if (element && !touched) show(element);
    });
    document.addEventListener("focusout", (event) => {
      if (event.target === owner) hide();
    });
    document.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch";
      if (owner && !owner.contains(event.target) && !tip.contains(event.target)) hide();
    }, true);
    document.addEventListener("keydown", () => (touched = false), true);
    document.addEventListener("click", (event) => {
      const element = place(event.target);
      if (!element || !touched || element === owner) return;
      event.preventDefault(); // the first tap shows the definition, the second follows the link
      show(element);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !owner) return;
      hide();
      event.stopPropagation();
    }, true);
  }

  // --- keys -------------------------------------------------------------------------------------

  const OFF = "softalign single keys off";
  const modifier = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
  const KEYS = [
    [["/"], "search", () => document.querySelector(".search-button__button")?.click()],
    [["n"], "next page", () => follow("next")],
    [["p"], "previous page", () => follow("prev")],
    [["t"], "light, dark or the system's theme", () =>
      document.querySelector(".theme-switch-button")?.click()],
    [["?"], "this list", () => list()],
  ];
  const ALWAYS = [
    [[modifier, "K"], "search"],
    [["Esc"], "closes the search, this list, or a definition; unmarks what a search has marked"],
    [["Tab"], "next link or control; the definition of a term or letter then shows"],
  ];
  // where letters are typed, or where keys work something of their own
  const BUSY = [
    "input", "textarea", "select", "dialog", "[contenteditable]", "audio", "video",
    ".sa-interactive", "[role=slider]", "[role=listbox]", "[role=combobox]", "[role=textbox]",
    "[role=radiogroup]", "[role=menu]", "[role=application]",
  ].join();

  const stored = () => {
    try {
      return localStorage.getItem(OFF);
    } catch {
      return null; // a browser that stores nothing: the keys are on
    }
  };

  const store = (off) => {
    try {
      if (off) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
    } catch { /* as above */ }
  };

  const follow = (rel) => {
    const link = document.querySelector(`link[rel="${rel}"]`);
    if (link && link.href) location.href = link.href;
  };

  const list = () => {
    let dialog = document.getElementById("sa-keys");
    if (!dialog) {
      const row = ([keys, text]) => {
        const names = keys.map((name) => `<kbd>${name}</kbd>`).join(" + ");
        return `<tr><th scope="row">${names}</th><td>${text}</td></tr>`;
      };
      dialog = document.createElement("dialog");
      dialog.id = "sa-keys";
      dialog.setAttribute("aria-labelledby", "sa-keys-title");
      dialog.innerHTML =
        `<h2 id="sa-keys-title">Keyboard shortcuts</h2>` +
        `<table><tbody>${[...KEYS, ...ALWAYS].map(row).join("")}</tbody></table>` +
        `<label><input type="checkbox"> Shortcuts of one key: the first ${KEYS.length}</label>` +
        `<button type="button">Close</button>`;
      const box = dialog.querySelector("input");
      box.checked = !stored();
      box.addEventListener("change", () => store(!box.checked));
      dialog.querySelector("button").addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
      document.body.append(dialog);
    }
    hide();
    if (!dialog.open) dialog.showModal();
  };

  // before the theme's own listeners, whose "/" could not be switched off
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const found = KEYS.find(([keys]) => keys.includes(event.key));
    const target = event.target instanceof Element ? event.target : document.body;
    if (!found || target.closest(BUSY) || document.querySelector("dialog[open]")) return;
    event.stopImmediatePropagation();
    if (stored()) return;
    event.preventDefault();
    if (!event.repeat) found[2]();
  }, true);

  // a browser closes a dialog itself, but not when the keyboard has left it for the browser's bar
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.getElementById("sa-keys")?.close();
  });

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".btn-shortcuts-button")) list();
  });
})();
