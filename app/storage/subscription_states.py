"""How a subscription's state moves, and what moves with it: triggers and deliveries."""

from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection, delete, select, update

from app.core.ids import SubscriptionId
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.storage import backlog
from app.storage.parts import insert_all
from app.storage.tables import LIVE, subscription_triggers, subscriptions


def change_state(connection: Connection, subscription: Subscription) -> None:
    """Bring the deliveries to the subscription's new state, where it is a new one."""
    # The state that a subscription had so far, locked against others.
    statement = (
        select(subscriptions.c.state)
        .where(subscriptions.c.id == subscription.id)
        .with_for_update(key_share=True)
    )
    if connection.execute(statement).scalar_one_or_none() == subscription.state.value:
        return
    match subscription.state:
        case SubscriptionState.ACTIVE:
            backlog.let_go(connection, subscription.id)
        case SubscriptionState.PAUSED | SubscriptionState.SUSPENDED:
            backlog.hold(connection, subscription.id)
        case SubscriptionState.ENDED:
            backlog.cancel(connection, subscription.id, now=subscription.updated_at)
        case _:
            assert_never(subscription.state)


def end(
    connection: Connection, subscription_id: SubscriptionId, *, reason: StateReason, now: datetime
) -> None:
    """End a subscription and cancel what it waits for; harmless where it has ended."""
    # One subscription, ended, if it lives.
    statement = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, LIVE)
        .values(
            state=SubscriptionState.ENDED.value,
            state_reason=reason.value,
            version=subscriptions.c.version + 1,
            updated_at=now,
        )
    )
    if connection.execute(statement).rowcount:
        _forget_triggers(connection, subscription_id)
        backlog.cancel(connection, subscription_id, now=now)


def write_triggers(connection: Connection, subscription: Subscription) -> None:
    """Keep the index of triggers in step: it holds what live subscriptions hear."""
    _forget_triggers(connection, subscription.id)
    if subscription.state is SubscriptionState.ENDED:
        return
    # What the subscription hears from now on.
    insert_all(
        connection,
        subscription_triggers,
        [
            {
                "account_id": subscription.account_id,
                "trigger": trigger,
                "subscription_id": subscription.id,
            }
            for trigger in dict.fromkeys(subscription.triggers)
        ],
    )


def _forget_triggers(connection: Connection, subscription_id: SubscriptionId) -> None:
    # What a subscription heard so far.
    connection.execute(
        delete(subscription_triggers).where(
            subscription_triggers.c.subscription_id == subscription_id
        )
    )
