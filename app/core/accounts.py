"""Accounts (tenants), what each one has switched on, and the keys that open them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.core.catalogs import OPERATIONS
from app.core.fields import FieldType
from app.core.ids import AccountId, KeyId
from app.core.jsontypes import Json

# The reference of the vendor's own account, to which operational events belong. It is
# reserved: no customer's account has it, and it uses no other catalog.
OPERATIONS_REFERENCE: Final = "relais-operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field that one account added to a subject, perhaps for one resource only.

    ``label`` is the account's own word, in its own language.
    """

    subject: str
    key: str
    type: FieldType
    label: str
    sample: Json = None
    choices: tuple[str, ...] = ()
    resource_id: str | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of the account; its answers appear in the subject's payload.

    ``resource_id`` is the resource that it belongs to (a schedule's booking form, or
    the form template itself); None means every resource of the subject.
    """

    id: str
    name: str
    subject: str
    fields: tuple[CustomField, ...]
    resource_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What an account's payloads hold beyond the catalog's standing fields.

    ``optional_fields`` are dotted ``<subject>.<field path>`` names.
    """

    optional_fields: frozenset[str] = frozenset()
    custom_fields: tuple[CustomField, ...] = ()
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant: the vendor's customer.

    Attributes:
        reference: The vendor's own id for it, unique; payloads show it.
        language: ``en``, ``fr`` or ``ja``: the language of derived texts.
        enabled: The main switch; while it is off, nothing new fires. What fired before
            is still delivered.
        catalogs: The keys of the catalogs it uses; empty means all the products'.
        features: Features set for this account; others have the catalog's default.
    """

    id: AccountId
    reference: str
    name: str
    created_at: datetime
    updated_at: datetime
    language: str = "en"
    enabled: bool = True
    catalogs: tuple[str, ...] = ()
    features: Mapping[str, bool] = field(default_factory=dict)
    overlay: Overlay = field(default_factory=Overlay)

    def uses_catalog(self, key: str) -> bool:
        """Return whether the catalog's triggers are for this account."""
        return key in self.catalogs or (not self.catalogs and key != OPERATIONS)

    @property
    def is_operations(self) -> bool:
        """Return whether it is the vendor's own account for operational events."""
        return self.reference == OPERATIONS_REFERENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing that subscriptions can be restricted to, as drop-downs show it."""

    account_id: AccountId
    kind: str
    id: str
    label: str
    attributes: Mapping[str, Json] = field(default_factory=dict)


class Scope(StrEnum):
    """Whom a key speaks for."""

    PUBLISHER = "publisher"  # the vendor's backend: every account
    ACCOUNT = "account"  # one account's subscriptions, samples and deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A stored API key. The key itself is shown once and kept only as a hash.

    ``prefix`` is its public beginning, for people to recognise it and for look-up.
    """

    id: KeyId
    scope: Scope
    account_id: AccountId | None
    name: str
    prefix: str
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_valid_at(self, now: datetime) -> bool:
        """Return whether the key opens anything at ``now``."""
        expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking: a key's scope and, for account keys, the account.

    ``is_publisher``: the publisher asks, be it on behalf of the account.
    """

    key_id: KeyId
    scope: Scope
    account_id: AccountId | None
    is_publisher: bool = False
