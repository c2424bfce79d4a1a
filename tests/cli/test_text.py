"""Text on a terminal: columns, line breaks, and nothing that steers it."""

import pytest

from app.cli.text import clip, counted, pad, printable, width, wrap


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("見積書", 6), ("é", 1), ("e\u0301", 1)]
)
def test_width_is_in_columns(text, columns):
    assert width(text) == columns


def test_padding_counts_columns():
    assert pad("見積", 6) == "見積  "
    assert pad("longer", 3) == "longer"


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [("abcdef", 6, "abcdef"), ("abcdef", 4, "abc…"), ("見積書", 5, "見積…"), ("見積書", 4, "見…")],
)
def test_clipped_text_fits(text, columns, shown):
    assert clip(text, columns) == shown
    assert width(shown) <= columns


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("abcdefgh ij", ["abcdefgh", "ij"]),
        ("見積書の更新", ["見積書の", "更新"]),
        ("a 見積書の更新", ["a 見積書", "の更新"]),
    ],
)
def test_lines_break_at_spaces_where_there_are_any(text, lines):
    assert list(wrap(text, 8)) == lines


@pytest.mark.parametrize(("count", "said"), [(0, "0 replies"), (1, "1 reply"), (2, "2 replies")])
def test_a_count_has_its_plural(count, said):
    assert counted(count, "reply", "replies") == said


def test_a_plural_is_an_s_unless_said():
    assert (counted(1, "trigger"), counted(2, "trigger")) == ("1 trigger", "2 triggers")


def test_what_could_steer_the_terminal_is_spelled_out():
    assert printable("a\x1b[2Jb\nc\x9b\u202e") == "a\\x1b[2Jb\nc\\x9b\\u202e"
    assert printable("Lumière 田中") == "Lumière 田中"
