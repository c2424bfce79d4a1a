"""One exchange at a time, for the rare calls: handshakes, test sends, unsubscriptions.

They go the way of the deliveries, through the same sender: the guard, the caps and the
deadlines hold by construction.
"""

import threading
from collections.abc import Callable
from typing import Final

from app.core.deliveries import Outcome
from app.core.sending import HttpRequest, Sender

_POLL_S: Final = 60.0  # a request ends by its own deadline; nobody waits as long


class CurlCaller:
    """See `app.core.sending.Caller`.

    Each thread that is calling has a sender for itself. Senders are kept and used again,
    so there are never more of them, or of their look-up threads, than calls at one time
    ask for.
    """

    def __init__(self, make_sender: Callable[[], Sender]) -> None:
        """Take the way to make a sender, as the worker has it; makes none yet."""
        self._make_sender = make_sender
        self._lock = threading.Lock()
        self._idle: list[Sender] = []
        self._is_closed = False

    def exchange(self, request: HttpRequest) -> Outcome:
        """See `Caller`."""
        sender = self._take()
        try:
            sender.submit(request)
            outcome = _outcome(sender)
        except BaseException:  # such as the end of the process: the request may be halfway
            sender.close()
            raise
        self._give_back(sender)
        return outcome

    def close(self) -> None:
        """Free every connection; those of calls under way as soon as these end."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for sender in idle:
            sender.close()

    def _take(self) -> Sender:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._make_sender()

    def _give_back(self, sender: Sender) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(sender)
                return
        sender.close()


def _outcome(sender: Sender) -> Outcome:
    while not (ended := sender.poll(_POLL_S)):
        pass
    [(_, outcome)] = ended
    return outcome
