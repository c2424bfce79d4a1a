"""Headings in English title case, as Zapier's directory asks for (its check D018)."""

import re
from typing import Final

# Short words stay small inside a heading; the first and the last word never do.
_SMALL: Final = frozenset(
    {
        "a",
        "an",
        "and",
        "as",
        "at",
        "but",
        "by",
        "for",
        "from",
        "if",
        "in",
        "into",
        "nor",
        "of",
        "off",
        "on",
        "or",
        "per",
        "the",
        "to",
        "via",
        "vs",
        "with",
    }
)


def title_case(text: str) -> str:
    """Return ``text`` as a heading: ``Custom field value`` is ``Custom Field Value``.

    Words that hold a capital letter already (``SMS``, ``iCal``) stay as they are.
    """
    words = text.split()
    last = len(words) - 1
    return " ".join(
        word if word in _SMALL and 0 < index < last else _capitalized(word)
        for index, word in enumerate(words)
    )


def _capitalized(word: str) -> str:
    return "-".join(
        part if part != part.lower() else f"{part[:1].upper()}{part[1:]}"
        for part in word.split("-")
    )


def qualified(label: str, *, parent: str, parents: str) -> str:
    """Return the label of a nested field so that it can stand alone, without stutter.

    ``parent`` is the heading of the object it is in, ``parents`` that heading qualified
    in turn: ``List ID`` in the ``List`` of a ``Contact`` is ``Contact List ID``.
    """
    if not parent:
        return label
    named = re.sub(rf"\b{re.escape(parent)}\b", lambda _: parents, label, count=1)
    if named != label or parents in label:
        return named
    first, _, rest = label.partition(" ")
    if rest and parents.endswith(f" {first}"):
        return f"{parents} {rest}"
    return f"{parents} {label}"
