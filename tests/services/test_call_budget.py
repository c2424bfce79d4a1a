"""The budget of calls: ten a minute, a few at once, whatever the clock does."""

from datetime import timedelta

import pytest

from app.core.errors import RateLimitedError
from app.services.call_budget import AT_ONCE, EACH_AT_ONCE, CallBudget
from tests.fakes import START

SECOND = timedelta(seconds=1)


def call(budget, account="acc_1", at=START):
    with budget.call(account, now=at):
        pass


def refused(budget, account="acc_1", at=START):
    with pytest.raises(RateLimitedError) as error:
        call(budget, account, at)
    return error.value.retry_after_seconds


def test_ten_calls_may_come_at_once_and_then_one_in_six_seconds():
    budget = CallBudget()
    for _ in range(10):
        call(budget)

    assert refused(budget) == 6
    assert refused(budget, at=START + 5.5 * SECOND) == 1
    call(budget, at=START + 6 * SECOND)
    assert refused(budget, at=START + 6 * SECOND) == 6


def test_a_refused_call_costs_nothing():
    budget = CallBudget(per_minute=1)
    call(budget)

    assert [refused(budget, at=START + 30 * SECOND) for _ in range(3)] == [30] * 3
    call(budget, at=START + 60 * SECOND)


def test_each_account_has_its_own():
    budget = CallBudget(per_minute=1)
    call(budget)

    call(budget, "acc_2")


def test_a_clock_that_was_set_back_costs_a_minute_at_most():
    budget = CallBudget(per_minute=1)
    call(budget, at=START + timedelta(days=365))

    assert refused(budget) == 60


def test_a_few_calls_are_under_way_at_once():
    budget = CallBudget()
    under_way = [budget.call(f"acc_{number}", now=START) for number in range(AT_ONCE)]
    for one in under_way:
        one.__enter__()

    assert refused(budget, "acc_more") == 2
    under_way[0].__exit__(None, None, None)
    call(budget, "acc_more")


def test_an_account_whose_targets_hang_keeps_nobody_else_waiting():
    budget = CallBudget()
    under_way = [budget.call("acc_1", now=START) for _ in range(EACH_AT_ONCE)]
    for one in under_way:
        one.__enter__()

    assert refused(budget, "acc_1") == 2
    call(budget, "acc_2")
    under_way[0].__exit__(None, None, None)
    call(budget, "acc_1")


def test_a_call_that_fails_is_over():
    budget = CallBudget(at_once=1)

    with pytest.raises(OSError, match="broken"), budget.call("acc_1", now=START):
        raise OSError("broken")

    call(budget)


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("app.services.call_budget._MAX_ACCOUNTS", 3)
    budget = CallBudget(per_minute=1)
    for number in range(5):
        call(budget, f"acc_{number}")

    assert refused(budget, "acc_4") == 60
    call(budget, "acc_0")  # forgotten, the longest ago
