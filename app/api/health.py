"""Is it alive, and can it work?"""

from app.api.auth import Access
from app.api.current import context
from app.api.schemas.catalogs import HealthSchema
from app.api.section import Section
from app.core.errors import UnavailableError
from app.core.jsontypes import Json

section = Section("Health", "For load balancers and probes; no key needed.", url_prefix="/")
_OK = {"status": "ok"}


@section.get("/healthz")
@section.access(Access.EVERYBODY)
@section.response(200, HealthSchema)
def get_health() -> Json:
    """Say whether the process is alive."""
    return _OK


@section.get("/readyz")
@section.access(Access.EVERYBODY, refuses=(UnavailableError,))
@section.response(200, HealthSchema)
def get_readiness() -> Json:
    """Say whether requests can be served: the store answers."""
    context().store.ping()
    return _OK
