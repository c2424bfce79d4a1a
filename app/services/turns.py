"""A worker's turn at the store: settle what has ended, and claim what comes next.

Both in one transaction, since each commit waits for the disk. Neither says anything to
the other; should the transaction fail, what has ended is settled in the next turn, and
nothing was claimed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.ports import Gate
from app.core.records import ClaimedDelivery
from app.services.context import Context
from app.services.deliver import EndedAttempt, claim_in
from app.services.settle import Settled, follow_up, settle_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a turn came to, and how long each half of it took; None: nothing had ended."""

    settled: Settled | None
    claimed: tuple[ClaimedDelivery, ...]
    settle_s: float
    claim_s: float


def take_turn(
    context: Context, ended: Sequence[EndedAttempt], *, worker: str, limit: int, gate: Gate
) -> Turn:
    """Settle, then claim up to ``limit`` deliveries, and commit.

    Raises:
        UnavailableError: Nothing was written; the same can be asked again.
    """
    began = time.perf_counter()
    with context.store.write() as tx:
        settled = settle_in(context, tx, ended) if ended else None
        settled_at = time.perf_counter()
        claimed = claim_in(context, tx, worker=worker, limit=limit, gate=gate) if limit else ()
    if settled is not None:
        follow_up(context, settled)
    return Turn(
        settled=settled,
        claimed=claimed,
        settle_s=settled_at - began,
        claim_s=time.perf_counter() - settled_at,
    )
