"""The subscriptions that due deliveries belong to, as a claim needs them."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from app.core.ids import SubscriptionId
from app.core.subscriptions import Subscription
from app.storage.claimable import OWNERS
from app.storage.parts import Part
from app.storage.rows import AnyRow
from app.storage.rows.subscriptions import subscription
from app.storage.vault import VaultError

_LOG = logging.getLogger(__name__)


class Owner(NamedTuple):
    """A delivery's subscription, None where it cannot be read, and its lane."""

    subscription: Subscription | None
    lane_is_open: bool


def owners(part: Part, subscription_ids: Iterable[SubscriptionId]) -> dict[SubscriptionId, Owner]:
    """Return the subscriptions; one damaged secret must not stop everybody else's."""
    found = part.connection.execute(OWNERS, {"ids": sorted(subscription_ids)})
    return {row.id: Owner(_readable(part, row), row.lane_is_open) for row in found}


def _readable(part: Part, row: AnyRow) -> Subscription | None:
    try:
        return subscription(row, vault=part.vault)
    except VaultError:
        _LOG.exception("subscription.unreadable", extra={"subscription_id": row.id})
        return None
