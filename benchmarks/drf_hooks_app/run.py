"""Measure drf-hooks: save so many models, each fires one hook, until all are sent.

Its defaults: threads of its own send, from a queue in memory, with pooled `requests`.
It stores no delivery, signs nothing and tries nothing again; what waits is lost with the
process.

Prints one JSON object: the seconds from the first save until every hook was answered.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import django
from django.conf import settings

_POLL_S = 0.005


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--events", type=int, required=True)
    options = parser.parse_args()
    _set_up(options.database)
    start, cpu = time.monotonic(), time.process_time()
    _deliver(options.target, json.loads(options.body.read_text()), options.events)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "cpu_seconds": time.process_time() - cpu}))


def _set_up(database: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        HOOK_EVENTS={"appointment.create": "drf_hooks_app.Appointment.created"},
        HOOK_SERIALIZERS={
            "drf_hooks_app.Appointment": "drf_hooks_app.models.AppointmentSerializer"
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "drf_hooks",
            "drf_hooks_app",
        ],
        USE_TZ=True,
    )
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - once Django is set up

    call_command("migrate", run_syncdb=True, verbosity=0)


def _deliver(target: str, record: object, count: int) -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415 - once Django is set up
    from drf_hooks.client import get_client  # noqa: PLC0415 - once Django is set up
    from drf_hooks.models import Hook  # noqa: PLC0415 - once Django is set up
    from drf_hooks_app.models import Appointment  # noqa: PLC0415 - once Django is set up

    user, _ = User.objects.get_or_create(username="vendor")
    Hook.objects.get_or_create(user=user, event="appointment.create", target=target)
    client = get_client()
    before = client.total_sent
    for number in range(count):
        Appointment.objects.create(user=user, event_id=f"evt_{number:026d}", record=record)
    # Two threads may count at once and lose one, so their end is what counts. A hook that
    # was queued while the threads were ending waits for the next one: here, for us.
    while client.queue or any(thread.is_alive() for thread in client.flush_threads):
        client.refresh_threads()
        time.sleep(_POLL_S)
    assert client.total_sent > before


if __name__ == "__main__":
    main()
