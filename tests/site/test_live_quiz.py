"""The self-checks as readers meet them: answered by mouse and keyboard, remembered, counted."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache

import pytest
import quiz_files
from book_files import ROOT, SITE
from bs4 import BeautifulSoup

ASKED = quiz_files.pages()
# A page with all three kinds, on which everything is tried by hand.
PAGE = "book/prerequisites"
EVERYWHERE = ("quiz-memory.js", "quiz-pages.js", "quiz.css")
KEY = "soft-alignment-quiz"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Milliseconds that a page may take to come: on a busy machine, many.
PATIENCE = 120_000
every_page = pytest.mark.parametrize("name", ASKED)
browser = pytest.mark.browser


@cache
def questions(name):
    """The questions of a page, from its file."""
    found, wrong = quiz_files.read(quiz_files.path_of(name))
    assert not wrong
    return found


def of_kind(kind):
    """The first question of this kind on the page that is tried by hand, and its number."""
    return next((n, q) for n, q in enumerate(questions(PAGE)) if q["kind"] == kind)


def bare(text):
    """Letters and digits of a text: what stays the same when Markdown becomes HTML."""
    return re.sub(r"[\W_]+", "", text)


def shown(tag):
    """Letters and digits of a piece of the page, formulas by their source."""
    copy = BeautifulSoup(str(tag), "html.parser")
    for formula in copy.select(".katex"):
        formula.replace_with(formula.select_one("annotation").get_text())
    return bare(copy.get_text())


def reasons(question):
    """The reasons a question gives, in the order of the page."""
    if question["kind"] == "choice":
        return [option["because"] for option in question["options"]]
    if question["kind"] == "number":
        wrong = [mistake["because"] for mistake in question["wrong"]]
        return [question["because"], *wrong, question["otherwise"]]
    return [question["because"], *(step["because"] for step in question["steps"][1:])]


# --- the pages as files ---------------------------------------------------------------------------


@cache
def section(name):
    """The section of a page that asks, as text: a whole page takes a second to parse."""
    text = (SITE / f"{name}.html").read_text(encoding="utf-8")
    start = text.index('<section id="check-yourself">')
    return text[start : text.index("</section>", start) + len("</section>")]


@every_page
def test_a_page_has_the_questions_of_its_file(name):
    text = (SITE / f"{name}.html").read_text(encoding="utf-8")
    part = BeautifulSoup(section(name), "html.parser")
    following = text[text.index(section(name)) + len(section(name)) :].lstrip()
    assert following.startswith('<section id="exercises">')
    asked = part.select(".sa-question")
    assert [tag["id"] for tag in asked] == [f"quiz-{q['id']}" for q in questions(name)]
    for tag, question in zip(asked, questions(name), strict=True):
        assert shown(tag.select_one(".sa-ask")) == bare(question["ask"])
        folded = tag.select("details .sa-because")
        assert [shown(one) for one in folded] == [bare(text) for text in reasons(question)]
        assert f'id="{tag.select_one("a.sa-again")["href"].removeprefix("#")}"' in text
    assert re.search(r'<a class="[^"]*nav-link" href="#check-yourself">', text)


def test_pages_without_questions_have_no_section():
    for path in SITE.rglob("*.html"):
        name = path.relative_to(SITE).with_suffix("").as_posix()
        if name not in ASKED:
            assert "sa-question" not in path.read_text(encoding="utf-8"), name


def test_script_and_style_are_small():
    sizes = {
        name: len(gzip.compress((SITE / "_static" / name).read_bytes(), 6))
        for name in (*EVERYWHERE, "quiz.js")
    }
    print(sizes)
    assert all(size > 500 for size in sizes.values())
    assert sizes["quiz.js"] < 4_000
    assert sum(sizes[name] for name in EVERYWHERE) < 4_500
    for path in SITE.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SITE).with_suffix("").as_posix()
        assert ("_static/quiz.js" in text) == (name in ASKED), name


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def window(chromium, site_url):
    """A window with an empty memory, and how to open a page in it without its pictures."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.route(re.compile(r"\.(png|svg|woff2)(\?|$)"), lambda route: route.abort())
    context.set_default_timeout(PATIENCE)

    def visit(name=PAGE, page=None):
        if page is None:
            page = context.new_page()
            page.faults = []
            page.on("pageerror", lambda error: page.faults.append(str(error)))
            page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{site_url}/{name}.html", wait_until="domcontentloaded")
        page.wait_for_selector(".sa-live", state="attached")
        return page

    context.visit = visit
    yield context
    context.close()


