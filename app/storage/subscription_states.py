"""How a subscription's state moves, and what moves with it: triggers and deliveries."""

from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection, delete, select, update

from app.core.health import Lane
from app.core.ids import SubscriptionId
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.storage import backlog, health, lanes
from app.storage.parts import insert_all
from app.storage.tables import LIVE, subscription_triggers, subscriptions

# The states that the service moves a subscription from.
_OURS = (SubscriptionState.ACTIVE.value, SubscriptionState.SUSPENDED.value)


def change_state(connection: Connection, subscription: Subscription) -> None:
    """Bring the deliveries to the subscription's new state, or its new target."""
    # What a subscription was so far, locked against others.
    statement = (
        select(subscriptions.c.state, subscriptions.c.target_url, subscriptions.c.batching)
        .where(subscriptions.c.id == subscription.id)
        .with_for_update(key_share=True)
    )
    before = connection.execute(statement).one_or_none()
    if before is None:
        return
    has_moved = before.target_url != subscription.target_url
    if has_moved:  # what was learned is about another target
        health.forget(connection, subscription.id)
    if before.batching is not None or subscription.batching is not None:
        # What goes together waits in the lane, which is to be looked into afresh.
        lanes.poke(connection, [(subscription.id, subscription.updated_at)])
    if before.state == subscription.state.value and not has_moved:
        return
    match subscription.state:
        case SubscriptionState.ACTIVE:
            health.forget(connection, subscription.id)
            lanes.let_go(connection, subscription.id, now=subscription.updated_at)
        case SubscriptionState.PENDING | SubscriptionState.PAUSED | SubscriptionState.SUSPENDED:
            lanes.hold(connection, subscription.id)
        case SubscriptionState.ENDED:
            backlog.cancel(connection, subscription.id, now=subscription.updated_at)
        case _:
            assert_never(subscription.state)


def move(
    connection: Connection,
    subscription_id: SubscriptionId,
    *,
    state: SubscriptionState,
    reason: StateReason | None,
    version: int,
    now: datetime,
) -> bool:
    """See `DeliveryTx.move_subscription`. What a person paused is left alone."""
    # One subscription in a new state, if nobody changed it meanwhile.
    statement = (
        update(subscriptions)
        .where(
            subscriptions.c.id == subscription_id,
            subscriptions.c.version == version,
            subscriptions.c.state.in_(_OURS),
        )
        .values(
            state=state.value,
            state_reason=reason.value if reason else None,
            version=subscriptions.c.version + 1,
            updated_at=now,
        )
    )
    if not connection.execute(statement).rowcount:
        return False
    if state is SubscriptionState.ENDED:
        _forget_triggers(connection, subscription_id)
        backlog.cancel(connection, subscription_id, now=now)
    elif state is SubscriptionState.ACTIVE:
        lanes.let_go(connection, subscription_id, now=now)
    else:
        lanes.hold(connection, subscription_id)
    return True


def set_lane(
    connection: Connection, subscription_id: SubscriptionId, lane: Lane, *, now: datetime
) -> None:
    """See `DeliveryTx`. A suspended subscription lets nothing go but probes."""
    # The state of a subscription.
    statement = select(subscriptions.c.state).where(subscriptions.c.id == subscription_id)
    state = connection.execute(statement).scalar_one_or_none()
    if state == SubscriptionState.ACTIVE and lane == Lane():
        lanes.let_go(connection, subscription_id, now=now)
    elif state == SubscriptionState.ACTIVE or (
        state == SubscriptionState.SUSPENDED and lane.trickle
    ):
        lanes.slow_down(
            connection,
            subscription_id,
            not_before=lane.not_before or now,
            is_trickle=lane.trickle,
        )


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
