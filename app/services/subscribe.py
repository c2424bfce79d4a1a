"""Subscribe and everything about a subscription's life that a person asks for."""

from dataclasses import dataclass, field, replace

from app.core import ids
from app.core.compatible_signatures import CompatibleSignature
from app.core.errors import (
    ConflictError,
    FieldProblem,
    InvalidRequestError,
    LimitReachedError,
)
from app.core.ids import AccountId, SubscriptionId
from app.core.jsontypes import Json
from app.core.ports import Tx
from app.core.signing_secrets import scheme_of
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.services import handshake, secrets
from app.services.context import Context
from app.services.farewells import say_farewell
from app.services.subscriptions import require_subscription, save_changed
from app.services.triggers import account_in
from app.services.wishes import (
    CheckedWish,
    Manner,
    Wish,
    check_wish,
    fingerprint_of,
    platform_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change; None leaves it.

    ``filters`` and ``platform`` are in 1-tuples, since null is a value: every event, and
    the platform that the URL tells.
    """

    triggers: tuple[str, ...] | None = None
    target_url: str | None = None
    resource_ids: tuple[str, ...] | None = None
    filters: tuple[Json] | None = None
    platform: tuple[str | None] | None = None
    name: str | None = None
    compatible_signatures: tuple[CompatibleSignature, ...] | None = None
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """The subscription, and whether it was made now or existed already."""

    subscription: Subscription
    is_new: bool


def subscribe(context: Context, account_id: AccountId, wish: Wish) -> Subscribed:
    """Make a subscription, or return the identical one that is there already.

    Identical: the same account, triggers, target URL, resources and filter, whatever the name
    and the manner of delivery. The same
    trigger for another URL is always a new subscription (two Zaps must both work). An
    identical one that the service had suspended is active again: its platform says so.
    One that a person paused stays paused; its state says so. How it is signed makes no
    difference to that, nor does a handshake.

    With a handshake, a new one is pending until its target confirms it, which it may do
    at once; a pending one is asked again. See `app.services.handshake`.

    Raises:
        InvalidRequestError: Unknown triggers, resources or filter fields, a URL that
            may not be called; every problem is named.
        TriggerUnavailableError: The account lacks what the trigger needs.
        LimitReachedError: The account has as many subscriptions as it may.
        RateLimitedError: Too many handshakes; see `CallBudget`.
    """
    if not wish.handshake:
        return _subscribe(context, account_id, wish, hook_secret=None)
    hook_secret = handshake.new_hook_secret(context)
    with context.call_budget.call(account_id, now=context.clock.now()):
        stored = _subscribe(context, account_id, wish, hook_secret=hook_secret)
        if stored.subscription.state is not SubscriptionState.PENDING:
            return stored
        met = handshake.shake_hands(context, stored.subscription, hook_secret)
    return replace(stored, subscription=met)


def _subscribe(
    context: Context, account_id: AccountId, wish: Wish, *, hook_secret: str | None
) -> Subscribed:
    """Store what is wished, pending where there is a secret for its handshake."""
    with context.store.write() as tx:
        account = account_in(tx, account_id)
        checked = check_wish(context, tx, account, wish)
        fingerprint = fingerprint_of(checked)
        existing = tx.subscription_by_fingerprint(account_id, fingerprint)
        if existing is not None:
            found = _asked_again(context, tx, existing, hook_secret)
            return Subscribed(subscription=found, is_new=False)
        if tx.count_subscriptions(account_id) >= context.rules.max_subscriptions_per_account:
            raise LimitReachedError(
                f"This account has {context.rules.max_subscriptions_per_account} subscriptions, "
                "as many as it may. Delete some that are not used."
            )
        subscription = _new_subscription(context, account_id, checked, wish)
        if hook_secret is not None:
            subscription = handshake.awaiting(context, subscription, hook_secret)
        if tx.add_subscription(subscription, fingerprint=fingerprint):
            return Subscribed(subscription=subscription, is_new=True)
        # Another process made the identical one between our look and our insert.
        existing = tx.subscription_by_fingerprint(account_id, fingerprint)
        if existing is None:
            raise ConflictError("The identical subscription ended just now; ask again.")
        found = _asked_again(context, tx, existing, hook_secret)
    return Subscribed(subscription=found, is_new=False)


def change_subscription(
    context: Context, account_id: AccountId, subscription_id: str, change: Change
) -> Subscription:
    """Change a subscription; what is checked at subscribing is checked again.

    A new name or manner alone is always possible, also where a resource is gone meanwhile.
    A target URL on another host gets a new signing secret, so that nobody learns the
    old one by pointing the subscription at themselves. One whose target confirmed it
    keeps its target: another one has not.

    Raises:
        NotFoundError, InvalidRequestError, TriggerUnavailableError: As for subscribing.
        ConflictError: Another subscription is like this already.
    """
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        named = replace(before, name=_name_after(before, change), **change.manner)
        if change == Change(name=change.name, manner=change.manner):
            return save_changed(context, tx, named)
        account = account_in(tx, account_id)
        checked = check_wish(context, tx, account, _wish_after(context, before, change))
        _require_confirmed_target(before, checked.target_url)
        if _origin(before.target_url) != _origin(checked.target_url):
            named = secrets.withdrawn(context, named)
        return save_changed(context, tx, _with_checked(named, checked))


def unsubscribe(
    context: Context, account_id: AccountId, subscription_id: str, *, tell_platform: bool = False
) -> None:
    """End a subscription and cancel what waits for it.

    Harmless where it has ended, never was, or is somebody else's: platforms repeat it.
    ``tell_platform``: it was not the platform that asked for this; see `say_farewell`.
    """
    with context.store.write() as tx:
        found = tx.subscription(SubscriptionId(subscription_id))
        if found is None or found.account_id != account_id:
            return
        tx.end_subscription(found.id, reason=StateReason.UNSUBSCRIBED, now=context.clock.now())
    if tell_platform and found.state is not SubscriptionState.ENDED:
        say_farewell(context, found)


def pause(context: Context, account_id: AccountId, subscription_id: str) -> Subscription:
    """Pause: nothing new fires, what already waits is held.

    Raises:
        NotFoundError: There is no such subscription.
        ConflictError: Its target has not confirmed it.
    """
    state = (SubscriptionState.PAUSED, StateReason.PAUSED_BY_PERSON)
    return _set_state(context, account_id, subscription_id, state)


def resume(context: Context, account_id: AccountId, subscription_id: str) -> Subscription:
    """Make active again, whoever stopped it.

    Raises:
        NotFoundError: There is no such subscription.
        ConflictError: Its target has not confirmed it.
    """
    resumed = _set_state(context, account_id, subscription_id, (SubscriptionState.ACTIVE, None))
    context.doorbell.ring()
    return resumed


def _new_subscription(
    context: Context, account_id: AccountId, checked: CheckedWish, wish: Wish
) -> Subscription:
    now = context.clock.now()
    return Subscription(
        id=SubscriptionId(context.dice.new_id(ids.SUBSCRIPTION)),
        account_id=account_id,
        triggers=checked.triggers,
        target_url=checked.target_url,
        secret=secrets.new_secret(context, wish.signature),
        created_at=now,
        updated_at=now,
        name=wish.name,
        resource_ids=checked.resource_ids,
        filter=checked.filter,
        platform=checked.platform,
        compatible_signatures=checked.compatible_signatures,
        **wish.manner,
    )


def _asked_again(
    context: Context, tx: Tx, existing: Subscription, hook_secret: str | None
) -> Subscription:
    match existing.state:
        case SubscriptionState.SUSPENDED:
            after = replace(existing, state=SubscriptionState.ACTIVE, state_reason=None)
        case SubscriptionState.PENDING if hook_secret is not None:
            after = handshake.awaiting(context, existing, hook_secret)
        case _:
            return existing
    return save_changed(context, tx, after)


def _set_state(
    context: Context,
    account_id: AccountId,
    subscription_id: str,
    state: tuple[SubscriptionState, StateReason | None],
) -> Subscription:
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        if before.state is SubscriptionState.PENDING:
            raise ConflictError("This subscription waits for its target to confirm it.")
        return save_changed(context, tx, replace(before, state=state[0], state_reason=state[1]))


def _with_checked(before: Subscription, checked: CheckedWish) -> Subscription:
    return replace(
        before,
        triggers=checked.triggers,
        target_url=checked.target_url,
        resource_ids=checked.resource_ids,
        filter=checked.filter,
        platform=checked.platform,
        compatible_signatures=checked.compatible_signatures,
    )


def _wish_after(context: Context, before: Subscription, change: Change) -> Wish:
    target_url = change.target_url or before.target_url
    kept = platform_at(context, before, target_url)
    return Wish(
        triggers=before.triggers if change.triggers is None else change.triggers,
        target_url=target_url,
        resource_ids=before.resource_ids if change.resource_ids is None else change.resource_ids,
        filters=before.filter if change.filters is None else change.filters[0],
        platform=kept if change.platform is None else change.platform[0],
        signature=scheme_of(before.secret),
        compatible_signatures=(
            before.compatible_signatures
            if change.compatible_signatures is None
            else change.compatible_signatures
        ),
    )


def _name_after(before: Subscription, change: Change) -> str:
    return before.name if change.name is None else change.name


def _require_confirmed_target(before: Subscription, target_url: str) -> None:
    asked_for_handshake = before.confirmed_at or before.confirmation
    if not asked_for_handshake or target_url == before.target_url:
        return
    message = "The target of this subscription confirms it. For another target, subscribe anew."
    problem = FieldProblem(field="target_url", code="confirmed_target", message=message)
    raise InvalidRequestError(message, problems=(problem,))


def _origin(url: str) -> str:
    return url.split("?", 1)[0].split("/", 3)[2] + url.split(":", 1)[0]
