"""A vendor adds a catalog of its own without touching our code."""

import re

import pytest
from catalog_files import PARCELS, ROOT, write

from app.catalog import SHIPPED, catalog_schema, load_catalog, load_registry
from app.catalog.load import DATA
from app.core.errors import CatalogError
from app.core.fields import LANGUAGES

GUIDE = ROOT / "docs" / "catalogs.md"


def test_a_vendors_file_stands_beside_the_shipped_ones():
    registry = load_registry([*(DATA / name for name in SHIPPED), PARCELS])

    trigger = registry.trigger("parcel_moved")
    assert trigger is not None
    assert registry.event_type("parcel.deliver").value == "delivered"
    assert registry.triggers_hearing("parcel.deliver") == (
        registry.trigger("parcel_delivered"),
        trigger,
    )
    assert registry.resource_kind("parcel_number").label.fr == "Numéro de suivi"


def test_a_vendors_file_can_stand_alone():
    registry = load_registry([PARCELS])

    assert [trigger.key for trigger in registry.triggers()] == ["parcel_delivered", "parcel_moved"]


def test_parcels_are_restricted_by_tracking_number():
    for trigger in load_catalog(PARCELS).triggers.values():
        assert trigger.restriction.kind == "parcel_number"
        assert trigger.restriction.field == "tracking_number"


def test_every_piece_of_yaml_in_the_guide_is_in_the_example():
    example = _bare(PARCELS.read_text(encoding="utf-8"))

    pieces = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)

    assert len(pieces) > 4
    for piece in pieces:
        assert _bare(piece) in example, piece


def _bare(text):
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def test_the_guide_shows_errors_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PARCELS.read_text(encoding="utf-8")
    text = text.replace("sample: 1240", "sample: 1.24 kg").replace("scan, deliver,", "scan, drop,")
    broken = write(tmp_path, text, name="parcels.catalog.yaml").relative_to(tmp_path)

    with pytest.raises(CatalogError) as caught:
        load_catalog(broken)

    (shown,) = re.findall(r"```text\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert tuple(shown.splitlines()) == caught.value.problems


def test_the_guide_explains_every_key():
    guide = GUIDE.read_text(encoding="utf-8")
    schema = catalog_schema()
    mappings = [schema, *schema["$defs"].values()]
    mappings += [part["items"] for part in mappings if isinstance(part.get("items"), dict)]
    restriction = schema["$defs"]["restriction"]["properties"]
    mappings.append(restriction["requirements"]["items"])

    keys = {key for mapping in mappings for key in mapping.get("properties", {})}

    assert {key for key in keys if f"`{key}`" not in guide} == set(LANGUAGES)
