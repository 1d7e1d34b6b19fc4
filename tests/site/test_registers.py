"""The pages of equations and of claims, as built."""

from __future__ import annotations

import re
import sys
from functools import cache

from book_files import PAGES, ROOT, SITE
from bs4 import BeautifulSoup

sys.path.insert(0, str(ROOT / "tools"))
import claims
import equations


@cache
def soup(name):
    """A page of the site."""
    text = (SITE / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


def lists(name):
    """The entries of a page by the anchor of their terms."""
    items = soup(name).select("dl.sa-library > dt")
    return {item["id"]: (item, item.find_next_sibling("dd")) for item in items}


def follow(name, link):
    """The element that a link of a page leads to."""
    target, _, anchor = link["href"].partition("#")
    path = (SITE / name).parent / target
    other = path.resolve().relative_to(SITE.resolve()).with_suffix("").as_posix()
    found = soup(other).find(id=anchor)
    assert found is not None, link["href"]
    return found


def test_every_numbered_equation_is_listed_with_its_number_a_check_and_holds():
    found = lists("book/equations")
    places = equations.places({page.name: page.path for page in PAGES})
    assert list(found) == [f"of-{label}" for label in places]
    for label, (term, definition) in zip(places, found.values(), strict=True):
        link = term.find("a", class_="reference")
        number = link.get_text()
        assert re.fullmatch(r"\([\d.]+\)", number)
        assert number in follow("book/equations", link).get_text(), "the equation has this number"
        assert term.find(class_="sa-kind").get_text() == "holds", label
        assert equations.read_equations()[label].check in definition.get_text()
        follow("book/equations", definition.find("a"))
    told = soup("book/equations").get_text()
    assert f"{len(places)} equations, {len(places)} of them hold." in told


def test_every_claim_is_listed_with_its_sentence_its_numbers_and_a_link_to_its_cell():
    found = lists("book/claims")
    register = {f"claim-{claim.id}": claim for claim in claims.read_claims()}
    assert found.keys() == register.keys()
    for anchor, (term, definition) in found.items():
        claim = register[anchor]
        words = re.findall(r"[A-Za-z]{4,}", re.sub(r"\$[^$]*\$|\{\w+\}`[^`]*`", " ", claim.says))
        assert set(words[:5]) <= set(re.findall(r"[A-Za-z]+", term.get_text())), claim.id
        text = definition.get_text().replace("’", "'").replace("“", '"').replace("”", '"')
        assert all(f"{label}: " in text for label in claim.values)
        assert "Registered on" in text
        assert "numpy" in text
        link = definition.select(".sa-where a")[0]
        follow("book/claims", link)
        assert link["href"].endswith(f"{claim.cell.partition('/')[0].lower().replace('_', '-')}")


def test_a_claim_of_the_course_notes_says_so():
    noted = [claim.id for claim in claims.read_claims() if claim.notes]
    for name in noted:
        assert "The course notes claim: " in lists("book/claims")[f"claim-{name}"][1].get_text()
