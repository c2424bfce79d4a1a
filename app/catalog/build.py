"""Checked plain data to the values of `app.core.catalogs`. Nothing can go wrong here."""

from collections.abc import Mapping, Sequence

from app.core.catalogs import (
    Attachment,
    Attribute,
    Catalog,
    EventType,
    Feature,
    Requirement,
    ResourceKind,
    ResourceRequirement,
    Restriction,
    SilentOrigin,
    Subject,
    Trigger,
)
from app.core.fields import Choice, Field, FieldType, KeysFrom, Text
from app.core.jsontypes import JsonObject

Enumerations = Mapping[str, tuple[Choice, ...]]


def build_catalog(data: JsonObject) -> Catalog:
    """Return the catalog that the checked data of a file describes."""
    enumerations = {key: _choices(each) for key, each in data.get("enumerations", {}).items()}
    subjects = {key: _subject(key, each, enumerations) for key, each in data["subjects"].items()}
    return Catalog(
        key=data["catalog"],
        name=_text(data["name"]),
        description=_text(data["description"]),
        roles=_choices(data.get("roles", ())),
        enumerations=enumerations,
        features={key: _feature(key, each) for key, each in data.get("features", {}).items()},
        resources={key: _resource(key, each) for key, each in data.get("resources", {}).items()},
        subjects=subjects,
        triggers={key: _trigger(key, data, subjects) for key in data["triggers"]},
        silent_origins=tuple(_silent_origin(each) for each in data.get("silent_origins", ())),
    )


def build_fields(
    fields: Sequence[JsonObject], enumerations: Enumerations | None = None
) -> tuple[Field, ...]:
    """Return the fields that checked data describes."""
    return tuple(_field(each, enumerations or {}) for each in fields)


def _text(data: JsonObject) -> Text:
    return Text(en=data["en"], fr=data["fr"], ja=data["ja"])


def _help(data: JsonObject) -> Text | None:
    return _text(data["help"]) if "help" in data else None


def _choices(choices: Sequence[JsonObject]) -> tuple[Choice, ...]:
    return tuple(
        Choice(value=each["value"], label=_text(each["label"]), help=_help(each))
        for each in choices
    )


def _feature(key: str, data: JsonObject) -> Feature:
    return Feature(key=key, label=_text(data["label"]), default=data["default"], help=_help(data))


def _resource(key: str, data: JsonObject) -> ResourceKind:
    return ResourceKind(
        key=key,
        label=_text(data["label"]),
        plural=_text(data["plural"]),
        help=_help(data),
        attributes=tuple(
            _attribute(name, each) for name, each in data.get("attributes", {}).items()
        ),
        samples=tuple(
            (each["id"], each["label"], each.get("attributes", {}))
            for each in data.get("samples", ())
        ),
    )


def _attribute(key: str, data: JsonObject) -> Attribute:
    return Attribute(
        key=key,
        type=FieldType(data["type"]),
        label=_text(data["label"]),
        default=data.get("default"),
    )


def _silent_origin(data: JsonObject) -> SilentOrigin:
    return SilentOrigin(
        origin=data["origin"],
        reason=_text(data["reason"]),
        events=frozenset(data.get("events", ())),
        unless_notified=data.get("unless_notified", False),
    )


def _subject(key: str, data: JsonObject, enumerations: Enumerations) -> Subject:
    record_id = {**data["record_id"], "key": f"{key}_id"}
    return Subject(
        key=key,
        label=_text(data["label"]),
        record_id=_field(record_id, enumerations),
        fields=build_fields(data["fields"], enumerations),
        events={name: _event_type(key, name, each) for name, each in data["events"].items()},
        attachments=tuple(_attachment(each) for each in data.get("attachments", ())),
        collapses=data.get("collapses", False),
    )


def _attachment(data: JsonObject) -> Attachment:
    return Attachment(parent=data["parent"], event_type=data["event_type"], field=data["field"])


def _event_type(subject: str, key: str, data: JsonObject) -> EventType:
    return EventType(
        key=key,
        subject=subject,
        value=data.get("value", key),
        label=_text(data["label"]),
        help=_help(data),
        diverts=data.get("diverts", False),
        samples=data.get("samples", {}),
    )


def _field(data: JsonObject, enumerations: Enumerations) -> Field:
    return Field(
        key=data["key"],
        type=FieldType(data["type"]),
        label=_text(data["label"]),
        source=data.get("source", ""),
        help=_help(data),
        sample=data.get("sample"),
        format=data.get("format"),
        optional=data.get("optional", False),
        personal=data.get("personal", False),
        choices=enumerations[data["choices"]] if "choices" in data else (),
        fields=build_fields(data.get("fields", ()), enumerations),
        item=FieldType(data["item"]) if "item" in data else None,
        keys_from=KeysFrom(data["keys_from"]) if "keys_from" in data else None,
        open=data.get("open", False),
        label_of=data.get("label_of"),
    )


def _trigger(key: str, catalog: JsonObject, subjects: Mapping[str, Subject]) -> Trigger:
    data = catalog["triggers"][key]
    events = subjects[data["subject"]].events
    needs = (*catalog.get("requires", ()), *data.get("requires", ()))
    return Trigger(
        key=key,
        catalog=catalog["catalog"],
        label=_text(data["label"]),
        help=_text(data["help"]),
        noun=_text(data["noun"]),
        subject=data["subject"],
        events=tuple(events[name] for name in data["events"]),
        filters=tuple(data.get("filters", ())),
        restriction=_restriction(data["restriction"]) if "restriction" in data else None,
        requires=tuple(_requirement(each) for each in needs),
    )


def _requirement(data: JsonObject) -> Requirement:
    return Requirement(feature=data["feature"], reason=_text(data["reason"]))


def _restriction(data: JsonObject) -> Restriction:
    return Restriction(
        kind=data["kind"],
        field=data["field"],
        required=data.get("required", False),
        requirements=tuple(
            ResourceRequirement(
                attribute=each["attribute"], equals=each["equals"], reason=_text(each["reason"])
            )
            for each in data.get("requirements", ())
        ),
    )
