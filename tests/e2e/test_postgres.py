"""Real processes on PostgreSQL: one that does everything, and several that share the work."""

import pytest
from sqlalchemy import make_url

from relais_client import NewEvent, Relais
from tests.e2e.processes import RelaisProcess, make_first_keys, serve
from tests.e2e.test_serve import APPOINTMENT, publish, settled, subscribe
from tests.postgres import postgres
from tests.receiver import answer_after


@pytest.fixture
def url():
    made = postgres().new_database(migrated=False)
    yield made
    postgres().drop(make_url(made).database)


def test_what_is_published_arrives(tmp_path, receiver, url):
    with serve(tmp_path, RELAIS_DATABASE_URL=url) as relais:
        subscribe(relais.url, relais.rest_of("Account key: "), receiver.url)

        published = publish(relais.url, relais.rest_of("Publisher key: "))

        [request] = receiver.wait_for(1)
        assert published.id in request.body.decode()
        assert relais.stop() == 0
    assert not (tmp_path / "relais.db").exists()


def test_workers_share_the_work_and_deliver_nothing_twice(tmp_path, receiver, url):
    receiver.misbehave(answer_after(0.03))
    publisher_key, account_key = make_first_keys(tmp_path, database_url=url)
    events = [NewEvent("demo", "appointment.create", {**APPOINTMENT, "id": n}) for n in range(60)]
    data, settings = ("--data", str(tmp_path)), {"RELAIS_DATABASE_URL": url}
    with (
        RelaisProcess("api", "--port", "0", *data, **settings) as api,
        RelaisProcess("worker", *data, RELAIS_WORKER_SLOTS="4", **settings) as first,
        RelaisProcess("worker", *data, RELAIS_WORKER_SLOTS="4", **settings) as second,
    ):
        subscribe(api.url, account_key, receiver.url)
        for one in (first, second):
            one.rest_of("The worker delivers.")
        with Relais(api.url, publisher_key) as relais:
            relais.publish_batch(events)
        settled(api.url, account_key, len(events))

        logs = [one.log for one in (first, second)]
    ids = [one.header("webhook-id") for one in receiver.requests]
    assert len(ids) == len(set(ids)) == len(events)
    assert all(log.count("delivery.attempted") > 0 for log in logs)


def test_a_restart_of_the_server_stops_nobody(tmp_path, receiver, url):
    with serve(tmp_path, RELAIS_DATABASE_URL=url) as relais:
        subscribe(relais.url, relais.rest_of("Account key: "), receiver.url)
        postgres().restart()

        publish(relais.url, relais.rest_of("Publisher key: "))

        receiver.wait_for(1)
        assert relais.stop() == 0


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    nowhere = f"postgresql://ada:hunter2@/x?host={tmp_path}"
    with RelaisProcess("api", "--data", str(tmp_path), RELAIS_DATABASE_URL=nowhere) as relais:
        assert relais.wait() == 1

        assert "The database cannot be reached." in relais.log
        assert "Traceback" not in relais.log
        assert "hunter2" not in relais.log
