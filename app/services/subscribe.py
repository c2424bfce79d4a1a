"""Subscribe and everything about a subscription's life that a person asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.core import ids, signing
from app.core.errors import ConflictError, FieldProblem, LimitReachedError, NotFoundError
from app.core.ids import AccountId, SubscriptionId
from app.core.jsontypes import Json
from app.core.ports import Tx
from app.core.records import Page, SubscriptionActivity, SubscriptionQuery
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.core.target_urls import check_target_url
from app.services.context import Context
from app.services.triggers import account_in
from app.services.wishes import CheckedWish, Wish, check_wish, fingerprint_of

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change; None leaves it. ``filters`` is in a 1-tuple, since null is a value."""

    triggers: tuple[str, ...] | None = None
    target_url: str | None = None
    resource_ids: tuple[str, ...] | None = None
    filters: tuple[Json] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """The subscription, and whether it was made now or existed already."""

    subscription: Subscription
    is_new: bool


def subscribe(context: Context, account_id: AccountId, wish: Wish) -> Subscribed:
    """Make a subscription, or return the identical one that is there already.

    Identical: the same account, triggers, target URL, resources and filter. The same
    trigger for another URL is always a new subscription (two Zaps must both work). An
    identical one that the service had suspended is active again: its platform says so.
    One that a person paused stays paused; its state says so.

    Raises:
        InvalidRequestError: Unknown triggers, resources or filter fields, a URL that
            may not be called; every problem is named.
        TriggerUnavailableError: The account lacks what the trigger needs.
        LimitReachedError: The account has as many subscriptions as it may.
    """
    with context.store.write() as tx:
        account = account_in(tx, account_id)
        checked = check_wish(context, tx, account, wish)
        fingerprint = fingerprint_of(checked)
        existing = tx.subscription_by_fingerprint(account_id, fingerprint)
        if existing is not None:
            return Subscribed(subscription=_reinstated(context, tx, existing), is_new=False)
        if tx.count_subscriptions(account_id) >= context.rules.max_subscriptions_per_account:
            raise LimitReachedError(
                f"This account has {context.rules.max_subscriptions_per_account} subscriptions, "
                "as many as it may. Delete some that are not used."
            )
        subscription = _new_subscription(context, account_id, checked, wish.name)
        if tx.add_subscription(subscription, fingerprint=fingerprint):
            return Subscribed(subscription=subscription, is_new=True)
        # Another process made the identical one between our look and our insert.
        existing = tx.subscription_by_fingerprint(account_id, fingerprint)
    if existing is None:
        raise ConflictError("The identical subscription ended just now; ask again.")
    return Subscribed(subscription=existing, is_new=False)


def find_subscription(
    context: Context, account_id: AccountId, subscription_id: str
) -> Subscription:
    """Return a live subscription of the account; raises NotFoundError."""
    with context.store.read() as tx:
        return require_subscription(tx, account_id, subscription_id)


def require_subscription(tx: Tx, account_id: AccountId, subscription_id: str) -> Subscription:
    """Return a live subscription of the account; raises NotFoundError.

    The answer for another account's id is the same as for one that never was.
    """
    found = tx.subscription(SubscriptionId(subscription_id))
    if found is None or found.account_id != account_id or found.state is SubscriptionState.ENDED:
        raise NotFoundError("There is no subscription with this id.")
    return found


def list_subscriptions(
    context: Context,
    account_id: AccountId,
    query: SubscriptionQuery,
    *,
    limit: int,
    cursor: str | None,
) -> Page[Subscription]:
    """List the account's live subscriptions, newest first.

    A target URL may be spelt as it was when it was subscribed.
    """
    if query.target_url is not None:
        query = replace(query, target_url=_as_stored(context, query.target_url))
    with context.store.read() as tx:
        return tx.subscriptions(account_id, query, limit=limit, cursor=cursor)


def activity_of(
    context: Context, subscriptions: Sequence[Subscription]
) -> Mapping[SubscriptionId, SubscriptionActivity]:
    """Return what each of these subscriptions has done so far."""
    with context.store.read() as tx:
        return tx.activity([one.id for one in subscriptions])


def change_subscription(
    context: Context, account_id: AccountId, subscription_id: str, change: Change
) -> Subscription:
    """Change a subscription; what is checked at subscribing is checked again.

    A new name alone is always possible, also where a resource is gone meanwhile.
    A target URL on another host gets a new signing secret, so that nobody learns the
    old one by pointing the subscription at themselves.

    Raises:
        NotFoundError, InvalidRequestError, TriggerUnavailableError: As for subscribing.
        ConflictError: Another subscription is like this already.
    """
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        if change == Change(name=change.name):
            return _save_same_wish(context, tx, replace(before, name=_name_after(before, change)))
        account = account_in(tx, account_id)
        checked = check_wish(context, tx, account, _wish_after(before, change))
        after = replace(
            _with_checked(before, checked),
            name=_name_after(before, change),
            secret=_secret_after(context, before, checked.target_url),
            updated_at=context.clock.now(),
            version=before.version + 1,
        )
        tx.save_subscription(after, fingerprint=fingerprint_of(checked))
    return after


