"""The sockets of libcurl in a selector, watched with as few system calls as can be."""

import selectors

import pycurl

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_HAPPENED: dict[int, int] = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


class SocketWatch:
    """What libcurl wants to know of its sockets.

    It wants a socket watched for the time of a request, and no more once the answer is
    in. The socket of a kept connection stays in the selector even so: the next request
    is of the same wish, and the kernel need not be told twice per request. When something
    happens to it in between, such as its end, it goes.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        """Watch with ``selector``, which may hold others too."""
        self._selector = selector
        self._wanted: set[int] = set()
        self._registered: dict[int, int] = {}  # also those that are not wanted just now

    def want(self, what: int, fd: int, _multi: object, _data: object) -> None:
        """Take a wish of libcurl (M_SOCKETFUNCTION)."""
        if what == pycurl.POLL_REMOVE:
            self._wanted.discard(fd)
            return
        self._wanted.add(fd)
        events = _EVENTS[what]
        if self._registered.get(fd) != events:
            self._register(fd, events)

    def opened(self, fd: int) -> None:
        """Forget the socket that had the number of a new one before: it is closed."""
        if fd in self._registered:
            self._forget(fd)

    def happened(self, fd: int, events: int) -> int | None:
        """Return what libcurl is to be told, None where it does not want to know."""
        if fd in self._wanted:
            return _HAPPENED[events]
        self._forget(fd)
        return None

    def _register(self, fd: int, events: int) -> None:
        if fd in self._registered:
            self._selector.modify(fd, events)
        else:
            self._selector.register(fd, events)
        self._registered[fd] = events

    def _forget(self, fd: int) -> None:
        del self._registered[fd]
        self._selector.unregister(fd)
