"""The figure of EM in a browser: what it shows is what Model 1 computes."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import controls_in_reach

from softalign.ibm import index, train_ibm1
from softalign.interactive.alignment import em_figure

pytestmark = pytest.mark.browser

TOY = [
    (["买", "书"], ["buy", "books"], ["mǎi", "shū"]),
    (["买", "花", "买"], ["buy", "flowers"], ["mǎi", "huā", "mǎi"]),
    (["书"], ["books", "books"], ["shū"]),
]
SIDES = [pair[:2] for pair in TOY]
LONG = [
    (["我", "昨天", "买", "了", "一", "本", "书"], ["yesterday", "I", "bought", "a", "book"]),
    (["我", "看", "了"], ["I", "read", "it"]),
]
GIVEN = [None, "买", "书", "花"]
ROUNDS = 12


@pytest.fixture(scope="module")
def models():
    """Model 1, with NULL, after each round and one more."""
    bitext = index(SIDES)
    return [train_ibm1(bitext, k) for k in range(ROUNDS + 2)]


@pytest.fixture
def opened(alone):
    """Open the figure; returns the page."""

    def open_(pairs=TOY, **options):
        return alone(lambda: em_figure(pairs, ROUNDS, follow="书"), **options)

    return open_


def go(page, steps):
    """As many rounds on, by the keyboard."""
    page.get_by_label("Round", exact=True).focus()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")


def lines(page):
    """Posteriors that the lines carry, and their widths, both of shape (tgt, src)."""
    found = page.locator("line").evaluate_all(
        "all => all.map(a => [a.dataset.target, a.dataset.source, a.dataset.value,"
        " a.getAttribute('stroke-width')].map(Number))"
    )
    shares = {(int(j), int(i)): (value, width) for j, i, value, width in found}
    shape = max(j for j, _ in shares) + 1, max(i for _, i in shares) + 1
    assert len(shares) == shape[0] * shape[1]
    both = np.array([[shares[j, i] for i in range(shape[1])] for j in range(shape[0])])
    return both[..., 0], both[..., 1]


def table(page, region):
    """Values that the cells of a table carry, what they print, and names of rows and columns."""
    cells = (
        page.get_by_role("region", name=region)
        .locator("tbody tr")
        .evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('td')].map(c => "
            "[Number(c.dataset.value), c.textContent]))"
        )
    )
    names = [
        [name.split("\n")[0] for name in
         page.get_by_role("region", name=region).locator(f"{part} th").all_inner_texts()]
        for part in ("tbody", "thead")
    ]  # fmt: skip
    return (
        np.array([[v for v, _ in row] for row in cells]),
        [[t for _, t in r] for r in cells],
        names,
    )


def said(page):
    return page.locator(".sa-says").inner_text()


def test_the_links_of_every_round_are_the_posteriors_by_keyboard_and_mouse(opened, models):
    page = opened()
    on = page.get_by_label("Round: one on")
    for k in range(ROUNDS + 1):
        expected = models[k].posterior(*SIDES[0])
        shares, widths = lines(page)
        np.testing.assert_allclose(shares, expected, atol=1e-6)
        np.testing.assert_allclose(widths, 12 * expected, atol=1e-5)
        values, printed, names = table(page, "Table of the links")
        np.testing.assert_allclose(values, expected, atol=1e-6)
        assert printed == [[f"{share:.2f}" for share in row] for row in expected]
        assert names == [["buy", "books"], ["NULL", "买", "书"]]
        (on.click() if k % 2 else go(page, 1))
    page.get_by_label("Round: one back").click()
    shares, _ = lines(page)
    np.testing.assert_allclose(shares, models[ROUNDS - 1].posterior(*SIDES[0]), atol=1e-6)


def test_each_line_joins_the_words_that_it_is_about(opened):
    page = opened()
    page.get_by_label("Pair", exact=True).select_option(index=1)
    words = page.locator("[aria-label=Links] svg text[lang=zh], [aria-label=Links] svg text")
    places = {}
    for text in words.all():
        places.setdefault(text.text_content(), []).append(
            (float(text.get_attribute("x")), float(text.get_attribute("y")))
        )
    upper = [places["NULL"][0], places["买"][0], places["花"][0], places["买"][1]]
    lower = [places["buy"][0], places["flowers"][0]]
    upper[1], upper[3] = sorted([upper[1], upper[3]])
    for line in page.locator("line").all():
        x1, x2, y1, y2, i, j = (
            float(line.get_attribute(name))
            for name in ("x1", "x2", "y1", "y2", "data-source", "data-target")
        )
        assert x1 == upper[int(i)][0]
        assert x2 == lower[int(j)][0]
        assert upper[int(i)][1] < y1 < y2 < lower[int(j)][1]


def test_another_pair_is_chosen_by_keyboard(opened, models):
    page = opened()
    go(page, 3)
    page.get_by_label("Pair", exact=True).focus()
    for p in (1, 2):
        page.keyboard.press("ArrowDown")
        expected = models[3].posterior(*SIDES[p])
        np.testing.assert_allclose(lines(page)[0], expected, atol=1e-6)
        np.testing.assert_allclose(table(page, "Table of the links")[0], expected, atol=1e-6)
    assert said(page).startswith("Round 3, pair 3: books from 书 ")


def test_the_table_has_the_words_of_the_pair_and_what_is_left_for_others(opened, models):
    page = opened()
    go(page, 2)
    for p, (rows, columns) in enumerate(
        [
            ([None, "买", "书"], ["buy", "books"]),
            ([None, "买", "花"], ["buy", "flowers"]),
            ([None, "书"], ["books"]),
        ]
    ):
        page.get_by_label("Pair", exact=True).select_option(index=p)
        values, _, names = table(page, "Table of translations")
        theta = models[2].table
        expected = np.array([[theta[y, x] for y in columns] for x in rows])
        np.testing.assert_allclose(values[:, :-1], expected, atol=1e-6)
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)
        assert names == [[x or "NULL" for x in rows], [*columns, "other words"]]


def test_the_counts_of_a_word_come_from_the_pairs_and_make_its_next_row(opened, models):
    page = opened()
    for k in (0, 4, ROUNDS):
        page.get_by_label("Round", exact=True).fill(str(k))
        for option, x in enumerate([*GIVEN[1:], None]):
            page.get_by_label("Expected counts of").select_option(index=option)
            values, _, (rows, columns) = table(page, "Expected counts")
            assert rows == ["pair 1", "pair 2", "pair 3", "together", "next θ"]
            assert columns[-1] == "sum"
            for p, (source, target) in enumerate(SIDES):
                links = models[k].posterior(source, target)
                expected = [
                    sum(links[j, i] for i, other in enumerate([None, *source]) if other == x
                        for j, word in enumerate(target) if word == y)
                    for y in columns[:-1]
                ]  # fmt: skip
                np.testing.assert_allclose(values[p, :-1], expected, atol=1e-6)
            np.testing.assert_allclose(values[3], values[:3].sum(axis=0), atol=1e-6)
            following = models[k + 1].table.row(x)
            assert set(columns[:-1]) == set(following)
            expected = [following[y] for y in columns[:-1]]
            np.testing.assert_allclose(values[4, :-1], expected, atol=1e-6)
            np.testing.assert_allclose(values[:, -1], values[:, :-1].sum(axis=1), atol=1e-6)


def test_the_likelihood_so_far_is_drawn_and_said(opened, models):
    heights = models[-1].log_likelihoods
    page = opened()
    go(page, 4)
    drawn = page.locator("circle").evaluate_all(
        "all => all.map(a => [a.dataset.value, a.getAttribute('cx'), a.getAttribute('cy')]"
        ".map(Number))"
    )
    values, x, y = np.array(drawn).T
    np.testing.assert_allclose(values, heights[:5], atol=1e-6)
    assert np.diff(x).min() > 0
    slope = np.polyfit(values, y, 1)[0]
    assert slope < 0  # higher up for more
    np.testing.assert_allclose(np.diff(y), slope * np.diff(values), atol=1e-3)
    height = f"{heights[4]:.2f}".replace("-", "−")
    perplexity = np.exp(-heights[4] / 6)
    assert said(page).endswith(f"Log-likelihood {height} nats, perplexity {perplexity:.2f} a word.")
    assert f"{height} in round 4" in page.locator("[aria-label=Likelihood] svg").get_attribute(
        "aria-label"
    )


def test_the_strongest_links_are_said_ties_too(opened, models):
    page = opened()
    for p, (source, target) in enumerate(SIDES):
        page.get_by_label("Pair", exact=True).select_option(index=p)
        for k in (0, 6):
            page.get_by_label("Round", exact=True).fill(str(k))
            words, parts, marks = ["NULL", *source], [], []
            for y, row in zip(target, models[k].posterior(source, target), strict=True):
                ties = [x for x, share in zip(words, row, strict=True) if share > row.max() - 1e-9]
                each = " each" if len(ties) > 1 else ""
                parts.append(f"{y} from {' or '.join(ties)} {row.max():.2f}{each}")
                marks += [f"{row.max():.2f}"] * len(ties) if row.max() >= 0.3 else []
            heard = ", ".join(parts)
            assert said(page).startswith(f"Round {k}, pair {p + 1}: {heard}. Log-likelihood ")
            picture = page.locator("[aria-label=Links] svg")
            named = f"Links of pair {p + 1} in round {k}, the strongest: {heard}."
            assert picture.get_attribute("aria-label") == named
            written = picture.locator("text").all_text_contents()
            assert sorted(text for text in written if text[:1].isdigit()) == sorted(marks)
    page.get_by_label("Pair", exact=True).select_option(index=1)
    assert "buy from 买 or 买 0." in said(page)
    assert page.locator(".sa-says [lang=zh]").all_inner_texts() == ["买", "买", "花"]


def test_without_null_there_are_the_numbers_of_the_page(opened):
    page = opened()
    page.get_by_label("Expected counts of").select_option(label="NULL")
    page.get_by_label("with NULL").focus()
    page.keyboard.press("Space")
    # 买 has met buy, books and flowers; 书 has met buy and books
    np.testing.assert_allclose(lines(page)[0], [[0.4, 0.6], [0.4, 0.6]], atol=1e-6)
    assert said(page).startswith("Round 0, pair 1: buy from 书 0.60, books from 书 0.60. ")
    assert page.get_by_text("NULL", exact=True).count() == 1  # the choice, which is shut
    assert page.locator("option", has_text="NULL").is_disabled()
    assert page.get_by_label("Expected counts of").input_value() == "0"
    page.get_by_label("Expected counts of").select_option(label="书 shū")
    values, _, _ = table(page, "Expected counts")
    expected = [[0.6, 0.6, 1.2], [0, 0, 0], [0, 2, 2], [0.6, 2.6, 3.2], [0.1875, 0.8125, 1]]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    go(page, 1)
    values, _, names = table(page, "Table of translations")
    assert names[0] == ["买", "书"]
    np.testing.assert_allclose(values[1], [0.1875, 0.8125, 0], atol=1e-6)


def test_weak_links_have_no_numbers_on_them(opened):
    page = opened(LONG)
    assert said(page).startswith(
        "Round 0, pair 1: yesterday from any of 5, 0.14 each, I from any of 5, "
    )
    texts = page.locator("[aria-label=Links] svg text").all_text_contents()
    assert not [text for text in texts if text.startswith("0.")]
    go(page, ROUNDS)
    texts = page.locator("[aria-label=Links] svg text").all_text_contents()
    assert [text for text in texts if text.startswith("0.")]


@pytest.mark.parametrize("pairs", [TOY, LONG], ids=["toy", "long"])
def test_nothing_jumps_or_runs_out_of_the_window(opened, pairs):
    page = opened(pairs)
    page.get_by_label("Pair", exact=True).select_option(index=1)  # of the toy, two words that tie
    for width in (320, 360, 400, 560, 640, 680, 720, 760, 800, 1000):
        page.set_viewport_size({"width": width, "height": 700})
        heights = set()
        for k in range(ROUNDS + 1):
            page.get_by_label("Round", exact=True).fill(str(k))
            heights.add(page.evaluate("document.documentElement.scrollHeight"))
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert len(heights) == 1, width


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert controls_in_reach(page) == 7
    for name in ("Round", "Pair", "Expected counts of", "with NULL"):
        assert page.get_by_label(name, exact=True).count() == 1


def test_nothing_plays_for_who_wants_no_motion(opened):
    assert opened().get_by_label("Round: play").count() == 1
    assert opened(reduced_motion="reduce").get_by_label("Round: play").count() == 0


def test_without_scripts_the_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert "buy from 书 " in page.locator(".sa-still img").get_attribute("alt")
    assert not page.locator(".sa-live").is_visible()
