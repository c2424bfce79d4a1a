from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest

from relais_client import Actor, Check, FieldProblem, NewEvent, Published

APPOINTMENT = {"id": 880143, "schedule_id": 51423, "price": 1500}


def test_an_event_is_published_with_the_fields_that_were_given(fake, relais, published):
    fake.answers(202, published)
    paris = timezone(timedelta(hours=1))

    answer = relais.publish(
        "studio-lumiere",
        "appointment.create",
        APPOINTMENT,
        occurred_at=datetime(2031, 3, 4, 18, 0, tzinfo=paris),
        actor=Actor(role=3, name="Ines"),
        origin="api",
        notify=True,
        idempotency_key="change-1",
    )

    assert answer == Published(id="evt_1", deliveries=2, diverted=False, disposition="open")
    (request,) = fake.requests
    assert (request.method, request.path) == ("POST", "/api/v1/events")
    assert request.body == {
        "account": "studio-lumiere",
        "type": "appointment.create",
        "data": APPOINTMENT,
        "occurred_at": "2031-03-04T17:00:00Z",
        "actor": {"role": 3, "name": "Ines"},
        "origin": "api",
        "notify": True,
        "idempotency_key": "change-1",
    }


def test_the_request_names_its_key_its_type_and_its_sender(fake, relais, published, key):
    fake.answers(202, published)

    relais.publish("studio-lumiere", "appointment.create", APPOINTMENT)

    headers = fake.requests[0].headers
    assert headers["Authorization"] == f"Bearer {key}"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("relais-client/")


def test_what_is_not_given_is_not_sent_but_the_idempotency_key(fake, relais, published):
    fake.answers(202, published)

    relais.publish("studio-lumiere", "appointment.create", APPOINTMENT)

    body = fake.requests[0].body
    assert set(body) == {"account", "type", "data", "idempotency_key"}
    assert UUID(body["idempotency_key"]).version == 4


def test_two_publishes_have_two_idempotency_keys(fake, relais, published):
    fake.answers(202, published).answers(202, published)

    relais.publish("studio-lumiere", "appointment.create", APPOINTMENT)
    relais.publish("studio-lumiere", "appointment.create", APPOINTMENT)

    first, second = (request.body["idempotency_key"] for request in fake.requests)
    assert first != second


def test_warnings_and_diversion_and_a_replay_are_read(fake, relais, published):
    warning = {"field": "data.price", "code": "wrong_type", "message": "should be an integer"}
    fake.answers(
        202, published | {"diverted": True, "warnings": [warning]}, Idempotent_Replay="true"
    )

    answer = relais.publish("studio-lumiere", "email.send", {"id": 1})

    assert answer.diverted
    assert answer.replayed
    assert answer.warnings == (
        FieldProblem(field="data.price", code="wrong_type", message="should be an integer"),
    )


def test_data_may_hold_aware_datetimes_dates_uuids_and_mappings(fake, relais, published):
    fake.answers(202, published)
    data = MappingProxyType(
        {
            "start": datetime(2031, 3, 4, 18, 0, tzinfo=timezone(timedelta(hours=1))),
            "day": date(2031, 3, 4),
            "uniq": UUID(int=1),
            "name": "Inès 予約",
        }
    )

    relais.publish("studio-lumiere", "appointment.create", data)

    assert fake.requests[0].body["data"] == {
        "start": "2031-03-04T18:00:00+01:00",
        "day": "2031-03-04",
        "uniq": "00000000-0000-0000-0000-000000000001",
        "name": "Inès 予約",
    }


NAIVE = datetime(2031, 3, 4, 18, 0)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("data", "occurred_at", "complaint"),
    [
        ({}, NAIVE, "occurred_at: 2031-03-04T18:00:00 has no offset"),
        ({"slot": {"start": NAIVE}}, None, "data: 2031-03-04T18:00:00 has no offset"),
        ({"price": float("nan")}, None, "not JSON compliant"),
    ],
)
def test_what_names_no_moment_or_number_is_refused_before_sending(
    fake, relais, data, occurred_at, complaint
):
    with pytest.raises(ValueError, match=complaint):
        relais.publish("studio-lumiere", "appointment.create", data, occurred_at=occurred_at)

    assert fake.requests == []


def test_a_value_without_a_json_form_is_refused_by_its_type(fake, relais):
    with pytest.raises(TypeError, match="Decimal has no JSON form"):
        relais.publish("studio-lumiere", "appointment.create", {"price": Decimal("15.00")})

    assert fake.requests == []


def test_each_event_of_a_batch_has_its_own_idempotency_key(fake, relais, published):
    fake.answers(202, {"results": [published, published | {"id": "evt_2"}]})
    events = [
        NewEvent("studio-lumiere", "appointment.edit", APPOINTMENT, transaction="t1"),
        NewEvent("studio-lumiere", "appointment.edit", APPOINTMENT, idempotency_key="mine"),
    ]

    answers = relais.publish_batch(events)

    assert [answer.id for answer in answers] == ["evt_1", "evt_2"]
    (request,) = fake.requests
    assert request.path == "/api/v1/events/batch"
    first, second = request.body["events"]
    assert UUID(first["idempotency_key"])
    assert first["transaction"] == "t1"
    assert second["idempotency_key"] == "mine"


def test_a_naive_time_anywhere_in_a_batch_sends_nothing(fake, relais):
    good = NewEvent("a", "appointment.edit", {}, occurred_at=datetime(2031, 3, 4, tzinfo=UTC))
    bad = NewEvent("a", "appointment.edit", {}, occurred_at=NAIVE)

    with pytest.raises(ValueError, match="no offset"):
        relais.publish_batch([good, bad])

    assert fake.requests == []


def test_a_batch_of_none_asks_nothing(fake, relais):
    assert relais.publish_batch([]) == []
    assert fake.requests == []


def test_a_batch_of_more_than_a_hundred_is_refused(fake, relais):
    with pytest.raises(ValueError, match="at most 100"):
        relais.publish_batch([NewEvent("a", "appointment.edit", {})] * 101)

    assert fake.requests == []


def test_a_check_asks_without_an_idempotency_key(fake, relais):
    fake.answers(200, {"diverted": True, "deliveries": 1})

    answer = relais.check("studio-lumiere", "reminder.reminder", {"id": 880143})

    assert answer == Check(diverted=True, deliveries=1)
    (request,) = fake.requests
    assert request.path == "/api/v1/events/check"
    assert set(request.body) == {"account", "type", "data"}
