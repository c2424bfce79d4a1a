"""How each automation platform words things, and behaves. Data: one entry a platform.

Where each fact comes from, and what follows from it, stands in docs/platforms.md.
"""

from datetime import timedelta
from http import HTTPStatus

from app.core.profiles import AnswerSign, Profile
from app.platforms.spec import Platform

# Spellings of the platforms' own templates and of other providers' hook APIs. They are
# understood for every platform, since users paste examples of one into another.
_DIALECT = {
    "targetUrl": "target_url",
    "hookUrl": "target_url",
    "hook_url": "target_url",
    "url": "target_url",
    "event": "trigger",
    "topic": "trigger",
    "resource_id": "resource_ids",
    "parent_id": "resource_ids",
}
_TOO_FAST = AnswerSign(HTTPStatus.TOO_MANY_REQUESTS)

GENERIC = Platform(key="generic", name="Webhook", aliases=_DIALECT)

# A Zap that is switched off unsubscribes and answers 410; switched on again, it subscribes
# anew, with another URL. So 410 is final. The limit of 30 a second has room to spare.
_ZAPIER = Profile(per_second=20.0, reverse_unsubscribe=True)

# Make registers a URL when its webhook is made, not when the scenario is switched on, and
# says 410 also while that is merely off. To end the subscription then would leave the
# scenario deaf for ever: so it is held, for longer than the 5 days after which Make itself
# gives up an unused webhook. A full queue is said with 400. 300 are taken per 10 s.
_MAKE = Profile(
    gone=(),
    off=(AnswerSign(HTTPStatus.GONE),),
    grace=timedelta(days=7),
    probe_every=timedelta(hours=1),
    throttled=(_TOO_FAST, AnswerSign(HTTPStatus.BAD_REQUEST, "queue is full")),
    per_second=29.0,
)

# n8n says 404 while a workflow is not active, and at times, by mistake, while it is: during
# a start, or a deployment. The URL stays the same for ever. So 404 counts once it has
# lasted, and never ends anything.
_N8N = Profile(
    off=(AnswerSign(HTTPStatus.NOT_FOUND),),
    off_after=timedelta(hours=24),
    probe_every=timedelta(minutes=30),
)

# A flow that is off or was deleted: both are said in these words.
_POWER_AUTOMATE = Profile(
    off=(AnswerSign(HTTPStatus.BAD_REQUEST, "WorkflowTriggerIsNotEnabled"),),
    probe_every=timedelta(hours=1),
)

# What its gateway lets through steadily.
_WORKATO = Profile(per_second=20.0)

PLATFORMS = (
    GENERIC,
    Platform(
        key="zapier",
        name="Zapier",
        hosts=("hooks.zapier.com",),
        aliases=_DIALECT,
        profile=_ZAPIER,
    ),
    Platform(
        key="make",
        name="Make",
        hosts=("make.com", "make.celonis.com", "integromat.com"),
        aliases=_DIALECT,
        profile=_MAKE,
    ),
    Platform(key="n8n", name="n8n", hosts=("n8n.cloud",), aliases=_DIALECT, profile=_N8N),
    Platform(
        key="power_automate",
        name="Power Automate",
        hosts=("logic.azure.com", "powerplatform.com"),
        aliases=_DIALECT,
        profile=_POWER_AUTOMATE,
    ),
    Platform(
        key="workato", name="Workato", hosts=("workato.com",), aliases=_DIALECT, profile=_WORKATO
    ),
)


_BY_KEY = {platform.key: platform for platform in PLATFORMS}


def find_platform(key: str) -> Platform | None:
    """Return the platform by its key, or None."""
    return _BY_KEY.get(key)


def platform_of_host(host: str) -> Platform:
    """Return the platform whose target URLs are on this host; GENERIC otherwise."""
    for platform in PLATFORMS:
        for known in platform.hosts:
            if host == known or host.endswith(f".{known}"):
                return platform
    return GENERIC
