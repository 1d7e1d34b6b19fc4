"""How right the grader is, measured: planted wrong answers rejected, planted right ones accepted.

A wrong answer counts as killed when it does not get full points *and* the reason names the mistake
that it makes; a right one as accepted when it gets full points. Both for each of several seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from softalign_course import judge, sandbox
from softalign_course.sets import Plant, ProblemSet

__all__ = ["Score", "faults", "measure", "table"]


@dataclass
class Score:
    """Counts for one question."""

    problem_set: str
    question: str
    wrong: int = 0
    killed: int = 0
    right: int = 0
    accepted: int = 0
    faults: list[str] = field(default_factory=list)


def measure(
    sets: Sequence[ProblemSet], seeds: Sequence[int], *, progress: bool = False
) -> list[Score]:
    """Grade every planted answer of `sets` with every seed, each as if a student had written it.

    The seed is also the variant: warm-ups are graded on other numbers each time.

    Parameters
    ----------
    sets : sequence of ProblemSet
    seeds : sequence of int
    progress : bool
        Show a bar.
    """
    scores = {(s.name, q): Score(s.name, q) for s in sets for q in s.questions}
    jobs = [(s, plant, seed) for s in sets for seed in seeds for plant in s.plants]

    def task(job: tuple[ProblemSet, Plant, int]) -> sandbox.Task:
        problem_set, plant, seed = job
        pieces = [
            ("<setup>", problem_set.set_up(seed)),
            ("<answer>", problem_set.fill(plant.source, seed)),
        ]
        return judge.sheet(problem_set, plant.question, seed, seed).task(pieces)

    with sandbox.Pool() as pool:
        runs = pool.map(task, jobs)
        bar = tqdm(runs, total=len(jobs), unit="answer", desc="planted", disable=not progress)
        for (problem_set, plant, seed), run in zip(jobs, bar, strict=True):
            if run is None or run.ended == "lost":
                raise OSError("a worker was lost: is the machine overloaded?")
            verdict = judge.sheet(problem_set, plant.question, seed, seed).judge(run)
            _count(scores[problem_set.name, plant.question], plant, seed, verdict)
    return list(scores.values())


def _count(score: Score, plant: Plant, seed: int, verdict: judge.Verdict) -> None:
    name = f"{plant.name} (seed {seed})"
    if plant.right:
        score.right += 1
        score.accepted += verdict.full
        if not verdict.full:
            score.faults.append(f"right answer rejected: {name}: {verdict.reason}")
        return
    score.wrong += 1
    named = verdict.mistake == plant.name
    score.killed += (not verdict.full) and named
    if verdict.full:
        score.faults.append(f"wrong answer accepted: {name}")
    elif not named:
        other = f"taken for {verdict.mistake}" if verdict.mistake else "its mistake not recognised"
        score.faults.append(f"{other}: {name}: {verdict.reason}")


def table(scores: Iterable[Score]) -> str:
    """Write the counts as text; the last line has the two rates."""
    rows = list(scores)
    lines = [
        f"{'set':<22} {'question':<28} {'wrong':>6} {'killed':>7} {'right':>6} {'accepted':>9}"
    ]
    for row in rows:
        lines.append(
            f"{row.problem_set:<22} {row.question:<28} {row.wrong:>6} {row.killed:>7} "
            f"{row.right:>6} {row.accepted:>9}"
        )
        lines += [f"  {fault}" for fault in row.faults[:20]]
    wrong, killed = sum(r.wrong for r in rows), sum(r.killed for r in rows)
    right, accepted = sum(r.right for r in rows), sum(r.accepted for r in rows)
    lines.append(f"kill rate {_rate(killed, wrong)}, accept rate {_rate(accepted, right)}")
    return "\n".join(lines)


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} % ({part} of {whole})" if whole else "0 % (none planted)"


def faults(problem_set: ProblemSet, *, progress: bool = False) -> list[tuple[str, str]]:
    """Grade a batch of faulty and hostile submissions; return the name of each and what went wrong.

    The second is empty where all is as it should be: see `softalign_course.faults.Fault`. Where
    there is no sandbox, those that would do harm are left out.
    """
    from softalign_course.faults import FAULTS, make, target
    from softalign_course.grade import grade
    from softalign_course.notebook import NotebookError, parse
    from softalign_course.submissions import Submission

    batch = []
    chosen = [fault for fault in FAULTS if sandbox.isolation().sealed or not fault.hostile]
    for fault in chosen:
        try:
            notebook, problem = parse(make(problem_set, fault)), ""
        except NotebookError as found:
            notebook, problem = None, str(found)
        batch.append(Submission(f"{fault.name}.ipynb", fault.name, "", False, notebook, problem))
    rows = grade(problem_set, batch, seed=1, progress=progress)
    most = sum(question.points for question in problem_set.questions.values())
    name = target(problem_set)
    left = most - problem_set.questions[name].points
    outcomes = []
    for fault, row in zip(chosen, rows, strict=True):
        wanted = {"nothing": 0.0, "lost": left, "full": most}[fault.expects]
        ok = row.points == wanted and (row.status == "graded") == (fault.expects != "nothing")
        outcomes.append((fault.name, "" if ok else f"{row.points:g} points, {wanted:g} were right"))
    return outcomes
