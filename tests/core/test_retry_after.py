"""Retry-After: seconds or a date; nonsense is ignored, long waits are capped."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.retry_after import parse_retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DAY = 24 * 60 * 60

CASES = {
    "0": 0,
    "120": 120,
    " 120\t": 120,
    "0120": 120,
    "86400": DAY,
    "86401": DAY,
    "1000000000": DAY,
    "9" * 5000: DAY,
    "Sun, 22 Nov 2026 12:02:00 GMT": 120,
    "Sunday, 22-Nov-26 12:02:00 GMT": 120,
    "Sun Nov 22 12:02:00 2026": 120,
    "Sat, 31 Dec 2099 23:59:59 GMT": DAY,
    "Sun, 22 Nov 2026 12:00:00 GMT": None,
    "Sun, 22 Nov 2026 11:59:59 GMT": None,
    "Thu, 01 Jan 1970 00:00:00 GMT": None,
    "Sun, 99 Nov 2026 12:00:00 GMT": None,
    "": None,
    "-5": None,
    "+5": None,
    "1e9": None,
    "1.5": None,
    "NaN": None,
    "inf": None,
    "abc": None,
    "120, 300": None,
    "120 seconds": None,
    "١٢": None,
    "²": None,
    "2026-11-22T12:02:00Z": None,
    "Sun, 22 Nov 2026 12:02:00 GMT, 120": None,
    "Sun" + " " * 10_000: None,
}


@pytest.mark.parametrize(("text", "seconds"), CASES.items(), ids=[key[:40] for key in CASES])
def test_retry_after(text, seconds):
    assert parse_retry_after(text, now=NOW) == seconds


def test_part_of_a_second_is_waited_for_too():
    now = NOW.replace(microsecond=1)

    assert parse_retry_after("Sun, 22 Nov 2026 12:00:10 GMT", now=now) == 10


@settings(derandomize=True, max_examples=300, deadline=None)
@example("Sun, 22 Nov 99999999 12:02:00 GMT")
@example("Sun, 22 Nov 2026 12:02:00 +9999999")
@given(st.text(max_size=60) | st.from_regex(r"\A(Mon|Sun), [0-9]{1,3} [A-Z][a-z]{2} [0-9 :+-]+\Z"))
def test_nothing_makes_it_fail_or_wait_for_more_than_a_day(text):
    seconds = parse_retry_after(text, now=NOW)

    assert seconds is None or 0 <= seconds <= DAY
