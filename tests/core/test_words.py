"""Filters and decisions in words, in three languages."""

import pytest

from app.catalog import load_registry
from app.core.accounts import Overlay
from app.core.explaining import explain
from app.core.fields import Field, FieldType, Text
from app.core.filter_words import describe, describe_mismatch
from app.core.filters import AllOf, AnyOf, Mismatch, Not, Op, Term
from app.core.matching import Decision, Reason
from app.core.shapes import shape_of_trigger

REGISTRY = load_registry()
SHAPE = shape_of_trigger(REGISTRY, REGISTRY.trigger("changed_appointment"), Overlay())
EVENT = Term("event", Op.EQ, "destroy")
PRICE = Term("price", Op.GT, 100)
NAME = Field(key="name", type=FieldType.STRING, label=Text(en="Name", fr="Nom", ja="名前"))


def test_a_filter_reads_as_a_sentence_with_labels():
    words = describe(AllOf((EVENT, PRICE)), SHAPE, "en")

    assert words == "Event is Deleted and Price is greater than 100"


def test_alternatives_are_bracketed_inside_a_conjunction():
    words = describe(AllOf((PRICE, AnyOf((EVENT, Not(PRICE))))), SHAPE, "en")

    assert words == (
        "Price is greater than 100 and (Event is Deleted or not (Price is greater than 100))"
    )


@pytest.mark.parametrize("language", ["fr", "ja"])
def test_other_languages_use_their_own_labels(language):
    assert describe(EVENT, SHAPE, language) != describe(EVENT, SHAPE, "en")
    assert "Deleted" not in describe(EVENT, SHAPE, language)


def test_several_values_are_joined():
    words = describe(Term("event", Op.IN, ["create", "destroy"]), SHAPE, "en")

    assert words == "Event is Created or Deleted"


@pytest.mark.parametrize("op", list(Op))
@pytest.mark.parametrize("language", ["en", "fr", "ja"])
def test_every_operator_has_words(op, language):
    value = {"in": ["a"], "not_in": ["a"], "exists": True}.get(op, "a")

    assert "{" not in describe(Term("full_name", op, value), SHAPE, language)


def test_a_mismatch_says_what_was_seen():
    words = describe_mismatch(Mismatch(PRICE, 15), SHAPE, "en")

    assert words == "Price is greater than 100, but Price was 15"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The filter wants: Name is “Léa”, but Name was “Paul”."),
        (
            "fr",
            "Le filtre demande : Nom est «\u00a0Léa\u00a0», mais Nom valait «\u00a0Paul\u00a0».",
        ),
        ("ja", "フィルターの条件：名前 が “Léa”（実際の値は “Paul”）。"),
    ],
)
def test_a_mismatch_is_one_sentence_without_repeating_itself(language, sentence):
    wanted = Term("name", Op.EQ, "Léa")
    decision = Decision(reason=Reason.FILTER_FALSE, mismatch=Mismatch(wanted, "Paul"))

    assert explain(decision, (NAME,), language) == sentence


@pytest.mark.parametrize(("language", "word"), [("en", "yes"), ("fr", "oui"), ("ja", "はい")])
def test_true_and_false_are_words_too(language, word):
    assert word in describe(Term("waitlisted", Op.EQ, True), SHAPE, language)


def test_braces_in_a_value_are_only_text():
    wanted = Term("full_name", Op.EQ, "{field} {0.__class__}")
    decision = Decision(reason=Reason.FILTER_FALSE, mismatch=Mismatch(wanted, "{seen}"))

    assert "{field} {0.__class__}" in explain(decision, SHAPE, "en")


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("language", ["en", "fr", "ja"])
def test_every_reason_has_a_sentence(reason, language):
    decision = Decision(
        reason=reason,
        resource_id="7",
        mismatch=Mismatch(PRICE, 1) if reason is Reason.FILTER_FALSE else None,
    )

    sentence = explain(decision, SHAPE, language)

    assert sentence
    assert "{" not in sentence
