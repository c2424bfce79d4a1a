import logging
from datetime import UTC, datetime

import pytest
import requests

from relais_client import RefusedError, Retries, UnreachableError
from relais_client.exchange import no_answer
from relais_client.retries import retry_after_s

NEW_KEY = {
    "id": "key_1",
    "name": "zapier",
    "prefix": "rk_acc_x",
    "created_at": "2031-03-01T09:12:44Z",
    "key": "rk_acc_x_once",
}


def publish(relais):
    return relais.publish("studio-lumiere", "appointment.create", {"id": 880143})


def keys_sent(fake):
    return [request.body["idempotency_key"] for request in fake.requests]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_temporary_answer_is_tried_again_with_the_same_body(fake, relais, published, status):
    fake.refuses(status, "unavailable").answers(202, published)

    answer = publish(relais)

    assert answer.id == "evt_1"
    first, second = fake.requests
    assert first.body == second.body


def test_a_dropped_connection_is_tried_again_with_the_same_idempotency_key(fake, relais, published):
    fake.drops().answers(202, published, Idempotent_Replay="true")

    answer = publish(relais)

    assert answer.replayed
    first, second = keys_sent(fake)
    assert first == second


def test_a_cut_answer_is_tried_again(fake, relais, published):
    fake.answers_bytes(202, b'{"id": ', Content_Length="400").answers(202, published)

    answer = publish(relais)

    assert answer.id == "evt_1"
    assert len(set(keys_sent(fake))) == 1


def test_a_silent_relais_is_a_time_out(connect, silent_url):
    relais = connect(silent_url, timeout=0.05, retries=Retries(attempts=2))

    with pytest.raises(UnreachableError, match=r"no answer in time \(attempts: 2\)"):
        publish(relais)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_other_refusals_are_final(fake, relais, time, status):
    fake.refuses(status, "some_code")

    with pytest.raises(RefusedError) as caught:
        publish(relais)

    assert not caught.value.temporary
    assert len(fake.requests) == 1
    assert time.slept == []


def test_the_waits_double_up_to_the_longest(fake, relais, time):
    for _ in range(4):
        fake.refuses(503, "unavailable")

    with pytest.raises(RefusedError) as caught:
        publish(relais)

    assert caught.value.temporary
    assert time.slept == [1.0, 2.0, 4.0]
    assert len(fake.requests) == 4


def test_retry_after_lengthens_the_wait(fake, relais, published, time):
    fake.refuses(503, "unavailable", Retry_After="17").answers(202, published)

    publish(relais)

    assert time.slept == [17.0]


def test_retry_after_never_shortens_the_wait(fake, relais, published, time):
    fake.refuses(429, "unavailable", Retry_After="0").answers(202, published)

    publish(relais)

    assert time.slept == [1.0]


def test_a_retry_after_beyond_the_total_time_gives_up_and_is_told(fake, relais, time):
    fake.refuses(503, "unavailable", Retry_After="61")

    with pytest.raises(RefusedError) as caught:
        publish(relais)

    assert caught.value.retry_after_s == 61.0
    assert time.slept == []


def test_no_attempt_starts_after_the_total_time(fake, connect, time):
    relais = connect(fake.base_url, retries=Retries(attempts=9, total_s=4, first_delay_s=2))
    for _ in range(9):
        fake.refuses(503, "unavailable")

    with pytest.raises(RefusedError):
        publish(relais)

    assert time.slept == [1.0, 2.0]


def test_one_attempt_means_no_retry(fake, connect, time):
    relais = connect(fake.base_url, retries=Retries(attempts=1))
    fake.drops()

    with pytest.raises(UnreachableError, match=r"the connection broke \(attempts: 1\)") as caught:
        publish(relais)

    assert caught.value.temporary
    assert time.slept == []


def test_nobody_listening_is_unreachable(connect, free_url):
    relais = connect(free_url)

    with pytest.raises(UnreachableError, match=r"no connection \(attempts: 4\)"):
        publish(relais)


def test_a_creation_is_not_repeated_when_it_may_have_happened(fake, relais):
    fake.drops()

    with pytest.raises(UnreachableError, match="attempts: 1"):
        relais.create_key("zapier", account="studio-lumiere")

    assert len(fake.requests) == 1


