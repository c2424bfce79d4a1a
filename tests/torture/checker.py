"""The checker: compares what was sent, what arrived and what the API says, and counts.

It trusts nobody: signatures are computed here, from the secrets that the API handed out,
without the code that made them.
"""

import base64
import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.torture import ledger
from tests.torture.ledger import Arrival, Sent
from tests.torture.world import World

FINAL = frozenset({"succeeded", "failed", "cancelled"})
_STORIES = 50  # deliveries whose stored bytes are compared with those that arrived


@dataclass(frozen=True)
class Findings:
    """What the checker counted.

    Attributes:
        lost: Accepted events × subscriptions that never arrived, or have no delivery; and
            deliveries that are said to have succeeded, and did not.
        phantom: Requests or events that nobody sent.
        duplicates: Requests beyond the first of each delivery.
        doubled: Events or deliveries that exist twice.
        wrong_bytes: Requests whose body differs from the first one's, or from the stored.
        bad_signatures: Requests that verify with none of the subscription's secrets.
        unsettled: Deliveries that have not ended.
    """

    sent: int = 0
    acked: int = 0
    deliveries: int = 0
    arrived: int = 0
    lost: int = 0
    phantom: int = 0
    duplicates: int = 0
    doubled: int = 0
    wrong_bytes: int = 0
    bad_signatures: int = 0
    unsettled: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def check(world: World, *, lanes: Collection[str] | None = None) -> Findings:
    """Check a world that is quiet. ``lanes`` are those that every event has to reach."""
    api = world.account()
    lanes = world.subscriptions.keys() if lanes is None else lanes
    found = ledger.arrivals(world.arrived)
    stories = {one: api.get(f"/deliveries/{one}") for one in _some(found)}
    return compare(
        sent=world.ledger.read(),
        arrived=found,
        events=list(api.pages("/events")),
        deliveries=list(api.pages("/deliveries")),
        subscriptions={world.subscriptions[lane] for lane in lanes},
        secrets=world.secrets,
        stored={one: _bodies(story) for one, story in stories.items()},
    )


def compare(
    *,
    sent: Sequence[Sent],
    arrived: Sequence[Arrival],
    events: Sequence[Mapping[str, Any]],
    deliveries: Sequence[Mapping[str, Any]],
    subscriptions: Collection[str],
    secrets: Mapping[str, Sequence[str]],
    stored: Mapping[str, Collection[bytes]],
) -> Findings:
    """Compare the four accounts of what happened."""
    by_delivery: dict[str, list[Arrival]] = defaultdict(list)
    for one in arrived:
        by_delivery[one.delivery].append(one)
    return Findings(
        sent=len({one.n for one in sent}),
        acked=sum(one.event is not None for one in sent),
        deliveries=len(deliveries),
        arrived=len(arrived),
        lost=_lost(sent, events, deliveries, by_delivery, subscriptions),
        phantom=_phantom(sent, events, deliveries, arrived),
        duplicates=len(arrived) - len(by_delivery),
        doubled=_doubled(sent, events, deliveries),
        wrong_bytes=_wrong_bytes(by_delivery, deliveries, stored),
        bad_signatures=sum(not has_signature(one, secrets.get(one.lane, ())) for one in arrived),
        unsettled=sum(one["state"] not in FINAL for one in deliveries),
    )


def has_signature(arrival: Arrival, secrets: Sequence[str]) -> bool:
    """Return whether one of the secrets made one of the signatures (Standard Webhooks v1)."""
    signed = f"{arrival.delivery}.{arrival.timestamp}.".encode() + arrival.body
    given = arrival.signature.split(" ")
    return any(_sign(secret, signed) in given for secret in secrets)


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _lost(sent, events, deliveries, by_delivery, subscriptions) -> int:
    known = {one["id"] for one in events}
    acked = {one.event for one in sent if one.event is not None}
    reached = {
        (one["event_id"], one["subscription_id"])
        for one in deliveries
        if one["id"] in by_delivery or one["state"] in ("failed", "cancelled")
    }
    # What was not acked and is there all the same is owed, too.
    owed = {(event, subscription) for event in acked | known for subscription in subscriptions}
    claimed = [o for o in deliveries if o["state"] == "succeeded" and o["id"] not in by_delivery]
    return len(owed - reached) + len(acked - known) + len(claimed)


def _phantom(sent, events, deliveries, arrived) -> int:
    numbers = {one.n for one in sent}
    stray_events = [one for one in events if one["data"].get("id") not in numbers]
    known = {one["id"] for one in events}
    pairs = {(one["id"], one["event_id"]) for one in deliveries}
    stray = [one for one in arrived if (one.delivery, one.event) not in pairs]
    unfounded = [one for one in deliveries if one["event_id"] not in known]
    return len(stray_events) + len(stray) + len(unfounded)


def _doubled(sent, events, deliveries) -> int:
    pairs = Counter((one["event_id"], one["subscription_id"]) for one in deliveries)
    numbers = Counter(one["data"].get("id") for one in events)
    answers = Counter(one.n for one in sent)
    return sum(
        count - 1 for counts in (pairs, numbers, answers) for count in counts.values() if count > 1
    )


def _wrong_bytes(by_delivery, deliveries, stored) -> int:
    events = {one["id"]: one["event_id"] for one in deliveries}
    wrong = 0
    for delivery, found in by_delivery.items():
        digests = {one.digest for one in found}
        first = found[0]
        is_right = len(digests) == 1 and first.event == events.get(delivery, first.event)
        kept = stored.get(delivery)
        wrong += not (is_right and (kept is None or set(kept) <= {first.body}))
    return wrong


def _some(found: Sequence[Arrival]) -> list[str]:
    several = {
        name: None for name, count in Counter(o.delivery for o in found).items() if count > 1
    }
    step = max(1, len(found) // _STORIES)
    spread = {one.delivery: None for one in found[::step]}
    return [*list(several)[:_STORIES], *list(spread)[:_STORIES]]


def _bodies(story: Mapping[str, Any]) -> list[bytes]:
    return [one["request"]["body"].encode() for one in story["attempts"]]
