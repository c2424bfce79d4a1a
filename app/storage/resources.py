"""Resources, as drop-downs show them, in a transaction."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, select

from app.core.accounts import Resource
from app.core.ids import AccountId
from app.storage.locks import take_account
from app.storage.parts import Part, in_batches, insert_all
from app.storage.rows import accounts as rows
from app.storage.tables import resources as table

_SHOWN = (table.c.account_id, table.c.kind, table.c.id, table.c.label, table.c.attributes)


class ResourcePart(Part):
    """See `AccountTx`."""

    __slots__ = ()

    def put_resources(
        self, account_id: AccountId, kind: str, resources: Sequence[Resource], *, replace: bool
    ) -> None:
        """See `AccountTx`. Of two with one id the later one counts."""
        take_account(self.connection, account_id)
        new = {resource.id: resource for resource in resources}
        if replace:
            self._delete(_of_kind(account_id, kind))
        else:
            for batch in in_batches(list(new)):
                self._delete(_with_ids(account_id, kind, batch))
        # The resources as they are now.
        insert_all(self.connection, table, [rows.resource_row(each) for each in new.values()])

    def delete_resource(self, account_id: AccountId, kind: str, resource_id: str) -> bool:
        """See `AccountTx`."""
        return self._delete(_with_ids(account_id, kind, [resource_id])) > 0

    def _delete(self, condition: ColumnElement[bool]) -> int:
        # Resources of one kind: all, or some by id.
        return self.connection.execute(delete(table).where(condition)).rowcount

    def resources(
        self, account_id: AccountId, kind: str, *, search: str, limit: int, offset: int
    ) -> tuple[Resource, ...]:
        """See `AccountTx`."""
        # Resources of one kind whose label or id contains a text, by label.
        statement = (
            select(*_SHOWN)
            .where(_of_kind(account_id, kind))
            .order_by(table.c.label, table.c.id)
            .limit(limit)
            .offset(offset)
        )
        if search:
            needle = search.casefold()
            statement = statement.where(table.c.search_text.contains(needle, autoescape=True))
        return tuple(rows.resource(row) for row in self.connection.execute(statement))

    def resources_by_id(
        self, account_id: AccountId, kind: str, ids: Sequence[str]
    ) -> tuple[Resource, ...]:
        """See `AccountTx`."""
        found: list[Resource] = []
        for batch in in_batches(ids):
            # Some resources of one kind.
            statement = select(*_SHOWN).where(_with_ids(account_id, kind, batch))
            found += (rows.resource(row) for row in self.connection.execute(statement))
        return tuple(found)


def _of_kind(account_id: AccountId, kind: str) -> ColumnElement[bool]:
    return and_(table.c.account_id == account_id, table.c.kind == kind)


def _with_ids(account_id: AccountId, kind: str, ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(_of_kind(account_id, kind), table.c.id.in_(ids))
