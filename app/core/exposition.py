"""Numbers as text for Prometheus: its exposition format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from app.core.metering import Family, Kind, Numbers, Series

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def to_text(families: Iterable[Family], read: Mapping[Series, Numbers]) -> str:
    """Return the text of these families; series of others, or of an odd width, are left out.

    A family without labels is shown from the start, at nothing, so that a rate over it
    is never undefined.
    """
    lines = [line for family in families for line in _lines(family, read)]
    return "\n".join(lines) + "\n"


def _lines(family: Family, read: Mapping[Series, Numbers]) -> Iterator[str]:
    own = {series: numbers for series, numbers in read.items() if _fits(family, series, numbers)}
    if not own and not family.labels:
        own = {(family.name,): [0.0] * family.width}
    yield f"# HELP {family.name} {_escaped(family.help)}"
    yield f"# TYPE {family.name} {family.kind}"
    for series in sorted(own):
        labels = [
            f'{name}="{_quoted(value)}"'
            for name, value in zip(family.labels, series[1:], strict=True)
        ]
        yield from _samples(family, labels, own[series])


def _fits(family: Family, series: Series, numbers: Numbers) -> bool:
    known = series[0] == family.name and len(series) == len(family.labels) + 1
    return known and len(numbers) == family.width


def _samples(family: Family, labels: list[str], numbers: Numbers) -> Iterator[str]:
    if family.kind is not Kind.HISTOGRAM:
        yield _sample(family.name, labels, numbers[0])
        return
    *counts, total = numbers
    bounds = [*(_number(bound) for bound in family.buckets), "+Inf"]
    for bound, count in zip(bounds, accumulate(counts), strict=True):
        yield _sample(f"{family.name}_bucket", [*labels, f'le="{bound}"'], count)
    yield _sample(f"{family.name}_sum", labels, total)
    yield _sample(f"{family.name}_count", labels, sum(counts))


def _sample(name: str, labels: list[str], number: float) -> str:
    shown = f"{{{','.join(labels)}}}" if labels else ""
    return f"{name}{shown} {_number(number)}"


def _number(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
