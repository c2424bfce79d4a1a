"""What a subscription knows about signing and consent. See `app.core.ports.SubscriptionTx`."""

from dataclasses import replace

import pytest

from app.core.compatible_signatures import CompatibleSignature
from app.core.signing_secrets import OldSecret
from app.core.subscriptions import Confirmation, StateReason, SubscriptionState
from tests.builders import DAY, MINUTE, NOW, SUBSCRIPTION, a_subscription, an_account

PENDING = SubscriptionState.PENDING


@pytest.fixture(autouse=True)
def _account(store):
    with store.write() as tx:
        tx.add_account(an_account())


def a_pending(**changes):
    waits = {
        "state": PENDING,
        "state_reason": StateReason.AWAITS_CONFIRMATION,
        "confirmation": Confirmation(digest="d1", until=NOW),
    }
    return a_subscription(**waits | changes)


def add(store, *subscriptions):
    with store.write() as tx:
        for each in subscriptions:
            assert tx.add_subscription(each, fingerprint=f"of {each.id}")


def stored(store, subscription_id=SUBSCRIPTION):
    with store.read() as tx:
        return tx.subscription(subscription_id)


def unconfirmed(store, *, before, limit=10):
    with store.write() as tx:
        return tx.unconfirmed_subscriptions(before=before, limit=limit)


def test_secrets_and_consent_come_back_whole(store):
    full = a_subscription(
        old_secrets=(
            OldSecret(secret="whsec_b2xk", signs_until=NOW + DAY),  # noqa: S106  # made up
            OldSecret(secret="whsk_b2xkZXI=", signs_until=NOW),  # noqa: S106  # made up
        ),
        compatible_signatures=tuple(CompatibleSignature),
        confirmed_at=NOW,
    )
    pending = a_pending(id="sub_2")

    add(store, full, pending)

    assert stored(store) == full
    assert stored(store, "sub_2") == pending


def test_what_is_over_is_forgotten(store):
    old = (OldSecret(secret="whsec_b2xk", signs_until=NOW),)  # noqa: S106  # made up
    add(store, a_pending(old_secrets=old, compatible_signatures=tuple(CompatibleSignature)))

    plain = a_subscription(version=2, confirmed_at=NOW)
    with store.write() as tx:
        tx.save_subscription(plain, fingerprint=f"of {SUBSCRIPTION}")

    assert stored(store) == plain


def test_those_whose_time_is_over_are_found_the_longest_ago_first(store):
    def until(name, moment, **changes):
        waits = Confirmation(digest="d", until=moment)
        return a_pending(id=name, confirmation=waits, **changes)

    add(
        store,
        until("sub_1", NOW),
        until("sub_2", NOW - MINUTE),
        until("sub_3", NOW + MINUTE),
        a_subscription(id="sub_4", confirmed_at=NOW - DAY),
    )

    assert unconfirmed(store, before=NOW) == ("sub_2",)
    assert unconfirmed(store, before=NOW + 2 * MINUTE) == ("sub_2", "sub_1", "sub_3")
    assert unconfirmed(store, before=NOW + 2 * MINUTE, limit=1) == ("sub_2",)


def test_what_ended_or_was_confirmed_waits_for_nothing(store):
    add(store, a_pending(id="sub_1"), a_pending(id="sub_2"))
    with store.write() as tx:
        tx.end_subscription("sub_1", reason=StateReason.NOT_CONFIRMED, now=NOW)
        active = replace(
            a_pending(id="sub_2"),
            state=SubscriptionState.ACTIVE,
            state_reason=None,
            confirmation=None,
        )
        tx.save_subscription(active, fingerprint="of sub_2")

    assert unconfirmed(store, before=NOW + DAY) == ()