def unsubscribe(context: Context, account_id: AccountId, subscription_id: str) -> None:
    """End a subscription and cancel what waits for it.

    Harmless where it has ended, never was, or is somebody else's: platforms repeat it.
    """
    with context.store.write() as tx:
        found = tx.subscription(SubscriptionId(subscription_id))
        if found is not None and found.account_id == account_id:
            tx.end_subscription(found.id, reason=StateReason.UNSUBSCRIBED, now=context.clock.now())


def pause(context: Context, account_id: AccountId, subscription_id: str) -> Subscription:
    """Pause: nothing new fires, what already waits is held; raises NotFoundError."""
    state = (SubscriptionState.PAUSED, StateReason.PAUSED_BY_PERSON)
    return _set_state(context, account_id, subscription_id, state)


def resume(context: Context, account_id: AccountId, subscription_id: str) -> Subscription:
    """Make active again, whoever stopped it; raises NotFoundError."""
    resumed = _set_state(context, account_id, subscription_id, (SubscriptionState.ACTIVE, None))
    context.doorbell.ring()
    return resumed


def rotate_secret(context: Context, account_id: AccountId, subscription_id: str) -> Subscription:
    """Give the subscription a new signing secret at once; raises NotFoundError."""
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        after = replace(before, secret=_new_secret(context))
        return _save_same_wish(context, tx, after)


def _new_subscription(
    context: Context, account_id: AccountId, checked: CheckedWish, name: str
) -> Subscription:
    now = context.clock.now()
    return Subscription(
        id=SubscriptionId(context.dice.new_id(ids.SUBSCRIPTION)),
        account_id=account_id,
        triggers=checked.triggers,
        target_url=checked.target_url,
        secret=_new_secret(context),
        created_at=now,
        updated_at=now,
        name=name,
        resource_ids=checked.resource_ids,
        filter=checked.filter,
        platform=checked.platform,
    )


def _reinstated(context: Context, tx: Tx, existing: Subscription) -> Subscription:
    if existing.state is not SubscriptionState.SUSPENDED:
        return existing
    active = replace(existing, state=SubscriptionState.ACTIVE, state_reason=None)
    return _save_same_wish(context, tx, active)


def _set_state(
    context: Context,
    account_id: AccountId,
    subscription_id: str,
    state: tuple[SubscriptionState, StateReason | None],
) -> Subscription:
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        return _save_same_wish(context, tx, replace(before, state=state[0], state_reason=state[1]))


def _save_same_wish(context: Context, tx: Tx, after: Subscription) -> Subscription:
    saved = replace(after, updated_at=context.clock.now(), version=after.version + 1)
    checked = CheckedWish(
        triggers=saved.triggers,
        target_url=saved.target_url,
        resource_ids=saved.resource_ids,
        filter=saved.filter,
        platform=saved.platform,
    )
    tx.save_subscription(saved, fingerprint=fingerprint_of(checked))
    return saved


def _with_checked(before: Subscription, checked: CheckedWish) -> Subscription:
    return replace(
        before,
        triggers=checked.triggers,
        target_url=checked.target_url,
        resource_ids=checked.resource_ids,
        filter=checked.filter,
        platform=checked.platform,
    )


def _as_stored(context: Context, target_url: str) -> str:
    checked = check_target_url(target_url, context.rules.urls)
    return target_url if isinstance(checked, FieldProblem) else checked.href


def _wish_after(before: Subscription, change: Change) -> Wish:
    same_url = change.target_url in (None, before.target_url)
    return Wish(
        triggers=before.triggers if change.triggers is None else change.triggers,
        target_url=change.target_url or before.target_url,
        resource_ids=before.resource_ids if change.resource_ids is None else change.resource_ids,
        filters=before.filter if change.filters is None else change.filters[0],
        platform=before.platform if same_url else None,
    )


def _name_after(before: Subscription, change: Change) -> str:
    return before.name if change.name is None else change.name


def _secret_after(context: Context, before: Subscription, target_url: str) -> str:
    return (
        before.secret if _origin(before.target_url) == _origin(target_url) else _new_secret(context)
    )


def _origin(url: str) -> str:
    return url.split("?", 1)[0].split("/", 3)[2] + url.split(":", 1)[0]


def _new_secret(context: Context) -> str:
    return signing.new_secret(context.dice.token(_SECRET_BYTES))
