"""Subscribe, and everything about a subscription's life."""

from datetime import timedelta
from typing import Any

from flask import Response

from app.api.answers import Answer, no_content
from app.api.auth import Access
from app.api.current import account_id, caller, context
from app.api.language import language
from app.api.paging import page_answer
from app.api.schemas.signing import (
    ConfirmationSchema,
    RotatedSecretSchema,
    RotationSchema,
    SentTestSchema,
)
from app.api.schemas.subscriptions import (
    ChangedSubscriptionSchema,
    CreatedSubscriptionSchema,
    DryRunSchema,
    NewSubscriptionSchema,
    PreviewSchema,
    SubscriptionChangeSchema,
    SubscriptionSchema,
    SubscriptionsQuerySchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.api.subscription_answers import (
    change_of,
    dry_run_answer,
    rotation_answer,
    sent_test_answer,
    subscription_answer,
    subscription_answers,
    url_of,
    wish_of,
)
from app.core.errors import (
    ConflictError,
    LimitReachedError,
    NotFoundError,
    RateLimitedError,
    TriggerUnavailableError,
)
from app.core.jsontypes import Json
from app.core.records import Page, SubscriptionQuery
from app.core.signing_secrets import SignatureScheme, shared_secret_of
from app.core.subscriptions import SubscriptionState
from app.services import explain, handshake, secrets, subscribe
from app.services.subscriptions import find_subscription, find_subscriptions
from app.services.test_send import send_test

section = Section("Subscriptions", "Standing requests: send these events to that URL.")
_LOCATION = {"Location": {"description": "Its URL.", "schema": {"type": "string", "format": "uri"}}}


@section.post("/subscriptions")
@section.access(
    Access.ACCOUNT,
    refuses=(TriggerUnavailableError, LimitReachedError, RateLimitedError),
    localised=True,
)
@section.arguments(NewSubscriptionSchema)
@section.response(201, CreatedSubscriptionSchema, description="It was made now.", headers=_LOCATION)
@section.alt_response(
    200,
    schema=SubscriptionSchema,
    example=SubscriptionSchema.example,
    description="An identical one is there already; its secret is not shown again.",
    success=True,
)
def create_subscription(body: dict[str, Any]) -> Answer:
    """Subscribe to one or several triggers.

    Identical means: the same triggers, target URL, resources and filters. The same trigger
    for another URL is always a new subscription. The spellings of other hook APIs are
    understood: `targetUrl`, `hookUrl`, `hook_url` and `url` for `target_url`, `event` and
    `topic` for `trigger`, `resource_id` for one of `resource_ids`.

    With `handshake`, the target gets a POST with an `X-Hook-Secret` before this answers. If
    it repeats that header in its 2xx answer, the subscription is `active`; if not, it is
    `pending`, and ends unless it is confirmed within ten minutes. The same request again asks
    again.
    """
    made = subscribe.subscribe(context(), account_id(), wish_of(body))
    answer = subscription_answer(made.subscription)
    if not made.is_new:
        return answer, 200, {}
    created = {**answer, "secret": shared_secret_of(made.subscription.secret)}
    return created, 201, {"Location": url_of(made.subscription)}


@section.get("/subscriptions")
@section.access(Access.ACCOUNT, localised=True)
@section.arguments(SubscriptionsQuerySchema, location="query")
@section.response(200, list_of(SubscriptionSchema))
def list_subscriptions(query: dict[str, Any]) -> Json:
    """List the account's subscriptions, newest first.

    Those that have ended are not listed.
    """
    wanted = SubscriptionQuery(
        target_url=query["target_url"],
        trigger=query["trigger"],
        state=query["state"] and SubscriptionState(query["state"]),
    )
    page = find_subscriptions(
        context(), account_id(), wanted, limit=query["limit"], cursor=query["cursor"]
    )
    answers = subscription_answers(page.items)
    return page_answer(Page(items=answers, next_cursor=page.next_cursor))


@section.post("/subscriptions/preview")
@section.access(Access.ACCOUNT, refuses=(TriggerUnavailableError,), localised=True)
@section.arguments(PreviewSchema)
@section.response(200, DryRunSchema)
def preview_subscription(body: dict[str, Any]) -> Json:
    """Try a subscription on the latest events.

    Says which of them it would have been sent, and why not the others. Nothing is stored
    or sent.
    """
    wish = wish_of({**body, "target_url": body["target_url"] or explain.DRY_RUN_TARGET})
    found = explain.dry_run(context(), account_id(), wish, limit=body["limit"], language=language())
    return dry_run_answer(found)


@section.get("/subscriptions/<subscription_id>")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.response(200, SubscriptionSchema)
def get_subscription(subscription_id: str) -> Json:
    """Read one subscription."""
    return subscription_answer(find_subscription(context(), account_id(), subscription_id))


@section.patch("/subscriptions/<subscription_id>")
@section.access(
    Access.ACCOUNT,
    refuses=(NotFoundError, ConflictError, TriggerUnavailableError),
    localised=True,
)
@section.arguments(SubscriptionChangeSchema)
@section.response(200, ChangedSubscriptionSchema)
def change_subscription(body: dict[str, Any], subscription_id: str) -> Json:
    """Change a subscription.

    What is left out stays. A target URL on another host gets a new signing secret, which
    is in the answer, this once. Where the target confirmed the subscription (`handshake`),
    its URL cannot be changed.
    """
    before = find_subscription(context(), account_id(), subscription_id)
    changed = subscribe.change_subscription(
        context(), account_id(), subscription_id, change_of(body)
    )
    answer = subscription_answer(changed)
    secret = shared_secret_of(changed.secret)
    return (
        answer
        if secret is None or changed.secret == before.secret
        else {**answer, "secret": secret}
    )


@section.delete("/subscriptions/<subscription_id>")
@section.access(Access.ACCOUNT)
@section.response(204)
def delete_subscription(subscription_id: str) -> Response:
    """Unsubscribe.

    What still waits to be delivered is cancelled. The answer is the same for a
    subscription that has ended already or never was: platforms repeat this. With a publisher
    key it is the vendor who ends it: the platform is told, if it understands that.
    """
    by_publisher = caller().is_publisher
    subscribe.unsubscribe(context(), account_id(), subscription_id, tell_platform=by_publisher)
    return no_content()


@section.post("/subscriptions/<subscription_id>/pause")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError), localised=True)
@section.response(200, SubscriptionSchema)
def pause_subscription(subscription_id: str) -> Json:
    """Pause a subscription.

    Nothing new fires; what already waits is held until it is resumed.
    """
    return subscription_answer(subscribe.pause(context(), account_id(), subscription_id))


