"""The application factory: from a ready `Context` to a WSGI application."""

from typing import Any, Final

from flask import Flask, Response, request
from flask.json.provider import JSONProvider

from app.api import (
    accounts,
    catalogs,
    deliveries,
    documents,
    events,
    health,
    keys,
    me,
    replays,
    resources,
    samples,
    subscriptions,
    triggers,
)
from app.api.current import API_ROOT, EXTENSION, Api, request_id
from app.api.openapi import create_smorest
from app.api.refusals import register_refusals
from app.core import jsontext
from app.services.context import Context

_MAX_BATCH_BYTES: Final = 10 * 1024 * 1024
# In the order in which the description shows them.
_SECTIONS: Final = (
    me.section,
    triggers.section,
    samples.section,
    resources.section,
    subscriptions.section,
    events.section,
    deliveries.section,
    replays.section,
    accounts.section,
    keys.section,
    catalogs.section,
    health.section,
    documents.section,
)


class ExactJson(JSONProvider):
    """Flask's JSON, through ours: numbers keep their digits."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        """Return ``obj`` as JSON text."""
        return jsontext.encode(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Return what strict JSON text says."""
        return jsontext.decode(s.encode() if isinstance(s, str) else s)


def create_api(
    context: Context, *, public_url: str | None = None, max_batch_bytes: int = _MAX_BATCH_BYTES
) -> Flask:
    """Return the API as a WSGI application over a ready context.

    Args:
        context: The ports and rules of the deployment.
        public_url: Where clients reach it; absolute URLs in answers begin with it. None
            takes the host that each request names.
        max_batch_bytes: The largest body of requests that carry many things; others, and
            each thing in a batch, may have ``context.rules.max_payload_bytes``.
    """
    app = Flask("relais", static_folder=None)
    app.json = ExactJson(app)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # nothing here is for other origins
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = Api(
        context=context,
        public_url=public_url.rstrip("/") if public_url else None,
        max_batch_bytes=max_batch_bytes,
    )
    smorest = create_smorest(app)
    for section in _SECTIONS:
        smorest.register_blueprint(section)
    register_refusals(app)
    app.after_request(_add_headers)
    return app


def _add_headers(response: Response) -> Response:
    """Name the request, and keep answers out of caches: they are one key's own."""
    response.headers["X-Request-Id"] = request_id()
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith(API_ROOT):
        response.headers["Cache-Control"] = "no-store"
    return response
