"""What tests of use cases do again and again, in a few words."""

from app.core import jsontext
from app.core.ids import AccountId
from app.core.records import DeliveryQuery
from app.services.accounts import AccountChange, create_account
from app.services.ingest import publish, publish_batch
from app.services.publications import NewEvent
from app.services.resources import NewResource, put_resources
from app.services.subscribe import subscribe
from app.services.wishes import Wish

ACCOUNT = "salon-1"


def with_account(context, reference=ACCOUNT, **change):
    """Make an account with every feature on and the sample resources of every kind."""
    features = {key: True for one in context.registry.catalogs.values() for key in one.features}
    change = {"features": features} | change
    account = create_account(context, reference, AccountChange(**change))
    for catalog in context.registry.catalogs.values():
        for kind in catalog.resources.values():
            samples = [
                NewResource(id=key, label=label, attributes=attributes)
                for key, label, attributes in kind.samples
            ]
            put_resources(context, account.id, kind.key, samples, replace=True)
    return account


def subscribed(context, account_id, *triggers, url="https://hooks.example.com/1", **wish):
    asked = Wish(triggers=triggers, target_url=url, **wish)
    return subscribe(context, AccountId(account_id), asked).subscription


def an_event_to(account=ACCOUNT, event_type="appointment.create", data=None, **changes):
    data = {"id": 1} if data is None else data
    return NewEvent(**{"account": account, "type": event_type, "data": data} | changes)


def published(context, *args, **changes):
    return publish(context, an_event_to(*args, **changes))


def published_together(context, *events):
    return publish_batch(context, events)


def deliveries_of(context, account_id):
    """Return (trigger, payload) of every delivery, oldest first."""
    with context.store.read() as tx:
        page = tx.deliveries(account_id, DeliveryQuery(), limit=100, cursor=None)
        found = [(one, tx.payload(one.payload_id).body) for one in reversed(page.items)]
    return [(one.trigger, jsontext.decode(body)) for one, body in found]
