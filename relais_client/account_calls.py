"""Accounts: the vendor's customers, what their payloads hold, and their resources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from relais_client.answers import Account
from relais_client.connection import Connection, read
from relais_client.inputs import Overlay, Resource
from relais_client.wire import Json, segment, without_none

PAGE_SIZE = 100


class AccountCalls:
    """The calls about accounts. ``account`` is its id (``acc_…``) or your reference."""

    _connection: Connection

    def create_account(
        self,
        reference: str,
        name: str,
        *,
        language: str | None = None,
        enabled: bool | None = None,
        catalogs: Sequence[str] | None = None,
        features: Mapping[str, bool] | None = None,
    ) -> Account:
        """Create an account; what is left out gets the default of Relais.

        A connection that breaks is not tried again, since the account may exist by then:
        look with `get_account`, or create again and take ``conflict`` for success.

        Raises:
            RefusedError: ``conflict`` where the reference is taken.
        """
        changes = _changes(name, language, enabled, catalogs, features)
        body = {"reference": reference} | changes
        document = self._connection.send("POST", "/accounts", body, repeatable=False)
        return read(Account.from_json, document)

    def get_account(self, account: str) -> Account:
        """Return an account; raises NotFoundError."""
        return read(Account.from_json, self._connection.get(_path(account)))

    def list_accounts(self, *, reference: str | None = None) -> Iterator[Account]:
        """Yield the accounts, page by page; with ``reference`` only that one, if any."""
        params = without_none(reference=reference)
        for document in self._connection.pages("/accounts", limit=PAGE_SIZE, **params):
            yield read(Account.from_json, document)

    def update_account(
        self,
        account: str,
        *,
        name: str | None = None,
        language: str | None = None,
        enabled: bool | None = None,
        catalogs: Sequence[str] | None = None,
        features: Mapping[str, bool] | None = None,
    ) -> Account:
        """Change what is given and leave the rest; raises NotFoundError."""
        changes = _changes(name, language, enabled, catalogs, features)
        return read(Account.from_json, self._connection.send("PATCH", _path(account), changes))

    def put_overlay(self, account: str, overlay: Overlay) -> None:
        """Replace what the account's payloads hold beyond the catalog's standing fields.

        Samples, field lists and payloads follow from the next event on.

        Raises:
            RefusedError: With ``errors`` by field where it does not fit the catalogs.
        """
        self._connection.submit("PUT", f"{_path(account)}/overlay", overlay.to_json())

    def put_resources(self, account: str, kind: str, resources: Iterable[Resource]) -> None:
        """Replace all resources of one kind: those left out are no longer offered."""
        path = f"{_path(account)}/resources/{segment(kind)}"
        body = {"resources": [resource.to_json() for resource in resources]}
        self._connection.submit("PUT", path, body)


def _changes(
    name: str | None,
    language: str | None,
    enabled: bool | None,
    catalogs: Sequence[str] | None,
    features: Mapping[str, bool] | None,
) -> dict[str, Json]:
    return without_none(
        name=name,
        language=language,
        enabled=enabled,
        catalogs=None if catalogs is None else list(catalogs),
        features=None if features is None else dict(features),
    )


def _path(account: str) -> str:
    return f"/accounts/{segment(account)}"
