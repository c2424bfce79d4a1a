"""Resources: what subscriptions can be restricted to, as drop-downs show it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.accounts import Resource
from app.core.catalogs import ResourceKind
from app.core.errors import FieldProblem, InvalidRequestError, NotFoundError
from app.core.ids import AccountId
from app.core.jsontypes import Json
from app.services.accounts import require_account
from app.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResource:
    """A resource as the publisher gives it."""

    id: str
    label: str
    attributes: Mapping[str, Json]


def put_resources(
    context: Context, account: str, kind: str, given: Sequence[NewResource], *, replace: bool
) -> tuple[Resource, ...]:
    """Insert or update resources of one kind; with ``replace`` the others go.

    Raises:
        NotFoundError: There is no such account or resource kind.
        InvalidRequestError: Two of them have the same id.
    """
    require_kind(context, kind)
    _refuse_repeated(given)
    with context.store.write() as tx:
        account_id = require_account(tx, account).id
        resources = tuple(
            Resource(
                account_id=account_id,
                kind=kind,
                id=one.id,
                label=one.label,
                attributes=one.attributes,
            )
            for one in given
        )
        tx.put_resources(account_id, kind, resources, replace=replace)
    return resources


def delete_resource(context: Context, account: str, kind: str, resource_id: str) -> None:
    """Delete one; raises NotFoundError where it is not there."""
    require_kind(context, kind)
    with context.store.write() as tx:
        account_id = require_account(tx, account).id
        if not tx.delete_resource(account_id, kind, resource_id):
            raise NotFoundError("There is no such resource.")


def list_resources(
    context: Context, account_id: AccountId, kind: str, *, search: str, limit: int, offset: int
) -> tuple[tuple[Resource, ...], bool]:
    """Return a page of resources by label, and whether more follow."""
    require_kind(context, kind)
    with context.store.read() as tx:
        found = tx.resources(account_id, kind, search=search, limit=limit + 1, offset=offset)
    return found[:limit], len(found) > limit


def _refuse_repeated(given: Sequence[NewResource]) -> None:
    counts = Counter(one.id for one in given)
    problems = tuple(
        FieldProblem(field=f"resources.{index}.id", code="repeated", message="It is there twice.")
        for index, one in enumerate(given)
        if counts[one.id] > 1
    )
    if problems:
        raise InvalidRequestError("Two resources have the same id.", problems=problems)


def require_kind(context: Context, kind: str) -> ResourceKind:
    """Return the resource kind; raises NotFoundError, naming those that exist."""
    found = context.registry.resource_kind(kind)
    if found is None:
        kinds = sorted(key for one in context.registry.catalogs.values() for key in one.resources)
        raise NotFoundError(f"There is no resource kind like this. There are: {', '.join(kinds)}.")
    return found
