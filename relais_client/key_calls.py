"""API keys of accounts and of the publisher itself."""

from collections.abc import Iterator
from datetime import datetime

from relais_client.answers import CreatedKey, Key
from relais_client.connection import Connection, read
from relais_client.exchange import Call
from relais_client.wire import segment, time_text, without_none


class KeyCalls:
    """The calls about keys: of an account where it is named, else publisher keys."""

    _connection: Connection

    def create_key(
        self, name: str, *, account: str | None = None, expires_at: datetime | None = None
    ) -> CreatedKey:
        """Create a key; its ``key`` is shown this once.

        A connection that breaks is not tried again, since it could leave behind a key
        that nobody knows: look with `list_keys` and revoke it.

        Args:
            name: What people recognise it by.
            account: The account's id or reference; a publisher key where left out.
            expires_at: When it stops working, aware; never where left out.
        """
        expiry = expires_at and time_text(expires_at, name="expires_at")
        body = without_none(name=name, expires_at=expiry)
        document = self._connection.send("POST", _path(account), body, repeatable=False)
        return read(CreatedKey.from_json, document)

    def list_keys(self, *, account: str | None = None) -> Iterator[Key]:
        """Yield the keys, revoked ones too, without the keys themselves."""
        for document in self._connection.pages(_path(account)):
            yield read(Key.from_json, document)

    def revoke_key(self, key_id: str, *, account: str | None = None) -> None:
        """Revoke a key by its id (``key_…``): it opens nothing from now on."""
        path = f"{_path(account)}/{segment(key_id)}"
        self._connection.perform(Call(method="DELETE", path=path))


def _path(account: str | None) -> str:
    return "/keys" if account is None else f"/accounts/{segment(account)}/keys"
