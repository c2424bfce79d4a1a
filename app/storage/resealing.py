"""Sealed secrets across a rotation of the key ring."""

from sqlalchemy import Column, Connection, bindparam, select, update

from app.storage.parts import execute_all
from app.storage.rows.subscriptions import SEALED, secret_place
from app.storage.tables import subscriptions
from app.storage.vault import Vault

_COLUMNS = subscriptions.c


def reseal(connection: Connection, vault: Vault, *, limit: int) -> int:
    """Seal up to ``limit`` secrets anew that an older key sealed; return how many.

    Raises:
        VaultError: Where one of them does not open.
    """
    count = 0
    for name in SEALED:
        count += _reseal_column(connection, vault, _COLUMNS[name], limit=limit - count)
    return count


def _reseal_column(
    connection: Connection, vault: Vault, column: Column[str | None], *, limit: int
) -> int:
    # Sealed texts of one column that the first key did not seal.
    stale = (
        select(_COLUMNS.id, _COLUMNS.account_id, column.label("sealed"))
        .where(~column.startswith(vault.current_prefix, autoescape=True))
        .limit(limit)
        .with_for_update()
    )
    fresh = []
    for row in connection.execute(stale):
        place = secret_place(row.id, row.account_id, column=column.name)
        opened = vault.open(row.sealed, place=place)
        fresh.append({"of_id": row.id, "fresh": vault.seal(opened, place=place)})
    # One subscription's sealed text.
    put = update(subscriptions).where(_COLUMNS.id == bindparam("of_id"))
    execute_all(connection, put.values({column.name: bindparam("fresh")}), fresh)
    return len(fresh)
