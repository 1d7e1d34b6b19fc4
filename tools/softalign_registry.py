"""Sphinx extension of the book: the pages of the two registers, of equations and of claims."""

from __future__ import annotations

import datetime
import re
from functools import cache

import claims
import equations
from docutils import nodes
from docutils.statemachine import StringList
from softalign_find_pages import page_files
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}


class Register(SphinxDirective):
    """What the two directives share: links, and lines of Markdown."""

    has_content = False

    def document(self, page: str) -> addnodes.pending_xref:
        """A link to a page under its title, which the contents beside the page show, too."""
        title = re.search(r"^# (.+)$", equations.prose(page_files()[page]), flags=re.MULTILINE)
        return self.cross(f"/{page}", "doc", plain(title[1]), explicit=True)

    def place(self, label: str, text: str) -> addnodes.pending_xref:
        """A link to a label under a text."""
        return self.cross(label, "ref", text, explicit=True)

    def cross(self, target: str, kind: str, text: str, explicit: bool) -> addnodes.pending_xref:
        """A reference of the standard domain."""
        inner = nodes.inline("", text, classes=["std", f"std-{kind}"])
        return addnodes.pending_xref(
            "",
            inner,
            refdomain="std",
            reftype=kind,
            reftarget=target,
            refdoc=self.env.docname,
            refexplicit=explicit,
            refwarn=True,
        )

    def markdown(self, text: str) -> list[nodes.Node]:
        """The nodes of one paragraph of Markdown, links of its page left out."""
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
        box = nodes.Element()
        self.state.nested_parse(StringList([text], source=self.env.docname), 0, box)
        if len(box) != 1 or not isinstance(box[0], nodes.paragraph):
            raise self.error(f"not one paragraph: {text}")
        return box[0].children

    def page_section(self, page: str, items: nodes.definition_list) -> nodes.section:
        """The section of a page."""
        section = nodes.section(ids=[f"of-{page.replace('/', '-').lower()}"], names=[])
        section += nodes.title("", "", self.document(page))
        section += items
        return section

    def depend_on(self, *paths) -> None:
        """Have this page read again when one of these changes."""
        for path in [*paths, *page_files().values()]:
            self.env.note_dependency(str(path))


@cache
def checked() -> dict[str, list[str]]:
    """What the checks of the equations found, run once a build."""
    return equations.run_checks()


class EquationsDirective(Register):
    """``{softalign-equations}``: every numbered equation, its check and what came of it."""

    def run(self) -> list[nodes.Node]:
        """Make a section for each page."""
        library = (equations.ROOT / "src" / "softalign").rglob("*.py")
        self.depend_on(equations.EQUATIONS, *equations.CHECKS.rglob("*.py"), *library)
        register, places = equations.read_equations(), equations.places(page_files())
        for words in equations.complaints(register, places):
            log.warning("registry/equations.yml: %s", words)
        by_page: dict[str, nodes.definition_list] = {}
        for label, place in places.items():
            if label in register:
                items = nodes.definition_list(classes=["sa-library"])
                by_page.setdefault(place.page, items).append(self.item(register[label], place))
        holds = sum(not checked().get(label) for label in places)
        told = f"{len(places)} equations, {holds} of them hold."
        sections = [self.page_section(page, items) for page, items in by_page.items()]
        return [nodes.paragraph("", told), *sections]

    def item(self, equation: equations.Equation, place: equations.Place) -> nodes.Node:
        """The lines on one equation."""
        number = addnodes.pending_xref(
            "",
            nodes.inline("", equation.label),
            refdomain="math",
            reftype="eq",
            reftarget=equation.label,
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )
        wrong = checked().get(equation.label, ["there is no check of this name"])
        if wrong:
            log.warning("equation %s: %s", equation.label, wrong[0])
        term = nodes.term("", "", nodes.Text("Equation "), number, ids=[f"of-{equation.label}"])
        status = "holds" if not wrong else f"fails: {wrong[0]}"
        term += [nodes.Text(" "), nodes.inline("", status, classes=["sa-kind"])]
        where = nodes.paragraph(classes=["sa-where"])
        where += [nodes.Text("In "), self.place(equation.section, plain(place.heading))]
        where += [nodes.Text(". Check: "), nodes.literal("", equation.check)]
        if equation.through:
            where += [nodes.Text(", through "), nodes.literal("", equation.through)]
        where += nodes.Text(f". It notices this slip: {equation.slip}.")
        definition = nodes.definition("", nodes.paragraph("", equation.checked), where)
        return nodes.definition_list_item("", term, definition)


