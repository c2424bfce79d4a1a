"""A program: call each URL again and again, and print by how much the process grew.

Prints, as JSON, the growth of the peak memory (bytes), of threads and of open files
between the exchange number 20 and the last one.
"""

import json
import resource
import sys
import threading
from pathlib import Path

from tests.transport.sending import make_sender, send

WARM_UP = 20


def measure() -> tuple[int, int, int]:
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kb * 1024, threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def main(count: int, urls: list[str]) -> None:
    sender = make_sender()
    for number in range(WARM_UP):
        send(sender, urls[number % len(urls)])
    before = measure()
    kinds = {send(sender, urls[number % len(urls)]).kind for number in range(count)}
    growth = [after - earlier for after, earlier in zip(measure(), before, strict=True)]
    sender.close()
    print(json.dumps([sorted(kinds), *growth]))  # noqa: T201  # its result


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
