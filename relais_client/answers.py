"""What Relais answers, as plain values. Fields that the client does not know are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from relais_client.errors import FieldProblem
from relais_client.wire import Json, parse_optional_time, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An event that Relais accepted: it is stored, and its deliveries are under way.

    Attributes:
        id: The event's id, ``evt_…``; every payload of it carries it.
        deliveries: How many subscriptions it fires.
        diverted: A subscriber takes over: do not send this message yourself.
        disposition: ``open``, ``silent``, ``collapsed`` or ``account_off``.
        warnings: What in the data does not follow the catalog.
        replayed: It had been accepted before; this is the first answer again.
    """

    id: str
    deliveries: int
    diverted: bool
    disposition: str
    warnings: tuple[FieldProblem, ...] = ()
    replayed: bool = False

    @classmethod
    def from_json(cls, document: Json, *, replayed: bool) -> Self:
        """Read the answer to one event."""
        return cls(
            id=document["id"],
            deliveries=document["deliveries"],
            diverted=document["diverted"],
            disposition=document["disposition"],
            warnings=tuple(map(FieldProblem.from_json, document.get("warnings") or ())),
            replayed=replayed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What publishing an event would do now; nothing was stored."""

    diverted: bool
    deliveries: int

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer."""
        return cls(diverted=document["diverted"], deliveries=document["deliveries"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant: the vendor's customer.

    Attributes:
        id: ``acc_…``.
        reference: The vendor's own id for it; payloads show it.
        language: ``en``, ``fr`` or ``ja``.
        enabled: The main switch; while it is off, nothing fires.
        catalogs: The catalogs it uses; empty means all.
        features: Features set for this account.
        created_at: None where the answer does not say (``me``).
        updated_at: As ``created_at``.
    """

    id: str
    reference: str
    name: str
    language: str
    enabled: bool
    catalogs: tuple[str, ...] = ()
    features: Mapping[str, bool] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read an account."""
        return cls(
            id=document["id"],
            reference=document["reference"],
            name=document["name"],
            language=document["language"],
            enabled=document["enabled"],
            catalogs=tuple(document.get("catalogs") or ()),
            features=dict(document.get("features") or {}),
            created_at=parse_optional_time(document.get("created_at")),
            updated_at=parse_optional_time(document.get("updated_at")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, without the key itself; ``prefix`` is its recognisable beginning."""

    id: str
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read a key's description."""
        return cls(**_key_fields(document))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey(Key):
    """A new API key. ``key`` is shown this once; printing the object hides it."""

    key: str = field(repr=False)

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer to a key's creation."""
        return cls(key=document["key"], **_key_fields(document))


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Whom the client's key speaks for.

    Attributes:
        scope: ``publisher`` or ``account``.
        account: The account of an account key; None for a publisher key.
        label: A name for people, for "connected as …".
        version: The version of Relais.
    """

    scope: str
    key_id: str
    key_name: str
    account: Account | None
    label: str
    version: str

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer."""
        account = document["account"]
        return cls(
            scope=document["scope"],
            key_id=document["key"]["id"],
            key_name=document["key"]["name"],
            account=Account.from_json(account) if account else None,
            label=document["label"],
            version=document["version"],
        )


def _key_fields(document: Json) -> dict[str, Json]:
    return {
        "id": document["id"],
        "name": document["name"],
        "prefix": document["prefix"],
        "created_at": parse_time(document["created_at"]),
        "expires_at": parse_optional_time(document.get("expires_at")),
        "revoked_at": parse_optional_time(document.get("revoked_at")),
        "last_used_at": parse_optional_time(document.get("last_used_at")),
    }
