"""What is kept of an answer while it arrives: status, headers and body, all capped."""

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_HEADERS = 100
MAX_HEADER_BYTES = 16_384
MAX_BODY_BYTES = 16_384
MASK = "***"

_ABORT = -1  # any number but the size of the chunk makes libcurl end the transfer
_FIRST_FINAL_STATUS = 200
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r\n]")
_LINE_ENDS = (b"\r\n", b"\n")
_MASKED = frozenset({"set-cookie", "set-cookie2"})
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_USUAL_BYTES = 2048


class Head(NamedTuple):
    """Status and headers of a final answer, safe to store and to show.

    Bytes beyond ASCII are read as Latin-1, control characters are replaced, and the
    values of cookies, which may open a session, are masked. ``is_cut``: some headers
    were left out.
    """

    status_code: int
    headers: tuple[tuple[str, str], ...]
    is_cut: bool

    def values(self, name: str) -> list[str]:
        """Return the values of every header of that lower-case name."""
        return [value for key, value in self.headers if key.lower() == name]


class Response:
    """Collects one answer from libcurl's callbacks.

    libcurl gives up at 5,000 header lines or 300 kB of them, so all lines are taken here
    and looked at once, in the end.

    Attributes:
        body: At most the first 16 kB.
        is_cut: The body went on.
    """

    __slots__ = ("body", "header_lines", "is_cut")

    def __init__(self) -> None:
        self.header_lines: list[bytes] = []
        self.reset()

    def reset(self) -> None:
        """Forget the answer before."""
        self.header_lines.clear()
        self.body = b""
        self.is_cut = False

    def on_body(self, chunk: bytes) -> int | None:
        """Take a piece of the body; ends the transfer when there is more than is kept."""
        room = MAX_BODY_BYTES - len(self.body)
        self.body += chunk[:room]
        if len(chunk) <= room:
            return None
        self.is_cut = True
        return _ABORT

    def head(self) -> Head | None:
        """Return the head of the final answer, or None where it is not complete.

        Interim answers (1xx) come first, as blocks of their own; trailers come last.
        """
        start = 0
        for end, line in enumerate(self.header_lines):
            if line not in _LINE_ENDS:
                continue
            status_code = _status_code(self.header_lines[start])
            if status_code >= _FIRST_FINAL_STATUS:
                return _head(status_code, self.header_lines[start + 1 : end])
            start = end + 1
        return None


def _status_code(line: bytes) -> int:
    # libcurl accepts more than three digits; such an answer has no status for us.
    match = _STATUS_LINE.match(line)
    return int(match[1]) if match else 0


def _head(status_code: int, lines: list[bytes]) -> Head:
    if sum(map(len, lines)) <= _USUAL_BYTES:
        return Head(
            status_code=status_code,
            headers=tuple(map(_known_header, lines[:MAX_HEADERS])),
            is_cut=len(lines) > MAX_HEADERS,
        )
    headers = tuple(_header(line) for line in _within_the_caps(lines))
    return Head(status_code=status_code, headers=headers, is_cut=len(headers) < len(lines))


def _within_the_caps(lines: list[bytes]) -> Iterator[bytes]:
    room = MAX_HEADER_BYTES
    for line in lines[:MAX_HEADERS]:
        room -= len(line)
        if room < 0:
            return
        yield line


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    if name.lower() in _MASKED:
        return name, MASK
    value = value.strip()
    return name, value if value.isprintable() else _CONTROLS.sub("\ufffd", value)


# Servers say the same in each answer: most of its lines have been read before.
_known_header = functools.lru_cache(maxsize=2048)(_header)
