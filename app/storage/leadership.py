"""Leadership in a transaction: of all who ask for a name, one has it, for a while."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from app.storage.parts import Part
from app.storage.tables import leadership

_COLUMNS = leadership.c
_NAMED = _COLUMNS.name == bindparam("of_name")
_BY = _COLUMNS.holder == bindparam("by")
_MOMENT = _COLUMNS.until.type
# A lead that is the asker's own, has run out, or was made by a clock that was far ahead: the
# asker's from now on. Of two who ask at once, the second waits, and finds it taken.
_TAKE = (
    update(leadership)
    .where(
        _NAMED,
        or_(
            _BY,
            _COLUMNS.until <= bindparam("now", type_=_MOMENT),
            _COLUMNS.until > bindparam("too_late", type_=_MOMENT),
        ),
    )
    .values(holder=bindparam("by"), until=bindparam("to_until", type_=_MOMENT))
)
# The asker's own lead, given back.
_RESIGN = delete(leadership).where(_NAMED, _BY)


class LeadershipPart(Part):
    """See `LeadershipTx`."""

    __slots__ = ()

    def take_lead(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """See `LeadershipTx`."""
        asked = {"of_name": name, "by": holder, "now": now, "to_until": until}
        asked["too_late"] = until + (until - now)
        if self.connection.execute(_TAKE, asked).rowcount:
            return True
        try:
            with self.connection.begin_nested():
                # The first lead of this name.
                values = {"name": name, "holder": holder, "until": until}
                self.connection.execute(insert(leadership).values(values))
        except IntegrityError:  # somebody holds it
            return False
        return True

    def resign_lead(self, name: str, *, holder: str) -> None:
        """See `LeadershipTx`."""
        self.connection.execute(_RESIGN, {"of_name": name, "by": holder})
