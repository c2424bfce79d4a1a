"""The truth table of docs/filters.md, and what a false filter says."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import jsontext
from app.core.filters import AllOf, AnyOf, Mismatch, Not, Op, Term, from_json, mismatch, to_json

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `(?P<payload>.+?)` \| `(?P<filter>.+)` \| (?P<result>true|false) \|$")


def truth_table():
    text = (DOCS / "filters.md").read_text()
    rows = [match for line in text.splitlines() if (match := ROW.match(line))]
    return [(row["payload"], row["filter"], row["result"] == "true") for row in rows]


def test_the_truth_table_covers_every_operator():
    operators = {op for op in Op if any(f'"{op}"' in row[1] for row in truth_table())}

    assert operators == set(Op)


@pytest.mark.parametrize(("payload", "written", "expected"), truth_table())
def test_the_truth_table_holds(payload, written, expected):
    wanted = from_json(jsontext.decode(written.encode()))

    passes = mismatch(wanted, jsontext.decode(payload.encode())) is None

    assert passes is expected


def test_no_filter_passes_everything():
    assert mismatch(None, {}) is None


def test_a_false_conjunction_names_its_first_false_term_and_what_it_saw():
    first, second = Term("a", Op.EQ, 1), Term("b", Op.GT, 10)

    found = mismatch(AllOf((first, second)), {"a": 1, "b": 3})

    assert found == Mismatch(second, 3)


def test_a_false_alternative_names_its_first_term():
    first, second = Term("a", Op.EQ, 1), Term("a", Op.EQ, 2)

    assert mismatch(AnyOf((first, second)), {"a": 3}) == Mismatch(first, 3)


def test_a_false_negation_names_itself():
    wanted = Not(Term("a", Op.EQ, 1))

    assert mismatch(wanted, {"a": 1}) == Mismatch(wanted, None)


TERMS = st.builds(
    Term,
    st.sampled_from(["a", "a.b", "c"]),
    st.sampled_from([Op.EQ, Op.NE, Op.GT, Op.CONTAINS]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
)
FILTERS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=10,
)
PAYLOADS = st.dictionaries(
    st.sampled_from("abc"),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.sampled_from("bd"), st.integers(), max_size=2),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(FILTERS, PAYLOADS)
def test_a_filter_means_the_same_after_it_was_stored(wanted, payload):
    stored = from_json(to_json(wanted))

    assert stored == wanted
    assert (mismatch(stored, payload) is None) == (mismatch(wanted, payload) is None)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(FILTERS, PAYLOADS)
def test_a_negation_is_always_the_opposite(wanted, payload):
    assert (mismatch(Not(wanted), payload) is None) != (mismatch(wanted, payload) is None)
