"""What the request in hand is about: the deployment, who is asking, how it is named."""

from dataclasses import dataclass
from typing import Final, NoReturn

from flask import current_app, g, request

from app.core.accounts import Principal
from app.core.errors import ForbiddenError
from app.core.ids import AccountId
from app.services.context import Context

API_ROOT: Final = "/api/v1"
EXTENSION: Final = "relais"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What `create_api` was given.

    Attributes:
        public_url: Where clients reach this deployment, without a slash at the end; None
            takes the host that each request names.
        max_batch_bytes: The largest body of requests that carry many things at once.
    """

    context: Context
    public_url: str | None
    max_batch_bytes: int


def api() -> Api:
    """Return what the application was made with."""
    given: Api = current_app.extensions[EXTENSION]
    return given


def context() -> Context:
    """Return what the use cases work with."""
    return api().context


def caller() -> Principal:
    """Return who is asking; a view behind `Section.access` always has one."""
    principal: Principal = g.principal
    return principal


def account_id() -> AccountId:
    """Return the account that the request is about."""
    return caller().account_id or _no_account()


def request_id() -> str:
    """Return this request's name in answers and in the log."""
    if "request_id" not in g:
        g.request_id = context().dice.new_id("req")
    name: str = g.request_id
    return name


def absolute_url(path: str) -> str:
    """Return the URL of a path below the API's root, ``/subscriptions/sub_1``."""
    root = api().public_url or request.root_url.rstrip("/")
    return f"{root}{API_ROOT}{path}"


def _no_account() -> NoReturn:
    raise ForbiddenError("This needs an account.")
