"""Draw an exam from the exam bank.

Say ``python tools/exam.py draw --minutes 90 --seed 3 --chapters 1-7``. Two Markdown files are
written, the exam and its key. Mistakes are said in one sentence.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

try:
    import exam_files
    from exam_draw import Drawn, Stop, draw, exam_text, key_text, total
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: use the book's Python, .venv/bin/python.")


class Parser(argparse.ArgumentParser):
    """One sentence in place of the usage."""

    def error(self, message: str) -> None:
        """Say what is wrong, and stop."""
        raise Stop(f"{message[0].upper()}{message[1:]}: see python tools/exam.py draw --help.")


def numbers(text: str, known: dict, what: str) -> list[int]:
    """Numbers as people write them: 1-3,5."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\s*[-–]\s*(\d+))?\s*", part)
        if not match:
            raise Stop(f"The {what} are written as 1-3 or 1,3, not '{text}'.")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last or first not in known or last not in known:
            raise Stop(f"The {what} go from {min(known)} to {max(known)}, and not to '{part}'.")
        found.update(range(first, last + 1))
    return sorted(found)


def excluded(names: str, samples: bool, bank: dict) -> set[str]:
    """Ids of questions that must not be drawn."""
    given = {name.strip() for name in names.split(",") if name.strip()}
    known = {question["id"] for questions in bank.values() for question in questions}
    if unknown := sorted(given - known):
        raise Stop(f"The bank has no question '{unknown[0]}'.")
    if samples:
        given.update(name for exam in exam_files.samples().values() for name in exam["questions"])
    return given


def write(drawn: Drawn, options: argparse.Namespace) -> list[Path]:
    """Write exam and key, and say where they are."""
    folder = Path(options.output)
    texts = {
        folder / f"{options.name}.md": exam_text(drawn, options.title, options.minutes),
        folder / f"{options.name}-key.md": key_text(drawn, options.title),
    }
    for path in texts:
        if path.exists() and not options.force:
            raise Stop(f"{path} exists already: give another --name, or --force to replace it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise Stop(f"{problem.filename} cannot be written: {problem.strerror}.") from None
    return list(texts)


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(prog="exam.py", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    one = commands.add_parser("draw", help="draw an exam and write it with its key")
    one.add_argument("--minutes", type=int, default=90, help="length of the exam (default 90)")
    one.add_argument("--seed", type=int, default=0, help="another seed, another exam (default 0)")
    one.add_argument("--chapters", default="1-7", help="as in 1-3,5; 0 is the prerequisites")
    one.add_argument("--difficulty", default="1-3", help="1 easy, 2 medium, 3 hard")
    one.add_argument("--points", type=int, help="the points must sum to exactly this")
    one.add_argument("--without", default="", metavar="IDS", help="questions to leave out")
    one.add_argument("--without-samples", action="store_true", help="leave out the sample exams'")
    one.add_argument("--title", default="Sequence models: exam")
    one.add_argument("--name", help="of the files, without ending (default exam-<seed>)")
    one.add_argument("--output", default=".", metavar="FOLDER", help="where to write")
    one.add_argument("--force", action="store_true", help="replace files that exist")
    options = parser.parse_args(given)
    if not 5 <= options.minutes <= 600:
        raise Stop(f"An exam has 5 to 600 minutes, not {options.minutes}.")
    options.name = options.name or f"exam-{options.seed}"
    if re.search(r'[\\/:*?"<>|]', options.name):
        raise Stop(f"A name of a file has no '{options.name}': use letters, digits and dashes.")
    return options


def main(given: list[str] | None = None) -> int:
    """Run the command; 0 if two files were written."""
    try:
        options = arguments(given)
        bank = exam_files.bank()
        drawn = draw(
            bank,
            minutes=options.minutes,
            seed=options.seed,
            chapters=numbers(options.chapters, exam_files.CHAPTERS, "chapters"),
            levels=numbers(options.difficulty, exam_files.LEVELS, "levels of difficulty"),
            points=options.points,
            without=excluded(options.without, options.without_samples, bank),
        )
        exam, key = write(drawn, options)
    except (Stop, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    counted = f"{len(drawn)} questions, {total(drawn, 'minutes')} minutes expected"
    print(f"{exam}: {counted}, {total(drawn, 'points')} points. Its key: {key}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
