"""Text on a terminal: how wide it is, and what is safe to print."""

import unicodedata
from collections.abc import Iterator


def width(text: str) -> int:
    """Return how many columns ``text`` takes: Japanese characters take two."""
    return sum(map(_columns, text))


def pad(text: str, columns: int) -> str:
    """Return ``text`` with spaces up to ``columns``; longer text stays as it is."""
    return text + " " * (columns - width(text))


def clip(text: str, columns: int) -> str:
    """Return ``text`` in at most ``columns``, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    kept, used = "", 1  # the ellipsis
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept += character
    return f"{kept}…"


def wrap(text: str, columns: int) -> Iterator[str]:
    """Yield ``text`` in lines of at most ``columns``, broken at spaces where there are any."""
    while width(text) > columns:
        line = clip(text, columns + 1)[:-1]
        head, _, _ = line.rpartition(" ")
        # Japanese has no spaces: breaking at a far one would leave the line nearly empty.
        line = head if width(head) > columns // 2 else line
        yield line
        text = text[len(line) :].lstrip()
    yield text


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 trigger``, ``2 triggers``; ``many`` for a plural that is not ``one`` and s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def printable(text: str) -> str:
    """Return ``text`` without what could steer the terminal; lines stay lines."""
    return "".join(
        character if character.isprintable() or character == "\n" else _escaped(character)
        for character in text
    )


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
