"""Rules of the catalogs: attachments, silent origins, collapsing, checked data."""

import pytest

from app.catalog import load_registry
from app.core.accounts import Overlay
from app.core.data_checks import ONLY_WARNINGS, data_check
from app.core.events import Disposition
from app.core.publishing import (
    collapse_key,
    disposition,
    record_id_of,
    resolve_attachment,
)
from app.core.shapes import data_shape
from tests.builders import an_account, an_event

REGISTRY = load_registry()
BOOKINGS = REGISTRY.catalogs["bookings"]
DOCUMENTS = REGISTRY.catalogs["documents"]


@pytest.mark.parametrize(
    ("parent", "becomes"), [("appointment", "appointment.edit"), ("user", "user.change")]
)
def test_an_attached_form_changes_what_it_is_attached_to(parent, becomes):
    form = {"id": 331, "answers": {"level": "beginner"}, parent: {"id": 7, "email": "a@b.example"}}

    resolved = resolve_attachment(REGISTRY, "form.new", form)

    assert resolved.type == becomes
    assert resolved.data == {
        "id": 7,
        "email": "a@b.example",
        "form": {"id": 331, "answers": {"level": "beginner"}},
    }


def test_a_form_that_stands_alone_stays_a_form():
    form = {"id": 331, "appointment": None}

    resolved = resolve_attachment(REGISTRY, "form.new", form)

    assert (resolved.type, resolved.data) == ("form.new", form)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Disposition.OPEN),
        ({"origin": "web"}, Disposition.OPEN),
        ({"origin": "api"}, Disposition.SILENT),
        ({"origin": "api", "notify": True}, Disposition.OPEN),
    ],
)
def test_writes_by_the_products_api_are_silent_unless_they_say_notify(changes, expected):
    assert disposition(an_account(), BOOKINGS, an_event(**changes)) is expected


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("contact.added", Disposition.SILENT),
        ("custom_field.changed", Disposition.SILENT),
        ("contact_import.finished", Disposition.OPEN),
    ],
)
@pytest.mark.parametrize("notify", [False, True])
def test_an_import_is_silent_for_two_events_whatever_it_says(event_type, expected, notify):
    event = an_event(
        catalog="mailing",
        type=event_type,
        published_type=event_type,
        origin="import",
        notify=notify,
    )

    assert disposition(an_account(), REGISTRY.catalogs["mailing"], event) is expected


def test_nothing_fires_while_the_accounts_switch_is_off():
    off = an_account(enabled=False)

    assert disposition(off, BOOKINGS, an_event()) is Disposition.ACCOUNT_OFF


def a_document(name="SO-1", **changes):
    changes = {"type": "document.on_update", "record_id": name, "transaction": "tx1"} | changes
    data = changes.pop("data", {"name": name, "doctype": "Sales Order"})
    return an_event(catalog="documents", data=data, **changes)


def keys(*events):
    return [collapse_key(REGISTRY, one) for one in events]


def test_updates_of_a_document_in_a_transaction_collapse():
    first, second = keys(a_document(id="evt_1"), a_document(id="evt_2"))

    assert first == second
    assert first is not None


@pytest.mark.parametrize(
    "other",
    [
        {"name": "SO-2"},
        {"type": "document.on_submit"},
        {"transaction": "tx2"},
        {"transaction": None},
        {"data": {"name": "SO-1", "doctype": "Quotation"}},
        {"account_id": "acc_2"},
        {"disposition": Disposition.SILENT},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_differs_in_anything_else_does_not_collapse(other):
    first, second = keys(a_document(), a_document(**other))

    assert first != second


def test_other_subjects_never_collapse():
    assert keys(an_event(record_id="1", transaction="tx")) == [None]


def problems(data, subject="appointment", catalog=BOOKINGS):
    shape = data_shape(catalog, catalog.subjects[subject], Overlay())
    return [(one.field, one.code) for one in data_check(shape)(data, "data")]


def test_null_is_fine():
    assert problems({"id": 1, "price": None, "slot": None}) == []


def test_a_field_that_the_catalog_does_not_know_is_only_odd():
    found = problems({"id": 1, "ful_name": "Ines"})

    assert found == [("data.ful_name", "unknown_field")]
    assert {code for _, code in found} <= ONLY_WARNINGS


def test_a_record_without_an_id_is_only_odd():
    found = problems({})

    assert found == [("data.id", "missing_record_id")]
    assert {code for _, code in found} <= ONLY_WARNINGS


def test_many_unknown_fields_are_not_all_named():
    assert len(problems({"id": 1} | {f"x{number}": 1 for number in range(1_000)})) == 20


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"id": "1"}, "data.id"),
        ({"schedule_id": 1.5}, "data.schedule_id"),
        ({"price": "15.00"}, "data.price"),
        ({"price": True}, "data.price"),
        ({"waitlisted": 1}, "data.waitlisted"),
        ({"start": "2031-03-04T18:00"}, "data.start"),
        ({"start": 17}, "data.start"),
        ({"slot": []}, "data.slot"),
        ({"slot": {"id": "x"}}, "data.slot.id"),
        ({"mobile": 33199001122}, "data.mobile"),
    ],
)
def test_a_value_of_another_type_is_named(data, at):
    assert problems({"id": 1} | data) == [(at, "wrong_type")]


def test_a_value_that_an_enumeration_does_not_have_is_named():
    assert problems({"id": 1, "status_code": 999}) == [("data.status_code", "unknown_choice")]


def test_problems_come_in_the_order_of_the_catalog_whatever_that_of_the_data():
    data = {"price": "x", "odd": 1, "slot": {"id": "x"}, "id": "x"}

    found = [at for at, _ in problems(data)]

    assert found == ["data.id", "data.price", "data.slot.id", "data.odd"]


def test_a_check_can_be_used_again_and_again():
    check = data_check(data_shape(BOOKINGS, BOOKINGS.subjects["appointment"], Overlay()))

    assert [one.field for one in check({"id": "x"}, "data")] == ["data.id"]
    assert check({"id": 1}, "data") == ()
    assert [one.field for one in check({"id": 1, "price": "x"}, "at")] == ["at.price"]


def test_a_whole_number_may_be_written_as_a_fraction():
    assert problems({"id": 1, "schedule_id": 7.0}) == []


def test_a_record_id_is_text_whatever_its_json_type():
    subject = BOOKINGS.subjects["appointment"]

    assert record_id_of(subject, {"id": 880143}) == "880143"
    assert record_id_of(subject, {}) is None
