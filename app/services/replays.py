"""Replays as people ask for them: counted beforehand, started, watched, cancelled.

What one does is `app.services.replay_pump`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from app.core import ids
from app.core.deliveries import FINAL_STATES, DeliveryState
from app.core.errors import ConflictError, FieldProblem, InvalidRequestError, NotFoundError
from app.core.ids import AccountId, DeliveryId, ReplayId
from app.core.ports import Tx
from app.core.records import Page
from app.core.replays import Place, Replay, ReplayKind, ReplayState, Span
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context
from app.services.hindsight import Hindsight, Missed
from app.services.subscriptions import require_subscription

# What a count goes through before it stops; some seconds of work.
MOST_COUNTED = 10_000
# What one page of a list of missed events goes through.
MOST_LOOKED_AT = 2_000
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayWish:
    """What somebody wants sent again; without an ``until``, up to now."""

    since: datetime
    until: datetime | None = None
    only: ReplayKind = ReplayKind.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many a replay would send; at least so many, where it ``is_partial``."""

    found: int
    is_partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that a replay came by: after it, to be sent again, to be sent at last."""

    place: Place
    again: DeliveryId | None = None
    missed: Missed | None = None

    @property
    def sends(self) -> bool:
        """Return whether there is anything to send."""
        return self.again is not None or self.missed is not None


def count_replay(
    context: Context, account_id: AccountId, subscription_id: str, wish: ReplayWish
) -> Count:
    """Return how many deliveries a replay would send; nothing is sent.

    Raises:
        NotFoundError: The account has no such subscription.
        InvalidRequestError: The range is empty.
    """
    span = _span(context, wish)
    with context.store.read() as tx:
        subscription = require_subscription(tx, account_id, subscription_id)
        return _count(context, tx, subscription, span, wish.only)


def start_replay(
    context: Context, account_id: AccountId, subscription_id: str, wish: ReplayWish
) -> Replay:
    """Start a replay; it goes on by itself, whatever becomes of this process.

    Raises:
        NotFoundError: The account has no such subscription.
        InvalidRequestError: The range is empty.
        ConflictError: Another replay of it runs, or it is not active.
    """
    span = _span(context, wish)
    count = count_replay(context, account_id, subscription_id, wish)
    with context.store.write() as tx:
        subscription = require_subscription(tx, account_id, subscription_id)
        if subscription.state is not SubscriptionState.ACTIVE:
            raise ConflictError("This subscription is not active; resume it first.")
        if tx.has_running_replay(subscription.id):
            raise ConflictError("A replay of this subscription is running; wait, or cancel it.")
        now = context.clock.now()
        started = Replay(
            id=ReplayId(context.dice.new_id(ids.REPLAY)),
            account_id=account_id,
            subscription_id=subscription.id,
            span=span,
            only=wish.only,
            created_at=now,
            found=count.found,
            next_at=now,
        )
        tx.add_replay(started)
    return started


def find_replay(context: Context, account_id: AccountId, replay_id: str) -> Replay:
    """Return a replay of the account; raises NotFoundError."""
    with context.store.read() as tx:
        found = tx.replay(ReplayId(replay_id))
    if found is None or found.account_id != account_id:
        raise NotFoundError("There is no replay with this id.")
    return found


def list_replays(
    context: Context, account_id: AccountId, subscription_id: str, *, limit: int, cursor: str | None
) -> Page[Replay]:
    """List a subscription's replays, newest first; raises NotFoundError."""
    with context.store.read() as tx:
        subscription = require_subscription(tx, account_id, subscription_id)
        return tx.replays(subscription.id, limit=limit, cursor=cursor)


def cancel_replay(context: Context, account_id: AccountId, replay_id: str) -> None:
    """Stop a replay; what it has sent stays sent.

    Harmless where it is over, never was, or is somebody else's.
    """
    with context.store.write() as tx:
        found = tx.replay(ReplayId(replay_id))
        if found is None or found.account_id != account_id:
            return
        if found.state is ReplayState.RUNNING:
            tx.save_replay(over(found, ReplayState.CANCELLED, context.clock.now()))


def list_missed(
    context: Context,
    account_id: AccountId,
    subscription_id: str,
    wish: ReplayWish,
    *,
    limit: int,
    cursor: str | None,
) -> Page[Missed]:
    """List the events of a range that a subscription missed, oldest first: its claim check.

    A page ends early where it has gone through much and found little; its cursor goes on.

    Raises:
        NotFoundError: The account has no such subscription.
        InvalidRequestError: The range is empty, or the cursor is none of this list.
    """
    span, place = _span(context, wish), _place(cursor)
    found: list[Missed] = []
    looked_at = 0
    with context.store.read() as tx:
        subscription = require_subscription(tx, account_id, subscription_id)
        for step in steps(context, tx, subscription, span, ReplayKind.MISSED, after=place):
            looked_at += 1
            place = step.place
            if step.missed is not None:
                found.append(step.missed)
            if len(found) >= limit or looked_at >= MOST_LOOKED_AT:
                return Page(items=tuple(found), next_cursor=place.to_text())
    return Page(items=tuple(found), next_cursor=None)


def over(replay: Replay, state: ReplayState, now: datetime) -> Replay:
    """Return a replay that has ended."""
    return replace(replay, state=state, next_at=None, finished_at=now)


def steps(
    context: Context,
    tx: Tx,
    subscription: Subscription,
    span: Span,
    only: ReplayKind,
    *,
    after: Place | None,
) -> Iterator[Step]:
    """Yield what a replay comes by after a place, oldest first, whether it sends it or not."""
    if only is ReplayKind.FAILED:
        yield from _failed(tx, subscription, span, after)
        return
    hindsight = Hindsight.of(context, tx, subscription)
    sends_again = only is ReplayKind.ALL
    while True:
        seen = hindsight.look_at(span, after=after, limit=_PAGE, of_any_type=sends_again)
        for one in seen:
            settled = one.delivery is not None and one.delivery.state in FINAL_STATES
            again = one.delivery.id if one.delivery and settled and sends_again else None
            yield Step(place=one.place, again=again, missed=one.missed)
        if len(seen) < _PAGE:
            return
        after = seen[-1].place


def _failed(tx: Tx, subscription: Subscription, span: Span, after: Place | None) -> Iterator[Step]:
    state = DeliveryState.FAILED
    while True:
        page = tx.deliveries_in(subscription.id, span, state=state, after=after, limit=_PAGE)
        for one in page:
            yield Step(place=Place(one.created_at, one.id), again=one.id)
        if len(page) < _PAGE:
            return
        after = Place(page[-1].created_at, page[-1].id)


def _count(
    context: Context, tx: Tx, subscription: Subscription, span: Span, only: ReplayKind
) -> Count:
    found = 0
    for number, step in enumerate(steps(context, tx, subscription, span, only, after=None), 1):
        found += step.sends
        if number >= MOST_COUNTED:
            return Count(found=found, is_partial=True)
    return Count(found=found, is_partial=False)


def _span(context: Context, wish: ReplayWish) -> Span:
    now = context.clock.now()
    span = Span(since=wish.since, until=min(wish.until or now, now))
    if span.since >= span.until:
        message = "The range is empty: since has to be in the past, and before until."
        problem = FieldProblem(field="since", code="empty_range", message=message)
        raise InvalidRequestError(message, problems=(problem,))
    return span


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    place = Place.from_text(cursor)
    if place is None:
        message = "Send the next_cursor of the page before, unchanged."
        problem = FieldProblem(field="cursor", code="invalid_cursor", message=message)
        raise InvalidRequestError("The cursor is not one of this list.", problems=(problem,))
    return place
