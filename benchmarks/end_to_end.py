"""One run from the first publish until every delivery is settled, checked for loss."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.deployment import Account
from benchmarks.load import Exchange, Load
from benchmarks.processes import CpuClock
from benchmarks.receiver import Arrivals, Receiver
from benchmarks.rounds import Run

RATE = "deliveries/s"
REACHED = "% of the rate"
PATIENCE_S = 120.0
BATCH_CLIENTS = 4
SINGLE_CLIENTS = 32


def deliver(
    account: Account,
    receiver: Receiver,
    requests: Iterable[bytes],
    *,
    events: int,
    clients: int,
    pids: Mapping[str, int],
) -> Run:
    """Publish as fast as Relais answers, wait for the end, and say how fast that was.

    ``pids``: the processes whose CPU is wanted, beside those of the receiver and of Relais.

    Raises:
        AssertionError: A delivery was lost, came twice, or is foreign.
        TimeoutError: It took too long.
    """
    count = events * len(account.paths)
    groups = {"relais": account.deployment.process.pid, "sink": receiver.pid, **pids}
    receiver.take()
    clock, start = CpuClock(groups), time.monotonic()
    with Load(account.deployment.url, clients) as load:
        exchanges = load.closed(requests)
    published = time.monotonic()
    arrived = receiver.wait_for(count, PATIENCE_S)
    settled = account.wait_settled(count, PATIENCE_S)
    used = clock.seconds()
    receiver.take().verify(ids_of(exchanges), account.paths)
    return Run(
        figures={
            RATE: count / (settled - start),
            "arrivals/s": count / (arrived - start),
            "events accepted/s": events / (published - start),
        },
        cpu_us={name: 1e6 * seconds / count for name, seconds in used.items()},
    )


def batched(account: Account, receiver: Receiver, deliveries: int, pids: Mapping[str, int]) -> Run:
    """Make so many deliveries from events that are published in batches of 100."""
    events = math.ceil(deliveries / len(account.paths))
    requests = account.batches(events)
    return deliver(account, receiver, requests, events=events, clients=BATCH_CLIENTS, pids=pids)


def one_by_one(
    account: Account, receiver: Receiver, deliveries: int, pids: Mapping[str, int]
) -> Run:
    """Make so many deliveries from events that 32 clients publish one by one."""
    events = math.ceil(deliveries / len(account.paths))
    requests = account.singles(events)
    return deliver(account, receiver, requests, events=events, clients=SINGLE_CLIENTS, pids=pids)


def ids_of(exchanges: Sequence[Exchange]) -> list[str]:
    """Return the ids of the events that were accepted."""
    return [one for exchange in exchanges for one in exchange.event_ids]


def waits_ms(
    exchanges: Sequence[Exchange], arrivals: Arrivals, paths: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return the times from accepted to arrived, and from due to arrived, sorted.

    The first can be less than nothing: the event was there before its publisher had read
    the answer.
    """
    accepted, due = [], []
    for exchange in exchanges:
        for event_id in exchange.event_ids:
            for path in paths:
                moment = arrivals.first.get(f"{path} {event_id}")
                if moment is not None:
                    accepted.append(1000 * (moment - exchange.answered))
                    due.append(1000 * (moment - exchange.due))
    return sorted(accepted), sorted(due)


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def reached(exchanges: Sequence[Exchange]) -> float:
    """Return how much of the offered rate was accepted in time, in percent.

    Where this is not near 100, Relais was overloaded, and the waits say how long the
    benchmark went on, not how quick Relais is.
    """
    dues = [one.due for one in exchanges]
    last = max(one.answered for one in exchanges)
    return 100 * (max(dues) - min(dues)) / (last - min(dues))