def plain(heading: str) -> str:
    """A heading without its marks."""
    return re.sub(r"\[([^\]]*)\]\{[^}]*\}", r"\1", re.sub(r"[*`$]", "", heading)).strip()


class ClaimsDirective(Register):
    """``{softalign-claims}``: every registered claim, its numbers, seeds, spread, day, versions."""

    def run(self) -> list[nodes.Node]:
        """Make a section for each page, in reading order."""
        stored = claims.RESULTS.glob("*.json")
        self.depend_on(claims.CLAIMS, claims.MEASURED, *stored)
        register, measured = claims.read_claims(), claims.read_measured()
        for words in claims.all_complaints():
            log.warning("registry/claims.yml: %s", words)
        sections = []
        for page in page_files():
            here = [claim for claim in register if claim.page == page and claim.id in measured]
            if here:
                items = nodes.definition_list(classes=["sa-library"])
                items += [self.item(claim, measured[claim.id]) for claim in here]
                sections.append(self.page_section(page, items))
        told = f"{len(register)} claims, with {numbers(measured)} numbers."
        return [nodes.paragraph("", told), *sections]

    def item(self, claim: claims.Claim, measured: dict) -> nodes.Node:
        """The lines on one claim."""
        says = nodes.inline("", "", *self.markdown(claim.says))
        term = nodes.term("", "", says, ids=[f"claim-{claim.id}"])
        definition = nodes.definition()
        if claim.notes:
            notes = nodes.paragraph("", "The course notes claim: ", *self.markdown(claim.notes))
            notes += nodes.Text(".")
            definition += notes
        values = nodes.bullet_list()
        for label, how in claim.values.items():
            text = f"{label}: {told(how, measured['values'][label])}"
            values += nodes.list_item("", nodes.paragraph("", text))
        definition += values
        section, _, number = claim.cell.partition("/")
        heading = plain(claims.pages()[claim.page].headings[section])
        where = nodes.paragraph(classes=["sa-where"])
        where += [nodes.Text(f"Measured by code cell {number} of "), self.place(section, heading)]
        where += nodes.Text(f" ({claim.cell}). {chance(claim, measured)} ")
        versions = ", ".join(f"{name} {v}" for name, v in measured["versions"].items())
        where += nodes.Text(f"Registered on {day(measured['date'])}, with {versions}.")
        definition += where
        return nodes.definition_list_item("", term, definition)


def numbers(measured: dict) -> int:
    """How many numbers are registered."""
    return sum(len(found) for entry in measured.values() for found in entry["values"].values())


def told(how: dict, found: dict[str, float]) -> str:
    """The numbers of one value; of a stored run mean and range, and the seeds."""
    values = list(found.values())
    if "run" not in how:
        return ", ".join(short(v) for v in values)
    mean = short(sum(values) / len(values))
    if min(values) == max(values):
        return f"{mean} with each of the seeds {', '.join(found)}"
    return f"{mean} ({short(min(values))} to {short(max(values))}; seeds {', '.join(found)})"


def short(value: float) -> str:
    """A number with four figures, or all of a whole one."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def chance(claim: claims.Claim, measured: dict) -> str:
    """How much chance there is in it, in a sentence."""
    if claim.chance:
        words = claims.CHANCE[claim.chance]
    else:
        runs = [measured["values"][v] for v, how in claim.values.items() if "run" in how]
        count = max(len(found) for found in runs)
        words = f"stored runs of {NUMBERS.get(count, count)} seeds; in brackets the range"
    return f"{words[0].upper()}{words[1:]}."


def day(date: str) -> str:
    """A day as people write it."""
    found = datetime.date.fromisoformat(date)
    return f"{found.day} {found:%B %Y}"


def setup(app: Sphinx) -> dict:
    """Add the directives."""
    app.add_directive("softalign-equations", EquationsDirective)
    app.add_directive("softalign-claims", ClaimsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
