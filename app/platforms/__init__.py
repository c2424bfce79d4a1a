"""How each automation platform words things. Data: one entry a platform."""

from app.core.deliveries import DeadSignals
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
_NEVER_GONE = DeadSignals(gone_status_codes=frozenset())

GENERIC = Platform(key="generic", name="Webhook", aliases=_DIALECT)
PLATFORMS = (
    GENERIC,
    Platform(key="zapier", name="Zapier", hosts=("hooks.zapier.com",), aliases=_DIALECT),
    # Make answers 410 also while a scenario is merely off, so 410 must not end it.
    Platform(
        key="make",
        name="Make",
        hosts=("make.com", "integromat.com"),
        aliases=_DIALECT,
        dead_signals=_NEVER_GONE,
    ),
    Platform(key="n8n", name="n8n", hosts=("n8n.cloud",), aliases=_DIALECT),
    Platform(
        key="power_automate",
        name="Power Automate",
        hosts=("logic.azure.com", "powerplatform.com"),
        aliases=_DIALECT,
    ),
)


def find_platform(key: str) -> Platform | None:
    """Return the platform by its key, or None."""
    return next((platform for platform in PLATFORMS if platform.key == key), None)


def platform_of_host(host: str) -> Platform:
    """Return the platform whose target URLs are on this host; GENERIC otherwise."""
    for platform in PLATFORMS:
        for known in platform.hosts:
            if host == known or host.endswith(f".{known}"):
                return platform
    return GENERIC
