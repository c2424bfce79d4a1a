"""Accounts: made and changed by the publisher, never by themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.core import ids
from app.core.accounts import OPERATIONS_REFERENCE, Account, CustomField, Overlay
from app.core.catalogs import Registry
from app.core.errors import FieldProblem, InvalidRequestError, NotFoundError
from app.core.field_types import fits
from app.core.fields import LANGUAGES, FieldType, KeysFrom
from app.core.ids import AccountId
from app.core.ports import Tx
from app.core.records import Page
from app.core.shapes import flatten
from app.services.context import Context
from app.services.farewells import say_farewell_to_all
from app.services.lookups import OWN_ID_START, account_named

_WITH_CHOICES = (FieldType.STRING, FieldType.TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What to set; None leaves a value as it is."""

    name: str | None = None
    language: str | None = None
    enabled: bool | None = None
    catalogs: tuple[str, ...] | None = None
    features: Mapping[str, bool] | None = None


def create_account(context: Context, reference: str, change: AccountChange) -> Account:
    """Make an account under the vendor's own id for it.

    Raises:
        InvalidRequestError: A catalog, feature or language that does not exist.
        ConflictError: The reference is taken.
    """
    _require_free(reference)
    now = context.clock.now()
    blank = Account(
        id=AccountId(context.dice.new_id(ids.ACCOUNT)),
        reference=reference,
        name=change.name or reference,
        created_at=now,
        updated_at=now,
    )
    account = _changed(context.registry, blank, change)
    with context.store.write() as tx:
        tx.add_account(account)
    return account


def find_account(context: Context, id_or_reference: str) -> Account:
    """Return the account by our id or the vendor's; raises NotFoundError."""
    with context.store.read() as tx:
        return require_account(tx, id_or_reference)


def require_account(tx: Tx, id_or_reference: str) -> Account:
    """Return the account by our id or the vendor's; raises NotFoundError."""
    found = account_named(tx, id_or_reference)
    if found is None:
        raise NotFoundError("There is no account with this id or reference.")
    return found


def accounts_with_reference(context: Context, reference: str) -> tuple[Account, ...]:
    """Return the account with the vendor's own id, if there is one."""
    with context.store.read() as tx:
        found = tx.account_by_reference(reference)
    return () if found is None else (found,)


def list_accounts(context: Context, *, limit: int, cursor: str | None) -> Page[Account]:
    """List every account, by id."""
    with context.store.read() as tx:
        return tx.accounts(limit=limit, cursor=cursor)


def change_account(context: Context, id_or_reference: str, change: AccountChange) -> Account:
    """Change an account; features are set one by one, the others stay.

    Raises:
        NotFoundError: There is no such account.
        InvalidRequestError: A catalog, feature or language that does not exist.
    """
    with context.store.write() as tx:
        account = require_account(tx, id_or_reference)
        if account.is_operations and change.catalogs is not None:
            raise _unfit("catalogs", "This account is for operational events only.")
        changed = replace(
            _changed(context.registry, account, change), updated_at=context.clock.now()
        )
        tx.save_account(changed)
    if account.enabled and not changed.enabled:
        say_farewell_to_all(context, account.id)
    return changed


def put_overlay(context: Context, id_or_reference: str, overlay: Overlay) -> Account:
    """Replace what the account's payloads hold beyond the standing fields.

    Raises:
        NotFoundError: There is no such account.
        InvalidRequestError: A subject or optional field that does not exist.
    """
    problems = tuple(_overlay_problems(context.registry, overlay))
    if problems:
        raise InvalidRequestError("The overlay does not fit the catalogs.", problems=problems)
    with context.store.write() as tx:
        account = require_account(tx, id_or_reference)
        changed = replace(account, overlay=overlay, updated_at=context.clock.now())
        tx.save_account(changed)
    return changed


def _require_free(reference: str) -> None:
    if reference.startswith(OWN_ID_START):
        raise _unfit("reference", f"A reference does not begin with {OWN_ID_START}, as our ids do.")
    if reference == OPERATIONS_REFERENCE:
        raise _unfit("reference", "This reference is that of your own operational events.")


def _unfit(field: str, message: str) -> InvalidRequestError:
    problem = FieldProblem(field=field, code="reserved", message=message)
    return InvalidRequestError("The account cannot be set up like this.", problems=(problem,))


def _changed(registry: Registry, account: Account, change: AccountChange) -> Account:
    problems = tuple(_problems(registry, change))
    if problems:
        raise InvalidRequestError("The account cannot be set up like this.", problems=problems)
    features = {**account.features, **(change.features or {})}
    return replace(
        account,
        name=account.name if change.name is None else change.name,
        language=account.language if change.language is None else change.language,
        enabled=account.enabled if change.enabled is None else change.enabled,
        catalogs=account.catalogs if change.catalogs is None else change.catalogs,
        features=features,
    )


def _problems(registry: Registry, change: AccountChange) -> Iterable[FieldProblem]:
    known_features = {key for one in registry.catalogs.values() for key in one.features}
    yield from _unknown("catalogs", change.catalogs or (), registry.products)
    yield from _unknown("features", change.features or (), known_features)
    yield from _unknown("language", (change.language,) if change.language else (), LANGUAGES)


def _unknown(field: str, given: Iterable[str], known: Iterable[str]) -> Iterable[FieldProblem]:
    names = sorted(known)
    for index, one in enumerate(given):
        if one not in names:
            yield FieldProblem(
                field=f"{field}.{index}" if field == "catalogs" else field,
                code="unknown_choice",
                message=f"{one[:60]!r} does not exist here. There are: {', '.join(names)}.",
            )


def _overlay_problems(registry: Registry, overlay: Overlay) -> Iterable[FieldProblem]:
    subjects = {key: one for cat in registry.catalogs.values() for key, one in cat.subjects.items()}
    optional = {
        f"{key}.{path}"
        for key, subject in subjects.items()
        for path, field in flatten(subject.fields)
        if field.optional
    }
    yield from _unknown("optional_fields", sorted(overlay.optional_fields), optional)
    takes = {
        (key, field.keys_from)
        for key, subject in subjects.items()
        for _, field in flatten(subject.fields)
        if field.keys_from
    }
    asked = [
        *(("custom_fields", KeysFrom.CUSTOM_FIELDS, one.subject) for one in overlay.custom_fields),
        *(("forms", KeysFrom.FORMS, one.subject) for one in overlay.forms),
    ]
    for field_name, keys_from, subject_key in asked:
        allowed = {key for key, kind in takes if kind is keys_from}
        yield from _unknown(field_name, (subject_key,), allowed)
    for field_name, fields in (
        ("custom_fields", overlay.custom_fields),
        ("forms", [field for form in overlay.forms for field in form.fields]),
    ):
        for field in fields:
            yield from _field_problems(field_name, field)


def _field_problems(at: str, field: CustomField) -> Iterable[FieldProblem]:
    """Yield what would make samples of the field differ from what its type promises."""
    if field.choices and field.type not in _WITH_CHOICES:
        message = f"{field.key!r} is of type {field.type}, which has no choices."
        yield FieldProblem(field=at, code="choices_not_for_type", message=message)
    elif field.sample is not None and not fits(field.type, field.sample):
        message = f"The sample of {field.key!r} is not of type {field.type}."
        yield FieldProblem(field=at, code="wrong_type", message=message)
    elif field.sample is not None and field.choices and field.sample not in field.choices:
        message = f"The sample of {field.key!r} is not one of its choices."
        yield FieldProblem(field=at, code="unknown_choice", message=message)
