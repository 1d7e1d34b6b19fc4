/* Self-checks: makes the questions of a page something to answer. Without this script each still has
   its answer, folded; every word about an answer is taken from there. */
(() => {
  "use strict";
  const memory = window.softalignMemory;

  // --- small helpers ----------------------------------------------------------------------------

  function make(tag, properties, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  const copies = (element) => [...element.cloneNode(true).childNodes];

  // --- numbers ----------------------------------------------------------------------------------

  /* What a text can mean as a number: nothing, one number, or two ("1,234" is read both ways). */
  function numbers(text, inPercent) {
    let plain = text.trim().replace(/[−–]/g, "-").replace(/per ?cent$/i, "%");
    plain = plain.replace(/(\d)[\s_'’](?=\d{3}(?!\d))/g, "$1").replace(/\s*([/%])\s*/g, "$1");
    const percent = plain.endsWith("%");
    if (percent) plain = plain.slice(0, -1);
    const simple = (word) => {
      const ways = [];
      if (/^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(word)) ways.push(word.replace(/,/g, ""));
      if (!word.includes(".")) word = word.replace(",", ".");
      if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word)) ways.unshift(word);
      return ways.map(Number);
    };
    const parts = plain.split("/");
    let ways = simple(parts[0]);
    if (parts.length === 2) ways = ways.flatMap((a) => simple(parts[1]).map((b) => a / b));
    if (parts.length > 2) ways = [];
    return ways.filter(Number.isFinite).map((way) => (percent && !inPercent ? way / 100 : way));
  }

  // --- the three kinds: each shows its controls, reads them, sets them, and judges what it read ---

  const reasons = (question) => [...question.querySelectorAll(".sa-answer li")];

  function choice(question) {
    const old = question.querySelector(".sa-options");
    const options = [...old.children].map((item, nth) =>
      make(
        "label",
        { className: "sa-option" },
        make("input", { type: "radio", name: question.id, value: nth }),
        ...copies(item),
      ),
    );
    const group = { className: "sa-options", role: "radiogroup" };
    const shown = make("div", { ...group, "aria-labelledby": `${question.id}-ask` }, ...options);
    old.replaceWith(shown);
    const inputs = [...shown.querySelectorAll("input")];
    return {
      shown,
      focus: () => inputs[0].focus(),
      read: () => inputs.findIndex((input) => input.checked),
      set: (answer) => inputs.forEach((input, nth) => (input.checked = nth === answer)),
      problem: (answer) => (answer < 0 ? "Choose one of the options first." : ""),
      judge: (answer) => reasons(question)[answer],
    };
  }

  function number(question) {
    const { answer: right, within, percent } = question.dataset;
    const input = make("input", { type: "text", autocomplete: "off", spellcheck: false, size: 12 });
    input.setAttribute("aria-describedby", `${question.id}-ask ${question.id}-said`);
    const old = question.querySelector(".sa-space");
    const shown = make("label", { className: "sa-space" }, ...copies(old), " ", input);
    old.replaceWith(shown);
    input.addEventListener("input", () => input.removeAttribute("aria-invalid"));
    const near = (a, b) => Math.abs(a - b) <= Number(within) + 1e-9 * Math.max(1, Math.abs(b));
    return {
      shown,
      focus: () => input.focus(),
      read: () => input.value.trim(),
      set: (answer) => {
        input.value = typeof answer === "string" ? answer : "";
        input.removeAttribute("aria-invalid");
      },
      problem: (answer) => {
        const bad = !numbers(answer, percent !== undefined).length;
        input.setAttribute("aria-invalid", bad);
        if (!answer) return "Type a number first.";
        return bad ? `“${answer}” is not a number: write it like 0.5, 1/2 or 50 %.` : "";
      },
      judge: (answer) => {
        const ways = numbers(answer, percent !== undefined);
        const hit = (value) => ways.some((way) => near(way, Number(value)));
        const all = reasons(question);
        if (hit(right)) return all.find((item) => "right" in item.dataset);
        const mistakes = all.filter((item) => item.dataset.number && hit(item.dataset.number));
        const far = (item) => Math.min(...ways.map((way) => Math.abs(way - item.dataset.number)));
        mistakes.sort((a, b) => far(a) - far(b));
        return mistakes[0] || all.find((item) => "otherwise" in item.dataset);
      },
    };
  }

  function order(question) {
    const shown = question.querySelector(".sa-steps");
    const steps = [...shown.children];
    const first = [...steps];
    const news = make("p", { className: "sa-unseen", role: "status" });
    const letter = (item) => item.querySelector(".sa-which").textContent;
    const current = () => [...shown.children];
    function mark() {
      current().forEach((item, nth) => {
        const [up, down] = item.querySelectorAll("button");
        up.setAttribute("aria-disabled", nth === 0);
        down.setAttribute("aria-disabled", nth === steps.length - 1);
      });
    }
    function move(item, up) {
      // it is the neighbour that is moved: the step keeps the keyboard's focus
      const neighbour = up ? item.previousElementSibling : item.nextElementSibling;
      if (!neighbour) return;
      if (up) item.after(neighbour);
      else item.before(neighbour);
      mark();
      news.textContent = `${letter(item)} is now ${current().indexOf(item) + 1} of ${steps.length}.`;
      shown.dispatchEvent(new Event("input", { bubbles: true }));
    }
    for (const item of steps) {
      const button = (up, sign) =>
        make("button", {
          type: "button",
          textContent: sign,
          onclick: () => move(item, up),
          "aria-label": `Move ${letter(item)} ${up ? "up" : "down"}`,
        });
      item.append(make("span", { className: "sa-moves" }, button(true, "▲"), button(false, "▼")));
    }
    mark();
    const whole = make("div", {});
    shown.replaceWith(whole);
    whole.append(shown, news);
    return {
      shown: whole,
      focus: () => steps[0].querySelector("button").focus(),
      read: () => current().map((item) => Number(item.dataset.step)),
      set: (answer) => {
        const valid = Array.isArray(answer) && answer.length === steps.length;
        const wanted = valid ? answer.map((n) => steps.find((s) => s.dataset.step == n)) : first;
        shown.append(...(wanted.every(Boolean) ? wanted : first));
        mark();
      },
      problem: () => "",
      judge: (answer) => {
        const early = answer
          .map((_, step) => step)
          .find((step) => step > 0 && answer.indexOf(step) < answer.indexOf(step - 1));
        const found = (item) =>
          early === undefined ? "right" in item.dataset : item.dataset.step == early;
        return reasons(question).find(found);
      },
      aside: (answer, item) => {
        const of = (step) => letter(steps.find((s) => s.dataset.step == step));
        return ` ${of(item.dataset.step)} stands before ${of(item.dataset.step - 1)}.`;
      },
    };
  }

  // --- a question -------------------------------------------------------------------------------

  function bring(question) {
    const { kind, digest } = question.dataset;
    const control = { choice, number, order }[kind](question);
    const folded = question.querySelector(".sa-answer");
    const nth = question.querySelector(".sa-nth");
    const done = make("span", { className: "sa-done" });
    const said = make("div", { className: "sa-said", id: `${question.id}-said`, role: "status" });
    const link = question.querySelector(".sa-again").cloneNode(true);
    const again = make("p", { className: "sa-next", hidden: true }, "Try again, or ", link);
    link.firstChild.textContent = link.firstChild.textContent.replace("Read", "read");
    const button = make("button", { type: "submit", textContent: "Check" });
    button.setAttribute("aria-describedby", nth.id);
    const form = make("form", { noValidate: true });
    control.shown.replaceWith(form);
    form.append(control.shown, make("p", { className: "sa-act" }, button), said, again);
    nth.append(done);
    folded.hidden = true;

    function say(state, ...words) {
      question.dataset.state = state;
      said.replaceChildren(...words);
      again.hidden = state !== "wrong";
    }
    function judge(answer) {
      const item = control.judge(answer);
      if (!item) return undefined; // a remembered answer that does not fit
      const right = "right" in item.dataset;
      const aside = !right && control.aside ? control.aside(answer, item) : "";
      const verdict = make("strong", { textContent: right ? "✓ Right." : `✗ Not yet.${aside}` });
      say(right ? "right" : "wrong", verdict, ...copies(item.querySelector(".sa-because")));
      folded.hidden = false;
      return right;
    }
    const mark = () => (done.textContent = (memory.of(digest) || [])[0] ? " ✓ answered right" : "");

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = control.read();
      const problem = control.problem(answer);
      if (problem) {
        say("problem", make("p", { textContent: problem }));
        control.focus();
        return;
      }
      memory.remember(digest, judge(answer), answer);
      mark();
    });
    // what was said was about another answer
    form.addEventListener("input", () => question.dataset.state && say(""));

    return function restore() {
      say("");
      folded.hidden = true;
      folded.open = false;
      const stored = memory.of(digest);
      control.set(stored ? stored[1] : undefined);
      if (stored && !control.problem(control.read())) judge(control.read());
      mark();
    };
  }

  function bringAll(quiz) {
    const restores = [...quiz.querySelectorAll(".sa-question")].map(bring);
    const note = make("span", {});
    const button = make("button", { type: "button", textContent: "Forget all my answers" });
    const said = make("span", { role: "status" });
    const restore = () => {
      restores.forEach((one) => one());
      note.textContent = memory.keeps()
        ? "Your answers, on all pages, are kept in this browser and nowhere else. "
        : "This browser keeps nothing for this page: your answers last until you leave it. ";
    };
    button.addEventListener("click", () => {
      if (!confirm("Forget your answers on all pages of the book?")) return;
      memory.forget();
      restore();
      said.textContent = " All answers are forgotten.";
    });
    quiz.append(make("p", { className: "sa-keep" }, note, button, said));
    quiz.classList.add("sa-live");
    restore();
  }

  document.querySelectorAll(".sa-quiz").forEach(bringAll);
})();
