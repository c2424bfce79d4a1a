import pytest

from app.services.titles import qualified, title_case


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("Custom field value", "Custom Field Value"),
        ("Updated after submission", "Updated After Submission"),
        ("Added to the list", "Added to the List"),
        ("On the waiting list", "On the Waiting List"),
        ("Occurred at", "Occurred At"),
        ("SMS link on an iPhone", "SMS Link on an iPhone"),
        ("Follow-up", "Follow-Up"),
        ("Call ended (CDR)", "Call Ended (CDR)"),
        ("", ""),
    ],
)
def test_a_label_becomes_a_heading(text, heading):
    assert title_case(text) == heading


@pytest.mark.parametrize(
    ("label", "parent", "parents", "standing_alone"),
    [
        ("Email", "", "", "Email"),
        ("Email", "Contact", "Contact", "Contact Email"),
        ("Contact ID", "Contact", "Contact", "Contact ID"),
        ("List ID", "List", "Contact List", "Contact List ID"),
        ("Link to the List", "List", "Contact List", "Link to the Contact List"),
        ("Link Name", "Tracked Link", "Tracked Link", "Tracked Link Name"),
        ("Lists", "List", "Contact List", "Contact List Lists"),
        ("Link", "Tracked Link", "Tracked Link", "Tracked Link Link"),
    ],
)
def test_a_nested_label_stands_alone_without_stutter(label, parent, parents, standing_alone):
    assert qualified(label, parent=parent, parents=parents) == standing_alone
