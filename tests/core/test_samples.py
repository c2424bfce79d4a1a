"""Samples at payload paths, and the labels that follow them."""

from app.core.catalogs import EventType
from app.core.fields import Choice, Field, FieldType, Text
from app.core.samples import sample_data, sample_role, with_samples

X = Text(en="x", fr="x", ja="x")
CHOICES = tuple(
    Choice(value=value, label=Text(en=label, fr=label, ja=label))
    for value, label in ((1, "Paid"), (2, "Refunded"))
)
CODE = Field(key="code", type=FieldType.INTEGER, label=X, sample=1, choices=CHOICES)
MESSAGE = Field(key="message", type=FieldType.STRING, label=X, sample="Paid", label_of="code")
CITY = Field(key="city", type=FieldType.STRING, label=X, sample="Lyon", source="town")
VISITOR = Field(key="visitor", type=FieldType.OBJECT, label=X, fields=(CITY,))
ENVELOPE = (Field(key="role", type=FieldType.INTEGER, label=X, sample=3),)


def an_event(**samples):
    return EventType(key="arrive", subject="visit", value="arrive", label=X, samples=samples)


def test_a_sample_replaces_that_of_the_field_at_its_payload_path():
    changed = with_samples((CODE, VISITOR), {"visitor.city": None, "code": 2})

    assert sample_data(changed) == {"code": 2, "visitor": {"town": None}}


def test_without_other_samples_a_shape_stays_as_it_is():
    assert with_samples((CODE, MESSAGE, VISITOR), {}) == (CODE, MESSAGE, VISITOR)


def test_the_label_follows_the_code():
    _, refunded = with_samples((CODE, MESSAGE), {"code": 2})
    _, nothing = with_samples((CODE, MESSAGE), {"code": None})

    assert (refunded.sample, nothing.sample) == ("Refunded", None)


def test_a_label_whose_code_the_account_does_not_have_is_empty():
    [alone] = with_samples((MESSAGE,), {})

    assert alone.sample is None


def test_an_event_has_the_usual_role_unless_it_says_otherwise():
    assert sample_role(an_event(), ENVELOPE) == 3
    assert sample_role(an_event(role=7), ENVELOPE) == 7
    assert sample_role(an_event(role=0), ENVELOPE) == 0
