"""Strict in, exact out: hostile bodies are refused, numbers keep their digits."""

import contextlib
import json
import time
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import MalformedJsonError
from app.core.jsontext import ExactNumber, decode, encode

# The rows B01 to B07 are those of the threat model's table of hostile inputs.
REFUSED = {
    "B01 lists": (b"[" * 100_000, "too_deep"),
    "B01 objects": (b'{"a":' * 5_000, "too_deep"),
    "B01 closed": (b"[" * 33 + b"]" * 33, "too_deep"),
    "B01 behind a string": (b'["\\"]]]",' * 33, "too_deep"),
    "B02": (b"9" * 5_000, "number_too_long"),
    "B02 nested": (b'{"a": [-' + b"1" * 64 + b"]}", "number_too_long"),
    "B02 fraction": (b"0." + b"1" * 63, "number_too_long"),
    "B02 tiny": (b"1e-401", "number_too_long"),
    "B02 tinier": (b"1e-99999999999999999999", "number_too_long"),
    "B02 zero": (b"0e99999", "number_too_long"),
    "B03 NaN": (b'{"a": NaN}', "not_a_number"),
    "B03 Infinity": (b"Infinity", "not_a_number"),
    "B03 -Infinity": (b"[-Infinity]", "not_a_number"),
    "B03 1e400": (b"[1e400]", "not_a_number"),
    "B03 -1e400": (b"-1E400", "not_a_number"),
    "B04": (b'{"a":1,"a":2}', "duplicate_key"),
    "B04 same value": (b'{"a":1,"a":1}', "duplicate_key"),
    "B04 nested": (b'[{"b":{"a":1, "c":2, "a":3}}]', "duplicate_key"),
    "B04 escaped": (b'{"a":1,"\\u0061":2}', "duplicate_key"),
    "B05 high": (b'"\\ud800"', "lone_surrogate"),
    "B05 low": (b'"\\uDC00 "', "lone_surrogate"),
    "B05 reversed": (b'["\\udc00\\ud800"]', "lone_surrogate"),
    "B05 key": (b'{"\\ud800":1}', "lone_surrogate"),
    "B06": (b'"a\\u0000b"', "nul_character"),
    "B06 key": (b'{"\\u0000":1}', "nul_character"),
    "B06 raw": (b'"a\0b"', "nul_character"),
    "B07 not UTF-8": (b'"\xff"', "not_utf8"),
    "B07 Latin-1": ('"é"'.encode("latin-1"), "not_utf8"),
    "B07 encoded surrogate": (b'"\xed\xa0\x80"', "not_utf8"),
    "B07 overlong": (b'"\xc0\xaf"', "not_utf8"),
    "B07 BOM": (b"\xef\xbb\xbf{}", "byte_order_mark"),
    "B07 UTF-16": ('{"a":1}'.encode("utf-16"), "byte_order_mark"),
    "B07 UTF-16, no BOM": ('{"a":1}'.encode("utf-16-le"), "nul_character"),
    "nothing": (b"", "empty_body"),
    "white space": (b" \r\n\t", "empty_body"),
    "trailing comma": (b'{"a":1,}', "syntax"),
    "trailing text": (b"{} {}", "syntax"),
    "leading zero": (b"01", "syntax"),
    "bare point": (b"1.", "syntax"),
    "plus": (b"+1", "syntax"),
    "minus": (b"-", "syntax"),
    "single quotes": (b"{'a':1}", "syntax"),
    "comment": (b"{} // a", "syntax"),
    "raw control character": (b'"\x01"', "syntax"),
    "raw line end": (b'"a\nb"', "syntax"),
    "unknown escape": (b'"\\x41"', "syntax"),
    "unterminated": (b'{"a": "b', "syntax"),
    "unterminated escape": (b'["\\', "syntax"),
    "no-break space": ("\u00a0{}".encode(), "syntax"),
    "key that is no string": (b"{1:2}", "syntax"),
    "True": (b"True", "syntax"),
}
# B08: numbers that some reader or other changes.
NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e-320",
    "5e-324",
    "1e-400",
    "1.7976931348623157e308",
    "3.14159265358979323846264338328",
    "123456789012345678901234567890",
    "0.1",
    "0.10",
    "1.0",
    "1.50",
    "1e5",
    "1E5",
    "1e+5",
    "1e16",
    "1e22",
    "1e-7",
    "100000000000000000000.0",
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abé\U0001f600"), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_body_that_is_not_strict_json_is_refused_with_its_reason(body, reason):
    with pytest.raises(MalformedJsonError) as caught:
        decode(body)

    assert caught.value.reason == reason
    assert len(caught.value.message) < 200


def test_a_syntax_error_tells_line_and_column():
    with pytest.raises(MalformedJsonError, match=r"^Line 2, column 8: Expecting ',' delimiter\.$"):
        decode(b'{\n"a": 1 "b": 2}')


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("frame", ["[%s]", '{"a": %s}', " %s "], ids=["compact", "spaced", "bare"])
def test_b08_a_number_keeps_its_text(text, frame):
    decoded = decode((frame % text).encode())

    assert encode(decoded) == (frame % text).encode().replace(b" ", b"")


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_the_same_in_compact_and_in_spaced_bodies(text):
    [compact] = decode(f"[{text}]".encode())
    [spaced] = decode(f"[ {text} ]".encode())

    assert type(compact) is type(spaced)
    assert compact == spaced


def test_numbers_of_everyday_are_plain():
    assert [type(n) for n in decode(b"[1, -5, 0.5, 12.25, 1.0]")] == [int, int, float, float, float]


