"""Keys: valid or not, and remembered without anybody waiting."""

from datetime import timedelta

import pytest

from app.core.errors import InvalidRequestError, UnauthenticatedError
from app.services.keys import authenticate, create_key, list_keys, revoke_key
from tests.contexts import a_context


class LazyErrands:
    """Keeps errands for later, as a busy machine does."""

    def __init__(self):
        self.waiting = []

    def run(self, errand):
        self.waiting.append(errand)


def test_a_use_is_remembered_but_no_request_writes_it():
    errands = LazyErrands()
    context = a_context(errands=errands)
    key = create_key(context, name="backend").key

    authenticate(context, key)
    before = list_keys(context, None)[0].last_used_at
    for errand in errands.waiting:
        errand()

    assert before is None
    assert list_keys(context, None)[0].last_used_at == context.clock.now()
    context.store.close()


def test_a_use_is_written_once_a_minute(context):
    key = create_key(context, name="backend").key
    first = context.clock.now()
    authenticate(context, key)

    context.clock.advance(timedelta(seconds=59))
    authenticate(context, key)

    assert list_keys(context, None)[0].last_used_at == first


def test_a_key_that_has_expired_already_is_not_made(context):
    with pytest.raises(InvalidRequestError) as refused:
        create_key(context, name="late", expires_at=context.clock.now())

    assert [one.field for one in refused.value.problems] == ["expires_at"]
    assert list_keys(context, None) == ()


def test_a_key_opens_nothing_after_its_time_or_its_revocation(context):
    expires_at = context.clock.now() + timedelta(days=1)
    short = create_key(context, name="short", expires_at=expires_at)
    revoked = create_key(context, name="revoked")
    revoke_key(context, revoked.stored.id, account=None)
    context.clock.advance(timedelta(days=1))

    for key in (short.key, revoked.key, short.key[:-1] + "?", ""):
        with pytest.raises(UnauthenticatedError):
            authenticate(context, key)


def test_no_repr_shows_a_key(context):
    made = create_key(context, name="backend")

    assert made.key not in repr(made)
