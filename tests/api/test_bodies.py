"""Hostile and odd bodies on ``POST /events`` (the B rows of the threat list)."""

import json
import time

import pytest

from tests.api.site import ROOT, Site, codes_of, problem_of

LIMIT = 256 * 1024


def _send(site, raw, *, content_type="application/json", path="/events", **headers):
    headers["Authorization"] = f"Bearer {site.publisher}"
    return site.client.post(ROOT + path, data=raw, content_type=content_type, headers=headers)


def _with_data(text):
    return ('{"account":"salon-1","type":"appointment.create","data":' + text + "}").encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"[" * 100_000, "too_deep"),  # B01
        (b'{"a":' * 5_000, "too_deep"),
        (_with_data('{"id":' + "1" * 5_000 + "}"), "number_too_long"),  # B02
        (_with_data('{"id":NaN}'), "not_a_number"),  # B03
        (_with_data('{"id":Infinity}'), "not_a_number"),
        (_with_data('{"id":-Infinity}'), "not_a_number"),
        (_with_data('{"id":1e400}'), "not_a_number"),
        (_with_data('{"id":1,"id":2}'), "duplicate_key"),  # B04
        (_with_data('{"name":"\\ud800"}'), "lone_surrogate"),  # B05
        (_with_data('{"name":"a\\u0000b"}'), "nul_character"),  # B06
        (_with_data('{"name":"\x00"}'), "nul_character"),
        (b'{"a":"\xff"}', "not_utf8"),  # B07
        (b"\xef\xbb\xbf{}", "byte_order_mark"),
        ("{}".encode("utf-16"), "byte_order_mark"),
        (b"", "empty_body"),
        (b"  ", "empty_body"),
        (b"{", "syntax"),
        (b"{'a': 1}", "syntax"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_not_strict_json_is_refused_with_the_rule_it_breaks(site, raw, reason):
    answer = _send(site, raw)

    assert answer.status_code == 400
    assert problem_of(answer)["code"] == "malformed_json"
    assert codes_of(answer) == {"": reason}


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"1"])
def test_a_body_that_is_not_an_object_is_refused(site, raw):
    answer = _send(site, raw)

    assert answer.status_code == 422
    assert codes_of(answer) == {"": "wrong_type"}


@pytest.mark.parametrize(
    "number",
    ["9007199254740993", "9223372036854775808", "-0.0", "1e-320", "1.50", "1E5", "0." + "1" * 30],
)
def test_numbers_are_delivered_digit_by_digit(site, number):  # B08
    site.overlay(
        custom_fields=[{"subject": "user", "key": "exact", "type": "number", "label": "Exact"}]
    )
    site.subscribe(trigger="new_user")
    data = '{"id":1,"custom_fields":{"exact":' + number + "}}"
    raw = _with_data(data).replace(b"appointment.create", b"user.new")

    assert _send(site, raw).json["deliveries"] == 1

    delivery = site.get("/deliveries").json["data"][0]
    story = site.get(f"/deliveries/{delivery['id']}").data.decode()
    assert f'"exact":{number}' in story
    event = site.get(f"/events/{delivery['event_id']}").data.decode()
    assert f'"exact":{number}' in event


def test_an_event_may_have_256_kilobytes_and_no_more(site):  # B09
    shell = len(_with_data('{"note":""}'))
    fits = _with_data('{"note":"' + "x" * (LIMIT - shell) + '"}')

    assert len(fits) == LIMIT
    assert _send(site, fits).status_code == 202
    answer = _send(site, fits + b" ")
    assert answer.status_code == 413
    assert problem_of(answer)["code"] == "body_too_large"


def test_a_body_of_unknown_length_is_read_up_to_the_limit(site):
    class Endless:
        def __init__(self):
            self.given = 0

        def read(self, size=-1):
            self.given += max(size, 1)
            return b"x" * max(size, 1)

    stream = Endless()
    answer = site.client.post(
        f"{ROOT}/events",
        content_type="application/json",
        headers={"Authorization": f"Bearer {site.publisher}"},
        environ_overrides={
            "wsgi.input": stream,
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        },
    )

    assert answer.status_code == 413
    assert stream.given <= 4 * LIMIT


