"""Checked data becomes the values of the core, with every default filled in."""

import pytest
from catalog_files import PARCELS, parcels, words, write

from app.catalog import SHIPPED, load_catalog, load_registry
from app.catalog.build import build_catalog
from app.catalog.load import BUILT_IN, DATA
from app.core.catalogs import (
    Attachment,
    Attribute,
    Requirement,
    ResourceRequirement,
    Restriction,
    SilentOrigin,
)
from app.core.errors import CatalogError
from app.core.fields import Choice, FieldType, KeysFrom, Text

X = Text(en="x", fr="x", ja="x")


def field_of(catalog, key):
    return next(field for field in catalog.subjects["parcel"].fields if field.key == key)


def with_field(**field):
    data = parcels()
    data["subjects"]["parcel"]["fields"].append({"label": words("x"), **field})
    return build_catalog(data)


def test_texts_keep_their_languages():
    catalog = build_catalog(parcels())

    assert catalog.name == Text(en="Parcels", fr="Colis", ja="荷物")


def test_the_record_id_is_named_after_its_subject():
    record_id = build_catalog(parcels()).subjects["parcel"].record_id

    assert (record_id.key, record_id.source, record_id.path_in_data) == ("parcel_id", "id", "id")


def test_a_wire_value_is_the_events_key_unless_it_says_otherwise():
    events = build_catalog(parcels()).subjects["parcel"].events

    assert {event.name: event.value for event in events.values()} == {
        "parcel.scan": "scan",
        "parcel.deliver": "delivered",
        "parcel.return": "returned",
    }


def test_an_event_has_samples_of_its_own_or_none():
    events = build_catalog(parcels()).subjects["parcel"].events

    assert events["deliver"].samples == {}
    assert events["return"].samples == {"status": "returned", "signed_by": None}


def test_a_field_has_the_choices_of_its_enumeration():
    catalog = build_catalog(parcels())

    assert field_of(catalog, "status").choices == catalog.enumerations["parcel_status"]


def test_a_field_has_everything_that_the_file_says_of_it():
    catalog = with_field(
        key="site", type="string", source="web.url", help=words("x"), sample="https://a.example",
        format="url", optional=True, personal=True,
    )  # fmt: skip

    site = field_of(catalog, "site")

    assert (site.type, site.path_in_data, site.help) == (FieldType.STRING, "web.url", X)
    assert (site.sample, site.format) == ("https://a.example", "url")
    assert (site.optional, site.personal) == (True, True)


def test_objects_and_lists_say_what_they_hold():
    answers = field_of(
        with_field(key="answers", type="object", keys_from="forms", open=True), "answers"
    )
    tags = field_of(with_field(key="tags", type="list", item="string", sample=["a"]), "tags")
    recipient = field_of(build_catalog(parcels()), "recipient")

    assert (answers.keys_from, answers.open) == (KeysFrom.FORMS, True)
    assert (tags.item, tags.sample) == (FieldType.STRING, ["a"])
    assert [field.key for field in recipient.fields] == ["name", "country"]


def test_a_trigger_knows_its_events_and_its_catalog():
    trigger = build_catalog(parcels()).triggers["parcel_moved"]

    assert trigger.catalog == "parcels"
    assert trigger.event_names == {"parcel.scan", "parcel.deliver", "parcel.return"}
    assert trigger.filters == ("event", "status", "recipient.country")


def test_what_the_whole_catalog_requires_every_trigger_requires():
    catalog = build_catalog(
        parcels((("requires",), [{"feature": "tracking", "reason": words("x")}]))
    )

    everyone = Requirement(feature="tracking", reason=X)
    assert catalog.triggers["parcel_delivered"].requires == (everyone,)
    assert catalog.triggers["parcel_moved"].requires[0] == everyone
    assert len(catalog.triggers["parcel_moved"].requires) == 2


