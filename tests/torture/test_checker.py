"""The checker finds what is wrong. One that finds nothing would prove nothing."""

import base64
import json

import pytest

from tests.torture import checker
from tests.torture.checker import compare
from tests.torture.ledger import Arrival, Ledger, Sent, Watch, arrival_count, arrivals

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
SUBSCRIPTION = "sub_1"
LANE = "s1"


def an_arrival(n=1, *, delivery=None, secret=SECRET, body=None):
    delivery = delivery or f"dlv_{n}"
    body = body or json.dumps({"id": f"evt_{n}", "appointment_id": n}).encode()
    signature = checker._sign(secret, f"{delivery}.5.".encode() + body)
    return Arrival(1.0, f"/{LANE}?delay=1", delivery, "5", signature, body)


def an_event(n=1, **changes):
    return {"id": f"evt_{n}", "data": {"id": n}} | changes


def a_delivery(n=1, **changes):
    made = {"id": f"dlv_{n}", "event_id": f"evt_{n}", "subscription_id": SUBSCRIPTION}
    return made | {"state": "succeeded"} | changes


def found(**changes):
    """Return what is found where one event was sent and arrived, but for the changes."""
    world = {
        "sent": [Sent(1, "evt_1")],
        "arrived": [an_arrival()],
        "events": [an_event()],
        "deliveries": [a_delivery()],
        "subscriptions": [SUBSCRIPTION],
        "secrets": {LANE: [SECRET]},
        "stored": {},
    }
    return compare(**world | changes)


def faults(findings):
    counted = findings.as_dict()
    clean = ("sent", "acked", "deliveries", "arrived")
    return {name: count for name, count in counted.items() if count and name not in clean}


def test_a_sound_world_has_no_faults():
    assert faults(found()) == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"arrived": [], "deliveries": []}, "lost"),
        ({"arrived": []}, "lost"),
        ({"deliveries": [], "arrived": [], "events": []}, "lost"),
        ({"subscriptions": [SUBSCRIPTION, "sub_2"]}, "lost"),
        ({"sent": []}, "phantom"),
        ({"arrived": [an_arrival(), an_arrival(2)]}, "phantom"),
        ({"arrived": [an_arrival(), an_arrival(delivery="dlv_9")]}, "phantom"),
        ({"deliveries": [a_delivery(), a_delivery(2, event_id="evt_9")]}, "phantom"),
        ({"arrived": [an_arrival(), an_arrival()]}, "duplicates"),
        ({"sent": [Sent(1, "evt_1"), Sent(1, "evt_2")]}, "doubled"),
        ({"events": [an_event(), an_event(id="evt_2")]}, "doubled"),
        ({"deliveries": [a_delivery(), a_delivery(id="dlv_2")]}, "doubled"),
        ({"stored": {"dlv_1": [b"{}"]}}, "wrong_bytes"),
        ({"arrived": [an_arrival(secret=OTHER_SECRET)]}, "bad_signatures"),
        ({"secrets": {}}, "bad_signatures"),
        ({"deliveries": [a_delivery(state="sending")]}, "unsettled"),
    ],
)
def test_a_fault_is_counted(change, fault):
    assert faults(found(**change))[fault] >= 1


def test_a_second_attempt_with_other_bytes_is_wrong():
    changed = an_arrival(body=b'{"id":"evt_1", "appointment_id":1}')

    assert faults(found(arrived=[an_arrival(), changed])) == {"duplicates": 1, "wrong_bytes": 1}


def test_what_was_not_accepted_owes_nothing():
    sent = [Sent(1, "evt_1"), Sent(2, None)]

    assert faults(found(sent=sent)) == {}


def test_what_was_accepted_without_the_sender_knowing_is_owed():
    stored = {"events": [an_event(), an_event(2)], "sent": [Sent(1, "evt_1"), Sent(2, None)]}

    assert faults(found(**stored)) == {"lost": 1}


def test_the_ledger_tells_what_was_sent_and_what_was_accepted(tmp_path):
    ledger = Ledger(tmp_path / "sent")
    ledger.about_to_send(1, 2)
    ledger.accepted({2: "evt_2"})
    ledger.close()

    assert ledger.read() == [Sent(1, None), Sent(2, "evt_2")]


def test_a_line_that_is_not_finished_is_not_read(tmp_path):
    book = tmp_path / "arrived"
    line = {"at": 1, "path": "/s1", "delivery": "d", "timestamp": "5", "signature": "", "body": ""}
    book.write_text(json.dumps(line) + '\n{"at": 2, "pa')

    assert [one.at for one in arrivals(book)] == [1]
    assert arrival_count(book) == 1


def test_a_delivery_that_arrives_again_is_counted_once(tmp_path):
    book = tmp_path / "arrived"
    watch = Watch(book)
    assert watch.count() == 0

    with book.open("a") as file:
        for name in ("dlv_1", "dlv_1", "dlv_2"):
            file.write(json.dumps({"delivery": name}) + "\n")
            file.flush()
            watch.count()

    assert watch.count() == 2
