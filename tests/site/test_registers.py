"""The pages of equations and of claims, as built."""

from __future__ import annotations

import re
from functools import cache

import claims
import equations
from book_files import PAGES, SITE
from bs4 import BeautifulSoup


@cache
def text(name):
    """The HTML of a page; one that only has to hold an anchor is not parsed, which takes long."""
    return (SITE / f"{name}.html").read_text(encoding="utf-8")


@cache
def soup(name):
    """A register's page, parsed."""
    return BeautifulSoup(text(name), "html.parser")


def lists(name):
    """The entries of a page by the anchor of their terms."""
    items = soup(name).select("dl.sa-library > dt")
    return {item["id"]: (item, item.find_next_sibling("dd")) for item in items}


def follow(name, link):
    """What stands behind the anchor that a link of a page leads to."""
    target, _, anchor = link["href"].partition("#")
    path = (SITE / name).parent / target
    other = path.resolve().relative_to(SITE.resolve()).with_suffix("").as_posix()
    _, found, after = text(other).partition(f'id="{anchor}"')
    assert found, link["href"]
    return after


def test_every_numbered_equation_is_listed_with_its_number_a_check_and_holds():
    found = lists("book/equations")
    places = equations.places({page.name: page.path for page in PAGES})
    register = equations.read_equations()
    assert list(found) == [f"of-{label}" for label in places]
    for label, (term, definition) in zip(places, found.values(), strict=True):
        link = term.find("a", class_="reference")
        number = link.get_text()
        assert re.fullmatch(r"\([\d.]+\)", number)
        after = follow("book/equations", link)
        assert re.match(rf'[^>]*>\s*<span class="eqno">{re.escape(number)}', after), label
        assert term.find(class_="sa-kind").get_text() == "holds", label
        assert register[label].check in definition.get_text()
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
        told = definition.get_text().replace("’", "'").replace("“", '"').replace("”", '"')
        assert all(f"{label}: " in told for label in claim.values)
        assert "Registered on" in told
        assert "numpy" in told
        link = definition.select(".sa-where a")[0]
        follow("book/claims", link)
        assert link["href"].endswith(f"{claim.cell.partition('/')[0].lower().replace('_', '-')}")


def test_a_claim_of_the_course_notes_says_so():
    found = lists("book/claims")
    for claim in claims.read_claims():
        told = "The course notes claim: " in found[f"claim-{claim.id}"][1].get_text()
        assert told == bool(claim.notes), claim.id
