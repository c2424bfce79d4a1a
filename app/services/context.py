"""What every use case is given: the ports and the deployment's rules."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.core.accounts import ApiKey
from app.core.catalogs import Registry
from app.core.metering import Meter, NoMeter
from app.core.ports import Clock, Dice, Doorbell, Errands, Store
from app.core.retries import STANDARD, RetryPolicy
from app.core.sending import Caller
from app.core.target_urls import UrlRules
from app.services.call_budget import CallBudget
from app.services.groups import Groups
from app.services.lookups import Memo
from app.services.probes import Probes
from app.services.publications import NewEvent, Published


class PayloadChecks(StrEnum):
    """What happens to published data that does not fit the catalog."""

    OFF = "off"
    WARN = "warn"  # accepted, the answer says what is wrong
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What this deployment allows; `app.config.Settings` fills it.

    ``user_agent`` is what its requests to targets say they come from.
    """

    urls: UrlRules
    payload_checks: PayloadChecks = PayloadChecks.REJECT
    max_subscriptions_per_account: int = 1_000
    max_payload_bytes: int = 256 * 1024
    retry_policy: RetryPolicy = field(default=STANDARD)
    # From the first byte of an attempt to the last one; what a target may take.
    delivery_timeout: timedelta = timedelta(seconds=15)
    user_agent: str = "Relais"

    @property
    def lease(self) -> timedelta:
        """Return how long a worker holds a delivery: far longer than its attempt takes."""
        return 3 * self.delivery_timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The ports and rules that use cases work with."""

    store: Store
    registry: Registry
    clock: Clock
    dice: Dice
    doorbell: Doorbell
    errands: Errands
    caller: Caller
    rules: Rules
    meter: Meter = field(default_factory=NoMeter)
    probes: Probes = field(default_factory=Probes)
    memo: Memo = field(default_factory=Memo)
    call_budget: CallBudget = field(default_factory=CallBudget)
    authenticating: Groups[str, tuple[ApiKey, ...]] = field(default_factory=Groups)
    publishing: Groups[NewEvent, Published] = field(default_factory=Groups)
