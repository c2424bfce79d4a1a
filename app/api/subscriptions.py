"""Subscribe, and everything about a subscription's life."""

from typing import Any

from flask import Response

from app.api.answers import Answer, no_content
from app.api.auth import Access
from app.api.current import account_id, context
from app.api.language import language
from app.api.paging import page_answer
from app.api.schemas.subscriptions import (
    ChangedSubscriptionSchema,
    CreatedSubscriptionSchema,
    DryRunSchema,
    NewSubscriptionSchema,
    PreviewSchema,
    SecretSchema,
    SubscriptionChangeSchema,
    SubscriptionSchema,
    SubscriptionsQuerySchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.api.subscription_answers import (
    change_of,
    dry_run_answer,
    subscription_answer,
    subscription_answers,
    url_of,
    wish_of,
)
from app.core.errors import (
    ConflictError,
    LimitReachedError,
    NotFoundError,
    TriggerUnavailableError,
)
from app.core.jsontypes import Json
from app.core.records import Page, SubscriptionQuery
from app.core.subscriptions import SubscriptionState
from app.services import explain, subscribe

section = Section("Subscriptions", "Standing requests: send these events to that URL.")
_LOCATION = {"Location": {"description": "Its URL.", "schema": {"type": "string", "format": "uri"}}}


@section.post("/subscriptions")
@section.access(
    Access.ACCOUNT, refuses=(TriggerUnavailableError, LimitReachedError), localised=True
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
    """
    made = subscribe.subscribe(context(), account_id(), wish_of(body))
    answer = subscription_answer(made.subscription)
    if not made.is_new:
        return answer, 200, {}
    created = {**answer, "secret": made.subscription.secret}
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
    page = subscribe.list_subscriptions(
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
    found = subscribe.find_subscription(context(), account_id(), subscription_id)
    return subscription_answer(found)


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
    is in the answer, this once.
    """
    before = subscribe.find_subscription(context(), account_id(), subscription_id)
    changed = subscribe.change_subscription(
        context(), account_id(), subscription_id, change_of(body)
    )
    answer = subscription_answer(changed)
    return answer if changed.secret == before.secret else {**answer, "secret": changed.secret}


@section.delete("/subscriptions/<subscription_id>")
@section.access(Access.ACCOUNT)
@section.response(204)
def delete_subscription(subscription_id: str) -> Response:
    """Unsubscribe.

    What still waits to be delivered is cancelled. The answer is the same for a
    subscription that has ended already or never was: platforms repeat this.
    """
    subscribe.unsubscribe(context(), account_id(), subscription_id)
    return no_content()


@section.post("/subscriptions/<subscription_id>/pause")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.response(200, SubscriptionSchema)
def pause_subscription(subscription_id: str) -> Json:
    """Pause a subscription.

    Nothing new fires; what already waits is held until it is resumed.
    """
    return subscription_answer(subscribe.pause(context(), account_id(), subscription_id))


@section.post("/subscriptions/<subscription_id>/resume")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.response(200, SubscriptionSchema)
def resume_subscription(subscription_id: str) -> Json:
    """Make a subscription active again, whoever stopped it."""
    return subscription_answer(subscribe.resume(context(), account_id(), subscription_id))


@section.post("/subscriptions/<subscription_id>/secret")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.response(200, SecretSchema)
def rotate_subscription_secret(subscription_id: str) -> Json:
    """Rotate the signing secret.

    The new one signs from now on; the old one is void at once.
    """
    return subscribe.rotate_secret(context(), account_id(), subscription_id)
