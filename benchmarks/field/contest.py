"""What a contest is, and the run that goes round and round through all of them.

A round asks each contestant of each contest for one piece of work, one after the other: A B C, and
the next contest, and when all have been asked, A B C again. So a machine that is busy for a minute
slows all of them alike, and the ratio of one round does not know of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

ROUNDS = 6
"""Rounds of a run, a first one that is not counted apart."""

Work = tuple[float, float]
"""How much was done, in the unit of the contest, and in how many CPU seconds."""


class PeerError(SystemExit):
    """A peer that ended without an answer; the message says why.

    A script that is not prepared for it ends with this sentence.
    """


class Unequal(Exception):
    """Two that should compute the same and do not; the message says what, and by how much."""


@dataclass
class Contestant:
    """Who takes part in a contest.

    `measure` does one round's work; it is None for who is `absent`, and that says why. `finish` is
    asked once, when all rounds are over, for what the work was worth: AER, BLEU, perplexity.
    """

    name: str
    measure: Callable[[], Work] | None = None
    absent: str = ""
    setting: str = ""
    finish: Callable[[], dict[str, float]] | None = None
    rounds: list[Work] = field(default_factory=list)
    results: dict[str, float] = field(default_factory=dict)

    @property
    def speeds(self) -> list[float]:
        """Work a CPU second, round by round."""
        return [amount / seconds for amount, seconds in self.rounds]


@dataclass(frozen=True)
class Same:
    """What shows that the contestants compute the same: a difference, and the largest allowed."""

    what: str
    difference: float
    tolerance: float

    @classmethod
    def of(cls, what: str, values: Sequence[float], tolerance: float) -> Same | None:
        """How far some numbers lie apart; None where there is nothing to compare."""
        if len(values) < 2:
            return None
        return cls(what, largest(a - b for a in values for b in values), tolerance)

    def __post_init__(self) -> None:
        if not self.difference <= self.tolerance:  # also when it is not a number
            raise Unequal(
                f"{self.what} differ by {self.difference:.3g}, expected {self.tolerance:g} at most"
            )


@dataclass
class Contest:
    """A task of a stated size, and who does it; the first contestant is ours.

    `same` is None where the contestants are not meant to compute the same; then `results` tell them
    apart. `rounds` is in how many of the usual rounds the contest is held, fewer for what takes
    long; `warm_up` asks for a round that is not counted. `end` lets go of processes and files.
    """

    name: str
    title: str
    task: str
    unit: str
    contestants: list[Contestant]
    same: Same | None = None
    rounds: int = ROUNDS
    warm_up: bool = True
    end: Callable[[], None] = lambda: None

    @property
    def present(self) -> list[Contestant]:
        """Those who can be measured."""
        return [one for one in self.contestants if one.measure]


@dataclass(frozen=True)
class Ratio:
    """How many times as fast ours is: the median of the rounds' ratios, the least, the largest."""

    median: float
    low: float
    high: float


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
    """Our speed over theirs, round by round; None before a round is complete.

    >>> ratio([10, 20, 60], [5, 5, 20])
    Ratio(median=3.0, low=2.0, high=4.0)
    """
    found = [own / other for own, other in zip(ours, theirs, strict=False)]
    return Ratio(statistics.median(found), min(found), max(found)) if found else None


def takes_part(contest: Contest, number: int, rounds: int) -> bool:
    """Whether a contest is held in a round: those with fewer rounds are spread over the run.

    >>> slow = Contest("slow", "", "", "", [], rounds=2, warm_up=False)
    >>> [number for number in range(7) if takes_part(slow, number, 6)]
    [3, 6]
    """
    if number == 0:
        return contest.warm_up
    count = max(1, contest.rounds * rounds // ROUNDS)
    return number * count // rounds > (number - 1) * count // rounds


def order(contests: Sequence[Contest], rounds: int) -> Iterator[tuple[int, Contest, Contestant]]:
    """Who is asked for what, one after the other; round 0 is not counted."""
    for number in range(rounds + 1):
        for contest in contests:
            if takes_part(contest, number, rounds):
                for contestant in contest.present:
                    yield number, contest, contestant


def run(
    contests: Sequence[Contest], rounds: int, say: Callable[[str, int], None] = lambda *_: None
) -> bool:
    """Hold the contests; return whether they came to their end, or were interrupted.

    A peer that fails is out from then on, and its row says why. `say` is told the title of each
    contest and the number of the round.
    """
    try:
        for number, contest, contestant in order(contests, rounds):
            if not contestant.measure:  # has failed since the round began
                continue
            say(contest.title, number)
            try:
                work = contestant.measure()
            except PeerError as problem:
                _drop(contestant, problem)
                continue
            if number:
                contestant.rounds.append(work)
        for contest in contests:
            for contestant in contest.present:
                if contestant.finish:
                    say(contest.title, rounds)
                    try:
                        contestant.results = contestant.finish()
                    except PeerError as problem:
                        _drop(contestant, problem)
    except KeyboardInterrupt:
        return False
    return True


def _drop(contestant: Contestant, problem: PeerError) -> None:
    contestant.measure, contestant.rounds, contestant.absent = None, [], str(problem)


def largest(differences: Iterable[float]) -> float:
    """The largest of some differences; not a number if one of them is not."""
    found = [abs(float(difference)) for difference in differences]
    return math.nan if any(map(math.isnan, found)) else max(found)
