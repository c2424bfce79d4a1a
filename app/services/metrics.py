"""Metrics: what the processes counted, and what the store says of its queue right now."""

from collections.abc import Mapping
from typing import Final

from app.core import exposition
from app.core.errors import UnavailableError
from app.core.metering import FAMILIES, Family, Kind, Numbers, Series
from app.services.context import Context

_MOST_WORKERS: Final = 1_000


def _gauge(name: str, help_text: str, *labels: str) -> Family:
    return Family(name=name, kind=Kind.GAUGE, help=help_text, labels=labels)


STORE_UP: Final = _gauge("relais_store_up", "1 where the store answered this scrape, else 0.")
QUEUE: Final = _gauge(
    "relais_queue_deliveries",
    "Unsettled deliveries: due now, waiting for their time, held behind a stopped subscription.",
    "state",
)
OLDEST_DUE: Final = _gauge(
    "relais_queue_oldest_due_age_seconds", "How long the oldest due delivery has been due."
)
LANES: Final = _gauge(
    "relais_queue_lanes", "Subscriptions whose deliveries wait apart from all the others."
)
WORKERS: Final = _gauge("relais_workers_alive", "Workers that were heard of lately.")
STORE_FAMILIES: Final = (STORE_UP, QUEUE, OLDEST_DUE, LANES, WORKERS)


def metrics_text(context: Context) -> str:
    """Return everything that is measured, in the text format of Prometheus.

    What the store is asked is at most a second old and bounded in time; where it does
    not answer, `STORE_UP` says so and the rest of its numbers are left out.
    """
    asked = context.probes.queue.get(lambda: _of_store(context))
    families = FAMILIES.values()
    counted = exposition.to_text(families, context.meter.read())
    if asked is None:
        return counted + exposition.to_text((STORE_UP,), {})
    return counted + exposition.to_text(STORE_FAMILIES, asked)


def _of_store(context: Context) -> Mapping[Series, Numbers] | None:
    now = context.clock.now()
    try:
        with context.store.read() as tx:
            depth = tx.queue_depth(now=now)
            workers = tx.workers(limit=_MOST_WORKERS)
    except UnavailableError:
        return None
    due_since = depth.oldest_due_at
    age = 0.0 if due_since is None else max(0.0, (now - due_since).total_seconds())
    return {
        (STORE_UP.name,): (1.0,),
        (QUEUE.name, "due"): (depth.due,),
        (QUEUE.name, "waiting"): (depth.waiting,),
        (QUEUE.name, "held"): (depth.held,),
        (OLDEST_DUE.name,): (age,),
        (LANES.name,): (depth.lanes,),
        (WORKERS.name,): (sum(one.is_alive_at(now) for one in workers),),
    }
