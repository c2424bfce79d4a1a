"""Numbers as Prometheus reads them."""

import re

import pytest

from app.core.exposition import to_text
from app.core.metering import FAMILIES, Family, Kind

HITS = Family(name="hits_total", kind=Kind.COUNTER, help="Hits.")
CODES = Family(name="codes_total", kind=Kind.COUNTER, help='By "code".', labels=("code",))
TIMES = Family(name="times_seconds", kind=Kind.HISTOGRAM, help="Times.", buckets=(0.5, 1.0))
SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+-]+')


def lines(*families, **read):
    return to_text(families, {tuple(key.split("/")): one for key, one in read.items()}).split("\n")


def test_a_counter_is_one_line():
    assert lines(HITS, hits_total=(3,)) == [
        "# HELP hits_total Hits.",
        "# TYPE hits_total counter",
        "hits_total 3",
        "",
    ]


def test_what_never_happened_is_shown_as_nothing():
    assert "hits_total 0" in lines(HITS)
    assert "times_seconds_count 0" in lines(TIMES)


def test_labels_are_quoted():
    text = to_text([CODES], {("codes_total", 'a"b\\c\nd'): (1,)})

    assert 'codes_total{code="a\\"b\\\\c\\nd"} 1' in text


def test_buckets_add_up():
    read = {("times_seconds",): (2, 3, 4, 12.25)}

    assert to_text([TIMES], read).splitlines()[2:] == [
        'times_seconds_bucket{le="0.5"} 2',
        'times_seconds_bucket{le="1"} 5',
        'times_seconds_bucket{le="+Inf"} 9',
        "times_seconds_sum 12.25",
        "times_seconds_count 9",
    ]


@pytest.mark.parametrize("numbers", [(), (1, 2), (1, 2, 3, 4, 5)])
def test_numbers_of_another_version_are_left_out(numbers):
    assert to_text([TIMES], {("times_seconds",): numbers}) == to_text([TIMES], {})


def test_series_with_other_labels_are_left_out():
    assert to_text([CODES], {("codes_total",): (1,)}) == to_text([CODES], {})


def test_every_line_of_every_family_is_well_formed():
    read = {
        (one.name, *("x" for _ in one.labels)): tuple(range(one.width)) for one in FAMILIES.values()
    }
    made = to_text(FAMILIES.values(), read).splitlines()

    assert [one for one in made if not one.startswith("# ") and not SAMPLE.fullmatch(one)] == []


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_names_follow_the_customs_of_prometheus(family):
    assert re.fullmatch(r"relais_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert family.name.endswith("_seconds") == (family.kind is Kind.HISTOGRAM)
    assert list(family.buckets) == sorted(set(family.buckets))