def test_rules_are_built():
    data = parcels(
        (("roles",), [{"value": 1, "label": words("x")}]),
        (("silent_origins",), [{"origin": "import", "reason": words("x")},
                               {"origin": "api", "reason": words("x"), "unless_notified": True,
                                "events": ["parcel.scan"]}]),
        (("subjects", "parcel", "collapses"), True),
        (("subjects", "parcel", "attachments"),
         [{"parent": "van", "event_type": "van.edit", "field": "load"}]),
        (("subjects", "parcel", "events", "scan", "diverts"), True),
        (("resources", "parcel_number", "attributes"),
         {"heavy": {"type": "boolean", "label": words("x"), "default": False}}),
        (("triggers", "parcel_moved", "restriction"),
         {"kind": "parcel_number", "field": "tracking_number", "required": True,
          "requirements": [{"attribute": "heavy", "equals": True, "reason": words("x")}]}),
    )  # fmt: skip

    catalog = build_catalog(data)

    subject = catalog.subjects["parcel"]
    assert catalog.roles == (Choice(value=1, label=X),)
    assert catalog.silent_origins == (
        SilentOrigin(origin="import", reason=X),
        SilentOrigin(
            origin="api", reason=X, events=frozenset({"parcel.scan"}), unless_notified=True
        ),
    )
    assert subject.collapses
    assert subject.attachments == (Attachment(parent="van", event_type="van.edit", field="load"),)
    assert [event.key for event in subject.events.values() if event.diverts] == ["scan"]
    assert catalog.resources["parcel_number"].attributes == (
        Attribute(key="heavy", type=FieldType.BOOLEAN, label=X, default=False),
    )
    assert catalog.triggers["parcel_moved"].restriction == Restriction(
        kind="parcel_number",
        field="tracking_number",
        required=True,
        requirements=(ResourceRequirement(attribute="heavy", equals=True, reason=X),),
    )


def test_no_paths_load_the_shipped_catalogs_in_their_order():
    registry = load_registry()

    assert [f"{key}.yaml" for key in registry.products] == list(SHIPPED)
    assert [f"{key}.yaml" for key in registry.catalogs] == [*SHIPPED, BUILT_IN]


def test_paths_load_exactly_these_files():
    registry = load_registry([PARCELS, DATA / "bookings.yaml"])

    assert list(registry.products) == ["parcels", "bookings"]


def test_every_registry_has_the_envelope():
    registry = load_registry([PARCELS])

    keys = [field.key for field in registry.envelope]
    assert keys == ["id", "trigger", "event", "role", "occurred_at", "account"]
    assert registry.envelope[4].type is FieldType.DATETIME


def test_names_that_two_files_use_are_told_with_both_places(tmp_path):
    text = PARCELS.read_text(encoding="utf-8")
    twin = write(tmp_path, text.replace("catalog: parcels", "catalog: letters"))

    with pytest.raises(CatalogError) as caught:
        load_registry([PARCELS, twin])

    line = text.splitlines().index("  parcel_delivered:") + 1
    assert [problem.split(": ")[1] for problem in caught.value.problems] == [
        "features.tracking",
        "resources.parcel_number",
        "subjects.parcel",
        "triggers.parcel_delivered",
        "triggers.parcel_moved",
    ]
    assert caught.value.problems[3] == (
        f"{twin}:{line}: triggers.parcel_delivered: the trigger parcel_delivered "
        f"is there already, in {PARCELS}:{line}; rename one"
    )


def test_one_file_given_twice_clashes_with_itself():
    with pytest.raises(CatalogError, match="the catalog parcels is there already"):
        load_registry([PARCELS, PARCELS])


def test_the_problems_of_all_files_are_told_at_once(tmp_path):
    broken = write(tmp_path, "catalog: [", name="broken.yaml")
    empty = write(tmp_path, "{}", name="empty.yaml")

    with pytest.raises(CatalogError) as caught:
        load_registry([broken, PARCELS, empty])

    assert len(caught.value.problems) == 2
    assert str(broken) in caught.value.problems[0]
    assert str(empty) in caught.value.problems[1]


def test_one_catalog_can_be_loaded_by_itself():
    assert load_catalog(PARCELS).key == "parcels"
