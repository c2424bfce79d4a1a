import pytest

from tests.contracts.stores import STORES, drop


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    opened = STORES[request.param](tmp_path)
    yield opened
    drop(opened)
