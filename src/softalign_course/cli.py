"""The command ``softalign-course``."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

EXAMPLE = """\
examples:
  softalign-course release all --out releases/
  softalign-course check 05_attention.ipynb
  softalign-course grade 5 downloads/ --out graded/
  softalign-course export graded/ --lms moodle > upload.csv
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="softalign-course",
        description="The problem sets of Soft Alignment: release, check, grade.",
        epilog=EXAMPLE,
        formatter_class=layout,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=summary, formatter_class=layout, allow_abbrev=False
        )

    command("list", "list the problem sets: chapters, points, hours, goals")

    new = command("release", "write what students are given, as zip files without solutions")
    new.add_argument("set", help="number or name of a set, or 'all'")
    new.add_argument("--out", type=Path, default=Path("releases"), help="folder (releases)")
    new.add_argument(
        "--students",
        type=Path,
        metavar="LIST",
        help="class list (a name a line, or CSV): one zip each, with numbers of its own",
    )

    new = command("check", "run the public checks of a notebook: a student's own check")
    new.add_argument("notebook", type=Path)
    new.add_argument("--set", help="which set, if the notebook has lost its label")

    new = command("grade", "grade a folder or zip of downloads: one row for every file")
    new.add_argument("set", help="number or name of the set")
    new.add_argument("submissions", type=Path, help="folder or zip as downloaded")
    new.add_argument("--out", type=Path, default=Path("graded"), help="folder (graded)")
    new.add_argument(
        "--seed", type=int, help="draws the hidden inputs (a fresh one is chosen and written down)"
    )
    new.add_argument("--students", type=Path, metavar="LIST", help="the class list of the release")

    new = command("quality", "measure the grader on answers planted wrong and right")
    new.add_argument("set", nargs="*", help="sets (all)")
    new.add_argument("--seeds", type=int, default=2, help="how many drawings of the inputs (2)")
    new.add_argument("--first-seed", type=int, default=1, help="the first of them (1)")

    new.add_argument(
        "--faults", action="store_true", help="also grade a batch of faulty and hostile submissions"
    )

    new = command("export", "write grades for a learning management system")
    new.add_argument("graded", type=Path, help="folder that 'grade' wrote")
    new.add_argument("--lms", choices=["canvas", "moodle"], required=True)
    new.add_argument(
        "--table", type=Path, help="gradebook (Canvas) or worksheet (Moodle) to fill in"
    )
    new.add_argument("--column", help="Canvas: the assignment's column (the set's title)")
    new.add_argument("--out", type=Path, help="file (standard output)")

    new = command("gradescope", "write an autograder zip for Gradescope")
    new.add_argument("set", help="number or name of the set")
    new.add_argument("--out", type=Path, help="the zip (autograder_SET.zip)")
    new.add_argument("--seed", type=int, help="draws the hidden inputs (a fresh one is chosen)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Returns
    -------
    int
        0; 1 (something is wrong, said in one sentence on standard error; for ``check`` also: a
        check failed, for ``quality``: a rate is below 100 %), 2 (wrong arguments), 130 (Ctrl-C).
    """
    try:
        args = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    from softalign_course.export import ExportError
    from softalign_course.notebook import NotebookError
    from softalign_course.process import SandboxError
    from softalign_course.sets import SetError

    name = f"softalign-course {args.command}"
    try:
        status = globals()[f"_{args.command}"](args)
        sys.stdout.flush()
        return status
    except (SetError, NotebookError, ExportError, SandboxError) as problem:
        print(f"{name}: {problem}", file=sys.stderr)
    except ModuleNotFoundError as problem:
        print(
            f"{name}: {problem.name} is not installed: pip install 'softalign[neural,course]'",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except UnicodeDecodeError:
        print(f"{name}: a table is not in UTF-8", file=sys.stderr)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"{name}: {where}{problem.strerror or problem}", file=sys.stderr)
    return 1


def _watched() -> bool:
    return sys.stderr.isatty()


def _list(args: argparse.Namespace) -> int:
    from softalign_course import sets

    for name in sets.names():
        problem_set = sets.find(name)
        info = problem_set.info
        code = sum(question.points for question in problem_set.questions.values())
        prose = sum(cell.points for cell in problem_set.written)
        print(f"{name}: {info['title']}")
        print(f"  {problem_set.chapters}, at most {info['hours']:g} hours, ", end="")
        print(f"{code + prose:g} points ({code:g} code, {prose:g} prose)")
        for goal in info["goals"]:
            print(f"  - {goal}")
    return 0


def _release(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from softalign_course import release, sets

    wanted = sets.names() if args.set == "all" else [args.set]
    class_list = release.students(args.students) if args.students else None
    for name in wanted:
        problem_set = sets.find(name)
        if class_list is None:
            paths = release.release(problem_set, args.out)
        else:
            bar = tqdm(class_list, unit="student", desc=problem_set.name, disable=not _watched())
            paths = release.release(problem_set, args.out, bar)
        where = paths[0] if len(paths) == 1 else f"{len(paths)} files in {paths[0].parent}"
        print(f"{problem_set.name}: {where}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from softalign_course import notebook, sets
    from softalign_course.check import check, set_of

    try:
        read = notebook.read(args.notebook)
    except notebook.NotebookError as problem:
        raise notebook.NotebookError(f"{args.notebook}: {problem}") from None
    problem_set = sets.find(args.set) if args.set else set_of(read)
    print(f"{problem_set.name}: {problem_set.info['title']}")
    failed = 0
    marks = {"passed": "ok", "failed": "NO", "open": "..", "gone": "??"}
    for outcome in check(read, problem_set):
        failed += outcome.state in ("failed", "gone")
        print(f"  {marks[outcome.state]} {outcome.name} ({outcome.points:g} points)", end="")
        print(f": {outcome.says}" if outcome.says else "", flush=True)
    print("The hidden checks look at more: fresh inputs, special cases, gradients, purity.")
    return 1 if failed else 0


def _grade(args: argparse.Namespace) -> int:
    import time

    from softalign_course import grade, release, sandbox, sets, submissions

    problem_set = sets.find(args.set)
    class_list = release.students(args.students) if args.students else None
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    if seed < 0:
        raise sets.SetError("a seed is 0 or more")
    print(sandbox.isolation().says)
    begin = time.perf_counter()
    found = submissions.collect(args.submissions)
    rows = grade.grade(problem_set, found, seed, class_list=class_list, progress=_watched())
    if not rows:
        raise sets.SetError(f"{args.submissions} holds no file")
    grade.write_grades(problem_set, rows, args.out, seed)
    seconds = time.perf_counter() - begin
    graded = sum(row.status == "graded" for row in rows)
    print(f"{len(rows)} files, {graded} graded, {len(rows) - graded} not (see 'status'),", end=" ")
    print(f"in {seconds:.0f} s ({60 * len(rows) / seconds:.0f} a minute), seed {seed}.")
    print(f"{args.out / 'grades.csv'}, written.csv, written/, feedback/")
    return 0


def _quality(args: argparse.Namespace) -> int:
    from softalign_course import quality, sandbox, sets

    if args.seeds < 1:
        raise sets.SetError("--seeds is 1 or more")
    chosen = [sets.find(name) for name in args.set or sets.names()]
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    broken = False
    if args.faults:
        print(sandbox.isolation().says)
        for problem_set in chosen[:1]:
            for name, problem in quality.faults(problem_set, progress=_watched()):
                print(f"  {name}: {problem or 'as it should be'}")
                broken = broken or bool(problem)
    scores = quality.measure(chosen, seeds, progress=_watched())
    print(quality.table(scores))
    perfect = all(s.killed == s.wrong and s.accepted == s.right for s in scores)
    return 0 if perfect and not broken and all(s.wrong and s.right for s in scores) else 1


def _export(args: argparse.Namespace) -> int:
    import json

    from softalign_course import export, sets

    grades = export.totals(args.graded)
    if args.lms == "canvas":
        column = args.column
        if column is None:
            about = args.graded / "grading.json"
            column = sets.find(json.loads(about.read_text(encoding="utf-8"))["set"]).info["title"]
        made = export.canvas(grades, args.table, column)
    else:
        made = export.moodle(grades, args.table)
    waiting = sum(total.waiting for total in grades)
    if waiting:
        answers = "1 written answer has" if waiting == 1 else f"{waiting} written answers have"
        print(
            f"softalign-course export: {answers} no points in written.csv yet and count 0",
            file=sys.stderr,
        )
    for sentence in made.left_over:
        print(f"softalign-course export: left out: {sentence}", file=sys.stderr)
    if args.out:
        args.out.write_text(made.text, encoding="utf-8", newline="")
        print(f"{args.out}: {made.text.count(chr(10)) - 1} rows")
    else:
        sys.stdout.write(made.text)
    return 0


def _gradescope(args: argparse.Namespace) -> int:
    from softalign_course import gradescope, sets

    problem_set = sets.find(args.set)
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    out = args.out or Path(f"autograder_{problem_set.name}.zip")
    print(f"{gradescope.build(problem_set, out, seed)}: upload it as the autograder (seed {seed}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
