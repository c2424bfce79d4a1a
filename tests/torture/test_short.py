"""Some of the scenarios of `make torture`, made short, on both engines."""

import pytest

from tests.postgres import postgres
from tests.torture.children import Nursery
from tests.torture.scenarios import SCENARIOS
from tests.torture.trial import ENGINES, Trial, attempt

SHORT = (1, 3, 4, 5, 24)  # 30 is in test_state_machine.py
_SCALE = 0.03


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as started:
        yield started


@pytest.mark.torture
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", SHORT)
def test_nothing_is_lost(nursery, number, engine):
    if engine == "postgresql":
        postgres()  # skips where there is none
    trial = Trial(nursery, engine, scale=_SCALE)

    result = attempt(SCENARIOS[number], trial)

    assert result.broken == ()
    assert result.skipped == ""
    assert result.findings.acked > 0
