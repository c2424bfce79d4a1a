import pytest

from tests.api.site import Site


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()
