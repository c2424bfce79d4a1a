"""A receiver, and a sender that may call it."""

import pytest

from tests.receiver import Receiver
from tests.transport.sending import make_sender


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sender():
    sender = make_sender()
    yield sender
    sender.close()
