"""How something is measured: in turns, several rounds, median and spread; and how it is told."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one thing: one value a round."""

    name: str
    values: tuple[float, ...]
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    def against(self, base: "Row") -> float:
        """Give the middle of the rounds' ratios: whatever slows a round slows both.

        >>> Row(name="ours", values=(2.0, 9.0, 2.2)).against(Row(name="it", values=(1.0, 3.0, 1.0)))
        2.2
        """
        return statistics.median(
            ours / its for ours, its in zip(self.values, base.values, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What was to be reached.

    Attributes:
        what: in words.
        reached: the figure.
        goal: what it was to be.
        at_most: whether less is better.
    """

    what: str
    reached: float
    goal: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it was reached."""
        return self.reached <= self.goal if self.at_most else self.reached >= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One comparison.

    Attributes:
        name: `ingest`, for example.
        title: what was compared.
        back_end: what answered.
        unit: of the values.
        rows: of which the first is the base of the ratios.
        goals: what was to be reached.
    """

    name: str
    title: str
    back_end: str
    unit: str
    rows: tuple[Row, ...]
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one call took: seconds on the clock, and seconds of this process's CPU."""

    wall: float
    cpu: float


def taken(run: Callable[[], object]) -> Taken:
    """Measure one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def in_turns(
    contestants: Mapping[str, Callable[[], float]], *, rounds: int = ROUNDS
) -> dict[str, tuple[float, ...]]:
    """Let each measure itself, one after the other, several rounds; a first round is for warmth."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, measure in contestants.items():
            value = measure()
            if number:
                found[name].append(value)
    return {name: tuple(values) for name, values in found.items()}


def cpu_seconds(run: Callable[[], object], *, number: int) -> float:
    """Give the seconds of CPU that one of many calls takes."""
    begun = time.process_time()
    for _ in range(number):
        run()
    return (time.process_time() - begun) / number


def markdown(result: Result) -> str:
    """Write a result as it stands in `docs/performance.md`."""
    more = list(dict.fromkeys(name for row in result.rows for name in row.more))
    header = ["what", f"{result.unit} (median)", "least", "most", "ratio", *more]
    lines = [
        f"**{result.title}.** Back end: {result.back_end}.",
        "",
        _line(header),
        _line(["---"] * len(header)),
    ]
    for row in result.rows:
        numbers = (row.median, min(row.values), max(row.values))
        extra = [number(row.more[name]) if name in row.more else "" for name in more]
        lines.append(
            _line([row.name, *map(number, numbers), number(row.against(result.rows[0])), *extra])
        )
    if result.goals:
        lines += ["", _line(["goal", "reached", "wanted", ""]), _line(["---"] * 4)]
        lines += [
            _line(
                [
                    goal.what,
                    number(goal.reached),
                    f"at {'most' if goal.at_most else 'least'} {number(goal.goal)}",
                    "met" if goal.is_met else "**not met**",
                ]
            )
            for goal in result.goals
        ]
    return "\n".join(lines)


def number(value: float) -> str:
    """Write a number with as many digits as say something."""
    digits = next((digits for digits, least in _DIGITS if abs(value) >= least), 2)
    return f"{value:,.{digits}f}" if value else "0"


_DIGITS = ((0, 100.0), (1, 10.0))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def show(results: Iterable[Result]) -> None:
    """Print results, each when it is there."""
    for result in results:
        sys.stdout.write(f"{markdown(result)}\n\n")
        sys.stdout.flush()


def read(path: Path) -> dict[str, Result]:
    """Read results that were written."""
    documents: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return {document["name"]: _result(document) for document in documents}


def write(path: Path, results: Mapping[str, Result]) -> None:
    """Write results, in order of their names."""
    documents = [asdict(results[name]) for name in sorted(results)]
    path.write_text(json.dumps(documents, indent=1, default=float) + "\n")


def _result(document: dict[str, Any]) -> Result:
    rows = tuple(
        Row(name=row["name"], values=tuple(row["values"]), more=row["more"])
        for row in document.pop("rows")
    )
    goals = tuple(Goal(**goal) for goal in document.pop("goals"))
    return Result(**document, rows=rows, goals=goals)