@pytest.mark.parametrize(("status", "requests"), [(502, 1), (504, 1), (429, 2), (503, 2)])
def test_a_creation_is_repeated_only_when_it_was_turned_away(fake, relais, status, requests):
    fake.refuses(status, "unavailable").answers(201, NEW_KEY)

    if requests == 1:
        with pytest.raises(RefusedError):
            relais.create_key("zapier")
    else:
        relais.create_key("zapier")

    assert len(fake.requests) == requests


def test_a_creation_is_repeated_when_there_was_no_connection(connect, free_url, time):
    relais = connect(free_url)

    with pytest.raises(UnreachableError, match="attempts: 4"):
        relais.create_key("zapier")

    assert len(time.slept) == 3


@pytest.mark.parametrize(
    ("error", "never_sent", "temporary"),
    [
        (requests.ConnectTimeout(), True, True),
        (requests.ReadTimeout(), False, True),
        (requests.ConnectionError(), False, True),
        (requests.exceptions.SSLError(), False, True),
        (requests.exceptions.ChunkedEncodingError(), False, True),
        (requests.exceptions.InvalidHeader(), False, False),
    ],
)
def test_each_network_error_says_what_relais_may_have_seen(error, never_sent, temporary):
    seen = no_answer(error)

    assert (seen.never_sent, seen.temporary) == (never_sent, temporary)


def test_a_retry_is_logged_without_the_body(fake, relais, published, caplog):
    fake.refuses(503, "unavailable").answers(202, published)

    with caplog.at_level(logging.INFO, logger="relais_client"):
        publish(relais)

    (record,) = caplog.records
    assert record.getMessage() == "request.failed"
    assert (record.method, record.path, record.attempt) == ("POST", "/events", 1)
    assert record.reason == "status 503"


def test_a_retry_after_date_is_read_against_the_date_of_the_answer():
    headers = {
        "Date": "Tue, 04 Mar 2031 18:00:00 GMT",
        "Retry-After": "Tue, 04 Mar 2031 18:02:00 GMT",
    }

    assert retry_after_s(headers) == 120.0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "soon"},
        {"Retry-After": "-3"},
        {"Retry-After": "१"},
        {"Retry-After": "Tue, 04 Mar 2031 18:02:00 GMT"},
        {"Retry-After": "Tue, 04 Mar 2031 18:02:00 GMT", "Date": "today"},
        {"Retry-After": "Tue, 04 Mar 2031 18:02:00", "Date": "Tue, 04 Mar 2031 18:00:00 GMT"},
    ],
)
def test_an_unreadable_retry_after_asks_for_nothing(headers):
    assert retry_after_s(headers) is None


def test_jitter_stays_between_half_and_all_of_the_delay():
    retries = Retries(first_delay_s=4, max_delay_s=100, total_s=1000, attempts=5000)

    waits = [
        retries.wait_s(attempt, elapsed_s=0, jitter=jitter, retry_after_s=None)
        for attempt, jitter in [(1, 0.0), (1, 0.5), (2, 0.5), (4999, 0.0)]
    ]

    assert waits == [2.0, 3.0, 6.0, 50.0]


@pytest.mark.parametrize(
    "options", [{"attempts": 0}, {"total_s": -1}, {"first_delay_s": -1}, {"max_delay_s": -1}]
)
def test_retries_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"attempts|negative"):
        Retries(**options)


def test_a_naive_expiry_is_refused(fake, relais):
    naive = datetime(2031, 3, 4)  # noqa: DTZ001 - the point of the test

    with pytest.raises(ValueError, match="expires_at"):
        relais.create_key("zapier", expires_at=naive)

    assert fake.requests == []


def test_an_expiry_is_sent_in_utc(fake, relais):
    fake.answers(201, NEW_KEY | {"expires_at": "2032-01-01T00:00:00Z"})

    created = relais.create_key("zapier", expires_at=datetime(2032, 1, 1, tzinfo=UTC))

    assert fake.requests[0].body["expires_at"] == "2032-01-01T00:00:00Z"
    assert created.expires_at == datetime(2032, 1, 1, tzinfo=UTC)