def test_a_longer_body_than_it_said_is_cut_at_what_it_said(site):
    raw = _with_data("{}")

    answer = site.client.post(
        f"{ROOT}/events",
        data=raw + b"}" * 1_000,
        content_type="application/json",
        headers={"Authorization": f"Bearer {site.publisher}"},
        environ_overrides={"CONTENT_LENGTH": str(len(raw))},
    )

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("application/json", {"Content-Encoding": "gzip"}),  # B10
        ("application/json", {"Content-Encoding": "br"}),
        ("text/plain", {}),  # B11
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/vnd.api+json", {}),
        ("application/json; charset=utf-16", {}),
        (None, {}),
    ],
)
def test_what_is_not_plain_json_is_refused(site, content_type, headers):
    answer = _send(site, _with_data("{}"), content_type=content_type, **headers)

    assert answer.status_code == 415
    assert problem_of(answer)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_the_usual_spellings_of_json_are_accepted(site, content_type):
    assert _send(site, _with_data("{}"), content_type=content_type).status_code == 202


@pytest.mark.parametrize(
    "name", ["a b", "", "../x", "x" * 300, "x" * 301, "a\r\nb", "<script>", "appointment", "."]
)
def test_an_event_type_that_does_not_exist_is_refused(site, name):  # B12
    answer = site.publish(type=name)

    assert answer.status_code == 422
    assert set(codes_of(answer)) == {"type"}


def test_an_idempotency_key_has_a_length(site):  # B13
    assert codes_of(site.publish(idempotency_key="k" * 300)) == {"idempotency_key": "invalid"}
    assert codes_of(site.publish(idempotency_key="")) == {"idempotency_key": "invalid"}
    assert site.publish(idempotency_key="k" * 255).status_code == 202


def test_very_many_keys_or_items_are_refused_at_once(site):  # B16
    keys = b'{"a' + b'":1,"a'.join(str(one).encode() for one in range(100_000)) + b'":1}'
    items = _with_data("[" + ",".join("1" for _ in range(200_000)) + "]")
    started = time.perf_counter()

    answers = [_send(site, keys), _send(site, items)]

    assert [one.status_code for one in answers] == [413, 413]
    assert time.perf_counter() - started < 2


def test_a_body_full_of_unknown_fields_gets_a_short_answer(site):
    body = json.dumps({f"field_{number}": 1 for number in range(10_000)})

    answer = _send(site, body)

    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 100


@pytest.mark.parametrize("value", [None, [], "", 0, False])
def test_empty_values_are_delivered_as_they_are(site, value):  # B18
    site.put_resources("document_type", "Sales Invoice")
    example = site.get("/triggers/on_update/example").json
    example["data"]["doc"] = {**example["data"].get("doc", {}), "odd": value}
    site.subscribe(trigger="on_update", resource_ids=["Sales Invoice"])

    answer = site.post("/events", {**example, "account": "salon-1"}, key=site.publisher)

    assert answer.status_code == 202, answer.json
    event = site.get(f"/events/{answer.json['id']}").json
    assert event["data"]["doc"]["odd"] == value


@pytest.mark.parametrize("value", [None, [], "", 0, False])
def test_data_is_an_object(site, value):
    assert codes_of(site.publish(data=value)) == {"data": "wrong_type"}


def test_a_batch_may_be_larger_but_none_of_its_events():
    site = Site(max_batch_bytes=3 * LIMIT)
    note = {"note": "x" * (LIMIT - 1_000)}

    def batch(*data):
        events = [site.an_event(data=one) for one in data]
        return site.post("/events/batch", {"events": events}, key=site.publisher)

    fits = batch(note, note)
    one_too_large = batch(note, {"note": "x" * LIMIT})
    all_too_large = batch(note, note, note, note)

    site.close()
    assert fits.status_code == 202
    assert one_too_large.status_code == all_too_large.status_code == 413
    assert codes_of(one_too_large) == {"events.1": "too_large"}


def test_text_that_looks_like_code_is_stored_as_it_is(site):  # B15
    texts = ["<script>alert(1)</script>", "{{7*7}}", "${7*7}", "'; DROP TABLE", "=cmd()"]
    data = {"id": 1, "full_name": " ".join(texts)}

    event_id = site.publish(data=data).json["id"]

    assert site.get(f"/events/{event_id}").json["data"] == data
