"""What is wrong with a catalog file, and how it is said: one line per problem."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.core.jsontypes import Json

# Where something stands in a file: ("subjects", "user", "fields", 3, "sample").
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: where it stands, what is wrong and what to do."""

    at: KeyPath
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A catalog file as plain data, which remembers the line of every key."""

    name: str
    data: Json
    lines: Mapping[KeyPath, int]

    def line_of(self, at: KeyPath) -> int:
        """Return the line of ``at``; of the nearest part around it where it is missing."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def describe(self, problems: Iterable[Problem]) -> Iterator[str]:
        """Yield ``FILE:LINE: key.path: message`` per problem, once each, by line."""
        unique = dict.fromkeys(problems)
        for problem in sorted(unique, key=lambda problem: self.line_of(problem.at)):
            yield f"{self.name}:{self.line_of(problem.at)}: {_written(problem)}"


def _written(problem: Problem) -> str:
    path = dotted(problem.at)
    return f"{path}: {problem.message}" if path else problem.message


def dotted(at: KeyPath) -> str:
    """Return a path as people write it: ``subjects.user.fields[3].sample``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
    return text.removeprefix(".")
