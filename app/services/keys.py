"""API keys: made once, shown once, kept as a hash.

A key is ``rk_pub_`` or ``rk_acc_``, an 8-character public prefix, 32 secret characters
and a 6-character checksum, so that scanners can recognise a leaked one and a mistyped
one is refused without a look-up.
"""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from app.core import ids
from app.core.accounts import Account, ApiKey, Principal, Scope
from app.core.errors import (
    FieldProblem,
    InvalidRequestError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from app.core.ids import AccountId, KeyId
from app.services.accounts import require_account
from app.services.context import Context

_MARKS = {Scope.PUBLISHER: "rk_pub_", Scope.ACCOUNT: "rk_acc_"}
_PREFIX_LENGTH = len("rk_pub_") + 8
_SECRET_BYTES = 25  # 40 base32 characters: the 8 public ones and 32 secret ones
_CHECKSUM_LENGTH = 6
_TOUCH_EVERY = timedelta(minutes=1)
_REFUSED = (
    "Send an API key in the header `Authorization: Bearer …` or `X-API-Key`. "
    "This one is missing, unknown, expired or revoked."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made; ``key`` is never shown again."""

    stored: ApiKey
    key: str = field(repr=False)


def create_key(
    context: Context, *, name: str, account: str | None = None, expires_at: datetime | None = None
) -> NewKey:
    """Make a key for an account (by id or reference), or a publisher key for None.

    Raises:
        NotFoundError: There is no such account.
        InvalidRequestError: ``expires_at`` has passed.
    """
    if expires_at is not None and expires_at <= context.clock.now():
        message = "This moment has passed; the key would never be valid."
        problem = FieldProblem(field="expires_at", code="invalid", message=message)
        raise InvalidRequestError("The key cannot be made.", problems=(problem,))
    scope = Scope.PUBLISHER if account is None else Scope.ACCOUNT
    key = _new_key(scope, context.dice.token(_SECRET_BYTES))
    with context.store.write() as tx:
        stored = ApiKey(
            id=KeyId(context.dice.new_id(ids.KEY)),
            scope=scope,
            account_id=None if account is None else require_account(tx, account).id,
            name=name,
            prefix=key[:_PREFIX_LENGTH],
            digest=_digest(key),
            created_at=context.clock.now(),
            expires_at=expires_at,
        )
        tx.add_key(stored)
    return NewKey(stored=stored, key=key)


def list_keys(context: Context, account: str | None) -> tuple[ApiKey, ...]:
    """List an account's keys, or the publisher keys for None; revoked ones too."""
    with context.store.read() as tx:
        return tx.keys(None if account is None else require_account(tx, account).id)


def revoke_key(context: Context, key_id: str, *, account: str | None) -> None:
    """Revoke a key at once; raises NotFoundError where that scope has no such key."""
    with context.store.write() as tx:
        account_id = None if account is None else require_account(tx, account).id
        if not tx.revoke_key(KeyId(key_id), account_id=account_id, now=context.clock.now()):
            raise NotFoundError("There is no such key.")


def authenticate(context: Context, key: str) -> Principal:
    """Return whom a key speaks for.

    Raises:
        UnauthenticatedError: It is unknown, mistyped, expired or revoked.
    """
    if not _is_well_formed(key):
        raise UnauthenticatedError(_REFUSED)
    candidates = context.authenticating.run(key[:_PREFIX_LENGTH], partial(_found, context))
    now, digest = context.clock.now(), _digest(key)
    for stored in candidates:
        if hmac.compare_digest(stored.digest, digest) and stored.is_valid_at(now):
            _touch(context, stored, now)
            return Principal(key_id=stored.id, scope=stored.scope, account_id=stored.account_id)
    raise UnauthenticatedError(_REFUSED)


def _found(context: Context, prefixes: Sequence[str]) -> list[tuple[ApiKey, ...] | Exception]:
    """Look up the keys of requests that came together, in one transaction.

    It begins after the last of them came, so that a revoked key opens nothing any more.
    """
    try:
        with context.store.read() as tx:
            found = {prefix: tx.keys_by_prefix(prefix) for prefix in set(prefixes)}
    except UnavailableError as error:
        return [UnavailableError(error.message) for _ in prefixes]
    return [found[prefix] for prefix in prefixes]


def describe_caller(context: Context, principal: Principal) -> tuple[ApiKey, Account | None]:
    """Return the key that was used, and the account it speaks for now.

    Raises:
        NotFoundError: The key or the account is gone since it was authenticated.
    """
    with context.store.read() as tx:
        account = None if principal.account_id is None else tx.account(principal.account_id)
        candidates = [*tx.keys(principal.account_id), *tx.keys(None)]
    key = next((one for one in candidates if one.id == principal.key_id), None)
    if key is None:
        raise NotFoundError("There is no such key.")
    return key, account


def principal_for(account_id: AccountId, like: Principal) -> Principal:
    """Return the publisher acting for one account."""
    return Principal(
        key_id=like.key_id, scope=Scope.ACCOUNT, account_id=account_id, is_publisher=True
    )


def _touch(context: Context, stored: ApiKey, now: datetime) -> None:
    """Remember the use, later: no request waits for it, or fails because of it."""
    if stored.last_used_at is None or now - stored.last_used_at >= _TOUCH_EVERY:
        context.errands.run(lambda: _write_use(context, stored.id, now))


def _write_use(context: Context, key_id: KeyId, now: datetime) -> None:
    with context.store.write() as tx:
        tx.touch_key(key_id, now)


def _new_key(scope: Scope, secret: bytes) -> str:
    body = _MARKS[scope] + base64.b32encode(secret).decode().lower().rstrip("=")
    return body + _checksum(body)


def _checksum(body: str) -> str:
    return base64.b32encode(zlib.crc32(body.encode()).to_bytes(4)).decode().lower()[:6]


def _is_well_formed(key: str) -> bool:
    body, checksum = key[:-_CHECKSUM_LENGTH], key[-_CHECKSUM_LENGTH:]
    return key.isascii() and key.startswith(tuple(_MARKS.values())) and _checksum(body) == checksum


def _digest(key: str) -> str:
    # A fast hash is right here: the key itself carries 160 secret bits.
    return hashlib.sha256(key.encode()).hexdigest()
