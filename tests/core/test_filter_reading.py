"""Reading filters: both notations, and every problem named."""

import pytest

from app.catalog import load_registry
from app.core import jsontext
from app.core.accounts import Overlay
from app.core.filter_reading import MAX_DEPTH, MAX_NODES, read_filter
from app.core.filters import AllOf, AnyOf, Op, Term, to_json
from app.core.shapes import shape_of_trigger

REGISTRY = load_registry()


def shape(key):
    return shape_of_trigger(REGISTRY, REGISTRY.trigger(key), Overlay())


CHANGED = shape("changed_appointment")


def problems(written, shapes=(CHANGED,)):
    read, found = read_filter(written, shapes)
    assert (read is None) == bool(found)
    return [(one.field, one.code) for one in found]


@pytest.mark.parametrize("nothing", [None, {}])
def test_nothing_means_no_filter(nothing):
    assert read_filter(nothing, [CHANGED]) == (None, ())


def test_shorthand_is_a_list_of_choices():
    read, found = read_filter({"event": ["destroy", "restore"]}, [CHANGED])

    assert found == ()
    assert read == Term("event", Op.IN, ["destroy", "restore"])


def test_shorthand_reads_text_in_the_type_of_the_field():
    read, _ = read_filter({"role": "3", "deleted": "true", "price": "12.5"}, [CHANGED])

    assert read == AllOf(
        (
            Term("role", Op.IN, [3]),
            Term("deleted", Op.IN, [True]),
            Term("price", Op.IN, [12.5]),
        )
    )


def test_shorthand_leaves_out_what_a_form_left_empty():
    written = {"event": "", "role": [], "status_code": None}

    assert read_filter(written, [CHANGED]) == (None, ())


def test_the_declarative_notation_is_strict_about_types():
    written = {"field": "role", "op": "eq", "value": "3"}

    assert problems(written) == [("filters.value", "wrong_type")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", ("filters", "invalid_filter")),
        ([1], ("filters", "invalid_filter")),
        ({"nope": 1}, ("filters.nope", "unknown_field")),
        ({"event": "nouveau"}, ("filters.event", "unknown_choice")),
        ({"role": 6}, ("filters.role", "unknown_choice")),
        ({"role": "admin"}, ("filters.role", "wrong_type")),
        ({"status_code": [10, 999]}, ("filters.status_code", "unknown_choice")),
        ({"all": []}, ("filters.all", "invalid_filter")),
        ({"all": {}}, ("filters.all", "invalid_filter")),
        ({"all": [], "any": []}, ("filters", "invalid_filter")),
        ({"field": "event", "op": "$where", "value": 1}, ("filters.op", "unknown_operator")),
        ({"field": "event", "op": "regex", "value": "a"}, ("filters.op", "unknown_operator")),
        ({"field": "event", "op": ["eq"], "value": "a"}, ("filters.op", "unknown_operator")),
        ({"field": 1, "op": "eq", "value": "a"}, ("filters.field", "unknown_field")),
        ({"field": "event", "op": "gt", "value": "a"}, ("filters.value", "operator_not_for_type")),
        ({"field": "price", "op": "gt", "value": "100"}, ("filters.value", "wrong_type")),
        ({"field": "price", "op": "gt", "value": True}, ("filters.value", "wrong_type")),
        ({"field": "price", "op": "gt", "value": None}, ("filters.value", "wrong_type")),
        ({"field": "start", "op": "lt", "value": "2031-03-04"}, ("filters.value", "wrong_type")),
        ({"field": "event", "op": "in", "value": "create"}, ("filters.value", "wrong_type")),
        ({"field": "event", "op": "in", "value": []}, ("filters.value", "wrong_type")),
        (
            {"field": "event", "op": "in", "value": ["create"] * 101},
            ("filters.value", "filter_too_large"),
        ),
        ({"field": "email", "op": "eq", "value": "a" * 501}, ("filters.value", "filter_too_large")),
        ({"field": "event", "op": "exists", "value": 1}, ("filters.value", "wrong_type")),
        ({"field": "slot", "op": "eq", "value": {}}, ("filters.value", "operator_not_for_type")),
    ],
)
def test_what_cannot_be_meant_is_named(written, expected):
    assert problems(written)[0] == expected


def test_every_problem_is_named_not_only_the_first():
    written = {
        "all": [
            {"field": "nope", "op": "eq", "value": 1},
            {"not": {"field": "price", "op": "eq", "value": "x"}},
        ]
    }

    assert problems(written) == [
        ("filters.all.0.field", "unknown_field"),
        ("filters.all.1.not.value", "wrong_type"),
    ]


def test_a_field_must_exist_for_every_trigger_of_the_subscription():
    shapes = (shape("new_user"), CHANGED)

    assert problems({"schedule_id": 1}, shapes) == [("filters.schedule_id", "unknown_field")]


def test_a_filter_that_is_too_deep_is_refused():
    written = {"field": "role", "op": "eq", "value": 3}
    for _ in range(1_000):
        written = {"not": written}

    assert [code for _, code in problems(written)] == ["filter_too_large"]


def test_a_filter_of_the_greatest_depth_is_accepted():
    written = {"field": "role", "op": "eq", "value": 3}
    for _ in range(MAX_DEPTH - 1):
        written = {"not": written}

    assert problems(written) == []


def test_a_filter_with_too_many_parts_is_refused():
    term = {"field": "role", "op": "eq", "value": 3}

    assert problems({"all": [term] * (MAX_NODES - 1)}) == []
    assert [code for _, code in problems({"all": [term] * 10_000})] == ["filter_too_large"]


def test_any_path_below_an_open_object_may_be_compared():
    documents = shape("on_update")

    assert problems({"field": "doc.grand_total", "op": "gt", "value": 100}, (documents,)) == []
    found = problems({"field": "doc.grand_total", "op": "gt", "value": {}}, (documents,))
    assert found == [("filters.value", "wrong_type")]


def test_shorthand_reaches_below_an_open_object():
    read, found = read_filter({"doc.status": "Open"}, [shape("on_update")])

    assert (read, found) == (Term("doc.status", Op.IN, ["Open"]), ())


@pytest.mark.parametrize(
    ("op", "value", "code"),
    [
        ("eq", "a" * 501, "filter_too_large"),
        ("exists", "false", "wrong_type"),
        ("in", [], "wrong_type"),
        ("eq", [1], "wrong_type"),
    ],
)
def test_a_field_that_nothing_declares_still_takes_sane_values_only(op, value, code):
    written = {"field": "doc.status", "op": op, "value": value}

    assert problems(written, (shape("on_update"),)) == [("filters.value", code)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_several_triggers_allow_the_events_of_each(order):
    both = (shape("new_appointment"), CHANGED)

    assert problems({"event": "destroy"}, [both[index] for index in order]) == []


def test_several_values_for_a_list_mean_any_of_them():
    emails = shape("email_sent")
    key = next(one.key for one in emails if one.type == "list" and one.item)

    read, _ = read_filter({key: ["a", "b"]}, [emails])

    assert read == AnyOf((Term(key, Op.CONTAINS, "a"), Term(key, Op.CONTAINS, "b")))


@pytest.mark.parametrize(
    "number", ["123456789012345678901234567890", "1e400", "NaN", "0x10", "1_0"]
)
def test_numbers_in_text_are_json_numbers(number):
    read, found = read_filter({"price": number}, [CHANGED])

    if found:
        assert [one.code for one in found] == ["wrong_type"]
    else:
        assert jsontext.encode(to_json(read)) == (
            b'{"field":"price","op":"in","value":[' + number.encode() + b"]}"
        )
