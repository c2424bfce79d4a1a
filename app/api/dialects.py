"""The spellings of other hook APIs, understood at the edge and nowhere else.

What the platforms call things stands in `app.platforms`.
"""

from collections.abc import Mapping

from app.core.errors import FieldProblem, InvalidRequestError
from app.core.jsontypes import Json
from app.platforms import GENERIC, find_platform

# A name for one thing, where Relais itself has a list of them.
_LISTS = {"trigger": "triggers", "resource_ids": "resource_ids"}


def in_our_words(body: Json) -> Json:
    """Return a subscribe body with every alias replaced by our name.

    ``trigger`` becomes the list ``triggers``, and one resource a list of one; a platform
    may be spelt ``power-automate``, as on the command line. What is not an object is
    returned as it is, for the schema to refuse.

    Raises:
        InvalidRequestError: Two spellings of one thing say different things.
    """
    if not isinstance(body, Mapping):
        return body
    aliases = _aliases(_platform(body.get("platform")))
    said: dict[str, dict[str, Json]] = {}
    for written, value in body.items():
        name = aliases.get(written, written)
        if name != written and value is None:
            continue  # an input that a no-code user left empty
        wanted = _LISTS.get(name, name)
        said.setdefault(wanted, {})[written] = _in_our_words(name, value)
    problems = tuple(
        _conflict(name, spellings)
        for name, spellings in said.items()
        if any(value != next(iter(spellings.values())) for value in spellings.values())
    )
    if problems:
        raise InvalidRequestError("The request contradicts itself.", problems=problems)
    return {name: next(iter(spellings.values())) for name, spellings in said.items()}


def _aliases(platform: Json) -> Mapping[str, str]:
    known = find_platform(platform) if isinstance(platform, str) else None
    return (known or GENERIC).aliases


def _in_our_words(name: str, value: Json) -> Json:
    if name == "platform":
        return _platform(value)
    return _as_list(value) if name in _LISTS else value


def _platform(written: Json) -> Json:
    """Return the key of the platform that is meant, or what was written."""
    if not isinstance(written, str):
        return written
    known = find_platform(written.lower().replace("-", "_"))
    return written if known is None else known.key


def _as_list(value: Json) -> Json:
    return value if value is None or isinstance(value, list) else [value]


def _conflict(name: str, spellings: Mapping[str, Json]) -> FieldProblem:
    written = " and ".join(spellings)
    message = f"{written} say different things, and mean the same; send one of them."
    field = "trigger" if name == "triggers" else name
    return FieldProblem(field=field, code="conflict", message=message)
