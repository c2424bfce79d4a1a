"""End to end: publish over HTTP → commit → claim → POST → settle, everything on this machine.

Starts a throw-away `relais serve` on SQLite and a sink in processes of their own, and
prints what it measured with the machine and the versions beside it. See README.md.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from relais_client import NewEvent, Relais

HERE = Path(__file__).parent
DATA = {"id": 1, "schedule_id": 51423, "full_name": "Ines Moreau", "price": 15.5}


@dataclass
class Running:
    """A throw-away deployment."""

    url: str
    publisher_key: str
    account_key: str


@dataclass
class Sink:
    """The receiver's process."""

    process: subprocess.Popen[str]
    url: str

    def arrivals(self) -> dict[str, float]:
        """End it and return when each event arrived."""
        out, _ = self.process.communicate()
        found: dict[str, float] = json.loads(out.splitlines()[-1])
        return found


@contextlib.contextmanager
def relais() -> Iterator[Running]:
    """Run `relais serve` on a fresh SQLite database."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "RELAIS_ALLOWED_NETWORKS": "127.0.0.0/8", "RELAIS_LOG_LEVEL": "error"}
        command = [str(Path(sys.executable).with_name("relais")), "serve", "--port", "0"]
        process = subprocess.Popen(
            [*command, "--data", folder], env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            yield _ready(process)
        finally:
            process.terminate()
            process.wait()


def _ready(process: subprocess.Popen[str]) -> Running:
    found: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        name, _, value = line.strip().partition(": ")
        found[name] = value
        if line.startswith("Relais is ready at "):
            url = line.split()[-1]
            return Running(url, found["Publisher key"], found["Account key"])
    raise SystemExit("relais serve ended before it was ready")


def sink() -> Sink:
    """Start the receiver."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "sink.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Sink(process, f"http://127.0.0.1:{process.stdout.readline().strip()}/")


def subscribe(running: Running, url: str, count: int) -> None:
    """Make ``count`` subscriptions to the sink."""
    for number in range(count):
        answer = requests.post(
            f"{running.url}/api/v1/subscriptions",
            json={"trigger": "changed_appointment", "target_url": f"{url}?n={number}"},
            headers={"Authorization": f"Bearer {running.account_key}"},
            timeout=10,
        )
        answer.raise_for_status()


def settled_count(running: Running) -> int:
    """Return how many of the demo account's deliveries have succeeded."""
    answer = requests.get(
        f"{running.url}/api/v1/subscriptions?limit=100",
        headers={"Authorization": f"Bearer {running.account_key}"},
        timeout=10,
    )
    return sum(one["delivery_count"] for one in answer.json()["data"])


def throughput(events: int, fan_out: int) -> float:
    """Return deliveries per second: batches of 100, until every delivery is settled."""
    with relais() as running:
        target = sink()
        subscribe(running, target.url, fan_out)
        with Relais(running.url, running.publisher_key) as client:
            start = time.monotonic()
            for _ in range(events // 100):
                client.publish_batch([NewEvent("demo", "appointment.create", DATA)] * 100)
            while settled_count(running) < events * fan_out:
                time.sleep(0.02)
            took = time.monotonic() - start
        target.arrivals()
    return events * fan_out / took


def latency(events: int, rate: float) -> tuple[float, float, float]:
    """Return p50 and p99 of accept → arrival in ms, and the rate that was reached."""
    accepted: dict[str, float] = {}
    with relais() as running:
        target = sink()
        subscribe(running, target.url, 1)
        with Relais(running.url, running.publisher_key) as client:
            start = time.monotonic()
            for number in range(events):
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
                answer = client.publish("demo", "appointment.create", DATA)
                accepted[answer.id] = time.monotonic()
            took = time.monotonic() - start
            while settled_count(running) < events:
                time.sleep(0.05)
        arrived = target.arrivals()
    waits = sorted(1000 * (arrived[one] - moment) for one, moment in accepted.items())
    return statistics.median(waits), waits[int(len(waits) * 0.99)], events / took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=3000)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for fan_out in (1, 5):
        rates = [throughput(options.events, fan_out) for _ in range(options.runs)]
        print(
            f"deliveries/s, batches of 100, 1 event → {fan_out}: "
            f"median {statistics.median(rates):,.0f} (min {min(rates):,.0f}, max {max(rates):,.0f})"
        )
    for _ in range(options.runs):
        p50, p99, rate = latency(400, 100)
        print(
            f"accept → arrival, single publishes at {rate:,.0f}/s: "
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms (negative: arrived before the answer)"
        )


if __name__ == "__main__":
    main()
