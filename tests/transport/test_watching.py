"""What libcurl wants watched, against a real selector and real sockets."""

import selectors
import socket

import pycurl
import pytest

from app.transport.watching import SocketWatch


class CountingSelector(selectors.DefaultSelector):
    """Counts what reaches the kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def register(self, *args, **kwargs):
        self.changes += 1
        return super().register(*args, **kwargs)

    def unregister(self, *args, **kwargs):
        self.changes += 1
        return super().unregister(*args, **kwargs)


@pytest.fixture
def selector():
    with CountingSelector() as selector:
        yield selector


@pytest.fixture
def pair():
    inside, outside = socket.socketpair()
    yield inside, outside
    inside.close()
    outside.close()


def want(watch: SocketWatch, what: int, sock: socket.socket) -> None:
    watch.want(what, sock.fileno(), None, None)


def happened(selector, watch: SocketWatch) -> list[int | None]:
    return [watch.happened(key.fd, events) for key, events in selector.select(0)]


def test_what_is_wanted_is_told(selector, pair):
    watch = SocketWatch(selector)

    want(watch, pycurl.POLL_OUT, pair[0])
    assert happened(selector, watch) == [pycurl.CSELECT_OUT]

    pair[1].send(b"x")
    want(watch, pycurl.POLL_INOUT, pair[0])
    assert happened(selector, watch) == [pycurl.CSELECT_IN | pycurl.CSELECT_OUT]


def test_a_kept_connection_costs_the_kernel_nothing(selector, pair):
    watch = SocketWatch(selector)

    for _ in range(10):
        want(watch, pycurl.POLL_IN, pair[0])
        want(watch, pycurl.POLL_REMOVE, pair[0])

    assert selector.changes == 1


def test_a_socket_that_nobody_wants_is_told_of_no_more(selector, pair):
    watch = SocketWatch(selector)
    want(watch, pycurl.POLL_IN, pair[0])
    want(watch, pycurl.POLL_REMOVE, pair[0])

    pair[1].close()

    assert happened(selector, watch) == [None]
    assert selector.select(0) == []  # or else the loop would never rest


def test_a_socket_that_is_wanted_again_is_told_of_again(selector, pair):
    watch = SocketWatch(selector)
    want(watch, pycurl.POLL_IN, pair[0])
    want(watch, pycurl.POLL_REMOVE, pair[0])
    pair[1].send(b"x")
    assert happened(selector, watch) == [None]

    want(watch, pycurl.POLL_IN, pair[0])

    assert happened(selector, watch) == [pycurl.CSELECT_IN]


def test_a_new_socket_with_the_number_of_a_closed_one_is_watched(selector):
    watch = SocketWatch(selector)
    first, other = socket.socketpair()
    number = first.fileno()
    want(watch, pycurl.POLL_OUT, first)
    want(watch, pycurl.POLL_REMOVE, first)
    first.close()
    other.close()
    second, other = socket.socketpair()
    assert second.fileno() == number  # systems give out the lowest free one

    watch.opened(number)
    want(watch, pycurl.POLL_OUT, second)

    assert happened(selector, watch) == [pycurl.CSELECT_OUT]
    second.close()
    other.close()
