"""The Zapier app's catalog.json is generated: `relais connectors build` writes it."""

from pathlib import Path

from app.catalog import load_registry
from app.services.connectors import zapier_catalog_text

CATALOG_FILE = Path(__file__).parent.parent / "zapier_app" / "catalog.json"


def test_the_zapier_app_has_the_catalogs_of_today():
    assert CATALOG_FILE.read_text(encoding="utf-8") == zapier_catalog_text(load_registry())