def test_a_duplicate_key_is_named_but_not_at_length():
    with pytest.raises(MalformedJsonError) as caught:
        decode(b'{"%s": 1, "b": 2, "%s": 3}' % (b"a" * 500, b"a" * 500))

    assert "a" * 50 in caught.value.message
    assert "a" * 51 not in caught.value.message


def test_thirty_two_levels_are_accepted_and_brackets_in_strings_do_not_count():
    body = b"[" * 32 + b"]" * 32
    brackets_in_a_string = b'["' + b"[{" * 100 + b'\\"[[["]'

    assert encode(decode(body)) == body
    assert decode(brackets_in_a_string) == ["[{" * 100 + '"[[[']


def test_the_depth_allowed_can_be_chosen():
    with pytest.raises(MalformedJsonError, match="more than 2 levels"):
        decode(b"[[[]]]", max_depth=2)


def test_wide_bodies_are_not_deep():
    assert len(decode(b"[" + b"{}," * 100 + b"{}]")) == 101


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b'""', ""),
        (b" [] ", []),
        (b"false", False),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\/\\b\\f\\n\\r\\t\\""', '/\b\f\n\r\t"'),
        ('"\u2028</script>"'.encode(), "\u2028</script>"),
    ],
)
def test_good_bodies(body, value):
    assert decode(body) == value


def test_the_order_of_keys_is_kept():
    body = b'{"z":1,"a":2,"m":{"y":1,"b":2}}'

    assert encode(decode(body)) == body


def test_the_text_is_compact_utf8():
    assert encode({"é": ["\u2028", None]}) == '{"é":["\u2028",null]}'.encode()


def test_read_only_mappings_are_encoded():
    assert encode(MappingProxyType({"a": (1, 2)})) == b'{"a":[1,2]}'


@pytest.mark.parametrize("value", [{1, 2}, object(), Decimal(1), b"a", {"a": "\ud800"}, 2**64])
def test_what_is_not_json_is_not_encoded(value):
    with pytest.raises(TypeError):
        encode(value)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(json_values)
def test_what_the_standard_library_writes_is_read_as_it_reads_it(value):
    body = json.dumps(value).encode()

    assert decode(body) == json.loads(body)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(json_values)
def test_decoding_and_encoding_again_changes_nothing(value):
    once = encode(decode(json.dumps(value).encode()))

    assert encode(decode(once)) == once


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?\Z"))
def test_every_number_keeps_its_text(text):
    assert encode(decode(f"[ {text}]".encode())) == f"[{text}]".encode()


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text('[]{}",:\\u0123dDeE.-+ ').map(str.encode))
def test_whatever_comes_it_is_a_value_or_a_refusal(body):
    try:
        value = decode(body)
    except MalformedJsonError:
        return

    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'"' + b'\\"' * 500_000 + b"[" * 40,
        b"[" * 40 + b'"' + b"\\" * 1_000_001,
        b'"\\"' * 300_000 + b"[" * 50,
        b"[" + b"9" * 1_000_000 + b"]",
        b"[" + b"0." + b"9" * 1_000_000 + b"]",
        b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
        b"{" + b", ".join(b'"k": 1' for _ in range(100_000)) + b"}",
        b"[" + b"{}, " * 100_000 + b"{}]",
        b'"' + b"\\u0041" * 100_000 + b'\\u0000"',
    ],
    ids=range(10),
)
def test_hostile_bodies_take_bounded_time(body):
    started = time.process_time()

    with contextlib.suppress(MalformedJsonError):
        decode(body)

    assert time.process_time() - started < 2


class TestExactNumber:
    def test_it_has_its_text_and_its_value(self):
        number = ExactNumber("1.50")

        assert (number.text, number.value, str(number)) == ("1.50", Decimal("1.5"), "1.50")
        assert repr(number) == "ExactNumber('1.50')"

    @pytest.mark.parametrize(
        "other", [1.5, ExactNumber("1.5"), ExactNumber("15e-1"), ExactNumber("1.500")]
    )
    def test_it_equals_the_same_number_and_hashes_alike(self, other):
        assert ExactNumber("1.50") == other
        assert other == ExactNumber("1.50")
        assert hash(ExactNumber("1.50")) == hash(other)

    @pytest.mark.parametrize(
        ("text", "other"),
        [("0.10", 0.1), ("1e5", 100_000), ("1e5", 100_000.0), ("-0", 0), (str(2**70), 2**70)],
    )
    def test_it_is_found_in_a_set_of_plain_numbers(self, text, other):
        assert {other: True}[ExactNumber(text)]

    @pytest.mark.parametrize("other", ["1.50", None, True, Decimal("1.5"), float("nan"), [1.5]])
    def test_it_equals_nothing_else(self, other):
        assert ExactNumber("1.50") != other
        assert ExactNumber("1.0") != other

    def test_it_is_ordered_among_numbers(self):
        numbers = [2**65, ExactNumber("18446744073709551616"), 0.1, ExactNumber("0.2"), 1]

        assert sorted(numbers) == [numbers[2], numbers[3], 1, numbers[1], 2**65]
        assert ExactNumber("1.50") >= 1.5
        assert ExactNumber("1.50") > ExactNumber("-7")
        assert ExactNumber("1.50") <= 2

    def test_it_is_not_ordered_among_other_things(self):
        with pytest.raises(TypeError):
            _ = ExactNumber("1.50") < "2"

    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_it_equals_the_float_whose_text_it_has(self, number):
        exact = ExactNumber(repr(number))

        assert exact == number or number.is_integer()
        assert exact != number or hash(exact) == hash(number)
