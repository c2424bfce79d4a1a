"""Group commit: what arrives while a transaction runs is done together in the next one."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# So that nobody waits long for the others of a group.
MOST_IN_GROUP: Final = 100

Work = Callable[[Sequence[Item]], Sequence[Result | Exception]]


class _Turn(Generic[Item, Result]):
    """One caller's thing to do, and what came of it."""

    __slots__ = ("_called", "item", "outcome")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.outcome: Result | Exception | None = None
        self._called = Lock()
        self._called.acquire()

    def wait(self) -> None:
        """Block until somebody calls."""
        self._called.acquire()

    def call(self) -> None:
        """Let the caller go on: there is an outcome, or it is to lead the next group."""
        self._called.release()


class Groups(Generic[Item, Result]):
    """Does the work of many threads in groups, one group after the other.

    The first thread to come does the work of all that came meanwhile and then hands
    over to one that came later: no thread of its own, and no waiting while nobody else
    is there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Turn[Item, Result]] = deque()
        self._busy = False

    def run(self, item: Item, work: Work[Item, Result]) -> Result:
        """Return what ``work`` made of the item, or raise the exception that it returned.

        ``work`` is given the items of a group and answers each, in their order; every
        caller passes the same. Where it raises, it raises for all of them.
        """
        turn: _Turn[Item, Result] = _Turn(item)
        with self._lock:
            self._waiting.append(turn)
            leads, self._busy = not self._busy, True
        if not leads:
            turn.wait()
        if turn.outcome is None:
            self._lead(work)
        assert turn.outcome is not None  # noqa: S101 - tells mypy what `_lead` did
        if isinstance(turn.outcome, Exception):
            raise turn.outcome
        return turn.outcome

    def _lead(self, work: Work[Item, Result]) -> None:
        with self._lock:
            count = min(len(self._waiting), MOST_IN_GROUP)
            group = [self._waiting.popleft() for _ in range(count)]
        outcomes: Sequence[Result | Exception] = ()
        try:
            outcomes = work([one.item for one in group])
        finally:
            self._hand_over()
            self._finish(group, outcomes)

    def _hand_over(self) -> None:
        """Call the next leader, first of all: its work can begin at once."""
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
        if following is not None:
            following.call()

    def _finish(
        self, group: Sequence[_Turn[Item, Result]], outcomes: Sequence[Result | Exception]
    ) -> None:
        """Answer the group; without outcomes the leader's own exception is on its way."""
        for index, turn in enumerate(group):
            lost = RuntimeError("The group's leader failed.")
            turn.outcome = outcomes[index] if outcomes else lost
            turn.call()
