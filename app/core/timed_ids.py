"""Ids begin with the moment they were made at, so a table by id is a table by time.

After the prefix come ten digits of 32, 0-9 before a-v: the time since 1970 in ticks of
4,096 nanoseconds. The rest is chance. As text, ids sort as they were made, and a moment
has a first id: whatever was made earlier sorts before it. `app.system.dice` makes them.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
_DIGITS = 10
_DIGIT_BITS = 5
_TICK_BITS = 12


def first_id(prefix: str, moment: datetime) -> str:
    """Return what sorts before every id of the moment, and after every earlier one."""
    tick = (moment - _EPOCH) // _MICROSECOND * 1000 >> _TICK_BITS
    places = range(_DIGIT_BITS * (_DIGITS - 1), -1, -_DIGIT_BITS)
    return f"{prefix}_{''.join(_ALPHABET[tick >> place & 31] for place in places)}"
