"""What a schema cannot say about triggers: they use only what the catalog declares."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.catalog.check_fields import ENVELOPE_KEYS
from app.catalog.payload_paths import no_path, payload_fields
from app.catalog.problems import KeyPath, Problem
from app.core.field_types import fits
from app.core.fields import FieldType
from app.core.jsontypes import JsonObject

# Zapier refuses a trigger whose help does not read like this.
_HELP: Final = re.compile(r"Triggers when [^.]*(\.[^\s.][^.]*)*\.")
# Words that English titles write small.
_SMALL: Final = re.compile(
    r"a|an|and|as|at|but|by|for|from|in|into|nor|of|off|on|or|per|the|to|up|via|with"
)


def check_triggers(catalog: JsonObject) -> Iterator[Problem]:
    """Yield what is wrong with the triggers of a catalog."""
    for key, trigger in catalog["triggers"].items():
        at: KeyPath = ("triggers", key)
        yield from _wording(trigger, at)
        yield from check_requirements(trigger.get("requires", ()), (*at, "requires"), catalog)
        subject = catalog["subjects"].get(trigger["subject"])
        if subject is None:
            message = f"there is no subject {trigger['subject']}; declare it under subjects"
            yield Problem(at=(*at, "subject"), message=message)
            continue
        yield from _events(trigger, at, subject)
        paths = _payload_paths(catalog, trigger["subject"])
        yield from _filters(trigger, at, paths)
        if "restriction" in trigger:
            restriction_at = (*at, "restriction")
            yield from _restriction(trigger["restriction"], restriction_at, catalog, paths)


def check_requirements(
    requirements: Sequence[JsonObject], at: KeyPath, catalog: JsonObject
) -> Iterator[Problem]:
    """Yield the requirements that name a feature which is not declared."""
    for index, requirement in enumerate(requirements):
        feature = requirement["feature"]
        if feature not in catalog.get("features", {}):
            message = f"there is no feature {feature}; declare it under features"
            yield Problem(at=(*at, index, "feature"), message=message)


def _payload_paths(catalog: JsonObject, subject: str) -> frozenset[str]:
    envelope = {key for key in ENVELOPE_KEYS if key != "role" or catalog.get("roles")}
    return frozenset({*envelope, *payload_fields(catalog, subject)})


def _wording(trigger: JsonObject, at: KeyPath) -> Iterator[Problem]:
    if not _HELP.fullmatch(trigger["help"]["en"]):
        message = "write one sentence: Triggers when … ."
        yield Problem(at=(*at, "help", "en"), message=message)
    label = trigger["label"]["en"]
    small = [word for word in label.split() if word[0].islower() and not _SMALL.fullmatch(word)]
    if small:
        message = f"write the label in title case; {', '.join(small)} starts small"
        yield Problem(at=(*at, "label", "en"), message=message)


def _events(trigger: JsonObject, at: KeyPath, subject: JsonObject) -> Iterator[Problem]:
    for index, event in enumerate(trigger["events"]):
        if event not in subject["events"]:
            known = ", ".join(subject["events"])
            message = f"{trigger['subject']} has no event {event}; use one of {known}"
            yield Problem(at=(*at, "events", index), message=message)


def _filters(trigger: JsonObject, at: KeyPath, paths: frozenset[str]) -> Iterator[Problem]:
    for index, path in enumerate(trigger.get("filters", ())):
        if path not in paths:
            yield Problem(at=(*at, "filters", index), message=no_path(path, trigger["subject"]))


def _restriction(
    restriction: JsonObject, at: KeyPath, catalog: JsonObject, paths: frozenset[str]
) -> Iterator[Problem]:
    if restriction["field"] not in paths:
        subject = catalog["triggers"][at[1]]["subject"]
        yield Problem(at=(*at, "field"), message=no_path(restriction["field"], subject))
    kind = catalog.get("resources", {}).get(restriction["kind"])
    if kind is None:
        message = f"there is no resource kind {restriction['kind']}; declare it under resources"
        yield Problem(at=(*at, "kind"), message=message)
        return
    for index, requirement in enumerate(restriction.get("requirements", ())):
        here = (*at, "requirements", index)
        yield from _resource_requirement(requirement, here, kind.get("attributes", {}))


def _resource_requirement(
    requirement: JsonObject, at: KeyPath, attributes: JsonObject
) -> Iterator[Problem]:
    attribute = attributes.get(requirement["attribute"])
    if attribute is None:
        message = f"the resource kind has no attribute {requirement['attribute']}"
        yield Problem(at=(*at, "attribute"), message=message)
    elif not fits(FieldType(attribute["type"]), requirement["equals"]):
        message = f"must be of the attribute's type, {attribute['type']}"
        yield Problem(at=(*at, "equals"), message=message)
