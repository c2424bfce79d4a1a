"""A whole Relais behind Flask's test client, with two accounts in it."""

from dataclasses import dataclass
from functools import cache

from flask import Flask
from werkzeug.test import TestResponse

from app.api import create_api
from app.api.current import EXTENSION, Api
from app.core import jsontext
from app.core.deliveries import Outcome, OutcomeKind
from app.core.jsontypes import Json
from app.services import deliver
from app.services.accounts import AccountChange, create_account
from app.services.context import Context
from app.services.keys import create_key
from app.services.settle import settle_attempts
from tests.contexts import a_context

ROOT = "/api/v1"
TARGET = "https://hooks.example.com/1"
ALL_FEATURES = {"login_required": True, "shop": True, "sms_marketing": True, "call_webhooks": True}
APPOINTMENT = {"id": 12345, "schedule_id": 51423, "full_name": "Ann", "price": 45.5}


@dataclass(frozen=True)
class Tenant:
    id: str
    reference: str
    key: str


@cache
def _the_app() -> Flask:
    context = a_context()
    context.store.close()
    return create_api(context)


def _app_with(context: Context, **options) -> Flask:
    """Return the application over another context; making a new one takes a while."""
    app = _the_app()
    given = {"public_url": None, "max_batch_bytes": 10 * 1024 * 1024} | options
    app.extensions[EXTENSION] = Api(context=context, **given)
    return app


class Site:
    """One deployment; `get`, `post`, … call it as an account, or as whoever ``key`` says."""

    def __init__(self, context: Context | None = None, **options) -> None:
        self.context = context or a_context()
        self.app = _app_with(self.context, **options)
        self.client = self.app.test_client()
        self.publisher = create_key(self.context, name="Backend").key
        self.mine = self.tenant("salon-1")
        self.other = self.tenant("salon-2")

    def close(self) -> None:
        self.context.store.close()

    def tenant(self, reference: str, **change) -> Tenant:
        change = AccountChange(**{"name": reference.title(), "features": ALL_FEATURES} | change)
        account = create_account(self.context, reference, change)
        key = create_key(self.context, name="Zapier", account=account.id).key
        return Tenant(id=account.id, reference=reference, key=key)

    def call(
        self, method: str, path: str, body: Json = None, *, key: str | None = None, **options
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {key or self.mine.key}"} | options.pop("headers", {})
        if body is not None:
            options |= {"data": jsontext.encode(body), "content_type": "application/json"}
        return self.client.open(ROOT + path, method=method, headers=headers, **options)

    def get(self, path: str, **options) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Json = None, **options) -> TestResponse:
        return self.call("POST", path, body, **options)

    def publish(self, **changes) -> TestResponse:
        return self.post("/events", self.an_event(**changes), key=self.publisher)

    def an_event(self, **changes) -> Json:
        event = {"account": "salon-1", "type": "appointment.create", "data": APPOINTMENT}
        return {**event, "actor": {"role": 3}} | changes

    def subscribe(self, **changes) -> Json:
        """Subscribe, and return the subscription."""
        key = changes.pop("key", None)
        body = {"trigger": "changed_appointment", "target_url": TARGET} | changes
        response = self.post("/subscriptions", body, key=key)
        assert response.status_code in (200, 201), response.json
        return response.json

    def pending(self, **changes) -> Json:
        """Subscribe with a handshake that the target does not answer yet."""
        return self.subscribe(handshake=True, target_url=f"{TARGET}/pending", **changes)

    def confirm(self, pending: Json, *, secret: str | None = None) -> TestResponse:
        """Confirm with what the target was sent last."""
        sent = dict(self.context.caller.requests[-1].headers)["X-Hook-Secret"]
        path = f"/subscriptions/{pending['id']}/confirmation"
        return self.post(path, {"secret": secret or sent})

    def overlay(self, **parts) -> TestResponse:
        return self.call("PUT", "/accounts/salon-1/overlay", parts, key=self.publisher)

    def put_resources(self, kind: str, *ids: str, account: str = "salon-1", **attributes) -> None:
        resources = [{"id": one, "label": f"No {one}", "attributes": attributes} for one in ids]
        path = f"/accounts/{account}/resources/{kind}"
        answer = self.call("PUT", path, {"resources": resources}, key=self.publisher)
        assert answer.status_code == 200, answer.json

    def send_all(self, status_code: int = 200, body: bytes = b"thanks") -> int:
        """Attempt every due delivery, each with the same answer; return how many."""
        claimed = deliver.claim(self.context, worker="w1", limit=100)
        succeeded = status_code < 300
        outcome = Outcome(
            kind=OutcomeKind.SUCCEEDED if succeeded else OutcomeKind.HTTP_STATUS,
            duration_ms=12,
            status_code=status_code,
            response_headers=(("Content-Type", "text/plain"),),
            response_body=body,
        )
        prepared = [deliver.prepare(self.context, one, user_agent="Relais/test") for one in claimed]
        now = self.context.clock.now()
        ended = [
            deliver.EndedAttempt(prepared=one, outcome=outcome, ended_at=now) for one in prepared
        ]
        settle_attempts(self.context, ended)
        return len(ended)


def problem_of(response: TestResponse) -> Json:
    """Return a refusal without what differs from request to request."""
    assert response.content_type == "application/problem+json", response.data
    body = dict(response.json)
    assert body.pop("request_id")
    return body


def codes_of(response: TestResponse) -> dict[str, str]:
    """Return field → code of a refusal."""
    return {one["field"]: one["code"] for one in problem_of(response).get("errors", [])}
