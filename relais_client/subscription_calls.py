"""Subscriptions of an account: made, looked at, tried, secured, ended."""

from collections.abc import Iterator

from relais_client.connection import Connection, read
from relais_client.exchange import Call
from relais_client.inputs import NewSubscription
from relais_client.subscription_answers import RotatedSecret, SentTest, Subscription
from relais_client.wire import Json, segment, to_bytes, without_none


class SubscriptionCalls:
    """The calls about subscriptions.

    With a publisher key, ``account`` says whose: its id (``acc_…``) or your reference. An
    account key speaks for its own account; leave it out.
    """

    _connection: Connection

    def subscribe(self, wanted: NewSubscription, *, account: str | None = None) -> Subscription:
        """Make a subscription, or return the identical one that is there already.

        Only a new one has its ``secret``, this once. A connection that breaks is not tried
        again, since the answer with the secret could be lost: subscribe again, and use
        `rotate_secret` where it had been made.

        Raises:
            RefusedError: With ``errors`` by field.
        """
        call = _post("/subscriptions", wanted.to_json(), account, repeatable=False)
        return read(Subscription.from_json, self._connection.document(call))

    def get_subscription(self, subscription_id: str, *, account: str | None = None) -> Subscription:
        """Return a subscription; raises NotFoundError."""
        call = Call(method="GET", path=_path(subscription_id), account=account)
        return read(Subscription.from_json, self._connection.document(call))

    def list_subscriptions(
        self,
        *,
        account: str | None = None,
        target_url: str | None = None,
        trigger: str | None = None,
        state: str | None = None,
    ) -> Iterator[Subscription]:
        """Yield the live subscriptions, newest first, page by page."""
        params = without_none(target_url=target_url, trigger=trigger, state=state)
        found = Call(method="GET", path="/subscriptions", params=params, account=account)
        for document in self._connection.pages_of(found):
            yield read(Subscription.from_json, document)

    def unsubscribe(self, subscription_id: str, *, account: str | None = None) -> None:
        """End a subscription; harmless where it has ended."""
        call = Call(method="DELETE", path=_path(subscription_id), account=account)
        self._connection.perform(call)

    def rotate_secret(
        self,
        subscription_id: str,
        *,
        overlap_seconds: int | None = None,
        signature: str | None = None,
        account: str | None = None,
    ) -> RotatedSecret:
        """Replace the signing secret; the one before signs as well for a while.

        Args:
            subscription_id: ``sub_…``.
            overlap_seconds: How long; a day where left out, at most a week. 0 voids the
                one before, and every older one, at once.
            signature: ``hmac-sha256`` or ``ed25519``; as before where left out.
            account: See the class.

        Raises:
            RefusedError: ``conflict`` where too many old secrets still sign.
        """
        body = without_none(overlap_seconds=overlap_seconds, signature=signature)
        call = _post(f"{_path(subscription_id)}/secret", body, account, repeatable=False)
        return read(RotatedSecret.from_json, self._connection.document(call))

    def confirm_subscription(
        self, subscription_id: str, secret: str, *, account: str | None = None
    ) -> Subscription:
        """Confirm a pending subscription with what its target was sent as X-Hook-Secret."""
        path = f"{_path(subscription_id)}/confirmation"
        call = _post(path, {"secret": secret}, account, repeatable=False)
        return read(Subscription.from_json, self._connection.document(call))

    def test_subscription(self, subscription_id: str, *, account: str | None = None) -> SentTest:
        """Have a sample sent to the target once, now; return what went out and came back."""
        call = _post(f"{_path(subscription_id)}/test", None, account, repeatable=False)
        return read(SentTest.from_json, self._connection.document(call))


def _post(path: str, body: Json, account: str | None, *, repeatable: bool) -> Call:
    encoded = None if body is None else to_bytes(body)
    return Call(method="POST", path=path, body=encoded, repeatable=repeatable, account=account)


def _path(subscription_id: str) -> str:
    return f"/subscriptions/{segment(subscription_id)}"
