"""The catalogs that this deployment has loaded."""

from app.api.auth import Access
from app.api.current import context
from app.api.language import language
from app.api.paging import whole_answer
from app.api.schemas.catalogs import CatalogSchema
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.catalogs import Catalog
from app.core.jsontypes import Json

section = Section("Catalogs", "Which products' triggers there are.")


@section.get("/catalogs")
@section.access(Access.PUBLISHER, localised=True)
@section.response(200, list_of(CatalogSchema))
def list_catalogs() -> Json:
    """List the catalogs that are loaded."""
    return whole_answer([_catalog(one) for one in context().registry.products.values()])


def _catalog(catalog: Catalog) -> dict[str, Json]:
    return {
        "key": catalog.key,
        "name": catalog.name.in_language(language()),
        "triggers": [
            {"key": one.key, "label": one.label.in_language(language())}
            for one in catalog.triggers.values()
        ],
    }