def at(page, question):
    """A question on the page."""
    return page.locator(f"#quiz-{question['id']}")


def said(locator):
    """Letters and digits of what the page said to the answer, its verdict left out."""
    tag = BeautifulSoup(locator.locator(".sa-said").inner_html(), "html.parser")
    verdict = tag.find("strong")
    words = verdict.get_text() if verdict else ""
    if verdict:
        verdict.decompose()
    return words, shown(tag)


def check(locator):
    """Press the button."""
    locator.get_by_role("button", name="Check").click()


def answers(question):
    """Every answer that a question foresees: what is entered, whether it is right, the reason."""
    if question["kind"] == "choice":
        for place, option in enumerate(question["options"]):
            yield place, option.get("right", False), option["because"]
    elif question["kind"] == "number":
        yield str(question["answer"]), True, question["because"]
        for mistake in question["wrong"]:
            yield str(mistake["answer"]), False, mistake["because"]
        numbers = [question["answer"], *(mistake["answer"] for mistake in question["wrong"])]
        yield str(7 * max(map(abs, numbers)) + 1), False, question["otherwise"]
    else:
        count = len(question["steps"])
        yield list(range(count)), True, question["because"]
        for early in range(1, count):
            order = list(range(count))
            order[early - 1 : early + 1] = [early, early - 1]
            yield order, False, question["steps"][early]["because"]


# Gives the answers one by one, as a reader's clicks would, and returns what was said to each.
GIVE = """
(asked) => asked.map(([name, kind, answers]) => {
  const box = document.getElementById(name);
  const steps = () => [...box.querySelectorAll('.sa-steps li')];
  return answers.map((answer) => {
    if (kind === 'choice') box.querySelectorAll('.sa-option input')[answer].click();
    if (kind === 'number') box.querySelector('.sa-space input').value = answer;
    if (kind === 'order')
      answer.forEach((step, place) => {
        const now = () => steps().findIndex((item) => item.dataset.step == step);
        while (now() > place) steps()[now()].querySelector('button').click();
      });
    box.querySelector('button[type=submit]').click();
    return [box.dataset.state, box.querySelector('.sa-said').innerHTML];
  });
})
"""


@browser
def test_every_foreseen_answer_of_the_book_gets_its_reason(chromium, site_url):
    """The sections of all pages, as they were built, on one page: quicker than opening each."""
    sections = [section(name) for name in ASKED]
    scripts = "".join(
        f'<script src="_static/{name}"></script>'
        for name in ("quiz-pages.js", "quiz-memory.js", "quiz.js")
    )
    text = f"<!doctype html><html lang=en><body>{''.join(sections)}{scripts}"
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.route(
        f"{site_url}/all.html",
        lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=text),
    )
    page.goto(f"{site_url}/all.html")
    book = [question for name in ASKED for question in questions(name)]
    given = [[*answers(question)] for question in book]
    asked = [
        [f"quiz-{question['id']}", question["kind"], [answer for answer, _, _ in row]]
        for question, row in zip(book, given, strict=True)
    ]
    replies = page.evaluate(GIVE, asked)
    for question, row, heard in zip(book, given, replies, strict=True):
        for (answer, right, because), (state, html) in zip(row, heard, strict=True):
            tag = BeautifulSoup(html, "html.parser")
            tag.find("strong").decompose()
            assert (state == "right") == right, (question["id"], answer)
            assert shown(tag) == bare(because), (question["id"], answer)
    known = page.evaluate("JSON.parse(localStorage.getItem('soft-alignment-quiz'))")
    assert {key: value[0] for key, value in known.items()} == {
        quiz_files.digest(question): 1 for question in book
    }
    assert faults == []
    context.close()


