"""The way into a loop that waits with a selector, for other threads."""

import selectors
import socket


class Interrupt:
    """A pair of sockets that makes a selector return.

    Everything but `ring` belongs to the loop's thread.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        selector.register(self._inside, selectors.EVENT_READ)

    def ring(self) -> None:
        """End the running wait, or else the next one. Any thread may call."""
        try:
            self._outside.send(b"\0")
        except OSError:
            return  # it rings already, or was closed

    def is_behind(self, key: selectors.SelectorKey) -> bool:
        """Return whether this is what the selector found."""
        return key.fileobj is self._inside

    def silence(self) -> None:
        """Let the selector wait again."""
        try:
            while self._inside.recv(4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Free the sockets."""
        self._inside.close()
        self._outside.close()
