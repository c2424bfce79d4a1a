"""Which words may be names on the wire."""

from typing import Final

from marshmallow import validate

# Paths name accounts by id or by reference, so a reference has no slash and is no id.
REFERENCE: Final = validate.Regexp(
    r"(?!acc_)(?!\.{1,2}\Z)[^/\x00-\x1f\x7f]+\Z",
    error="A reference has no slash and no control character, and does not begin with acc_.",
)
# Dots separate the keys of a path.
FORM_KEY: Final = validate.Regexp(
    r"[^.\x00-\x1f\x7f]+\Z", error="A key has no dot and no control character."
)