@browser
def test_a_choice_by_mouse(window):
    page = window.visit()
    _, question = of_kind("choice")
    box = at(page, question)
    check(box)
    assert box.locator(".sa-said").inner_text() == "Choose one of the options first."
    for option in sorted(question["options"], key=lambda option: option.get("right", False)):
        place = question["options"].index(option)
        box.locator(".sa-option").nth(place).click()
        assert box.locator(".sa-said").inner_text() == ""
        check(box)
        words, because = said(box)
        assert because == bare(option["because"])
        assert words == ("✓ Right." if option.get("right") else "✗ Not yet.")
        again = box.locator(".sa-next")
        assert again.is_visible() == (not option.get("right"))
    assert box.locator(".sa-nth").inner_text().endswith("answered right")
    box.locator("summary").click()
    assert box.locator("details .sa-because").count() == len(question["options"])
    assert box.locator("details .sa-because").first.is_visible()


@browser
def test_a_choice_by_keyboard(window):
    page = window.visit()
    _, question = of_kind("choice")
    box = at(page, question)
    right = next(n for n, option in enumerate(question["options"]) if option.get("right"))
    box.locator("input").first.focus()
    page.keyboard.press("Space")
    for _ in range(right):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    page.keyboard.press("Enter")
    assert said(box) == ("✓ Right.", bare(question["options"][right]["because"]))
    assert page.evaluate("document.activeElement.textContent") == "Check"


@browser
def test_a_wrong_answer_leads_back_into_the_page(window):
    page = window.visit()
    _, question = of_kind("choice")
    box = at(page, question)
    wrong = next(n for n, option in enumerate(question["options"]) if not option.get("right"))
    box.locator("input").nth(wrong).check()
    check(box)
    box.locator(".sa-next a").click()
    assert page.evaluate("location.hash") == f"#{question['about']}"
    top = page.evaluate(f"document.getElementById('{question['about']}').getBoundingClientRect().y")
    assert -50 < top < 450


@browser
def test_a_number_is_read_as_people_write_it(window):
    page = window.visit()
    _, question = of_kind("number")
    box = at(page, question)
    field = box.get_by_label("Your number")

    def say(text):
        field.fill(text)
        field.press("Enter")
        return box.get_attribute("data-state"), box.locator(".sa-said").inner_text()

    answer = question["answer"]
    text = str(answer)
    assert 0 < answer < 1
    for good in (
        text,
        text.removeprefix("0"),
        text.replace(".", ","),
        f"  +{text} ",
        f"{round(answer * 1000)}/1000",
        f"{round(answer * 1000)} / 1 000",
        f"{answer * 100:g} %",
        f"{answer * 100:g}%",
        f"{answer * 100:g} per cent",
        f"{answer * 10:g}e-1",
    ):
        state, words = say(good)
        assert state == "right", (good, words)
        assert field.get_attribute("aria-invalid") == "false"
    for bad in ("abc", "1.2.3", "1/0", "1/2/3", "1 1/2", "12 bits", "--1", "%", "Infinity", "0x1"):
        state, words = say(bad)
        assert state == "problem", (bad, words)
        assert words == f"“{bad}” is not a number: write it like 0.5, 1/2 or 50 %."
        assert field.get_attribute("aria-invalid") == "true"
        field.fill("")  # what is being typed is not wrong yet
        assert field.get_attribute("aria-invalid") is None
    assert say("") == ("problem", "Type a number first.")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    state, _ = say(str(answer + 2 * question["within"]))
    assert state == "wrong"
    assert said(box) == ("✗ Not yet.", bare(question["otherwise"]))
    assert say(f"−{text}")[0] == "wrong"


