"""Who is asking, and for which account. API keys only: no cookies, no sessions."""

from enum import StrEnum
from typing import Final

from flask import request

from app.api.current import context
from app.core.accounts import Principal, Scope
from app.core.errors import ForbiddenError
from app.services.accounts import find_account
from app.services.keys import authenticate, principal_for
from app.services.operations import operations_account

ACCOUNT_HEADER: Final = "Relais-Account"
KEY_HEADER: Final = "X-API-Key"


class Access(StrEnum):
    """Which keys open an operation."""

    EVERYBODY = "everybody"  # no key at all
    ANY_KEY = "any_key"
    ACCOUNT = "account"  # account keys, and publisher keys: of the account that they name
    PUBLISHER = "publisher"


def identify(access: Access) -> Principal:
    """Return whom the request's key speaks for, if it may do this.

    Raises:
        UnauthenticatedError: There is no valid key.
        ForbiddenError: The key is of the other scope.
        NotFoundError: A publisher names an account that does not exist.
    """
    principal = authenticate(context(), _key())
    if principal.scope is Scope.PUBLISHER:
        return _publisher(principal, access)
    return _account(principal, access)


def _key() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return request.headers.get(KEY_HEADER, "").strip()


def _publisher(principal: Principal, access: Access) -> Principal:
    wanted = request.headers.get(ACCOUNT_HEADER)
    if access is Access.PUBLISHER:
        return principal
    if wanted is not None:
        return principal_for(find_account(context(), wanted).id, principal)
    if access is not Access.ACCOUNT:
        return principal
    if request.method == "DELETE":
        # It succeeds whether there is something or not: who forgot the header and meant
        # a customer's would never learn.
        raise ForbiddenError(
            "This is about one account: use a key of that account, or name it in the header "
            f"`{ACCOUNT_HEADER}`."
        )
    return principal_for(operations_account(context()).id, principal)


def _account(principal: Principal, access: Access) -> Principal:
    if access is Access.PUBLISHER:
        raise ForbiddenError("This needs a publisher key; an account key does not do.")
    wanted = request.headers.get(ACCOUNT_HEADER)
    if wanted is not None and not _is_own(principal, wanted):
        raise ForbiddenError(f"An account key speaks for its own account; leave {ACCOUNT_HEADER}.")
    return principal


def _is_own(principal: Principal, wanted: str) -> bool:
    own = find_account(context(), principal.account_id or "")
    return wanted in (own.id, own.reference)
