"""Subscriptions between the wire and the use cases."""

from collections.abc import Mapping, Sequence

from app.api.current import absolute_url, account_id, context
from app.api.language import language
from app.core.accounts import Account
from app.core.batching import Batching
from app.core.compatible_signatures import CompatibleSignature
from app.core.filter_words import describe
from app.core.filters import from_json
from app.core.jsontypes import Json
from app.core.signing_secrets import SignatureScheme, public_key_of, scheme_of, shared_secret_of
from app.core.subscriptions import Subscription
from app.services.conditions import Condition, conditions_of
from app.services.explain import DryRun
from app.services.subscribe import Change
from app.services.test_send import SentTest
from app.services.triggers import own_account, shape_for
from app.services.wishes import Manner, Wish


def wish_of(body: Mapping[str, Json]) -> Wish:
    """Return what a loaded `NewSubscriptionSchema` asks for."""
    return Wish(
        triggers=tuple(body.get("triggers", ())),
        target_url=body["target_url"],
        resource_ids=tuple(body.get("resource_ids") or ()),
        filters=body.get("filters"),
        name=body["name"],
        platform=body["platform"],
        signature=SignatureScheme(body.get("signature", SignatureScheme.HMAC_SHA256)),
        compatible_signatures=_compatible_signatures(body),
        handshake=body.get("handshake", False),
        manner=manner_of(body),
    )


def change_of(body: Mapping[str, Json]) -> Change:
    """Return what a loaded `SubscriptionChangeSchema` changes."""
    return Change(
        triggers=tuple(body["triggers"]) if "triggers" in body else None,
        target_url=body.get("target_url"),
        resource_ids=tuple(body["resource_ids"] or ()) if "resource_ids" in body else None,
        filters=(body["filters"],) if "filters" in body else None,
        platform=(body["platform"],) if "platform" in body else None,
        name=body.get("name"),
        compatible_signatures=(
            _compatible_signatures(body) if "compatible_signatures" in body else None
        ),
        manner=manner_of(body),
    )


def manner_of(body: Mapping[str, Json]) -> Manner:
    """Return what a body says about how to deliver, and nothing of what it does not say."""
    manner: Manner = {}
    if "retry_policy" in body:
        manner["retry_policy"] = body["retry_policy"]
    if "per_second" in body:
        manner["per_second"] = body["per_second"]
    if "batching" in body:
        manner["batching"] = None if body["batching"] is None else Batching(**body["batching"])
    return manner


def url_of(subscription: Subscription) -> str:
    """Return where a subscription can be read."""
    return absolute_url(f"/subscriptions/{subscription.id}")


def subscription_answer(subscription: Subscription) -> dict[str, Json]:
    """Return a subscription of the request's account as answers show it: no secret."""
    return subscription_answers([subscription])[0]


def subscription_answers(subscriptions: Sequence[Subscription]) -> tuple[dict[str, Json], ...]:
    """Return several; the account and their conditions are looked up once."""
    account = own_account(context(), account_id())
    conditions = conditions_of(context(), subscriptions)
    return tuple(_answer(account, one, conditions[one.id]) for one in subscriptions)


def dry_run_answer(found: DryRun) -> dict[str, Json]:
    """Return what a dry run found, as answers show it."""
    return {
        "checked": found.checked,
        "matched": len(found.matched),
        "samples": found.matched,
        "misses": [
            {"event_id": event_id, "reason": reason, "text": text}
            for event_id, reason, text in found.misses
        ],
    }


def rotation_answer(rotated: Subscription) -> dict[str, Json]:
    """Return what a receiver needs of a subscription whose secret was just replaced."""
    newest_old = next(iter(rotated.old_secrets), None)
    return {
        "signature": scheme_of(rotated.secret),
        "secret": shared_secret_of(rotated.secret),
        "public_key": public_key_of(rotated.secret),
        "old_secret_signs_until": None if newest_old is None else newest_old.signs_until,
    }


def sent_test_answer(sent: SentTest) -> dict[str, Json]:
    """Return a test send: exactly what was sent, and what came back."""
    request, outcome = sent.request, sent.outcome
    return {
        "id": sent.id,
        "outcome": outcome.kind,
        "status_code": outcome.status_code,
        "duration_ms": outcome.duration_ms,
        "request": {
            "method": request.method,
            "url": request.target_url,
            "headers": _headers(request.headers),
            "body": request.body.decode(),
        },
        "response": None
        if outcome.status_code is None
        else {
            "headers": _headers(outcome.response_headers),
            "body": outcome.response_body.decode(errors="replace"),
            "truncated": outcome.truncated,
        },
    }


def _headers(headers: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _compatible_signatures(body: Mapping[str, Json]) -> tuple[CompatibleSignature, ...]:
    return tuple(CompatibleSignature(key) for key in body.get("compatible_signatures") or ())


def _answer(account: Account, subscription: Subscription, condition: Condition) -> dict[str, Json]:
    confirmation = subscription.confirmation
    return {
        "id": subscription.id,
        "name": subscription.name,
        "triggers": subscription.triggers,
        "trigger": subscription.triggers[0],
        "target_url": subscription.target_url,
        "resource_ids": subscription.resource_ids,
        "filters": subscription.filter,
        "filters_text": _filter_text(account, subscription),
        "platform": subscription.platform,
        "state": subscription.state,
        "state_reason": subscription.state_reason,
        "confirm_until": None if confirmation is None else confirmation.until,
        "signature": scheme_of(subscription.secret),
        "public_key": public_key_of(subscription.secret),
        "compatible_signatures": subscription.compatible_signatures,
        "retry_policy": subscription.retry_policy,
        "per_second": subscription.per_second,
        "batching": subscription.batching,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
        "delivery_count": condition.activity.delivery_count,
        "last_delivery_at": condition.activity.last_delivery_at,
        "health": {
            "failing_since": condition.failing_since,
            "failures": condition.failures,
            "suspended_since": condition.suspended_since,
            "next_try_at": condition.next_try_at,
            "waiting": condition.waiting,
        },
        "links": {"self": url_of(subscription)},
    }


def _filter_text(account: Account, subscription: Subscription) -> str | None:
    wanted = from_json(subscription.filter)
    if wanted is None:
        return None
    # A trigger may have left the catalogs since; then the fields have no labels.
    trigger = context().registry.trigger(subscription.triggers[0])
    shape = () if trigger is None else shape_for(context(), account, trigger)
    return describe(wanted, shape, language())
