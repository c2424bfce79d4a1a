"""Partitions: keep the pieces of time that a store is kept in, where it is."""

import logging
from datetime import timedelta

from app.core.records import PartitionChanges
from app.services.context import Context

log = logging.getLogger(__name__)


def keep_partitions(context: Context, *, retention: timedelta) -> PartitionChanges:
    """Make room for the days ahead, and drop whole days older than ``retention``.

    One process at a time is enough. Costs a few questions where there is nothing to do.
    """
    changes = context.store.keep_partitions(now=context.clock.now(), retention=retention)
    if changes.made or changes.dropped:
        log.info(
            "partitions.kept",
            extra={"made": changes.made, "dropped": changes.dropped, "left": changes.kept},
        )
    return changes
