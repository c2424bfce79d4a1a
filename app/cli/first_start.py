"""The first start: a publisher key, and an account to try things with."""

from collections.abc import Iterator

from app.core.errors import ConflictError
from app.services.accounts import AccountChange, create_account
from app.services.context import Context
from app.services.keys import create_key, list_keys
from app.services.resources import NewResource, put_resources

DEMO_ACCOUNT = "demo"


def first_keys(context: Context) -> Iterator[str]:
    """Make a publisher key and the account ``demo`` on the first start; yield what to print.

    A later start makes nothing and yields nothing: keys are shown once.
    """
    if list_keys(context, None):
        return
    publisher = create_key(context, name="first start")
    yield "This is the first start. Keep these keys; they are not shown again."
    yield f"Publisher key: {publisher.key}"
    try:
        create_account(context, DEMO_ACCOUNT, _everything_on(context))
    except ConflictError:
        return
    for kind, resources in _sample_resources(context):
        put_resources(context, DEMO_ACCOUNT, kind, resources, replace=True)
    account = create_key(context, name="first start", account=DEMO_ACCOUNT)
    yield f"Account key: {account.key}"
    yield f"The account key is for the account {DEMO_ACCOUNT!r}, to try things with."


def _everything_on(context: Context) -> AccountChange:
    features = {key: True for one in context.registry.catalogs.values() for key in one.features}
    return AccountChange(name="Demo account", features=features)


def _sample_resources(context: Context) -> Iterator[tuple[str, list[NewResource]]]:
    for catalog in context.registry.catalogs.values():
        for kind in catalog.resources.values():
            yield (
                kind.key,
                [
                    NewResource(id=resource_id, label=label, attributes=attributes)
                    for resource_id, label, attributes in kind.samples
                ],
            )
