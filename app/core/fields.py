"""The fields of payloads: labels in every language, types, choices."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.jsontypes import Json

LANGUAGES = ("en", "fr", "ja")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A label or help text in every language that Relais speaks."""

    en: str
    fr: str
    ja: str

    def in_language(self, language: str) -> str:
        """Return the text in ``language`` (``en``, ``fr``, ``ja``); English otherwise."""
        return {"fr": self.fr, "ja": self.ja}.get(language, self.en)


class FieldType(StrEnum):
    """What a field's value is. A value of another type is refused or reported."""

    STRING = "string"
    TEXT = "text"  # a string of several lines
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"  # ISO 8601 with an offset
    DATE = "date"  # YYYY-MM-DD
    OBJECT = "object"
    LIST = "list"


class KeysFrom(StrEnum):
    """Which part of an account's overlay supplies the keys of an object field."""

    CUSTOM_FIELDS = "custom_fields"
    FORMS = "forms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of an enumeration: the wire value never changes, the label does."""

    value: str | int
    label: Text
    help: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a payload.

    Attributes:
        key: Its name in the payload.
        source: Where its value is in the published data: a dotted path.
        optional: Present only where the account's overlay enables it.
        personal: Holds personal data (erasure, masking).
        choices: The closed set of its values; empty where any value may come.
        fields: The fields of an object, or of the objects in a list.
        item: The type of a list's items where they are not objects.
        keys_from: The account's overlay names this object's keys.
        open: Keys that nothing declares pass through as they were published.
        label_of: The key of a sibling; this value is that sibling's choice label,
            in the account's language.
    """

    key: str
    type: FieldType
    label: Text
    source: str = ""
    help: Text | None = None
    sample: Json = None
    format: str | None = None
    optional: bool = False
    personal: bool = False
    choices: tuple[Choice, ...] = ()
    fields: tuple["Field", ...] = ()
    item: FieldType | None = None
    keys_from: KeysFrom | None = None
    open: bool = False
    label_of: str | None = None

    @property
    def path_in_data(self) -> str:
        """Return where the value stands in published data."""
        return self.source or self.key
