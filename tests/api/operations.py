"""One good call of every operation, by its operationId: the table that other tests walk.

Each entry prepares what it needs and returns the answer. A test fails when an operation
of the API is missing here.
"""

from collections.abc import Callable

from werkzeug.test import TestResponse

from app.services.presence import Pulse
from tests.api.site import ROOT, TARGET, Site

Call = Callable[[Site], TestResponse]


def _subscription_id(site: Site) -> str:
    return site.subscribe()["id"]


def _event_id(site: Site) -> str:
    return site.publish().json["id"]


def _delivery_id(site: Site, *, settled: bool = True) -> str:
    site.subscribe()
    site.publish()
    if settled:
        site.send_all()
    return site.get("/deliveries").json["data"][0]["id"]


def _on_subscription(method: str, path: str = "", body=None) -> Call:
    return lambda site: site.call(method, f"/subscriptions/{_subscription_id(site)}{path}", body)


def _publisher(method: str, path: str, body=None) -> Call:
    return lambda site: site.call(method, path, body, key=site.publisher)


def _with_resource(method: str, path: str, body=None) -> Call:
    def call(site: Site) -> TestResponse:
        site.put_resources("schedule", "51423")
        return site.call(method, path, body, key=site.publisher)

    return call


def _key_id(site: Site, path: str) -> str:
    return site.post(path, {"name": "Spare"}, key=site.publisher).json["id"]


def _replay_id(site: Site) -> str:
    site.context.clock.advance()
    path = f"/subscriptions/{_subscription_id(site)}/replays"
    return site.post(path, {"since": "2020-01-01T00:00:00Z"}).json["id"]


def _missed(site: Site) -> TestResponse:
    _event_id(site)
    site.context.clock.advance()
    return site.get(f"/subscriptions/{_subscription_id(site)}/missed")


def _replays(site: Site) -> TestResponse:
    replay = site.get(f"/replays/{_replay_id(site)}").json
    return site.get(f"/subscriptions/{replay['subscription_id']}/replays")


OPERATIONS: dict[str, Call] = {
    "getMe": lambda site: site.get("/me"),
    "listTriggers": lambda site: site.get("/triggers"),
    "getTrigger": lambda site: site.get("/triggers/changed_appointment"),
    "listTriggerFields": lambda site: site.get("/triggers/changed_appointment/fields"),
    "getTriggerSchema": lambda site: site.get("/triggers/changed_appointment/schema"),
    "getPublishableExample": lambda site: site.get("/triggers/changed_appointment/example"),
    "listSamples": lambda site: site.get("/triggers/changed_appointment/samples"),
    "listResources": lambda site: site.get("/resources/schedule"),
    "createSubscription": lambda site: site.post(
        "/subscriptions", {"trigger": "changed_appointment", "target_url": TARGET}
    ),
    "listSubscriptions": lambda site: (_subscription_id(site), site.get("/subscriptions"))[1],
    "previewSubscription": lambda site: site.post(
        "/subscriptions/preview", {"trigger": "changed_appointment"}
    ),
    "getSubscription": _on_subscription("GET"),
    "changeSubscription": _on_subscription("PATCH", body={"name": "New name"}),
    "deleteSubscription": _on_subscription("DELETE"),
    "pauseSubscription": _on_subscription("POST", "/pause"),
    "resumeSubscription": _on_subscription("POST", "/resume"),
    "rotateSubscriptionSecret": _on_subscription("POST", "/secret"),
    "confirmSubscription": lambda site: site.confirm(site.pending()),
    "testSubscription": _on_subscription("POST", "/test"),
    "publishEvent": lambda site: site.publish(),
    "publishEvents": lambda site: site.post(
        "/events/batch", {"events": [site.an_event()]}, key=site.publisher
    ),
    "checkEvent": lambda site: site.post("/events/check", site.an_event(), key=site.publisher),
    "listEvents": lambda site: (_event_id(site), site.get("/events"))[1],
    "getEvent": lambda site: site.get(f"/events/{_event_id(site)}"),
    "explainEvent": lambda site: (
        site.subscribe(filters={"event": "destroy"}),
        site.get(f"/events/{_event_id(site)}/explanations"),
    )[1],
    "listDeliveries": lambda site: (_delivery_id(site), site.get("/deliveries"))[1],
    "getDelivery": lambda site: site.get(f"/deliveries/{_delivery_id(site)}"),
    "redeliver": lambda site: site.post(f"/deliveries/{_delivery_id(site)}/redeliver"),
    "createReplay": _on_subscription("POST", "/replays", {"since": "2020-01-01T00:00:00Z"}),
    "listReplays": _replays,
    "listMissed": _missed,
    "getReplay": lambda site: site.get(f"/replays/{_replay_id(site)}"),
    "cancelReplay": lambda site: site.call("DELETE", f"/replays/{_replay_id(site)}"),
    "createAccount": _publisher("POST", "/accounts", {"reference": "salon-3", "name": "Three"}),
    "listAccounts": _publisher("GET", "/accounts"),
    "getAccount": _publisher("GET", "/accounts/salon-1"),
    "changeAccount": _publisher("PATCH", "/accounts/salon-1", {"name": "One"}),
    "getOverlay": _publisher("GET", "/accounts/salon-1/overlay"),
    "putOverlay": _publisher(
        "PUT", "/accounts/salon-1/overlay", {"optional_fields": {"user": ["mobile"]}}
    ),
    "listAccountResources": _with_resource("GET", "/accounts/salon-1/resources/schedule"),
    "putAccountResources": _publisher(
        "PUT",
        "/accounts/salon-1/resources/schedule",
        {"resources": [{"id": "51423", "label": "Yoga room"}]},
    ),
    "putAccountResource": _publisher(
        "PUT", "/accounts/salon-1/resources/schedule/51423", {"label": "Yoga room"}
    ),
    "deleteAccountResource": _with_resource("DELETE", "/accounts/salon-1/resources/schedule/51423"),
    "createAccountKey": _publisher("POST", "/accounts/salon-1/keys", {"name": "n8n"}),
    "listAccountKeys": _publisher("GET", "/accounts/salon-1/keys"),
    "revokeAccountKey": lambda site: site.call(
        "DELETE",
        f"/accounts/salon-1/keys/{_key_id(site, '/accounts/salon-1/keys')}",
        key=site.publisher,
    ),
    "createPublisherKey": _publisher("POST", "/keys", {"name": "Backend 2"}),
    "listPublisherKeys": _publisher("GET", "/keys"),
    "revokePublisherKey": lambda site: site.call(
        "DELETE", f"/keys/{_key_id(site, '/keys')}", key=site.publisher
    ),
    "listCatalogs": _publisher("GET", "/catalogs"),
    "getHealth": lambda site: site.client.get("/healthz"),
    "getReadiness": lambda site: (
        Pulse(site.context, "w1").beat(0),
        site.client.get("/readyz"),
    )[1],
    "getMetrics": lambda site: site.client.get("/metrics"),
    "getOpenapi": lambda site: site.client.get(f"{ROOT}/openapi.json"),
    "getProblem": lambda site: site.client.get("/problems/not_found"),
}