@browser
@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_an_order_is_made_with_two_buttons_a_step(window, by):
    page = window.visit()
    _, question = of_kind("order")
    box = at(page, question)
    steps = box.locator(".sa-steps li")
    count = len(question["steps"])
    start = [int(steps.nth(n).get_attribute("data-step")) for n in range(count)]
    assert start == quiz_files.shuffled(question)
    check(box)
    early = next(s for s in range(1, count) if start.index(s) < start.index(s - 1))
    words, because = said(box)
    assert because == bare(question["steps"][early]["because"])
    assert re.fullmatch(r"✗ Not yet\. [A-F] stands before [A-F]\.", words)
    for place in range(count):
        item = box.locator(f".sa-steps li[data-step='{place}']")
        letter = item.locator(".sa-which").inner_text()
        up = item.get_by_role("button", name=f"Move {letter} up")
        while box.locator(f".sa-steps li[data-step='{place}'] ~ li").count() + place + 1 < count:
            if by == "mouse":
                up.click()
            else:
                up.focus()
                page.keyboard.press("Space")
                # the focus stays on the step that moved, for the next press
                name = page.evaluate("document.activeElement.getAttribute('aria-label')")
                assert name == f"Move {letter} up"
            now = count - box.locator(f".sa-steps li[data-step='{place}'] ~ li").count()
            told = box.locator("p[role=status]").text_content()
            assert told == f"{letter} is now {now} of {count}."
            assert box.locator(".sa-said").inner_text() == ""
        if place == 0:
            assert up.get_attribute("aria-disabled") == "true"
    check(box)
    assert said(box) == ("✓ Right.", bare(question["because"]))


def count_of(page):
    """The count beside the current page in the sidebar, and the total."""
    link = page.locator(".bd-sidebar-primary nav.bd-links a.current").last
    total = page.locator(".sa-total")
    return (
        link.locator(".sa-count").all_text_contents(),
        link.locator(".sa-unseen").all_text_contents(),
        total.all_text_contents(),
    )


@browser
def test_answers_are_remembered_counted_and_forgotten(window):
    page = window.visit()
    here, book = len(questions(PAGE)), sum(len(questions(name)) for name in ASKED)
    assert count_of(page) == ([], [], [])
    _, one = of_kind("choice")
    _, two = of_kind("number")
    lines = """() => {
      const nav = document.querySelector('.bd-sidebar-primary nav.bd-links');
      const top = nav.getBoundingClientRect().y;
      const boxes = [...nav.querySelectorAll('li, a')].map((e) => e.getBoundingClientRect());
      return boxes.map((box) => [Math.round(box.y - top), box.height]);
    }"""
    before = page.evaluate(lines)
    for option in (o for o in one["options"] if not o.get("right")):
        at(page, one).locator("input").nth(one["options"].index(option)).check()
        check(at(page, one))
    assert count_of(page)[0] == [f"0/{here}"]
    at(page, two).get_by_label("Your number").fill(str(two["answer"]))
    check(at(page, two))
    assert count_of(page) == (
        [f"1/{here}"],
        [f", 1 of {here} questions answered right"],
        [f"Check yourself: 1 of {book} questions answered right"],
    )
    assert page.evaluate(lines) == before, "a count moved the lines of the sidebar"
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".sa-live", state="attached")
    assert count_of(page)[0] == [f"1/{here}"]
    assert at(page, two).get_by_label("Your number").input_value() == str(two["answer"])
    assert said(at(page, two)) == ("✓ Right.", bare(two["because"]))
    assert at(page, one).get_attribute("data-state") == "wrong"
    other = window.visit("book/corpus")
    link = other.locator(f".bd-links a[href$='{PAGE.split('/')[1]}.html']")
    assert link.locator(".sa-count").inner_text() == f"1/{here}"
    # a right answer stays counted while its reader looks what the other options say
    at(page, two).get_by_label("Your number").fill("7")
    check(at(page, two))
    assert count_of(page)[0] == [f"1/{here}"]
    page.get_by_role("button", name="Forget all my answers").click()
    assert count_of(page) == ([], [], [])
    assert page.locator(".sa-keep [role=status]").inner_text().strip() == (
        "All answers are forgotten."
    )
    assert at(page, two).get_by_label("Your number").input_value() == ""
    assert page.locator(".sa-quiz input:checked").count() == 0
    assert page.evaluate(f"localStorage.getItem('{KEY}')") is None
    other.wait_for_function("!document.querySelector('.sa-count')")  # the other tab heard of it
    assert page.faults == []


