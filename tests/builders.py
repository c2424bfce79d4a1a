"""Valid values for tests; say only what matters: `a_delivery(state=…)`.

The defaults belong together: the delivery ``dlv_1`` takes ``pay_1`` of the event
``evt_1`` of the account ``acc_1`` to its subscription ``sub_1``. `furnish` puts that
family into a store.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.accounts import Account, ApiKey, CustomField, Form, Overlay, Resource, Scope
from app.core.deliveries import (
    FINAL_STATES,
    Attempt,
    Delivery,
    DeliveryState,
    Lease,
    Outcome,
    OutcomeKind,
    Verdict,
)
from app.core.events import Actor, Event
from app.core.fields import FieldType
from app.core.ids import (
    AccountId,
    AttemptId,
    DeliveryId,
    EventId,
    KeyId,
    PayloadId,
    SubscriptionId,
)
from app.core.ports import Store
from app.core.records import ClaimedDelivery, IdempotencyRecord, Payload, Settlement
from app.core.subscriptions import Subscription

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

ACCOUNT = AccountId("acc_1")
EVENT = EventId("evt_1")
PAYLOAD = PayloadId("pay_1")
SUBSCRIPTION = SubscriptionId("sub_1")
DELIVERY = DeliveryId("dlv_1")
SECRET = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5"  # noqa: S105  # a made-up one
TARGET_URL = "https://hooks.example.com/1"
TRIGGER = "changed_appointment"


def an_account(**changes: Any) -> Account:
    return replace(
        Account(
            id=ACCOUNT,
            reference="salon-1",
            name="Salon One",
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


def an_overlay(**changes: Any) -> Overlay:
    field = a_custom_field()
    form = Form(id="f1", name="Intake", subject="form", fields=(field,), resource_id="7")
    return replace(
        Overlay(
            optional_fields=frozenset({"appointment.price", "user.phone"}),
            custom_fields=(field,),
            forms=(form,),
        ),
        **changes,
    )


def a_custom_field(**changes: Any) -> CustomField:
    return replace(
        CustomField(
            subject="appointment",
            key="breed",
            type=FieldType.STRING,
            label="Breed",
            sample="Poodle",
            choices=("Poodle", "Pug"),
            resource_id="7",
            personal=True,
        ),
        **changes,
    )


def a_key(**changes: Any) -> ApiKey:
    return replace(
        ApiKey(
            id=KeyId("key_1"),
            scope=Scope.ACCOUNT,
            account_id=ACCOUNT,
            name="Zapier",
            prefix="rk_abcdefgh",
            digest="0" * 64,
            created_at=NOW,
        ),
        **changes,
    )


def a_publisher_key(**changes: Any) -> ApiKey:
    return a_key(**{"scope": Scope.PUBLISHER, "account_id": None} | changes)


def a_resource(**changes: Any) -> Resource:
    return replace(
        Resource(account_id=ACCOUNT, kind="schedule", id="7", label="Massage"), **changes
    )


def a_subscription(**changes: Any) -> Subscription:
    return replace(
        Subscription(
            id=SUBSCRIPTION,
            account_id=ACCOUNT,
            triggers=(TRIGGER,),
            target_url=TARGET_URL,
            secret=SECRET,
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


def an_event(**changes: Any) -> Event:
    return replace(
        Event(
            id=EVENT,
            account_id=ACCOUNT,
            catalog="bookings",
            type="appointment.create",
            published_type="appointment.create",
            data={"id": 12, "full_name": "Ann"},
            occurred_at=NOW,
            received_at=NOW,
            actor=Actor(role=3, id="u1", name="Ann"),
        ),
        **changes,
    )


def a_payload(**changes: Any) -> Payload:
    return replace(Payload(id=PAYLOAD, event_id=EVENT, body=b'{"id":"evt_1"}'), **changes)


def an_idempotency_record(**changes: Any) -> IdempotencyRecord:
    return replace(
        IdempotencyRecord(
            account_id=ACCOUNT,
            key="order-1",
            digest="1" * 64,
            answer={"id": EVENT, "deliveries": 1, "diverted": False},
            created_at=NOW,
        ),
        **changes,
    )


def a_delivery(**changes: Any) -> Delivery:
    """Make a delivery; a settled one was settled `NOW`, the others are due `NOW`."""
    is_final = changes.get("state") in FINAL_STATES
    times = {"settled_at": NOW} if is_final else {"next_attempt_at": NOW}
    return replace(
        Delivery(
            id=DELIVERY,
            account_id=ACCOUNT,
            event_id=EVENT,
            subscription_id=SUBSCRIPTION,
            trigger=TRIGGER,
            payload_id=PAYLOAD,
            created_at=NOW,
        ),
        **times | changes,
    )


def an_outcome(**changes: Any) -> Outcome:
    return Outcome(
        kind=OutcomeKind.SUCCEEDED,
        duration_ms=12,
        status_code=200,
        response_headers=(("Content-Type", "text/plain"), ("X-Odd", "caf\xe9")),
        response_body=b"ok \x00\xff",
    )._replace(**changes)


def a_refusal(status_code: int = 500, **changes: Any) -> Outcome:
    """Make the outcome of a target that answered with another status than 2xx."""
    return an_outcome(**{"kind": OutcomeKind.HTTP_STATUS, "status_code": status_code} | changes)


def an_attempt(**changes: Any) -> Attempt:
    return replace(
        Attempt(
            id=AttemptId("att_1"),
            delivery_id=DELIVERY,
            number=1,
            started_at=NOW,
            method="POST",
            target_url=TARGET_URL,
            request_headers=(("webhook-id", DELIVERY), ("webhook-signature", "v1,***")),
            outcome=an_outcome(),
        ),
        **changes,
    )


def a_lease(**changes: Any) -> Lease:
    return replace(
        Lease(delivery_id=DELIVERY, worker="w1", fence=1, expires_at=NOW + MINUTE), **changes
    )


def succeeded(**changes: Any) -> Verdict:
    return replace(Verdict(state=DeliveryState.SUCCEEDED, attempt_count=1), **changes)


def failed(**changes: Any) -> Verdict:
    return replace(Verdict(state=DeliveryState.FAILED, attempt_count=10), **changes)


def retried(**changes: Any) -> Verdict:
    return replace(
        Verdict(state=DeliveryState.PENDING, attempt_count=1, next_attempt_at=NOW + MINUTE),
        **changes,
    )


def a_settlement(claimed: ClaimedDelivery, verdict: Verdict, **changes: Any) -> Settlement:
    """Make the settlement of a claim; its outcome is a success unless ``attempt`` says so."""
    lease = claimed.lease
    attempt = an_attempt(
        id=AttemptId(f"att_{lease.delivery_id}_{lease.fence}"),
        delivery_id=lease.delivery_id,
        number=claimed.delivery.attempt_count + 1,
    )
    return replace(
        Settlement(
            lease=lease,
            verdict=verdict,
            attempt=attempt,
            settled_at=NOW,
            subscription_version=claimed.subscription.version,
        ),
        **changes,
    )


def furnish(store: Store, *deliveries: Delivery) -> None:
    """Put the account, subscription, event and payload of the defaults, and deliveries."""
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_subscription(a_subscription(), fingerprint="f1")
        tx.add_events([an_event()])
        tx.add_payloads([a_payload()])
        tx.add_deliveries(deliveries)
