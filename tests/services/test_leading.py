"""One leader over all processes; two stand for two machines here."""

import logging
from datetime import timedelta

import pytest

from app.core.errors import UnavailableError
from app.services.leading import LEASE, RENEW_EVERY, Leader


@pytest.fixture
def first(context):
    return Leader(context, "first")


@pytest.fixture
def second(context):
    return Leader(context, "second")


class Broken:
    """A store that cannot be reached."""

    def write(self):
        raise UnavailableError("The database does not answer.")


def cut_off(monkeypatch, context):
    monkeypatch.setattr(context.store, "write", Broken().write)


def test_nobody_leads_before_asking(first):
    assert not first.is_leading()


def test_of_two_the_first_leads(first, second):
    assert (first.renew(), second.renew()) == (True, False)
    assert (first.is_leading(), second.is_leading()) == (True, False)


def test_who_renews_in_time_leads_on(context, first, second):
    for _ in range(20):
        assert first.renew()
        assert not second.renew()
        context.clock.advance(RENEW_EVERY)


def test_who_dies_is_followed_within_the_lease(context, first, second):
    first.renew()

    context.clock.advance(LEASE - timedelta(seconds=1))
    assert not second.renew()
    context.clock.advance(timedelta(seconds=1))
    assert second.renew()


def test_who_slept_through_its_lease_does_not_lead_when_it_wakes(context, first, second):
    first.renew()
    context.clock.advance(2 * LEASE)
    second.renew()

    assert not first.is_leading()
    assert not first.renew()
    assert second.is_leading()


def test_who_slept_and_was_not_missed_does_not_lead_until_it_asks(context, first):
    first.renew()
    context.clock.advance(2 * LEASE)

    assert not first.is_leading()
    assert first.renew()


def test_who_resigns_is_followed_at_once(first, second):
    first.renew()
    first.resign()

    assert not first.is_leading()
    assert second.renew()


def test_who_loses_the_store_leads_until_its_lease_ends(context, first, monkeypatch):
    first.renew()
    cut_off(monkeypatch, context)

    assert first.renew()
    context.clock.advance(LEASE)
    assert not first.renew()


def test_resigning_without_a_store_is_no_error(context, first, monkeypatch):
    first.renew()
    cut_off(monkeypatch, context)

    first.resign()

    assert not first.is_leading()


def test_the_log_tells_who_took_over_and_who_lost(context, first, second, caplog):
    caplog.set_level(logging.INFO)
    first.renew()
    first.renew()
    context.clock.advance(LEASE)
    second.renew()
    first.renew()

    told = [(one.message, one.holder) for one in caplog.records if hasattr(one, "holder")]
    assert told == [
        ("leader.took_over", "first"),
        ("leader.took_over", "second"),
        ("leader.lost", "first"),
    ]
