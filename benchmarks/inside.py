"""Ingest without HTTP: the use case called in this process. Run as a process of its own.

Prints one JSON object: events, and the seconds of the wall and of the CPU that they took.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from app.config import Settings
from app.factory import Deployment, open_deployment
from app.services import ingest
from app.services.publications import NewEvent
from benchmarks.deployment import BATCH, EVENT_TYPE, record


def main() -> None:
    """Publish so many events to an account that exists, from so many threads."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--events", type=int, required=True)
    options = parser.parse_args()
    deployment = open_deployment(Settings.from_env(data_dir=options.data))
    events = [
        NewEvent(account=options.account, type=EVENT_TYPE, data=record(number))
        for number in range(BATCH)
    ]
    publish = _batches if options.batch else _singles
    ingest.publish(deployment.context, events[0])  # the first one compiles statements
    start, cpu = time.monotonic(), time.process_time()
    share = options.events // options.threads
    with ThreadPoolExecutor(options.threads) as pool:
        work = partial(publish, deployment, events)
        list(pool.map(work, [share] * options.threads))
    found = {
        "events": share * options.threads,
        "seconds": time.monotonic() - start,
        "cpu_seconds": time.process_time() - cpu,
    }
    deployment.close()
    print(json.dumps(found))


def _singles(deployment: Deployment, events: list[NewEvent], count: int) -> None:
    for number in range(count):
        ingest.publish(deployment.context, events[number % BATCH])


def _batches(deployment: Deployment, events: list[NewEvent], count: int) -> None:
    for _ in range(count // BATCH):
        ingest.publish_batch(deployment.context, events)


if __name__ == "__main__":
    main()
