"""The examples of the guides run as they are printed."""

import json
import logging
import re
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from standardwebhooks import Webhook

from app.core import signing, signing_secrets
from relais_client.verify import VerificationError, verify

FLAGS = re.DOTALL | re.MULTILINE
DOCS = Path(__file__).parents[2] / "docs"
PUBLISHING = (DOCS / "publishing.md").read_text(encoding="utf-8")
RECEIVING = (DOCS / "receiving.md").read_text(encoding="utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the published test vector
PRIVATE = signing_secrets.new_secret(bytes(32), signing_secrets.SignatureScheme.ED25519)
ACCOUNT = {
    "id": "acc_1",
    "reference": "studio-lumiere",
    "name": "Studio Lumière",
    "language": "fr",
    "enabled": True,
}
API_KEY = {"id": "key_1", "name": "Zapier", "prefix": "rk", "created_at": "2031-03-01T09:12:44Z"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, FLAGS)


@pytest.fixture
def vendor(fake, published, key, monkeypatch):
    """Return a fake with an answer to every example, and what the examples presuppose."""
    collapsed = published | {"disposition": "collapsed"}
    here = "/accounts/studio-lumiere"
    fake.always_answers("POST", "/events", 202, published)
    fake.always_answers("POST", "/events/batch", 202, {"results": [collapsed, published]})
    fake.always_answers("POST", "/events/check", 200, {"diverted": True, "deliveries": 1})
    fake.always_answers("POST", "/accounts", 201, ACCOUNT)
    fake.always_answers("GET", "/accounts", 200, {"data": [ACCOUNT], "next_cursor": None})
    fake.always_answers("PATCH", here, 200, ACCOUNT)
    fake.always_answers("PUT", f"{here}/overlay", 200, {})
    fake.always_answers("PUT", f"{here}/resources/schedule", 200, {})
    fake.always_answers("POST", f"{here}/keys", 201, API_KEY | {"key": "once"})
    fake.always_answers("GET", f"{here}/keys", 200, {"data": [API_KEY], "next_cursor": None})
    fake.always_answers("DELETE", f"{here}/keys/key_1", 200, {})
    monkeypatch.setenv("RELAIS_URL", fake.base_url)
    monkeypatch.setenv("RELAIS_KEY", key)
    done = []
    return {
        "url": fake.base_url,
        "key": key,
        "data": {"id": 880143},
        "text": "Choose a new password here: …",
        "row": SimpleNamespace(id="row-3"),
        "log": logging.getLogger("examples"),
        "done": done,
        "send_the_mail_ourselves": done.append,
        "show_once_to_the_customer": done.append,
        "keep_for_later": done.append,
        "skip_rendering_the_mail": lambda: done.append("skipped"),
    }


def run(text, names, *, numbers=None):
    """Run the Python examples of a page, or those with these numbers, in one namespace."""
    examples = blocks(text, "python")
    for number in range(len(examples)) if numbers is None else numbers:
        exec(compile(examples[number], f"example {number}", "exec"), names)  # noqa: S102 - ours
    return names


def test_the_publishing_examples_run_one_after_the_other(vendor, fake):
    run(PUBLISHING, vendor)["relais"].close()

    mail, *others = vendor["done"]
    assert mail["subject"] == "Reset your password"
    assert others == ["skipped", "once"]
    assert {(one.method, one.path.removeprefix("/api/v1")) for one in fake.requests} == set(
        fake._by_path
    )


def test_the_curl_examples_send_what_the_client_sends(vendor, fake):
    bodies = [json.loads(body) for body in re.findall(r"-d '(.*?)'$", PUBLISHING, FLAGS)]
    run(PUBLISHING, vendor)["relais"].close()
    sent = [set(request.body) for request in fake.requests if request.body]

    assert len(bodies) == 6
    for body in bodies:
        assert any(set(body) - {"occurred_at", "actor"} <= keys for keys in sent), body


@pytest.mark.parametrize("block", blocks(PUBLISHING + RECEIVING, "json"))
def test_each_json_example_is_json(block):
    assert json.loads(block)


@pytest.fixture
def receiver(monkeypatch):
    """Return the names of the Flask example."""
    monkeypatch.setenv("RELAIS_WEBHOOK_SECRET", SECRET)
    queue = []
    names = {"__name__": __name__, "queue": queue, "enqueue": lambda *args: queue.append(args)}
    return run(RECEIVING, names, numbers=[0])


def test_the_receiving_example_takes_what_is_signed_and_nothing_else(receiver):
    browser = receiver["app"].test_client()
    headers = sign("dlv_1", "{}") | {"Content-Type": "application/json"}

    taken = browser.post("/hooks/bookings", data="{}", headers=headers)
    refused = browser.post("/hooks/bookings", data="[]", headers=headers)

    assert (taken.status_code, refused.status_code) == (204, 401)
    assert receiver["queue"] == [("dlv_1", {})]


@pytest.mark.parametrize(("body", "is_genuine"), [(b"{}", True), (b"[]", False)])
def test_the_example_for_a_public_key_takes_what_its_private_half_signed(body, is_genuine):
    at = datetime.now(UTC)  # noqa: TID251 - the example reads the real clock
    headers = signing.headers(
        [PRIVATE], message_id="dlv_1", timestamp=int(at.timestamp()), body=b"{}"
    )
    request = SimpleNamespace(headers=dict(headers), get_data=lambda: body)
    names = {"PUBLIC_KEY": signing_secrets.public_key_of(PRIVATE), "request": request}

    expected = nullcontext() if is_genuine else pytest.raises(VerificationError)
    with expected:
        run(RECEIVING, names | {"verify": verify}, numbers=[2])


def sign(message_id, body, *, secret=SECRET):
    at = datetime.now(UTC)  # noqa: TID251 - the example reads the real clock
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
    }
