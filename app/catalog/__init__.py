"""Catalogs are data: YAML files, checked, and turned into `app.core.catalogs`.

The only home of PyYAML and jsonschema. The format is explained in docs/catalogs.md.
"""

from app.catalog.load import SHIPPED, load_catalog, load_registry
from app.catalog.shape import catalog_schema

__all__ = ["SHIPPED", "catalog_schema", "load_catalog", "load_registry"]
