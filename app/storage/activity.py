"""How often each subscription was delivered to, counted as deliveries settle.

``delivery_count`` is the number of notifications that were sent: deliveries that ended
with success. Failures do not count, neither do the attempts that a success took; a
delivery that was sent again on request counts again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, insert, or_, select, update

from app.core.ids import SubscriptionId
from app.core.records import SubscriptionActivity
from app.storage.parts import execute_all, in_batches
from app.storage.tables import subscription_activity

_COLUMNS = subscription_activity.c
_LATEST = bindparam("latest", type_=_COLUMNS.last_delivery_at.type)
# One subscription: so many deliveries more, the last of them then.
_COUNT = (
    update(subscription_activity)
    .where(_COLUMNS.subscription_id == bindparam("of_subscription"))
    .values(
        delivery_count=_COLUMNS.delivery_count + bindparam("more"),
        last_delivery_at=case(
            (
                or_(_COLUMNS.last_delivery_at.is_(None), _COLUMNS.last_delivery_at < _LATEST),
                _LATEST,
            ),
            else_=_COLUMNS.last_delivery_at,
        ),
    )
)


def begin(connection: Connection, subscription_id: SubscriptionId) -> None:
    """Start counting for a new subscription."""
    # The counters of a subscription, at nothing.
    values = {"subscription_id": subscription_id, "delivery_count": 0}
    connection.execute(insert(subscription_activity).values(values))


def count(connection: Connection, sent: Iterable[tuple[SubscriptionId, datetime]]) -> None:
    """Count deliveries that were sent, each to this subscription at this moment."""
    moments: dict[SubscriptionId, list[datetime]] = {}
    for subscription_id, moment in sent:
        moments.setdefault(subscription_id, []).append(moment)
    execute_all(
        connection,
        _COUNT,
        [
            {"of_subscription": subscription_id, "more": len(of_it), "latest": max(of_it)}
            for subscription_id, of_it in sorted(moments.items())  # see app.storage.locks
        ],
    )


def of_subscriptions(
    connection: Connection, subscription_ids: Sequence[SubscriptionId]
) -> Mapping[SubscriptionId, SubscriptionActivity]:
    """Return what each has done; unknown ones are left out."""
    found: dict[SubscriptionId, SubscriptionActivity] = {}
    for batch in in_batches(subscription_ids):
        # The counters of some subscriptions.
        statement = select(subscription_activity).where(_COLUMNS.subscription_id.in_(batch))
        for row in connection.execute(statement):
            found[row.subscription_id] = SubscriptionActivity(
                delivery_count=row.delivery_count, last_delivery_at=row.last_delivery_at
            )
    return found
