"""How attempts went lately, of the subscriptions where not all went well."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select

from app.core.health import HEALTHY, Health
from app.core.ids import SubscriptionId
from app.storage.each_of import among
from app.storage.tables import subscription_health

_COLUMNS = subscription_health.c
# The health of some subscriptions.
_OF_SOME = select(subscription_health).where(among(_COLUMNS.subscription_id, "ids"))


def of_subscriptions(
    connection: Connection, subscription_ids: Collection[SubscriptionId]
) -> Mapping[SubscriptionId, Health]:
    """Return the health of those that are not healthy."""
    found = connection.execute(_OF_SOME, {"ids": sorted(subscription_ids)}).mappings()
    return {row["subscription_id"]: Health(**_fields(row)) for row in found}


def save(connection: Connection, subscription_id: SubscriptionId, health: Health) -> None:
    """Remember it; being healthy is nothing to remember."""
    forget(connection, subscription_id)
    if health != HEALTHY:
        # The health of one subscription.
        values = {"subscription_id": subscription_id} | asdict(health)
        connection.execute(insert(subscription_health).values(values))


def forget(connection: Connection, subscription_id: SubscriptionId) -> None:
    """Take the subscription for healthy."""
    # The health of one subscription.
    connection.execute(
        delete(subscription_health).where(_COLUMNS.subscription_id == subscription_id)
    )


def _fields(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if name != "subscription_id"}