@section.post("/subscriptions/<subscription_id>/resume")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError), localised=True)
@section.response(200, SubscriptionSchema)
def resume_subscription(subscription_id: str) -> Json:
    """Make a subscription active again, whoever stopped it."""
    return subscription_answer(subscribe.resume(context(), account_id(), subscription_id))


@section.post("/subscriptions/<subscription_id>/secret")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError))
@section.arguments(RotationSchema)
@section.response(200, RotatedSecretSchema)
def rotate_subscription_secret(body: dict[str, Any], subscription_id: str) -> Json:
    """Rotate the signing secret.

    The new one signs from now on. The old one signs beside it for `overlap_seconds`, a day
    where nothing is said; with 0 it and every older one are void at once. At most three old
    secrets sign at a time.
    """
    signature = body["signature"]
    rotated = secrets.rotate_secret(
        context(),
        account_id(),
        subscription_id,
        overlap=timedelta(seconds=body["overlap_seconds"]),
        scheme=None if signature is None else SignatureScheme(signature),
    )
    return rotation_answer(rotated)


@section.post("/subscriptions/<subscription_id>/confirmation")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError), localised=True)
@section.arguments(ConfirmationSchema)
@section.response(200, SubscriptionSchema)
def confirm_subscription(body: dict[str, Any], subscription_id: str) -> Json:
    """Confirm a pending subscription.

    With the secret that its target was sent as `X-Hook-Secret`. It works once, for ten
    minutes.
    """
    confirmed = handshake.confirm(context(), account_id(), subscription_id, body["secret"])
    return subscription_answer(confirmed)


@section.post("/subscriptions/<subscription_id>/test")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError, RateLimitedError))
@section.response(200, SentTestSchema)
def test_subscription(subscription_id: str) -> Json:
    """Send a sample to the target once, now.

    The newest sample of the first trigger, as `GET /triggers/{trigger}/samples` shows it and
    signed as deliveries are, in an array of one with `batching`; filters make no difference.
    It is no delivery: it is not listed and not tried again. An account has ten of these a
    minute and two at once (handshakes count too), in each process of the API.
    """
    return sent_test_answer(send_test(context(), account_id(), subscription_id))
