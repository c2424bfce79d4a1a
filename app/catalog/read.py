"""YAML text to plain data. The only reader of YAML, and a strict one.

A catalog is data, so whatever makes YAML more than data is refused: anchors and
aliases (with them, a small file can grow without bounds), tags, several documents and
duplicate keys. Plain words mean what YAML 1.2 says: ``no`` and ``2026-01-01`` are text.
"""

import re
from pathlib import Path
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from app.catalog.problems import KeyPath, Problem, Source
from app.core.errors import CatalogError
from app.core.jsontypes import Json

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 24

# The C parser is ten times faster; a wheel of PyYAML without it works all the same.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}([eE][-+]?[0-9]{1,2})?")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


def read_source(path: Path) -> Source:
    """Return the file as plain data with its line numbers.

    Raises:
        CatalogError: The file cannot be read, or is not plain YAML in UTF-8.
    """
    name = str(path)
    text = _text_of(path, name)
    reader = _Reader(text)
    try:
        data = reader.document()
    except yaml.YAMLError as error:
        raise CatalogError((f"{name}:{_line_of_error(error)}: {_complaint(error)}",)) from error
    source = Source(name=name, data=data, lines=reader.lines)
    if reader.problems:
        raise CatalogError(tuple(source.describe(reader.problems)))
    return source


def _text_of(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise CatalogError((f"{name}:1: cannot be read: {reason}",)) from error
    if len(content) > MAX_BYTES:
        raise CatalogError((f"{name}:1: the file is larger than {MAX_BYTES} bytes; split it",))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogError((f"{name}:{line}: the file is not UTF-8; save it as UTF-8",)) from error


class _NotDataError(yaml.YAMLError):
    """YAML that is not one plain document; reading cannot go on."""

    def __init__(self, problem: str, event: Event) -> None:
        super().__init__(problem)
        self.problem = problem
        self.problem_mark = event.start_mark


def _line_of(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _line_of_error(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _complaint(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return f"not valid YAML: {problem or error}"


class _Reader:
    """Turns the parser's events into plain data, and notes lines and problems."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._events = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Json:
        """Return the only document's data; None where the file is empty."""
        data: Json = None
        seen = False
        for event in self._events:
            match event:
                case StreamStartEvent() | StreamEndEvent() | DocumentEndEvent():
                    continue
                case DocumentStartEvent() if seen:
                    message = "a second document starts here; write one catalog per file"
                    raise _NotDataError(message, event)
                case DocumentStartEvent():
                    seen = True
                case _:
                    data = self._value(event, ())
        return data

    def _value(self, event: Event, at: KeyPath) -> Json:
        self.lines.setdefault(at, _line_of(event))
        self._refuse_more_than_data(event, at)
        match event:
            case MappingStartEvent():
                return self._mapping(at)
            case SequenceStartEvent():
                return self._sequence(at)
            case ScalarEvent():
                return _scalar(event)
            case _:
                return None

    def _refuse_more_than_data(self, event: Event, at: KeyPath) -> None:
        if len(at) > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise _NotDataError(message, event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            mark = "*" if isinstance(event, AliasEvent) else "&"
            self._refuse(at, f"{mark}{event.anchor} is not allowed; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(at, f"the tag {tag} is not allowed; write the value alone")

    def _refuse(self, at: KeyPath, message: str) -> None:
        self.problems.append(Problem(at=at, message=message))

    def _mapping(self, at: KeyPath) -> dict[str, Json]:
        result: dict[str, Json] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, at)
            here = (*at, key)
            if key in result:
                first = self.lines[here]
                self.lines[here] = _line_of(event)
                self._refuse(here, f"is there twice, first in line {first}; keep one")
            self.lines.setdefault(here, _line_of(event))
            result[key] = self._value(next(self._events), here)
        return result

    def _key(self, event: Event, at: KeyPath) -> str:
        self._refuse_more_than_data(event, at)
        if isinstance(event, ScalarEvent):
            return str(event.value)
        message = "a key must be a plain word"
        raise _NotDataError(message, event)

    def _sequence(self, at: KeyPath) -> list[Json]:
        result: list[Json] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            result.append(self._value(event, (*at, len(result))))
        return result


def _scalar(event: ScalarEvent) -> Json:
    text: str = event.value
    if event.style not in (None, ""):  # quoted or a block: text, whatever it looks like
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text
