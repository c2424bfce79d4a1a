"""Is it alive, can it work, and how much does it do?"""

from flask import Response

from app.api.auth import Access
from app.api.current import context
from app.api.errors import field_problem
from app.api.schemas.health import HealthSchema, ReadinessSchema
from app.api.section import Section
from app.core import exposition
from app.core.errors import UnavailableError
from app.core.jsontypes import Json
from app.services.metrics import metrics_text
from app.services.readiness import require_ready

section = Section(
    "Health", "For load balancers, probes and Prometheus; no key needed.", url_prefix="/"
)
_OK = {"status": "ok"}
_EXAMPLE = (
    "# HELP relais_ingest_events_total Events that were accepted.\n"
    "# TYPE relais_ingest_events_total counter\n"
    "relais_ingest_events_total 1027\n"
)


@section.get("/healthz")
@section.access(Access.EVERYBODY)
@section.response(200, HealthSchema)
def get_health() -> Json:
    """Say whether the process is alive."""
    return _OK


@section.get("/readyz")
@section.access(Access.EVERYBODY, refuses=(UnavailableError,))
@section.response(200, ReadinessSchema)
def get_readiness() -> Json:
    """Say whether Relais keeps its promise: events can be stored, and a worker delivers them.

    A refusal names in `errors` what is wrong. The answer takes two seconds at most, and is
    a second old at most.
    """
    warnings = require_ready(context())
    return {**_OK, "warnings": [field_problem(one) for one in warnings]}


@section.get("/metrics")
@section.access(Access.EVERYBODY)
@section.response(200, {"type": "string"}, content_type="text/plain", example=_EXAMPLE)
def get_metrics() -> Response:
    """Read what is measured, in the text format of Prometheus."""
    return Response(metrics_text(context()), content_type=exposition.CONTENT_TYPE)
