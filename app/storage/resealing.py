"""Sealed secrets across a rotation of the key ring."""

from sqlalchemy import Connection, bindparam, select, update

from app.storage.parts import execute_all
from app.storage.rows.subscriptions import secret_place
from app.storage.tables import subscriptions
from app.storage.vault import Vault

_COLUMNS = subscriptions.c


def reseal(connection: Connection, vault: Vault, *, limit: int) -> int:
    """Seal up to ``limit`` secrets anew that an older key sealed; return how many.

    Raises:
        VaultError: Where one of them does not open.
    """
    # Secrets that the first key did not seal.
    stale = (
        select(_COLUMNS.id, _COLUMNS.account_id, _COLUMNS.secret)
        .where(~_COLUMNS.secret.startswith(vault.current_prefix, autoescape=True))
        .limit(limit)
        .with_for_update()
    )
    fresh = []
    for row in connection.execute(stale):
        place = secret_place(row.id, row.account_id)
        secret = vault.open(row.secret, place=place)
        fresh.append({"of_id": row.id, "sealed": vault.seal(secret, place=place)})
    # One subscription's secret.
    put = update(subscriptions).where(_COLUMNS.id == bindparam("of_id"))
    execute_all(connection, put.values(secret=bindparam("sealed")), fresh)
    return len(fresh)
