"""Replacing signing secrets: what signs on, for how long, and when not."""

from datetime import timedelta

import pytest

from app.core.compatible_signatures import CompatibleSignature
from app.core.errors import ConflictError, InvalidRequestError, NotFoundError
from app.core.signing_secrets import SignatureScheme, scheme_of
from app.services.secrets import DEFAULT_OVERLAP, rotate_secret
from app.services.subscribe import Change, change_subscription
from app.services.subscriptions import find_subscription
from tests.services.steps import subscribed, with_account

HOUR = timedelta(hours=1)
HMAC, ED25519 = SignatureScheme.HMAC_SHA256, SignatureScheme.ED25519


@pytest.fixture
def account(context):
    return with_account(context)


@pytest.fixture
def first(context, account):
    return subscribed(context, account.id, "changed_appointment")


def old(subscription):
    return [one.secret for one in subscription.old_secrets]


def test_the_replaced_secret_signs_for_another_day(context, account, first):
    rotated = rotate_secret(context, account.id, first.id)

    assert rotated.secret != first.secret
    assert old(rotated) == [first.secret]
    assert rotated.old_secrets[0].signs_until == context.clock.now() + DEFAULT_OVERLAP
    assert find_subscription(context, account.id, first.id) == rotated


def test_several_old_secrets_sign_newest_first(context, account, first):
    second = rotate_secret(context, account.id, first.id, overlap=3 * HOUR)
    third = rotate_secret(context, account.id, first.id, overlap=HOUR)

    assert old(third) == [second.secret, first.secret]


def test_an_old_secret_whose_time_is_over_is_forgotten(context, account, first):
    second = rotate_secret(context, account.id, first.id, overlap=HOUR)
    context.clock.advance(HOUR)

    assert old(rotate_secret(context, account.id, first.id)) == [second.secret]


def test_without_overlap_every_old_secret_is_void_at_once(context, account, first):
    for _ in range(3):
        rotate_secret(context, account.id, first.id)

    rotated = rotate_secret(context, account.id, first.id, overlap=timedelta())

    assert rotated.old_secrets == ()


def test_a_fourth_old_secret_has_to_wait_for_the_first(context, account, first):
    ends = [HOUR, 2 * HOUR, 3 * HOUR]
    start = context.clock.now()
    for overlap in ends:
        last = rotate_secret(context, account.id, first.id, overlap=overlap)

    with pytest.raises(ConflictError, match=r"2026-03-01T13:00:00\.000Z"):
        rotate_secret(context, account.id, first.id)

    assert find_subscription(context, account.id, first.id) == last
    context.clock.advance(start + HOUR - context.clock.now())
    assert len(rotate_secret(context, account.id, first.id).old_secrets) == 3


def test_a_rotation_keeps_the_scheme_unless_it_names_one(context, account, first):
    asymmetric = rotate_secret(context, account.id, first.id, scheme=ED25519)
    still = rotate_secret(context, account.id, first.id)
    back = rotate_secret(context, account.id, first.id, scheme=HMAC)

    assert [scheme_of(one.secret) for one in (first, asymmetric, still, back)] == [
        HMAC,
        ED25519,
        ED25519,
        HMAC,
    ]


def test_compatible_headers_keep_the_scheme_that_serves_them(context, account):
    hub = (CompatibleSignature.X_HUB_SIGNATURE_256,)
    made = subscribed(context, account.id, "changed_appointment", compatible_signatures=hub)

    with pytest.raises(InvalidRequestError) as refused:
        rotate_secret(context, account.id, made.id, scheme=ED25519)

    assert [one.code for one in refused.value.problems] == ["needs_shared_secret"]
    assert find_subscription(context, account.id, made.id) == made


def test_moving_to_another_host_takes_no_secret_along(context, account):
    made = subscribed(context, account.id, "changed_appointment", signature=ED25519)
    before = rotate_secret(context, account.id, made.id)

    moved = change_subscription(
        context, account.id, made.id, Change(target_url="https://other.example.com/1")
    )

    assert moved.secret not in {made.secret, before.secret}
    assert scheme_of(moved.secret) is ED25519
    assert moved.old_secrets == ()


@pytest.mark.parametrize("elsewhere", ["https://hooks.example.com:8443/1", "http://127.0.0.1/1"])
def test_another_port_or_scheme_is_another_place(context, account, first, elsewhere):
    moved = change_subscription(context, account.id, first.id, Change(target_url=elsewhere))

    assert moved.secret != first.secret


def test_nobody_rotates_what_is_not_theirs(context, first):
    other = with_account(context, reference="salon-2")

    with pytest.raises(NotFoundError):
        rotate_secret(context, other.id, first.id)
