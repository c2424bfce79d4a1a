"""The named retry policies. The standard one's schedule stands in test_deliveries.py."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.retries import BRIEF, MAX_JITTER, ONCE, PATIENT, POLICIES, STANDARD
from tests.builders import NOW

EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))


def span(policy):
    return sum(policy.delays, timedelta())


def test_policies_are_found_by_their_names():
    assert {name: policy.name for name, policy in POLICIES.items()} == {
        name: name for name in ("standard", "brief", "patient", "once")
    }
    assert POLICIES["standard"] is STANDARD


def test_brief_gives_up_within_a_quarter_of_an_hour():
    assert (len(BRIEF.delays) + 1, span(BRIEF)) == (5, timedelta(minutes=12, seconds=35))


def test_patient_bears_a_long_week_end():
    assert (len(PATIENT.delays) + 1, span(PATIENT).days) == (14, 8)


def test_once_is_never_asked_again():
    assert ONCE.next_attempt_at(1, now=NOW, jitter=0.0, retry_after_seconds=60) is None


@EVERY_POLICY
def test_no_wait_is_shorter_than_the_one_before(policy):
    assert list(policy.delays) == sorted(policy.delays)


@EVERY_POLICY
def test_a_fault_of_ours_is_borne_for_longer_than_the_schedule_takes(policy):
    assert policy.patience > span(policy) * 1.1  # with all its jitter


@EVERY_POLICY
@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True), st.none() | st.integers(0, 10**9))
def test_an_attempt_is_never_early_and_waits_have_a_bound(policy, used, jitter, asked_s):
    due = policy.next_attempt_at(used, now=NOW, jitter=jitter, retry_after_seconds=asked_s)

    if used > len(policy.delays):
        assert due is None
    else:
        delay = policy.delays[used - 1]
        assert due >= NOW + max(delay, min(timedelta(seconds=asked_s or 0), timedelta(days=1)))
        assert due <= NOW + max(delay + MAX_JITTER, timedelta(days=1))


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_is_explained(name):
    page = Path(__file__).parents[2] / "docs" / "state-machine.md"

    assert f"| `{name}` |" in page.read_text(encoding="utf-8")
