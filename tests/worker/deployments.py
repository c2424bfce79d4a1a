"""A whole deployment without the API: real store, real sender, real use cases."""

import contextlib
from ipaddress import ip_network

from app.catalog import load_registry
from app.core.target_urls import UrlRules
from app.services.accounts import AccountChange, create_account
from app.services.context import Context, Rules
from app.services.ingest import publish
from app.services.publications import NewEvent
from app.services.subscribe import subscribe
from app.services.wishes import Wish
from app.system.clock import SystemClock
from app.system.dice import SystemDice
from app.system.doorbell import ProcessDoorbell
from app.transport.sender import CurlSender
from app.worker.loop import DeliveryLoop
from app.worker.options import WorkerOptions
from tests.contexts import RecordingCaller
from tests.fakes import PromptErrands

LOOPBACK = (ip_network("127.0.0.0/8"),)
REGISTRY = load_registry()
ACCOUNT = "salon-1"


def a_real_context(store, *, clock=None):
    return Context(
        store=store,
        registry=REGISTRY,
        clock=clock or SystemClock(),
        dice=SystemDice(),
        doorbell=ProcessDoorbell(),
        errands=PromptErrands(),
        caller=RecordingCaller(),
        rules=Rules(urls=UrlRules(allowed_networks=LOOPBACK)),
    )


def subscribed(context, url, *, trigger="changed_appointment", **wish):
    """Make the account where needed, and a subscription of it."""
    with context.store.read() as tx:
        account = tx.account_by_reference(ACCOUNT)
    account = account or create_account(context, ACCOUNT, AccountChange())
    asked = Wish(triggers=(trigger,), target_url=url, **wish)
    return subscribe(context, account.id, asked).subscription


def published(context, **data):
    return publish(context, NewEvent(account=ACCOUNT, type="appointment.create", data=data))


@contextlib.contextmanager
def delivering(context, *, name="worker-1", patience_s=5.0, slots=64, on_failure=lambda: None):
    sender = CurlSender(
        user_agent="Relais/test", clock=context.clock.now, allowed_networks=LOOPBACK
    )
    options = WorkerOptions(
        name=name,
        user_agent="Relais/test",
        slots=slots,
        idle_wait_s=0.5,
        patience_s=patience_s,
    )
    loop = DeliveryLoop(context, sender, context.doorbell, options)
    loop.start(on_failure)
    try:
        yield loop
    finally:
        loop.stop()
