"""What the Frappe and Dokos documentation say of their webhooks, as tables."""

import pytest

from app.catalog import load_catalog
from app.catalog.load import DATA
from app.core.catalogs import Catalog, ResourceRequirement
from app.core.fields import FieldType
from app.core.samples import sample_data, with_samples

# (trigger, whether the document type must be submittable). The wire value is the key itself.
DOC_EVENTS = [
    ("after_insert", False),
    ("on_update", False),
    ("on_submit", True),
    ("on_cancel", True),
    ("on_trash", False),
    ("on_update_after_submit", True),
    ("on_change", False),
    ("workflow_transition", False),
]
KEYS = [key for key, _ in DOC_EVENTS]
SUBMITTABLE_ONLY = [key for key, submittable in DOC_EVENTS if submittable]
ANY_TYPE = [key for key, submittable in DOC_EVENTS if not submittable]

# The flags under which the product sends nothing: in_import, in_patch, in_install, in_migrate.
SILENT_ORIGINS = ["import", "patch", "install", "migrate"]

DOCSTATUS = [(0, "Draft"), (1, "Submitted"), (2, "Cancelled")]

# (payload key, type, where the published data has it)
FIELDS = [
    ("document_type", FieldType.STRING, "doctype"),
    ("docstatus", FieldType.INTEGER, "docstatus"),
    ("owner", FieldType.STRING, "owner"),
    ("creation", FieldType.DATETIME, "creation"),
    ("modified", FieldType.DATETIME, "modified"),
    ("modified_by", FieldType.STRING, "modified_by"),
    ("workflow_state", FieldType.STRING, "workflow_state"),
    ("previous_workflow_state", FieldType.STRING, "previous_workflow_state"),
    ("workflow_action", FieldType.STRING, "workflow_action"),
    ("doc", FieldType.OBJECT, "doc"),
    ("custom_fields", FieldType.OBJECT, "doc"),
]

# (event, docstatus, whether the example is of a workflow transition)
EXAMPLES = [
    ("after_insert", 0, False),
    ("on_update", 0, False),
    ("on_submit", 1, False),
    ("on_cancel", 2, False),
    ("on_update_after_submit", 1, False),
    ("workflow_transition", 0, True),
]

SAMPLE_TYPES = {"Quotation": True, "Sales Order": True, "Customer": False, "ToDo": False}


@pytest.fixture(scope="module")
def documents() -> Catalog:
    return load_catalog(DATA / "documents.yaml")


def test_there_are_these_triggers_and_no_others(documents):
    assert list(documents.triggers) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_trigger_hears_its_own_event_and_sends_its_name(documents, key):
    (event,) = documents.triggers[key].events

    assert (event.name, event.value) == (f"document.{key}", key)


@pytest.mark.parametrize("key", KEYS)
def test_every_subscription_chooses_a_document_type(documents, key):
    restriction = documents.triggers[key].restriction

    assert restriction.required
    assert (restriction.kind, restriction.field) == ("document_type", "document_type")


@pytest.mark.parametrize("key", SUBMITTABLE_ONLY)
def test_submit_events_need_a_submittable_type(documents, key):
    (requirement,) = documents.triggers[key].restriction.requirements

    assert (requirement.attribute, requirement.equals) == ("submittable", True)


@pytest.mark.parametrize("key", ANY_TYPE)
def test_other_events_take_any_document_type(documents, key):
    none: tuple[ResourceRequirement, ...] = ()

    assert documents.triggers[key].restriction.requirements == none


def test_a_document_type_is_not_submittable_unless_it_says_so(documents):
    (attribute,) = documents.resources["document_type"].attributes

    assert (attribute.key, attribute.default) == ("submittable", False)


def test_the_sample_types_are_submittable_or_not(documents):
    samples = documents.resources["document_type"].samples

    assert {id_: facts["submittable"] for id_, _, facts in samples} == SAMPLE_TYPES


def test_updates_of_one_document_in_one_transaction_collapse(documents):
    assert documents.subjects["document"].collapses


def test_imports_patches_installs_and_migrations_are_silent(documents):
    assert [silence.origin for silence in documents.silent_origins] == SILENT_ORIGINS


@pytest.mark.parametrize("position", range(len(SILENT_ORIGINS)))
def test_a_silent_origin_covers_every_event_and_cannot_be_lifted(documents, position):
    silence = documents.silent_origins[position]

    assert silence.events == frozenset()
    assert not silence.unless_notified


def test_the_record_s_id_is_the_document_s_name(documents):
    record_id = documents.subjects["document"].record_id

    assert (record_id.path_in_data, record_id.type) == ("name", FieldType.STRING)


def test_a_payload_has_the_fields_of_every_type_and_the_whole_document(documents):
    fields = documents.subjects["document"].fields

    assert [(field.key, field.type, field.path_in_data) for field in fields] == FIELDS


def test_the_whole_document_passes_through(documents):
    doc = next(field for field in documents.subjects["document"].fields if field.key == "doc")

    assert doc.open


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", ["docstatus", "workflow_state"])
def test_every_trigger_can_be_filtered_by_status_and_state(documents, key, path):
    assert path in documents.triggers[key].filters


def test_docstatus_is_a_number_with_a_meaning(documents):
    choices = documents.enumerations["docstatus"]

    assert [(choice.value, choice.label.en) for choice in choices] == DOCSTATUS


@pytest.mark.parametrize(("key", "docstatus", "moves"), EXAMPLES)
def test_an_example_suits_its_event(documents, key, docstatus, moves):
    subject = documents.subjects["document"]
    data = sample_data(with_samples(subject.fields, subject.events[key].samples))

    assert data["docstatus"] == docstatus
    assert (data["previous_workflow_state"] is not None) is moves
    assert (data["workflow_action"] is not None) is moves


def test_no_feature_is_needed_and_nothing_diverts(documents):
    assert documents.features == {}
    assert not any(trigger.requires for trigger in documents.triggers.values())
    assert not any(event.diverts for event in documents.event_types())


def test_the_product_has_no_roles(documents):
    assert documents.roles == ()
