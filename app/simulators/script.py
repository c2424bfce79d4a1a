"""Scripts: which states a simulated subscriber goes through, and for how many requests."""

from collections import deque

from app.simulators.answers import State


class ScriptError(ValueError):
    """A script that cannot be read; the message is for people."""


class Script:
    """The states to go through, as ``on:3,off,429:10,on``.

    A state lasts for its count of requests, one where no count is given; the last state
    lasts for ever. Not safe to share between threads.
    """

    def __init__(self, text: str) -> None:
        """Read a script; raises ScriptError."""
        self._steps = deque(_read(step) for step in text.split(","))

    @property
    def state(self) -> State:
        """Return the state that the next request will meet."""
        return self._steps[0][0]

    def advance(self) -> State:
        """Return the state for one request, and count it."""
        state, count = self._steps[0]
        if len(self._steps) > 1:
            if count == 1:
                self._steps.popleft()
            else:
                self._steps[0] = (state, count - 1)
        return state


def _read(step: str) -> tuple[State, int]:
    name, colon, count = (part.strip() for part in step.partition(":"))
    try:
        state = State(name)
    except ValueError:
        known = ", ".join(State)
        raise ScriptError(f"There is no state {name!r}: use one of {known}.") from None
    if not colon:
        return state, 1
    if not (count.isascii() and count.isdigit() and int(count) > 0):
        raise ScriptError(f"How many requests is {count!r}? Write it as {name}:3.")
    return state, int(count)
