"""Wishes: what somebody asks to be sent, checked part by part with every problem named."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from app.core import filters, jsontext
from app.core.accounts import Account
from app.core.availability import unavailable_reason
from app.core.batching import Batching
from app.core.catalogs import Restriction, Trigger
from app.core.compatible_signatures import CompatibleSignature
from app.core.errors import FieldProblem, InvalidRequestError, TriggerUnavailableError
from app.core.filter_reading import read_filter
from app.core.jsontypes import Json, JsonObject
from app.core.ports import Tx
from app.core.signing_secrets import SignatureScheme
from app.core.subscriptions import Subscription
from app.core.target_urls import TargetUrl, check_target_url
from app.platforms import GENERIC, PLATFORMS, find_platform, platform_of_host
from app.platforms.spec import Platform
from app.services.context import Context
from app.services.triggers import known_triggers, shape_for

# Their endpoints answer every request alike, so they cannot repeat what one of them said.
_CANNOT_CONFIRM = frozenset({"zapier", "make"})


class Manner(TypedDict, total=False):
    """How to deliver: those fields of a `Subscription` that somebody said something about."""

    retry_policy: str | None
    per_second: int | None
    batching: Batching | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to subscribe to, as it was asked.

    ``handshake``: the target has to confirm it first; see `app.services.handshake`.
    """

    triggers: tuple[str, ...]
    target_url: str
    resource_ids: tuple[str, ...] = ()
    filters: Json = None
    name: str = ""
    platform: str | None = None
    signature: SignatureScheme = SignatureScheme.HMAC_SHA256
    compatible_signatures: tuple[CompatibleSignature, ...] = ()
    handshake: bool = False
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedWish:
    """A wish that can be granted."""

    triggers: tuple[str, ...]
    target_url: str
    resource_ids: tuple[str, ...]
    filter: JsonObject | None
    platform: str
    compatible_signatures: tuple[CompatibleSignature, ...] = ()


def check_wish(context: Context, tx: Tx, account: Account, wish: Wish) -> CheckedWish:
    """Return the wish in normal form.

    Raises:
        InvalidRequestError: With every problem.
        TriggerUnavailableError: All is well but the account lacks what a trigger needs.
    """
    triggers, problems = _known_triggers(context, account, wish.triggers)
    target = check_target_url(wish.target_url, context.rules.urls)
    if isinstance(target, FieldProblem):
        problems.append(replace(target, field="target_url"))
    resource_ids = tuple(dict.fromkeys(wish.resource_ids))
    problems += _resource_problems(tx, account, triggers, resource_ids)
    shapes = [shape_for(context, account, trigger, resource_ids) for trigger in triggers]
    wanted, filter_problems = read_filter(wish.filters, shapes) if shapes else (None, ())
    problems += [*filter_problems, *_platform_problems(wish.platform)]
    problems += [*_signature_problems(wish), *_handshake_problems(wish, target)]
    if problems or isinstance(target, FieldProblem):
        raise InvalidRequestError("This subscription cannot be made.", problems=tuple(problems))
    _require_available(context, account, triggers)
    return CheckedWish(
        triggers=tuple(trigger.key for trigger in triggers),
        target_url=target.href,
        resource_ids=resource_ids,
        filter=filters.to_json(wanted),
        platform=wish.platform or platform_of_host(target.host).key,
        compatible_signatures=tuple(dict.fromkeys(wish.compatible_signatures)),
    )


def fingerprint_of(checked: CheckedWish) -> str:
    """Return what makes two subscriptions of an account identical, as a digest."""
    parts = [
        sorted(checked.triggers),
        checked.target_url,
        sorted(checked.resource_ids),
        checked.filter,
    ]
    return hashlib.sha256(jsontext.encode(parts)).hexdigest()


def platform_at(context: Context, before: Subscription, target_url: str) -> str | None:
    """Return the platform of a subscription that moves to another URL; None: the URL tells.

    What the old URL told goes with it. What somebody said instead stays, unless the new
    URL tells something else.
    """
    old, new = (_told_by(context, url) for url in (before.target_url, target_url))
    was_given = before.platform != old.key
    return before.platform if new == old or (new == GENERIC and was_given) else None


def compatibility_problem(scheme: SignatureScheme, *, field: str) -> FieldProblem | None:
    """Return why the scheme cannot sign a subscription with compatible headers, if so."""
    if scheme is SignatureScheme.HMAC_SHA256:
        return None
    message = (
        "The headers of other schemes need a secret that the receiver knows too: "
        f"use {SignatureScheme.HMAC_SHA256}, or leave out compatible_signatures."
    )
    return FieldProblem(field=field, code="needs_shared_secret", message=message)


