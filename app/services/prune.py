"""Prune: forget settled events after the retention time, a batch at a time."""

from datetime import timedelta

from app.services.context import Context

_BATCH = 500


def prune(context: Context, *, retention: timedelta) -> int:
    """Delete events older than ``retention`` whose deliveries have all settled.

    Each batch is its own short transaction, so that ingest and delivery go on between
    them. Returns how many events were deleted.
    """
    before = context.clock.now() - retention
    deleted = 0
    while True:
        with context.store.write() as tx:
            batch = tx.prune(before=before, limit=_BATCH)
        deleted += batch
        if batch < _BATCH:
            return deleted
