"""A context per test, on a real store in memory."""

import pytest

from tests.contexts import a_context


@pytest.fixture
def context():
    made = a_context()
    yield made
    made.store.close()