def _told_by(context: Context, target_url: str) -> Platform:
    target = check_target_url(target_url, context.rules.urls)
    return GENERIC if isinstance(target, FieldProblem) else platform_of_host(target.host)


def _known_triggers(
    context: Context, account: Account, keys: Sequence[str]
) -> tuple[list[Trigger], list[FieldProblem]]:
    known = known_triggers(context, account)
    found: list[Trigger] = []
    problems: list[FieldProblem] = []
    for key in dict.fromkeys(keys):
        trigger = context.registry.trigger(key)
        if trigger is None or key not in known:
            message = f"There is no trigger {key[:60]!r}. There are: {', '.join(known)}."
            problems.append(FieldProblem(field="trigger", code="unknown_trigger", message=message))
        else:
            found.append(trigger)
    if not keys:
        message = "Name the trigger to subscribe to."
        problems.append(FieldProblem(field="trigger", code="required", message=message))
    return found, problems


def _resource_problems(
    tx: Tx, account: Account, triggers: Sequence[Trigger], resource_ids: Sequence[str]
) -> list[FieldProblem]:
    restrictions = [trigger.restriction for trigger in triggers]
    if not resource_ids:
        needed = [one.kind for one in restrictions if one is not None and one.required]
        return [_resource_problem("required", f"Choose a {needed[0]}.")] if needed else []
    kinds = {None if one is None else one.kind for one in restrictions}
    if len(kinds) != 1 or None in kinds:
        message = "These triggers cannot be restricted to the same resources; leave this out."
        return [_resource_problem("not_restrictable", message)] if triggers else []
    return [
        problem
        for restriction in dict.fromkeys(one for one in restrictions if one is not None)
        for problem in _chosen_problems(tx, account, restriction, resource_ids)
    ]


def _chosen_problems(
    tx: Tx, account: Account, restriction: Restriction, resource_ids: Sequence[str]
) -> list[FieldProblem]:
    found = {one.id: one for one in tx.resources_by_id(account.id, restriction.kind, resource_ids)}
    problems: list[FieldProblem] = []
    for resource_id in resource_ids:
        resource = found.get(resource_id)
        if resource is None:
            message = f"This account has no {restriction.kind} {resource_id[:60]!r}."
            problems.append(_resource_problem("unknown_resource", message))
            continue
        for need in restriction.requirements:
            if resource.attributes.get(need.attribute) != need.equals:
                reason = need.reason.in_language(account.language)
                problems.append(_resource_problem("resource_unsuitable", reason))
    return problems


def _resource_problem(code: str, message: str) -> FieldProblem:
    return FieldProblem(field="resource_ids", code=code, message=message)


def _platform_problems(key: str | None) -> list[FieldProblem]:
    if key is None or find_platform(key) is not None:
        return []
    known = ", ".join(one.key for one in PLATFORMS)
    message = (
        f"There is no platform {key[:60]!r}. There are: {known}. Leave it out if you are none."
    )
    return [FieldProblem(field="platform", code="unknown_platform", message=message)]


def _signature_problems(wish: Wish) -> list[FieldProblem]:
    if not wish.compatible_signatures:
        return []
    problem = compatibility_problem(wish.signature, field="compatible_signatures")
    return [] if problem is None else [problem]


def _handshake_problems(wish: Wish, target: TargetUrl | FieldProblem) -> list[FieldProblem]:
    if not wish.handshake or isinstance(target, FieldProblem):
        return []
    # Whatever the wish says: the host is what answers.
    platforms = {wish.platform, platform_of_host(target.host).key}
    if platforms.isdisjoint(_CANNOT_CONFIRM):
        return []
    message = "This platform cannot answer a handshake; subscribe without one."
    return [FieldProblem(field="handshake", code="not_supported", message=message)]


def _require_available(context: Context, account: Account, triggers: Sequence[Trigger]) -> None:
    for trigger in triggers:
        reason = unavailable_reason(account, context.registry.catalogs[trigger.catalog], trigger)
        if reason is not None:
            raise TriggerUnavailableError(
                reason.in_language(account.language),
                problems=(
                    FieldProblem(
                        field="trigger",
                        code="trigger_unavailable",
                        message=reason.in_language(account.language),
                    ),
                ),
            )
