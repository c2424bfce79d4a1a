"""YAML is read as plain data, strictly, and every line is remembered."""

import pytest
from catalog_files import write

from app.catalog.read import MAX_BYTES, MAX_DEPTH, read_source
from app.core.errors import CatalogError


def problems_of(folder, text):
    path = write(folder, text)
    with pytest.raises(CatalogError) as caught:
        read_source(path)
    return [problem.removeprefix(str(path)) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("word", "word"),
        ("12", 12),
        ("-1", -1),
        ("4.5", 4.5),
        ("1.5e2", 150.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("2026-01-01", "2026-01-01"),
        ("2026-03-09T14:00:00+01:00", "2026-03-09T14:00:00+01:00"),
        ("0017", "0017"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1.0e999", "1.0e999"),
        ("9" * 5000, "9" * 5000),
        ("[a, 1]", ["a", 1]),
        ("{a: {b: c}}", {"a": {"b": "c"}}),
    ],
)
def test_plain_words_mean_what_they_look_like(tmp_path, written, value):
    source = read_source(write(tmp_path, f"key: {written}\n"))

    assert source.data == {"key": value}
    assert type(source.data["key"]) is type(value)


def test_a_block_of_text_keeps_its_lines(tmp_path):
    source = read_source(write(tmp_path, "key: |\n  one\n  two\n"))

    assert source.data == {"key": "one\ntwo\n"}


def test_the_line_of_every_key_and_entry_is_remembered(tmp_path):
    source = read_source(write(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - y\n"))

    lines = {("a",): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 0): 4, ("a", "c", 1): 5}
    assert {at: source.line_of(at) for at in lines} == lines


def test_what_is_missing_has_the_line_of_what_surrounds_it(tmp_path):
    source = read_source(write(tmp_path, "a:\n  b: {c: 1}\n"))

    assert source.line_of(("a", "b", "missing", "deeper")) == 2
    assert source.line_of(("missing",)) == 1


def test_an_empty_file_is_null(tmp_path):
    assert read_source(write(tmp_path, "# nothing\n")).data is None


def test_a_byte_order_mark_is_skipped(tmp_path):
    assert read_source(write(tmp_path, b"\xef\xbb\xbfa: 1\n")).data == {"a": 1}


def test_a_key_that_is_there_twice_is_refused_with_both_lines(tmp_path):
    problems = problems_of(tmp_path, "a:\n  b: 1\n  c: 2\n  b: 3\n")

    assert problems == [":4: a.b: is there twice, first in line 2; keep one"]


def test_anchors_and_aliases_are_refused_all_at_once(tmp_path):
    problems = problems_of(tmp_path, "a: &x {b: 1}\nc: *x\nd: &y [1]\n")

    assert problems == [
        ":1: a: &x is not allowed; write the value out",
        ":2: c: *x is not allowed; write the value out",
        ":3: d: &y is not allowed; write the value out",
    ]


def test_an_alias_bomb_is_refused_at_once(tmp_path):
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )

    problems = problems_of(tmp_path, bomb)

    assert problems[0] == ":1: a0: &a0 is not allowed; write the value out"


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!secret", "!!binary", "!!int"])
def test_tags_are_refused(tmp_path, tag):
    (problem,) = problems_of(tmp_path, f"a: 1\nb: {tag} x\n")

    assert problem.startswith(":2: b: the tag ")


def test_an_anchor_or_a_tag_on_a_key_is_refused(tmp_path):
    problems = problems_of(tmp_path, "a:\n  &k b: 1\n  !t c: 2\n")

    assert [problem.partition(" ")[0] for problem in problems] == [":1:", ":1:"]
    assert "&k" in problems[0]
    assert "the tag" in problems[1]


def test_a_second_document_is_refused(tmp_path):
    problems = problems_of(tmp_path, "a: 1\n---\nb: 2\n")

    assert problems == [
        ":2: not valid YAML: a second document starts here; write one catalog per file"
    ]


def test_a_key_must_be_a_word(tmp_path):
    problems = problems_of(tmp_path, "a: 1\n? [b]\n: 2\n")

    assert problems == [":2: not valid YAML: a key must be a plain word"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1\n", 2), ("a: b: c\n", 1), ("a: 1\n\tb: 2\n", 2), ("a: '\n", 2), ("a: \x01\n", 1)],
)
def test_a_syntax_error_names_its_line(tmp_path, text, line):
    (problem,) = problems_of(tmp_path, text)

    assert problem.startswith(f":{line}: not valid YAML: ")


def test_endless_nesting_is_refused(tmp_path):
    (problem,) = problems_of(tmp_path, "a: " + "[" * 5000 + "]" * 5000)

    assert problem == f":1: not valid YAML: nested deeper than {MAX_DEPTH} levels"


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path):
    problems = problems_of(tmp_path, "a: 1\nb: é\n".encode("latin-1"))

    assert problems == [":2: the file is not UTF-8; save it as UTF-8"]


def test_a_file_that_is_too_large_is_refused(tmp_path):
    problems = problems_of(tmp_path, "#" * (MAX_BYTES + 1))

    assert problems == [f":1: the file is larger than {MAX_BYTES} bytes; split it"]


def test_a_file_that_is_not_there_is_a_catalog_error(tmp_path):
    with pytest.raises(CatalogError, match=r"none\.yaml:1: cannot be read: No such file"):
        read_source(tmp_path / "none.yaml")