@browser
def test_a_changed_question_and_a_spoilt_memory_are_forgotten(window):
    _, question = of_kind("number")
    changed = dict(question, ask=question["ask"] + " Really?")
    kept = json.dumps({quiz_files.digest(changed): [1, str(question["answer"])]})
    for text in (kept, "{", "null", "[1", '{"x": 3}', "7"):
        window.add_init_script(f"localStorage.setItem('{KEY}', {json.dumps(text)})")
        page = window.visit()
        assert page.faults == []
        assert count_of(page) == ([], [], [])
        assert at(page, question).get_by_label("Your number").input_value() == ""
        page.close()
    odd = json.dumps({quiz_files.digest(q): [0, {"odd": []}] for q in questions(PAGE)})
    window.add_init_script(f"localStorage.setItem('{KEY}', {json.dumps(odd)})")
    page = window.visit()
    assert page.faults == []
    assert page.locator(".sa-question").count() == len(questions(PAGE))


@browser
def test_it_works_without_storage_and_from_a_folder(window):
    window.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        "{ get() { throw new Error('storage is off'); } })"
    )
    page = window.visit()
    page.goto((SITE / f"{PAGE}.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_selector(".sa-live", state="attached")
    _, question = of_kind("number")
    at(page, question).get_by_label("Your number").fill(str(question["answer"]))
    check(at(page, question))
    assert said(at(page, question)) == ("✓ Right.", bare(question["because"]))
    assert count_of(page)[0] == [f"1/{len(questions(PAGE))}"]
    assert "keeps nothing" in page.locator(".sa-keep").inner_text()
    page.get_by_role("button", name="Forget all my answers").click()
    assert count_of(page) == ([], [], [])
    assert [fault for fault in page.faults if "storage is off" not in fault] == []


@browser
def test_without_scripts_the_answers_are_folded_and_on_paper_they_are_apart(chromium, site_url):
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{site_url}/{PAGE}.html")
    for question in questions(PAGE):
        box = at(page, question)
        assert box.locator(".sa-ask").is_visible()
        because = box.locator("details .sa-because").first
        assert not because.is_visible()
        box.locator("summary").click()
        assert because.is_visible()
        assert box.locator("button, input").count() == 0
    assert not page.locator(".sa-key").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".sa-key").is_visible()
    assert page.locator(".sa-ask").first.is_visible()
    assert not page.locator(".sa-answer").first.is_visible()
    context.close()


@browser
def test_paper_does_not_show_what_somebody_answered(window):
    page = window.visit()
    rows = [[f"quiz-{q['id']}", q["kind"], [next(answers(q))[0]]] for q in questions(PAGE)]
    page.evaluate(GIVE, rows)
    page.emulate_media(media="print")
    for hidden in (".sa-said", ".sa-done", ".sa-answer", ".sa-quiz button", ".sa-option input"):
        for one in page.locator(hidden).all():
            assert not one.is_visible(), hidden
    _, question = of_kind("order")
    items = at(page, question).locator(".sa-steps li").all()
    placed = sorted(items, key=lambda item: item.bounding_box()["y"])
    letters = [item.locator(".sa-which").inner_text() for item in placed]
    assert letters == sorted(letters), "on paper the steps stand as they were shuffled"


@browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_in_every_state(chromium, site_url, theme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{site_url}/{PAGE}.html", wait_until="domcontentloaded")
    page.wait_for_selector(".sa-live", state="attached")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for state in ("fresh", "right", "wrong", "problem"):
        rows = []
        for question in questions(PAGE):
            fitting = [a for a, right, _ in answers(question) if right == (state == "right")]
            rows.append([f"quiz-{question['id']}", question["kind"], fitting[:1]])
            if state == "problem" and question["kind"] == "number":
                rows[-1][2] = ["abc"]
        if state != "fresh":
            replies = page.evaluate(GIVE, rows)
            assert state in {reply[0][0] for reply in replies}
        found = page.evaluate(
            "axe.run('#check-yourself, .bd-sidebar-primary nav', {runOnly: "
            "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        faults = [
            (fault["id"], node["html"][:120])
            for fault in found["violations"]
            for node in fault["nodes"]
        ]
        assert faults == []
        small = page.eval_on_selector_all(
            ".sa-quiz :is(button, summary, .sa-option, .sa-space input)",
            "all => all.filter(e => e.offsetParent && (e.offsetWidth < 24 || e.offsetHeight < 24))"
            ".map(e => e.outerHTML.slice(0, 80))",
        )
        assert small == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    context.close()
