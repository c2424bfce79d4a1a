"""Farewells: telling a platform that we ended, or stopped, one of its subscriptions.

``DELETE`` on the target URL, where the platform's profile says that it understands that
(reverse unsubscribe): the Zap shows as paused then, instead of going silently dead. Said once, as
an errand, and only for what we did ourselves: a platform that unsubscribes, or answers
that it is gone, knows.
"""

import logging
from collections.abc import Iterator
from typing import Final

from app.core.ids import AccountId
from app.core.records import SubscriptionQuery
from app.core.sending import HttpRequest
from app.core.subscriptions import Subscription
from app.core.target_urls import host_of
from app.services.context import Context
from app.services.deliver import profile_of

log = logging.getLogger(__name__)

_ID_PREFIX: Final = "bye"
_PAGE: Final = 100
# Farewells wait in one line with other errands: a target that hangs must not hold it up.
_TIMEOUT_S: Final = 3.0


def say_farewell(context: Context, subscription: Subscription) -> None:
    """Tell the platform of a subscription soon that it has ended, if it understands that.

    Best effort: nothing is tried again, and nobody waits.
    """
    if profile_of(subscription).reverse_unsubscribe:
        context.errands.run(lambda: _tell(context, subscription))


def say_farewell_to_all(context: Context, account_id: AccountId) -> None:
    """Tell the platforms of all subscriptions of an account that was switched off."""

    def tell_all() -> None:
        for subscription in _subscriptions(context, account_id):
            if profile_of(subscription).reverse_unsubscribe:
                _tell(context, subscription)

    context.errands.run(tell_all)


def _subscriptions(context: Context, account_id: AccountId) -> Iterator[Subscription]:
    cursor: str | None = None
    while True:
        with context.store.read() as tx:
            page = tx.subscriptions(account_id, SubscriptionQuery(), limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _tell(context: Context, subscription: Subscription) -> None:
    request = HttpRequest(
        token=context.dice.new_id(_ID_PREFIX),
        method="DELETE",
        target_url=subscription.target_url,
        headers=(("User-Agent", context.rules.user_agent),),
        body=b"",
        total_timeout_s=_TIMEOUT_S,
        connect_timeout_s=_TIMEOUT_S,
    )
    outcome = context.caller.exchange(request)
    log.info(
        "farewell.said",
        extra={
            "account": subscription.account_id,
            "subscription": subscription.id,
            "host": host_of(subscription.target_url),
            "outcome": outcome.kind.value,
            "status_code": outcome.status_code,
        },
    )
